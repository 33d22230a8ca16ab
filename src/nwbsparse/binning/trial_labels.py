"""What is known of each trial: columns of its table, what holds for the whole session, behaviour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.trial_table import TrialTable
from nwbsparse.binning.variables import AXES
from nwbsparse.errors import BadInput, did_you_mean, raise_together
from nwbsparse.naming.listed_names import names_in
from nwbsparse.session import Session

KINDS = (names.CATEGORY, names.CIRCULAR, names.CONTINUOUS)
HALF_TURN, TURN = 180.0, 360.0
COLUMN, SESSION, BEHAVIOUR = "column", "session", "behaviour"
_RELATED = {"orientation": "direction", "direction": "orientation"}


@dataclass(frozen=True)
class AskedLabel:
    """A label as it was asked for."""

    name: str
    kind: str = ""
    """'category', 'circular' or 'continuous'; '' where the data say it."""
    period: float | None = None
    """Of a circular label, in its unit of measure."""

    @property
    def said(self) -> str:
        """As it is asked for in words."""
        period = "" if self.period is None else f"{self.period:g}"
        return ":".join(word for word in (self.name, self.kind, period) if word)


@dataclass(frozen=True)
class Found:
    """A label of one session before it has codes."""

    values: np.ndarray
    """(trial,) numbers or text."""
    origin: str
    """COLUMN, SESSION or BEHAVIOUR (whose values come with the bins)."""
    says: str = ""
    """What the table says its kind is."""
    note: str = ""


def asked_labels(labels: str | Iterable[str] | Mapping[str, str] | None) -> list[AskedLabel] | None:
    """The labels asked for: "direction, speed", "direction:circular:360", {"RT": "continuous"}.

    Raises:
        BadInput: a kind is none, or a period is no number above 0, or only a circular label has one.
    """
    if labels is None:
        return None
    if isinstance(labels, Mapping):
        given = [f"{name}:{kind}" if kind else name for name, kind in labels.items()]
    else:
        given = names_in(labels) if isinstance(labels, str) else list(labels)
    problems: list[str] = []
    found = [_parsed(one, problems) for one in given if one]
    if not found and not problems:
        problems.append("none is named")
    if len({one.name for one in found}) < len(found):
        problems.append("one is named twice")
    raise_together(problems, heading="labels cannot be taken so")
    return found


def _parsed(said: str, problems: list[str]) -> AskedLabel:
    name, _, rest = said.partition(":")
    kind, _, length = rest.partition(":")
    if kind and kind not in KINDS:
        problems.append(
            f"'{said}': there is no kind '{kind}'{did_you_mean(kind, KINDS)} "
            f"(there are: {', '.join(KINDS)})"
        )
    period = None
    if length:
        try:
            period = float(length)
        except ValueError:
            period = np.nan
        if not (np.isfinite(period) and period > 0 and kind == names.CIRCULAR):
            problems.append(f"'{said}': a period is a number above 0, of a circular label")
    return AskedLabel(name, kind, period)


def related(labels: Iterable[str]) -> list[str]:
    """The labels, and the columns that they can be told from."""
    return [word for name in labels for word in (name, _RELATED.get(name, "")) if word]


def find_label(name: str, session: Session, table: TrialTable, units: np.ndarray) -> Found | None:
    """A label of a session by its name; None where nothing is called so.

    Looked for among the columns of the table, what is said of the subject (``genotype``), the columns
    of the units that are alike in all of them (``region``), and behaviour signals. Where the table
    states the direction of gratings alone, ``orientation`` is it modulo 180°; where it states an
    orientation that goes to 360° (a direction by the name that some files give it), ``direction`` is it.

    Raises:
        BadInput: the units do not agree on it.
    """
    if name in table.columns():
        column = table.rows[name]
        return Found(column.values, COLUMN, str(column.attrs.get(names.KIND, "")))
    if (derived := _derived(name, table)) is not None:
        return derived
    if name in session.subject:
        return Found(np.full(len(table.row), session.subject[name]), SESSION)
    if name in session.units and name != names.UNIT_ID:
        values = np.unique(session.units[name].values[units].astype(str))
        if len(values) > 1:
            shown = ", ".join(values[:4].tolist())
            raise BadInput(
                f"'{name}' differs between units ({shown}), so it is no label of the session; choose "
                "units or regions that agree"
            )
        return Found(np.full(len(table.row), values[0]), SESSION)
    if name in signals(session):
        return Found(np.zeros(len(table.row)), BEHAVIOUR)
    return None


def _derived(name: str, table: TrialTable) -> Found | None:
    source = _RELATED.get(name)
    if source is None or source not in table.columns():
        return None
    column = table.rows[source]
    if column.dtype.kind not in "iuf":
        return None
    values = column.values.astype(np.float64)
    says = str(column.attrs.get(names.KIND, ""))
    if name == "orientation":
        return Found(
            values % HALF_TURN, COLUMN, says, "orientation is direction modulo 180 degrees"
        )
    if not (values[np.isfinite(values)] >= HALF_TURN).any():
        return None
    note = "direction is the column 'orientation', whose values go beyond 180 degrees"
    return Found(values, COLUMN, says, note)


def signals(session: Session) -> list[str]:
    """What behaviour signals are called as labels: of several components, each by its axis."""
    found: list[str] = []
    for series in session.series.values():
        if series.data.ndim == 1:
            found.append(series.name)
        else:
            found += [f"{series.name}_{axis}" for axis in AXES[: series.data.shape[1]]]
    return found


def label_names(session: Session, table: TrialTable) -> list[str]:
    """Everything that :func:`find_label` knows in a session."""
    of_units = [str(name) for name in session.units.data_vars if name != names.UNIT_ID]
    return [*table.columns(), *session.subject, *of_units, *signals(session)]


def usual_labels(session: Session, table: TrialTable) -> list[str]:
    """The labels where none are asked for: columns of categories, genotype and region."""
    columns = [
        name for name in table.columns() if table.rows[name].attrs.get(names.KIND) == names.CATEGORY
    ]
    known = [*session.subject, *map(str, session.units.data_vars)]
    return columns + [one for one in ("genotype", "region") if one in known and one not in columns]


def kind_of(asked: AskedLabel, found: Sequence[Found]) -> str:
    """The kind of a label over all sessions.

    Raises:
        BadInput: it is none by itself, as row numbers and moments are.
    """
    if asked.kind:
        return asked.kind
    says = {one.says for one in found}
    if odd := says & {"identifier", "event time"}:
        raise BadInput(
            f"'{asked.name}' is an {odd.pop()} of its rows; to take it all the same, say of what "
            f"kind: '{asked.name}:continuous' or '{asked.name}:category'"
        )
    # few repeats in one session do not make a number of what has categories in all others
    return names.CONTINUOUS if says == {names.CONTINUOUS} else names.CATEGORY


def period_of(asked: AskedLabel, values: np.ndarray) -> float:
    """What a circular label goes round: as asked, 2π, 180 where so called, else 360."""
    if asked.period is not None:
        return asked.period
    known = np.abs(values[np.isfinite(values)])
    largest = known.max(initial=0.0)
    if largest <= 2 * np.pi + 0.01:
        return 2 * np.pi
    return HALF_TURN if "orientation" in asked.name and largest < HALF_TURN else TURN


def labels_of(trials: xr.Dataset) -> list[str]:
    """The labels of a Trials dataset, in order: the variables that say of what kind they are."""
    return [str(name) for name, one in trials.data_vars.items() if names.KIND in one.attrs]

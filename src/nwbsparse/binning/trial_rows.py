"""From sessions to their trials: units and rows chosen, labels looked for, blanks marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from nwbsparse.binning.select_units import Units
from nwbsparse.binning.trial_activity import Windows
from nwbsparse.binning.trial_labels import (
    COLUMN,
    AskedLabel,
    Found,
    find_label,
    label_names,
    related,
    usual_labels,
)
from nwbsparse.binning.trial_table import TrialTable, marked_blank, missing, trial_table
from nwbsparse.binning.used import Used, used_units
from nwbsparse.errors import BadInput, unknown
from nwbsparse.session import Session

Labels = dict[AskedLabel, list[Found | None]]


@dataclass(frozen=True)
class Gathered:
    """One session with its trials."""

    name: str
    session: Session
    used: Used
    table: TrialTable
    blank: np.ndarray
    """(trial,) bool."""
    trials: np.ndarray
    """(trial,) their places among all that were gathered."""
    notes: tuple[str, ...] = ()
    windows: Windows | None = None
    recorded: np.ndarray | None = None
    """(trial, time) bool: which bins the recording covers."""

    def take(self, trials: np.ndarray) -> Gathered:
        """Some of the trials, in this order."""
        return replace(
            self,
            table=self.table.take(trials),
            blank=self.blank[trials],
            trials=self.trials[trials],
            windows=None if self.windows is None else self.windows.take(trials),
            recorded=None if self.recorded is None else self.recorded[trials],
        )

    def saying(self, *notes: str) -> Gathered:
        """The same with more to say of it."""
        return replace(self, notes=(*self.notes, *notes))


def gather(
    session: Session,
    name: str,
    *,
    table: str | None,
    asked: Sequence[AskedLabel] | None,
    where: str | None,
    units: Units | None,
    regions: str | Iterable[str] | None,
) -> Gathered:
    """Choose the units and the rows of a session.

    Raises:
        BadInput: there are none, or what is asked for does not exist.
    """
    if not session.n_units:
        raise BadInput("has no units: neither sorted neurons nor ROIs")
    used = used_units(session, units=units, regions=regions)
    wanted = related(one.name for one in asked or ())
    rows = trial_table(session, table=table, labels=wanted, where=where)
    return Gathered(name, session, used, rows, marked_blank(rows), np.arange(len(rows.row)))


def look_for(
    asked: Sequence[AskedLabel] | None, gathered: list[Gathered], problems: list[str]
) -> Labels:
    """The labels in each session; blank trials are marked in ``gathered`` and what is absent said there.

    Problems are appended: labels that no session has, and units that do not agree on one.
    """
    chosen = list(asked or ())
    if asked is None:
        usual = chain.from_iterable(usual_labels(one.session, one.table) for one in gathered)
        chosen = [AskedLabel(name) for name in dict.fromkeys(usual)]
    labels: Labels = {}
    for label in chosen:
        refusals: list[str] = []
        found = _in_each(label, gathered, refusals)
        if asked is not None:
            problems += refusals
            labels[label] = found
            if not refusals and all(one is None for one in found):
                problems.append(_nowhere(label, gathered))
        elif any(found) and _varies(found):
            labels[label] = found
    if not labels and not problems:
        problems.append("no column of categories is in the table of trials; say labels=")
    for number, one in enumerate(gathered):
        absent = [label.name for label, found in labels.items() if found[number] is None]
        notes = [f"there is no '{name}' in this session" for name in absent]
        gathered[number] = _with_blanks(one, [f[number] for f in labels.values()]).saying(*notes)
    return labels


def _in_each(
    label: AskedLabel, gathered: Sequence[Gathered], refusals: list[str]
) -> list[Found | None]:
    """The label in each session; of sessions in which units do not agree on it, why."""
    found: list[Found | None] = []
    for one in gathered:
        try:
            found.append(find_label(label.name, one.session, one.table, one.used.rows))
        except BadInput as error:
            found.append(None)
            refusals.append(f"{one.name}: {error}")
    return found


def _nowhere(label: AskedLabel, gathered: Sequence[Gathered]) -> str:
    known = chain.from_iterable(label_names(one.session, one.table) for one in gathered)
    return str(unknown(label.name, dict.fromkeys(known), what="label"))


def _varies(found: Sequence[Found | None]) -> bool:
    known = [one.values[~missing(one.values)].astype(str) for one in found if one is not None]
    return len(np.unique(np.concatenate(known))) > 1


def _with_blanks(one: Gathered, found: Sequence[Found | None]) -> Gathered:
    """Blank as well: trials in which no column has a value."""
    columns = [label for label in found if label is not None and label.origin == COLUMN]
    if not columns:
        return one
    empty = np.all([missing(label.values) for label in columns], axis=0)
    return replace(one, blank=one.blank | empty)

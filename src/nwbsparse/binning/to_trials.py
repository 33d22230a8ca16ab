"""Session → Trials: activity from the start of every trial on, with what is known of each trial."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.observed import suggest_bin_width
from nwbsparse.binning.select_units import Units
from nwbsparse.binning.trial_activity import trial_activity
from nwbsparse.binning.trial_labels import AskedLabel, asked_labels, labels_of
from nwbsparse.binning.trial_rows import Gathered, gather, look_for
from nwbsparse.binning.trial_variables import label_variables
from nwbsparse.binning.trial_window import Bins, keep_recorded, window_of
from nwbsparse.binning.variables import free_name
from nwbsparse.errors import BadInput, raise_together
from nwbsparse.schema import check, with_step
from nwbsparse.session import Session

OURS = (names.ACTIVITY, names.BLANK, names.START, names.ROW, names.UNIT_ID, names.UNIT_ROW)


def to_trials(
    session: Session | Sequence[Session],
    *,
    table: str | None = None,
    window: Sequence[float | int] | None = None,
    labels: str | Iterable[str] | Mapping[str, str] | None = None,
    bin_width: float | None = None,
    where: str | None = None,
    units: Units | None = None,
    regions: str | Iterable[str] | None = None,
    like: xr.Dataset | None = None,
) -> xr.Dataset | list[xr.Dataset]:
    """Cut a recording into trials: what every unit did from each onset on, and what was shown.

    Args:
        session: what :func:`nwbsparse.read` returned; several sessions, of whatever units, give a list
            of datasets whose labels have the same codes.
        table: the table of trials, wherever the file keeps it (intervals, epochs, stimulus); None: the
            one with the most of ``labels`` among its columns; of several such ``trials``.
        window: (first, last) seconds from the start of a trial; None: from 0 to the end of the shortest.
        labels: what a trial is called by: columns of the table; what holds for a session, such as
            ``genotype`` of the subject and ``region`` of its units; behaviour signals, which have a value
            in each bin. "direction, speed", or with a kind: "direction:circular:360, RT:continuous" (kinds:
            category, circular with its period, continuous). None: all columns of categories, and of
            genotype and region what differs between sessions.
        bin_width: seconds; None: of traces their step, of spikes as :func:`nwbsparse.to_bins` chooses;
            the widest of several sessions.
        where: a condition on the columns of the table and ``duration`` (s); other rows are no trials.
        units: as in :func:`nwbsparse.to_bins`.
        regions: likewise.
        like: an earlier Trials dataset: its table, window, bins, labels and categories hold here too
            where nothing else is said, as a network that was trained on it expects.

    Returns:
        Dataset ``activity(trial, time, unit)`` float32: the mean of the samples in a bin, or the number
        of spikes, NaN where it is not known; ``time`` are bin centres (s) from the start of the trial. Over
        ``trial``: ``start`` (s), ``row`` of the table, ``blank`` (nothing was shown: a column
        ``blank_sweep`` says so, or no label has a value) and one variable per label, with attribute
        ``kind``: a category has int64 codes into ``values``, −1 for none; other labels are
        numbers, NaN for none, of behaviour (trial, time); ``constant`` = 1 marks labels that are one
        and the same in each session. Bins are half-open. ``notes`` lists what was left out and why.

    Raises:
        BadInput: there is no such table or label, a label has one class, trials are shorter than the
            window, the recording covers none of them, or there are no units; all of it in one message.
    """
    sessions = [session] if isinstance(session, Session) else list(session)
    if not sessions:
        raise BadInput("no session was given, so there are no trials")
    asked = asked_labels(labels)
    if like is not None:
        check(like, names.TRIALS)
        asked = _as_before(like) if asked is None else asked
        window = list(like.attrs[names.WINDOW]) if window is None else window
        bin_width = float(like.attrs[names.BIN_WIDTH]) if bin_width is None else bin_width
    problems: list[str] = []
    gathered: list[Gathered] = []
    for name, one in zip(_called(sessions), sessions, strict=True):
        wanted = table
        if table is None and like is not None and like.attrs[names.TABLE] in one.intervals:
            wanted = str(like.attrs[names.TABLE])
        try:
            gathered.append(
                gather(
                    one, name, table=wanted, asked=asked, where=where, units=units, regions=regions
                )
            )
        except BadInput as error:
            problems.append(f"{name}: {error}")
    found = look_for(asked, gathered, problems) if gathered else {}
    raise_together(problems, heading="no trials can be made")
    width = _width(sessions) if bin_width is None else bin_width
    bins = window_of(gathered, window, width, problems)
    raise_together(problems, heading="no trials can be made")
    cut = [keep_recorded(one, bins, problems) for one in gathered]
    raise_together(problems, heading="no trials can be made")
    variables = label_variables(found, cut, like, problems)
    raise_together(problems, heading="no trials can be made")
    said = {
        "table": table, "window": window, "labels": [one.said for one in found], "where": where,
        "bin_width": bins.bin_width, "units": _said(units), "regions": _said(regions),
    }  # fmt: skip
    given = {key: value for key, value in said.items() if value is not None}
    made = [_dataset(one, bins, mine, given) for one, mine in zip(cut, variables, strict=True)]
    return made[0] if isinstance(session, Session) else made


def _called(sessions: Sequence[Session]) -> list[str]:
    """A name of its own for each session."""
    found: list[str] = []
    for number, one in enumerate(sessions):
        name = (one.source.identifier or one.source.session_id or "session").replace("/", "-")
        found.append(name if name not in found else f"{name}-{number}")
    return found


def _width(sessions: Sequence[Session]) -> float:
    return max(suggest_bin_width(one)[0] for one in sessions)


def _as_before(like: xr.Dataset) -> list[AskedLabel]:
    return [AskedLabel(name, str(like[name].attrs[names.KIND])) for name in labels_of(like)]


def _dataset(
    one: Gathered, bins: Bins, labels: Mapping[str, xr.DataArray], given: Mapping[str, Any]
) -> xr.Dataset:
    assert one.windows is not None and one.recorded is not None
    activity = trial_activity(one.used.session, one.windows, one.used.rows)
    activity[~one.recorded] = np.nan
    taken = {free_name(name, OURS): values for name, values in labels.items()}
    variables = {
        names.ACTIVITY: ((names.TRIAL, names.TIME, names.UNIT), activity),
        names.BLANK: (names.TRIAL, one.blank),
        **taken,
    }
    seconds = {names.UNITS_OF_MEASURE: "s"}
    coords = {
        names.TRIAL: np.arange(len(one.blank)),
        names.TIME: (names.TIME, bins.centres, {**seconds, "long_name": "bin centre"}),
        names.START: (names.TRIAL, one.table.start, seconds),
        names.ROW: (names.TRIAL, one.table.row),
        **_units(one, taken),
    }
    attrs = {
        names.SCHEMA: names.TRIALS,
        names.BIN_WIDTH: bins.bin_width,
        names.TIME_UNIT: "s",
        names.SOURCE: one.session.source.identifier,
        names.SOURCE_SHA256: one.session.source.sha256,
        names.SESSION: one.name,
        names.TABLE: one.table.name,
        names.WINDOW: [bins.start, bins.start + bins.n_bins * bins.bin_width],
        names.NOTES: json.dumps([*one.notes, *_unknown_activity(activity, one.recorded)]),
    }
    made = xr.Dataset(variables, coords=coords, attrs=attrs)
    return check(with_step(made, "to_trials", given), names.TRIALS)


def _units(one: Gathered, labels: Mapping[str, Any]) -> dict[str, Any]:
    """Every column of the units that are used, as beside counts; a label keeps its name before them."""
    session, rows = one.used.session, one.used.rows
    coords: dict[str, Any] = {
        names.UNIT: np.arange(len(rows)),
        names.UNIT_ROW: (names.UNIT, session.unit_rows[rows]),
        names.UNIT_ID: (names.UNIT, session.unit_names[rows]),
    }
    for key, column in session.units.data_vars.items():
        if key not in (names.UNIT_ROW, names.UNIT_ID):
            free = free_name(str(key), {*OURS, *labels})
            coords[free] = (names.UNIT, column.values[rows])
    return coords | one.used.made_of


def _unknown_activity(activity: np.ndarray, recorded: np.ndarray) -> list[str]:
    """What there is to say of values that are NaN though the recording went on."""
    gone = np.isnan(activity) & recorded[:, :, None]
    if not gone.any():
        return []
    said = f"{int(gone.sum()):,} of {gone.size:,} values were not measured: they are NaN"
    never = int(np.isnan(activity).all(axis=(0, 1)).sum())
    return [f"{said}; {never} units without any value" if never else said]


def _said(asked: object) -> object:
    """An argument as it can stand in the history."""
    if asked is None or isinstance(asked, str):
        return asked
    if callable(asked):
        return f"function {getattr(asked, '__name__', 'without a name')}"
    return np.asarray(list(asked)).tolist()  # type: ignore[call-overload]

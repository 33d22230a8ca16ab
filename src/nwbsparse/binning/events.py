"""Moments → how many of them fall into each bin, label by label where there are few labels."""

from __future__ import annotations

import json
from collections.abc import Collection

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.grid import Grid
from nwbsparse.binning.variables import free_name, label_name
from nwbsparse.session import Events

MAX_LABELS = 12
"""Different labels up to which each gets a variable of its own. Kinds of event are few (two sides,
hit and miss, the codes of a task); more are measured values or notes, each too rare to be compared
with anything, and every variable more is one more that a latent could follow by chance."""
_MISSING = ("", "nan", "None")  # as in the categories of trials


def count_events(
    events: Events, grid: Grid, *, taken: Collection[str] = ()
) -> dict[str, xr.DataArray]:
    """(time,) number of events in each bin: one variable per label, ``<series>_<label>``.

    A series whose events are all the same, or have more than 12 different labels, gives one
    variable under its own name; the attribute ``notes`` says so where labels were not kept apart.
    Missing labels ('', 'nan', 'None') are counted as ``<series>_unlabelled``. Variables come in the
    order of their labels (numbers by size); '_' is added to a name that is in ``taken`` or that two
    labels share.

    Each variable has the role 'event'; its attributes say the ``label``, the ``series``, and how
    many events were ``dropped``: in no bin, or without a time. No event is counted twice or lost:
    sums and ``dropped`` over all variables add up to the number of events.
    """
    bins = grid.index(events.times)
    kinds, code, n = _labels(events)
    if not 2 <= len(kinds) <= MAX_LABELS:
        attrs: dict[str, object] = {}
        if len(kinds) > MAX_LABELS:
            often = [f"{kinds[at]} ({n[at]:,})" for at in np.argsort(-n, kind="stable")[:3]]
            attrs["n_labels"] = len(kinds)
            attrs["notes"] = (
                f"{len(kinds):,} different labels, more than {MAX_LABELS}: counted together; the "
                f"most frequent: {', '.join(often)}"
            )
        elif len(kinds):
            attrs["labels"] = json.dumps({str(kinds[0]): int(n[0])})
        return {free_name(events.name, taken): _counted(events, bins, grid, attrs)}
    made: dict[str, xr.DataArray] = {}
    for at, kind in enumerate(kinds.tolist()):
        name = free_name(f"{events.name}_{label_name(kind)}", {*taken, *made})
        made[name] = _counted(events, bins[code == at], grid, {"label": kind})
    return made


def label_counts(events: Events) -> dict[str, int]:
    """How many events have each label, in the order of the labels; empty where there are none.

    Missing labels count as ''.
    """
    kinds, _, n = _labels(events)
    return dict(zip(kinds.tolist(), n.tolist(), strict=True))


def _labels(events: Events) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The different labels in order, which of them each event has, and how many events have it."""
    if events.labels is None:
        return np.empty(0, dtype=str), np.zeros(len(events.times), np.int64), np.empty(0, np.int64)
    words = events.labels.astype(str)
    words = np.where(np.isin(words, _MISSING), "", words)
    kinds, code, n = np.unique(words, return_inverse=True, return_counts=True)
    order = np.array(sorted(range(len(kinds)), key=lambda at: _place(kinds[at])), dtype=np.int64)
    return kinds[order], np.argsort(order)[code], n[order]


def _place(label: np.str_) -> tuple[bool, float, str]:
    """Where a label stands among others: numbers by their size, then words."""
    try:
        return False, float(label), str(label)
    except ValueError:
        return True, 0.0, str(label)


def _counted(
    events: Events, bins: np.ndarray, grid: Grid, attrs: dict[str, object]
) -> xr.DataArray:
    counts = np.bincount(bins[bins >= 0], minlength=grid.size)
    said = f" labelled '{attrs['label']}'" if attrs.get("label") else ""
    said = " without a label" if attrs.get("label") == "" else said
    attrs = {
        names.ROLE: names.ROLE_EVENT,
        "long_name": f"events of '{events.name}'{said}",
        names.UNITS_OF_MEASURE: "events per bin",
        "series": events.name,
        "dropped": int((bins < 0).sum()),
        "path": events.path,
        "object_id": events.object_id,
        **attrs,
    }
    kind = np.min_scalar_type(int(counts.max(initial=0)))
    return xr.DataArray(counts.astype(kind), dims=names.TIME, attrs=attrs)

"""Traces that are missing, stuck, cut off at the top, or the same as another's."""

from __future__ import annotations

import numpy as np

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording
from nwbsparse.analysis.data_check.wording import listed, named, percent
from nwbsparse.io.rules.account import counted
from nwbsparse.training.start import FEWEST

MISSING = 0.1
"""Share of samples that are NaN from which on a unit is said to be missing."""
SATURATED = 0.01
"""Share of samples at exactly the largest value from which on a trace is cut off there: of a measured
value the largest comes once."""
DISTINCT = 20
"""Different values from which on a trace is measured: codes and small counts repeat their largest."""
ALIKE = 0.9
"""Correlation (of changes from sample to sample; of counts and events themselves) from which on two
units are nearly the same: neighbours share neuropil and movement, but not every transient."""
LOOKED_AT = 20_000
"""Samples, evenly spaced, over which units are compared with each other."""


def faulty_traces(recording: CheckedRecording) -> list[Finding]:
    """Units of a table of activity of which nothing can be learned, or nothing of their own."""
    if recording.is_spikes or not len(recording.samples):
        return []
    values = recording.samples.astype(np.float32)
    return [
        *_missing(recording, values),
        *_saturated(recording, values),
        *_alike(recording, values),
    ]


def _missing(recording: CheckedRecording, values: np.ndarray) -> list[Finding]:
    share = (~np.isfinite(values)).mean(axis=0)
    few = np.flatnonzero(share >= MISSING)
    if not len(few):
        return []
    gone = int((share[few] == 1).sum())
    return [
        Finding(
            "missing samples",
            "caution",
            f"{counted(len(few), 'unit')} of {recording.n_units:,} lack {percent(MISSING)} or more of "
            f"their samples (NaN), {gone:,} of them all.",
            named(_ids(recording, few)),
            "Where a unit is not known it stands at its mean and carries no loss. Leave out those that "
            "are hardly known with --units.",
            {"units": _ids(recording, few), "missing_share": share[few].round(4).tolist()},
        )
    ]


def _saturated(recording: CheckedRecording, values: np.ndarray) -> list[Finding]:
    if recording.is_events:
        return []
    n = np.maximum(np.isfinite(values).sum(axis=0), 1)
    with np.errstate(invalid="ignore"):
        top = np.nanmax(np.where(np.isfinite(values), values, -np.inf), axis=0)
    share = (values == top).sum(axis=0) / n
    cut = [
        unit
        for unit in np.flatnonzero(share >= SATURATED)
        if len(np.unique(values[:, unit])) >= DISTINCT
    ]
    if not cut:
        return []
    return [
        Finding(
            "saturated traces",
            "caution",
            f"{counted(len(cut), 'unit')} of {recording.n_units:,} {'is' if len(cut) == 1 else 'are'} at "
            f"exactly the largest value in {percent(SATURATED)} or more of the samples: cut off at the "
            "top of the detector or by what was done to them.",
            named(_ids(recording, np.array(cut))),
            "How strongly these units are active is not known there. Use traces from before they were "
            "cut off, or leave the units out with --units.",
            {"units": _ids(recording, np.array(cut)), "share": share[cut].round(4).tolist()},
        )
    ]


def _alike(recording: CheckedRecording, values: np.ndarray) -> list[Finding]:
    table = np.nan_to_num(values, nan=0.0)
    if not recording.is_events:
        table = np.diff(table, axis=0)
    often = np.flatnonzero((table != 0).sum(axis=0) >= FEWEST)
    if len(often) < 2:
        return []
    looked_at = np.unique(np.linspace(0, len(table) - 1, LOOKED_AT).round().astype(int))
    some = table[looked_at][:, often]
    some = some - some.mean(axis=0)
    size = np.linalg.norm(some, axis=0)
    some = some / np.where(size > 0, size, 1)
    r = np.clip(np.triu(some.T @ some, 1), -1, 1)  # rounding of float32 goes beyond
    pairs = np.argwhere(r >= ALIKE)
    if not len(pairs):
        return []
    ids = recording.ids
    order = np.argsort(-r[tuple(pairs.T)], kind="stable")
    found = [(ids[often[a]], ids[often[b]], float(r[a, b])) for a, b in pairs[order]]
    return [
        Finding(
            "nearly identical units",
            "caution",
            f"{counted(len(pairs), 'pair')} of units {'is' if len(pairs) == 1 else 'are'} nearly the "
            f"same: their {'activity correlates' if recording.is_events else 'changes correlate'} by "
            f"{ALIKE:g} or more.",
            "units " + listed([f"{a} and {b} ({value:.2f})" for a, b, value in found]),
            "One cell that was found twice, or a table with copies: keep one of each pair with --units. "
            "Otherwise latents that tell one from the other say nothing.",
            {"pairs": [{"units": [a, b], "correlation": value} for a, b, value in found]},
        )
    ]


def _ids(recording: CheckedRecording, units: np.ndarray) -> list[str]:
    return [recording.ids[unit] for unit in units]

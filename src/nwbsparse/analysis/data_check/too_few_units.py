"""Units that hardly fire, and whether those that do are enough to be learned from."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import connected_components

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording
from nwbsparse.analysis.data_check.wording import length, named
from nwbsparse.binning.groups import SHARED
from nwbsparse.io.rules.account import counted
from nwbsparse.options.config import Config
from nwbsparse.training.learn import FEWEST_GROUPS
from nwbsparse.training.start import FEWEST

USED = 1 - Config().test - Config().validation
"""Share of the recording that is learned from, unless the options say otherwise."""


def units_that_hardly_fire(recording: CheckedRecording) -> list[Finding]:
    """Units that are active in too few bins to say with whom."""
    n = _active(recording)
    never, rare = np.flatnonzero(n == 0), np.flatnonzero((n > 0) & (n < FEWEST))
    if not len(never) + len(rare):
        return []
    ids = recording.ids
    parts = []
    if len(never):
        parts.append(
            f"{len(never):,} of {recording.n_units:,} {recording.noun}s {_never(recording, len(never))}"
        )
    if len(rare):
        fewer = f"fewer than {FEWEST} {'spikes' if recording.is_spikes else 'active bins'}"
        longer = recording.seconds * FEWEST / np.maximum(n[rare], 1) / USED
        parts.append(
            f"{counted(len(rare), recording.noun)} {'has' if len(rare) == 1 else 'have'} {fewer}"
            + (f" ({length(np.median(longer))} of recording would do for the median one)")
        )
    return [
        Finding(
            "units that are hardly active",
            "note",
            f"{'; '.join(parts)}, in the whole recording. "
            f"{'It takes' if len(never) + len(rare) == 1 else 'They take'} no part in what is learned.",
            named([ids[unit] for unit in [*never, *rare]], recording.noun),
            "Nothing needs to be done. To leave them out of tables and figures, name the units to use "
            "with --units.",
            {
                "never": [ids[unit] for unit in never],
                "rare": [ids[unit] for unit in rare],
                "fewest": FEWEST,
            },
        )
    ]


def _never(recording: CheckedRecording, n: int) -> str:
    if not recording.is_events:
        return "never changes" if n == 1 else "never change"
    fires = recording.fires(n)
    return (
        f"never {fires}" if fires.startswith("fire") else fires.replace(" active", " never active")
    )


def too_few_units(recording: CheckedRecording) -> list[Finding]:
    """Fewer units, or groups of units that share spikes, than can be hidden from each other."""
    often = np.flatnonzero(_active(recording) >= FEWEST)
    n = len(often)
    if recording.is_spikes and n:
        share = recording.shared[np.ix_(often, often)]
        n, _ = connected_components(share > SHARED, directed=False)
    if n >= FEWEST_GROUPS:
        return []
    noun = recording.noun
    if n < len(often):
        what = f"group{'s' * (n != 1)} of {noun}s that share no spikes"
    else:
        what = f"{noun if n == 1 else f'{noun}s'} that {recording.fires(n)}"
    more = (
        "Are there more in the file (another table, or units that a curation left out)? Several "
        "sessions can be learned together; else look at the units themselves."
    )
    if noun == "pool":
        more = "Pool by narrower bins or by more columns, or leave --pool away and read the units."
    return [
        Finding(
            "too few units",
            "caution" if n > 1 else "problem",
            f"{n} {what}, {FEWEST_GROUPS} are needed to hide some and tell them from the others: "
            "smoothing, number of latents and k cannot be chosen by that, and latents are "
            f"{noun}s under other names.",
            f"all {noun}s" if recording.n_units > 1 else f"the only {noun}",
            f"{FEWEST_GROUPS - n} more would do. {more}",
            {"n": n, "needed": FEWEST_GROUPS},
        )
    ]


def _active(recording: CheckedRecording) -> np.ndarray:
    """(unit,) spikes, or samples in which the unit is not silent (traces: those that change)."""
    if recording.is_spikes:
        return recording.n_events
    values = recording.samples
    if recording.is_events:
        return (values > 0).sum(axis=0)
    known = np.isfinite(values)
    moves = (np.diff(values, axis=0) != 0) & known[1:] & known[:-1]
    return moves.sum(axis=0)

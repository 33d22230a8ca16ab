"""How much a latent's events tell of a position: bits per event, beyond what few events give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Activity
from nwbsparse.analysis.association.design import Design
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.condition_draws import condition_draws
from nwbsparse.analysis.statistics.loops import draw

LEAST_EVENTS = 100
"""Active bins below which nothing is said: 30 uniform events in 40 places already give 1.0 bit."""
DRAWS = 100
AT_ONCE = 1 << 22
"""Sums held at once."""


def spatial_information(
    activity: Activity, variables: Sequence[Coded], design: Design
) -> tuple[np.ndarray, np.ndarray]:
    """(latent, covariate) bits per event about each position, and the mean of that under shifts.

    Events are active bins; Σ p·(λ/λ̄)·log₂(λ/λ̄) over the places, p the share of time there, λ the
    events per bin there (Skaggs et al. 1993). NaN for what is no position, latents of fewer than 100
    events where it is known, and, for the mean under shifts, where there are too few independent
    ones. What few events give by themselves stands in the mean: look at the difference.
    """
    shape = (activity.n_channels, len(variables))
    bits, by_chance = np.full(shape, np.nan), np.full(shape, np.nan)
    for column, variable in enumerate(variables):
        if variable.kind != names.POSITION:
            continue
        codes = variable.codes[design.bins]
        drawn = condition_draws(variable, codes, design, DRAWS, column)
        if not drawn.table.size:
            continue
        n = np.stack([np.bincount(one, minlength=variable.size) for one in drawn.table.T])
        rows = drawn.row[activity.bins]
        events = np.ones(len(rows))
        at_once = max(1, AT_ONCE // n.size)
        for first in range(0, activity.n_channels, at_once):
            last = min(first + at_once, activity.n_channels)
            mine = slice(activity.indptr[first], activity.indptr[last])
            hits = np.zeros((last - first, *n.shape))
            indptr = activity.indptr[first : last + 1] - activity.indptr[first]
            draw(indptr, rows[mine], events[mine], drawn.table, hits)
            found = information(hits, n)
            found[hits[:, 0].sum(axis=1) < LEAST_EVENTS] = np.nan
            bits[first:last, column] = found[:, 0]
            if not drawn.status:
                by_chance[first:last, column] = found[:, 1:].mean(axis=1)
    return bits, by_chance


def information(events: np.ndarray, n: np.ndarray) -> np.ndarray:
    """(...,) bits per event, from events (..., place) and bins (..., place)."""
    share = n / np.maximum(n.sum(axis=-1, keepdims=True), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(n > 0, events / n, 0.0)
        mean = events.sum(axis=-1, keepdims=True) / n.sum(axis=-1, keepdims=True)
        relative = rate / mean
        bits = share * relative * np.log2(np.where(relative > 0, relative, 1.0))
    return bits.sum(axis=-1)

"""What chance gives in the whole latent × condition matrix: shifts, trials, sessions, by kind."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy import stats

from nwbsparse.analysis.apply.activity import Activity
from nwbsparse.analysis.association.design import Design
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.condition_draws import (
    SESSIONS,
    ConditionDraws,
    condition_draws,
)
from nwbsparse.analysis.behaviour.conditions import (
    MIN_ACTIVE,
    MIN_EPISODES,
    ClassCounts,
    ConditionEffects,
    auroc,
    collected,
    count_classes,
    selectivity,
)
from nwbsparse.analysis.statistics.loops import classes, count_episodes, draw, project

DRAWS = 100
"""For every element of the matrix; the one tested claim of each latent has many more."""
CELLS = 1 << 18
"""Channels × draws × conditions whose sums are held at once."""


@dataclass(frozen=True)
class Chance:
    """(latent, condition) what chance gives; NaN where a latent or a condition is not assessable."""

    effects: ConditionEffects
    """What was observed, assessable or not."""
    p: np.ndarray
    """Uncorrected, two-sided, of the AUROC after removing drift; (1 + b)/(1 + n)."""
    auroc_mean: np.ndarray
    auroc_std: np.ndarray
    selectivity_mean: np.ndarray
    assessable: np.ndarray
    """Whether 20 active bins in 5 episodes speak about the condition's variable."""
    how: dict[str, dict[str, Any]]
    """By variable: the kind of null, its draws, the smallest p they can give, and what hinders."""


def chance(
    activity: Activity,
    variables: Sequence[Coded],
    design: Design,
    *,
    n_draws: int = DRAWS,
) -> Chance:
    """Null distributions of all AUROCs and selectivities on the assessed bins, and uncorrected p.

    ``activity`` are of these bins. The null fits the variable: what is constant in trials has its
    labels exchanged among neighbouring trials (or their sequence shifted, where labels repeat),
    what is constant in a session is exchanged among sessions (all arrangements, where there are at
    most ``n_draws``), anything else is shifted in a circle by at least three memories. For p the
    drift (a cubic in time and the slow population rate) is removed from the ranks, but not before
    comparing sessions, which differ in their levels or in nothing. What is too short for a test of
    associations says nothing here either.
    """
    by_value = activity.by_value()

    def one_variable(number: int) -> tuple[ClassCounts, list[np.ndarray], dict[str, Any]]:
        variable = variables[number]
        codes = variable.codes[design.bins]
        drawn = condition_draws(variable, codes, design, n_draws, number)
        counted = count_classes(by_value, codes, variable.size)
        enough = _assessable(activity, codes, variable.size)
        found = [np.full(enough.shape, np.nan)] * 4
        if not drawn.status:
            used = np.where(drawn.row >= 0, codes, -1)  # labels of too few trials are not drawn
            alike = np.array_equal(used, codes)
            of_used = counted if alike else count_classes(by_value, used, variable.size)
            basis = None if drawn.kind == SESSIONS else design.basis_of(used >= 0)
            found = _compare(by_value, of_used, used, drawn, basis)
        n = drawn.table.shape[1] - 1
        how = {
            "kind": drawn.kind,
            "draws": n,
            "smallest_p": None if drawn.status else 1 / (1 + n),
            "status": drawn.status,
        }
        few = replace(counted, ranks=counted.ranks[:0])  # as many as there are active bins
        return few, [*(np.where(enough, one, np.nan) for one in found), enough], how

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        done = list(pool.map(one_variable, range(len(variables))))
    empty = np.empty((activity.n_channels, 0))
    p, mean, std, selective, enough = (
        np.concatenate([empty, *(one[1][at] for one in done)], axis=1) for at in range(5)
    )
    return Chance(
        effects=collected(variables, [one[0] for one in done], activity.n_channels),
        p=p,
        auroc_mean=mean,
        auroc_std=std,
        selectivity_mean=selective,
        assessable=enough.astype(bool),
        how={variable.name: one[2] for variable, one in zip(variables, done, strict=True)},
    )


def _assessable(activity: Activity, codes: np.ndarray, size: int) -> np.ndarray:
    """(channel, class): enough activity where the variable is known, inside and outside the condition."""
    active, episodes = (np.zeros(activity.n_channels, dtype=np.int64) for _ in range(2))
    count_episodes(activity.indptr, activity.bins, classes(codes, size), active, episodes)
    latents = (active >= MIN_ACTIVE) & (episodes >= MIN_EPISODES)
    n = np.bincount(codes[codes >= 0], minlength=size)
    return latents[:, None] & (n >= MIN_ACTIVE) & (n.sum() - n >= MIN_ACTIVE)


def _compare(
    activity: Activity,
    counted: ClassCounts,
    codes: np.ndarray,
    drawn: ConditionDraws,
    basis: np.ndarray | None,
) -> list[np.ndarray]:
    """p, mean and spread of the AUROC, and mean of the selectivity, (channel, class) each."""
    size, n_known = len(counted.n), counted.n_known
    table, rows = drawn.table, drawn.row[activity.bins]
    of_bins = drawn.row[codes >= 0]
    per_row = np.bincount(of_bins, minlength=len(table)).astype(np.float64)
    n = _summed(per_row[None], table, size)[0]
    active = counted.hits.sum(axis=1)
    zero_rank = n_known - active + 1.0  # twice the rank that all bins without activity share
    beta, drift = np.zeros((activity.n_channels, 0)), np.zeros((0, *n.shape))
    if basis is not None:
        beta = _coefficients(activity, counted.ranks, codes, basis, zero_rank)
        by_row = [np.bincount(of_bins, weights=c, minlength=len(table)) for c in basis.T]
        drift = _summed(np.array(by_row), table, size)
    found = [np.empty((activity.n_channels, size)) for _ in range(4)]
    at_once = max(1, CELLS // n.size)
    for first in range(0, activity.n_channels, at_once):
        last = min(first + at_once, activity.n_channels)
        hits, ranks = _packed_sums(activity, counted, rows, table, first, last, n.shape)
        ranks += (n - hits) * zero_rank[first:last, None, None]
        area = auroc(ranks / 2, n, n_known)
        with np.errstate(invalid="ignore", divide="ignore"):
            p_out = (active[first:last, None, None] - hits) / (n_known - n)
            selective = selectivity(hits / n, p_out)
            if basis is not None:  # only the part along the drift is taken out
                slow = np.tensordot(beta[first:last], drift, axes=1)
                level = 0.5 * n * (n_known + 1.0)
                cleaned = auroc((ranks - slow) / 2 + level, n, n_known)
            else:
                cleaned = area
        found[0][first:last] = _two_sided(cleaned, drawn)
        found[1][first:last] = area[:, 1:].mean(axis=1)
        found[2][first:last] = area[:, 1:].std(axis=1)
        found[3][first:last] = selective[:, 1:].mean(axis=1)
    return found


def _two_sided(area: np.ndarray, drawn: ConditionDraws) -> np.ndarray:
    """(channel, class) p of draw 0 among the others, which are (channel, draw, class).

    Where draws are alike it is no smaller than the tails of t (decision 0003).
    """
    null = area[:, 1:]
    centre = (area if drawn.exact else null).mean(axis=1, keepdims=True)
    distance = np.abs(area[:, :1] - centre)
    beaten = np.abs(null - centre) >= distance - 1e-12
    p = (1 + beaten.sum(axis=1)) / (1 + null.shape[1])
    if np.isfinite(drawn.independent):
        z = distance[:, 0] / np.maximum(null.std(axis=1), 1e-12)
        p = np.maximum(p, 2 * stats.t.sf(z, max(drawn.independent - 1, 1)))
    return np.where(np.isfinite(area).all(axis=1), p, np.nan)


def _packed_sums(
    activity: Activity,
    counted: ClassCounts,
    rows: np.ndarray,
    table: np.ndarray,
    first: int,
    last: int,
    shape: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """(channel, draw, class): active bins, and the sum of twice their ranks.

    Both are added in one 64-bit integer, the count above the ranks; ranks are at most twice the
    number of bins, so that both fit for a million bins that are all active.
    """
    most = int(np.diff(activity.indptr).max(initial=1))
    bits = (2 * counted.n_known * most + 1).bit_length()
    mine = slice(activity.indptr[first], activity.indptr[last])
    indptr = activity.indptr[first : last + 1] - activity.indptr[first]
    ranks, rows = counted.ranks[mine].astype(np.int64), rows[mine]
    if bits + most.bit_length() > 62:
        sums = [np.zeros((last - first, *shape), dtype=np.int64) for _ in range(2)]
        for weight, out in zip((np.ones_like(ranks), ranks), sums, strict=True):
            draw(indptr, rows, weight, table, out)
        return sums[0].astype(np.float64), sums[1].astype(np.float64)
    packed = np.zeros((last - first, *shape), dtype=np.int64)
    draw(indptr, rows, ranks + (np.int64(1) << bits), table, packed)
    return (packed >> bits).astype(np.float64), (packed & ((1 << bits) - 1)).astype(np.float64)


def _summed(weights: np.ndarray, table: np.ndarray, size: int) -> np.ndarray:
    """(column, draw, class) of weights (column, row): the same sums for every bin, not active ones."""
    n, n_rows = weights.shape
    out = np.zeros((n, table.shape[1], size))
    indptr = np.arange(n + 1, dtype=np.int64) * n_rows
    rows = np.tile(np.arange(n_rows, dtype=np.int32), n)
    draw(indptr, rows, np.ascontiguousarray(weights, dtype=np.float64).ravel(), table, out)
    return out


def _coefficients(
    activity: Activity,
    ranks: np.ndarray,
    codes: np.ndarray,
    basis: np.ndarray,
    zero_rank: np.ndarray,
) -> np.ndarray:
    """(channel, column): drift in twice the ranks of all known bins, active or not."""
    place = np.where(codes >= 0, np.cumsum(codes >= 0) - 1, -1).astype(np.int32)
    ranked, there = (np.zeros((activity.n_channels, basis.shape[1])) for _ in range(2))
    project(activity.indptr, place[activity.bins], ranks, basis, ranked, there)
    return ranked + zero_rank[:, None] * (basis.sum(axis=0) - there)

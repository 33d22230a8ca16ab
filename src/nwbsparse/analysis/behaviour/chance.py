"""What chance gives in the whole latent × condition matrix: shifts, trials, sessions, by kind."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial, prod
from typing import Any

import numpy as np
import torch
from scipy import fft

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Entries
from nwbsparse.analysis.behaviour.association import MIN_ACTIVE, MIN_EPISODES
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.conditions import (
    ClassCounts,
    ConditionEffects,
    auroc,
    collected,
    count_classes,
    selectivity,
)
from nwbsparse.analysis.behaviour.design import Ground
from nwbsparse.analysis.statistics.loops import classes, count_episodes, draw, project
from nwbsparse.analysis.statistics.nulls import MIN_SHIFTS, least_shift, trial_permutations

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


@dataclass(frozen=True)
class _Draws:
    """One variable under chance; draw 0 is what was observed."""

    kind: str
    row: np.ndarray
    """(bin,) the row of the table that a known bin belongs to, −1 elsewhere."""
    table: np.ndarray
    """(row, draw) class of each row in each draw."""
    exact: bool = False
    """Whether the draws are all arrangements there are."""
    status: str = ""


def chance(
    entries: Entries,
    variables: Sequence[Coded],
    bins: np.ndarray,
    ground: Ground,
    *,
    n_draws: int = DRAWS,
) -> Chance:
    """Null distributions of all AUROCs and selectivities on the given bins, and uncorrected p.

    ``entries`` are of these bins. The null fits the variable: what is constant in trials has its
    labels exchanged among neighbouring trials, what is constant in a session is exchanged among
    sessions (all arrangements, where there are at most ``n_draws``), anything else is shifted in a
    circle by at least max(10 s, 3 autocorrelation times). For p the drift (a cubic in time and the
    slow population rate) is removed from the ranks, but not before comparing sessions, which differ
    in their levels or in nothing. Fewer than 20 independent shifts, 20 trials or 2 kinds of session
    are not assessable.
    """
    by_value = entries.by_value()

    def one_variable(number: int) -> tuple[ClassCounts, list[np.ndarray], dict[str, Any]]:
        variable = variables[number]
        codes = variable.codes[bins]
        rng = np.random.default_rng([ground.seed, number])
        drawn = _draws(variable, codes, bins, ground, n_draws, rng)
        counted = count_classes(by_value, codes, variable.size)
        enough = _assessable(entries, codes, variable.size)
        found = [np.full(enough.shape, np.nan)] * 4
        if not drawn.status:
            basis = None if drawn.kind == "sessions" else ground.basis(bins[codes >= 0])
            found = _compare(by_value, counted, codes, drawn, basis)
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
    empty = np.empty((entries.n_channels, 0))
    p, mean, std, selective, enough = (
        np.concatenate([empty, *(one[1][at] for one in done)], axis=1) for at in range(5)
    )
    return Chance(
        effects=collected(variables, [one[0] for one in done], entries.n_channels),
        p=p,
        auroc_mean=mean,
        auroc_std=std,
        selectivity_mean=selective,
        assessable=enough.astype(bool),
        how={variable.name: one[2] for variable, one in zip(variables, done, strict=True)},
    )


def _assessable(entries: Entries, codes: np.ndarray, size: int) -> np.ndarray:
    """(channel, class): enough activity where the variable is known, inside and outside the condition."""
    active, episodes = (np.zeros(entries.n_channels, dtype=np.int64) for _ in range(2))
    count_episodes(entries.indptr, entries.bins, classes(codes, size), active, episodes)
    latents = (active >= MIN_ACTIVE) & (episodes >= MIN_EPISODES)
    n = np.bincount(codes[codes >= 0], minlength=size)
    return latents[:, None] & (n >= MIN_ACTIVE) & (n.sum() - n >= MIN_ACTIVE)


def _draws(
    variable: Coded,
    codes: np.ndarray,
    bins: np.ndarray,
    ground: Ground,
    n_draws: int,
    rng: np.random.Generator,
) -> _Draws:
    known = codes >= 0
    row = np.full(len(codes), -1, dtype=np.int32)
    kind = "shifts" if variable.table is None else "trials"
    kind = "sessions" if variable.table == names.SESSIONS else kind
    if kind == "shifts":
        n = int(known.sum())
        row[known] = np.arange(n)
        return _shifted(codes[known], row, variable.size, ground.bin_width, n_draws, rng)
    groups = ground.session if kind == "sessions" else ground.trials[str(variable.table)]
    _, first, at = np.unique(groups[bins][known], return_index=True, return_inverse=True)
    labels = codes[known][first]
    row[known] = at
    if kind == "sessions":
        return _exchanged_sessions(labels, row, variable.size, n_draws, rng)
    n = np.bincount(at)
    order = np.bincount(at, weights=ground.times[bins][known]) / n
    orders = trial_permutations(order, n_draws=n_draws, rng=rng)
    table = np.concatenate([labels[:, None], labels[orders.T]], axis=1)
    status = "" if len(n) >= MIN_ACTIVE else f"only {len(n)} trials"
    if not status and (table == table[:, :1]).all():
        status = "the labels never change among neighbouring trials"
    return _Draws(kind, row, _small(table, variable.size), status=status)


def _shifted(
    codes: np.ndarray,
    row: np.ndarray,
    size: int,
    bin_width: float,
    n_draws: int,
    rng: np.random.Generator,
) -> _Draws:
    n = len(codes)
    power = np.zeros(n // 2 + 1)
    for code in range(size if n else 0):
        inside = codes == code
        power += np.abs(np.asarray(fft.rfft(inside - inside.mean()))) ** 2
    least = least_shift(power, n, bin_width) if power.any() else max(n, 1)
    if n // least < MIN_SHIFTS:
        said = f"only {n // least} independent shifts ({MIN_SHIFTS} are needed)"
        return _Draws("shifts", row, np.zeros((n, 1), np.uint8), status=said)
    possible = n - 2 * least + 1
    offsets = least + rng.choice(possible, min(n_draws, possible), replace=False)
    doubled = _small(np.concatenate([codes, codes]), size)
    table = np.stack([doubled[at : at + n] for at in (0, *np.sort(offsets))])
    return _Draws("shifts", row, np.ascontiguousarray(table.T))


def _exchanged_sessions(
    labels: np.ndarray, row: np.ndarray, size: int, n_draws: int, rng: np.random.Generator
) -> _Draws:
    table, exact = arrangements(labels, n_draws=n_draws, rng=rng)
    status = "" if len(np.unique(labels)) > 1 else "all sessions are alike"
    return _Draws("sessions", row, _small(table, size), exact, status)


def arrangements(
    labels: np.ndarray, *, n_draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, bool]:
    """(session, draw): labels exchanged among sessions, first as they are; and whether that is all.

    All different arrangements where there are at most ``n_draws``, random ones otherwise.
    """
    _, counts = np.unique(labels, return_counts=True)
    n_all = factorial(len(labels)) // prod(factorial(int(count)) for count in counts)
    if n_all > n_draws or len(labels) > 8:
        random = np.array([rng.permutation(labels) for _ in range(n_draws)]).reshape(
            -1, len(labels)
        )
        return np.concatenate([labels[None], random]).T, False
    everything = {tuple(one) for one in permutations(labels.tolist())} - {tuple(labels.tolist())}
    return np.array([labels.tolist(), *sorted(everything)]).T, True


def _small(table: np.ndarray, size: int) -> np.ndarray:
    return np.ascontiguousarray(table.astype(np.uint8 if size <= 256 else np.uint32))


def _compare(
    entries: Entries,
    counted: ClassCounts,
    codes: np.ndarray,
    drawn: _Draws,
    basis: np.ndarray | None,
) -> list[np.ndarray]:
    """p, mean and spread of the AUROC, and mean of the selectivity, (channel, class) each."""
    size, n_known = len(counted.n), counted.n_known
    table, rows = drawn.table, drawn.row[entries.bins]
    of_bins = drawn.row[codes >= 0]
    per_row = np.bincount(of_bins, minlength=len(table)).astype(np.float64)
    n = _summed(per_row[None], table, size)[0]
    active = counted.hits.sum(axis=1)
    zero_rank = n_known - active + 1.0  # twice the rank that all bins without activity share
    beta, drift = np.zeros((entries.n_channels, 0)), np.zeros((0, *n.shape))
    if basis is not None:
        beta = _coefficients(entries, counted.ranks, codes, basis, zero_rank)
        by_row = [np.bincount(of_bins, weights=c, minlength=len(table)) for c in basis.T]
        drift = _summed(np.array(by_row), table, size)
    found = [np.empty((entries.n_channels, size)) for _ in range(4)]
    at_once = max(1, CELLS // n.size)
    for first in range(0, entries.n_channels, at_once):
        last = min(first + at_once, entries.n_channels)
        hits, ranks = _packed_sums(entries, counted, rows, table, first, last, n.shape)
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
        found[0][first:last] = _two_sided(cleaned, exact=drawn.exact)
        found[1][first:last] = area[:, 1:].mean(axis=1)
        found[2][first:last] = area[:, 1:].std(axis=1)
        found[3][first:last] = selective[:, 1:].mean(axis=1)
    return found


def _two_sided(area: np.ndarray, *, exact: bool) -> np.ndarray:
    """(channel, class) p of draw 0 among the others, which are (channel, draw, class)."""
    null = area[:, 1:]
    centre = (area if exact else null).mean(axis=1, keepdims=True)
    beaten = np.abs(null - centre) >= np.abs(area[:, :1] - centre) - 1e-12
    p = (1 + beaten.sum(axis=1)) / (1 + null.shape[1])
    return np.where(np.isfinite(area).all(axis=1), p, np.nan)


def _packed_sums(
    entries: Entries,
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
    most = int(np.diff(entries.indptr).max(initial=1))
    bits = (2 * counted.n_known * most + 1).bit_length()
    mine = slice(entries.indptr[first], entries.indptr[last])
    indptr = entries.indptr[first : last + 1] - entries.indptr[first]
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
    entries: Entries,
    ranks: np.ndarray,
    codes: np.ndarray,
    basis: np.ndarray,
    zero_rank: np.ndarray,
) -> np.ndarray:
    """(channel, column): drift in twice the ranks of all known bins, active or not."""
    place = np.where(codes >= 0, np.cumsum(codes >= 0) - 1, -1).astype(np.int32)
    ranked, there = (np.zeros((entries.n_channels, basis.shape[1])) for _ in range(2))
    project(entries.indptr, place[entries.bins], ranks, basis, ranked, there)
    return ranked + zero_rank[:, None] * (basis.sum(axis=0) - there)

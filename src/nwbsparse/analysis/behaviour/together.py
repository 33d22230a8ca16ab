"""What latents tell of a variable together, beside as many units, components and untrained latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from nwbsparse.analysis.apply.activity import Activity
from nwbsparse.analysis.association.associate import SHRINK
from nwbsparse.analysis.association.blocks import FOLDS, make_blocks
from nwbsparse.analysis.association.cross_fit import jackknife_error
from nwbsparse.analysis.association.design import Design
from nwbsparse.analysis.association.pick import best_alone, forward, ridge_codes
from nwbsparse.analysis.association.trials import SHRINK as TRIAL_SHRINK
from nwbsparse.analysis.association.trials import make_trials
from nwbsparse.analysis.behaviour.coding import Coded, near
from nwbsparse.analysis.behaviour.controls import UnitGroup

MOST_BINS = 20_000
"""Evenly spaced bins that are decoded; more would say the same more slowly."""
MOST_CHANNELS = 256
"""Latents of a set at most: those that follow the variable best on the other folds."""
SETS = ("latents", "units", "forward", "components", "untrained", "all_units")
LATENTS, UNITS, FORWARD, COMPONENTS, UNTRAINED, ALL_UNITS = SETS


@dataclass(frozen=True)
class Together:
    """One variable decoded from sets of channels."""

    variable: str
    n: int
    """Channels of each set (but of all units): as many as there are latents."""
    share: dict[str, float]
    """By set: bins (or trials) told to within one neighbour, mean over codes."""
    chance: float
    difference: dict[str, float]
    """By set: the share of the latents less its own."""
    error: dict[str, float]
    """By set: standard error of that difference, by leaving out blocks."""
    p: dict[str, float]
    """By set: two-sided p of that difference, by leaving out blocks."""


@dataclass(frozen=True)
class _Task:
    """What is decoded: rows (bins or trials), their codes, folds and blocks."""

    member: Sequence[np.ndarray] | None
    """Bins of each trial; None where rows are bins."""
    rows: np.ndarray
    """Assessed bins of the rows, where they are bins."""
    codes: np.ndarray
    fold: np.ndarray
    block: np.ndarray
    shrink: float
    """Rows at which a code counts half."""

    def table(self, dense: np.ndarray) -> np.ndarray:
        """(row, channel) of a table (assessed bin, channel)."""
        if self.member is None:
            return dense[self.rows].astype(np.float64)
        return np.stack([dense[bins].mean(axis=0, dtype=np.float64) for bins in self.member])


def decode_together(
    latents: Activity,
    others: Mapping[str, Activity],
    groups: Sequence[UnitGroup],
    variables: Sequence[Coded],
    design: Design,
) -> list[Together]:
    """Decode each variable from all latents, and from as many of what they are compared with.

    Ridge from the channels to the one-hot codes of the variable, out of fold, its penalty chosen by
    the other folds; the share of bins told to within one neighbouring code (categories: exactly),
    mean over codes. Beside the latents: as many units, those that follow the variable best on the
    other folds (``units``) or picked one after another for what they add there (``forward``); as
    many principal components of the units; as many channels of other methods, untrained latents among
    them; and all units. Units are smoothed as for the coder. ``chance`` is what the same predictions
    tell of the variable shifted in time. Differences by leaving out blocks, with t.

    Args:
        latents: of the whole recording.
        others: by name, those of other methods; ``untrained`` of a coder of the same shape that
            never learned.
        groups: the units, by when they were observed.
        variables: those to decode.
        design: the assessed bins.
    """
    found = []
    units = _all_units(groups, design)
    for variable in variables:
        task = _task(variable, design)
        if task is not None:
            found.append(_decoded(variable, task, latents, others, units, design))
    return found


def _decoded(
    variable: Coded,
    task: _Task,
    latents: Activity,
    others: Mapping[str, Activity],
    units: np.ndarray,
    design: Design,
) -> Together:
    size = variable.size
    n = min(len(latents.active), MOST_CHANNELS)
    tables = {UNITS: task.table(units)}
    for name, one in {LATENTS: latents, **others}.items():
        tables[name] = task.table(one.dense(one.active)[design.bins])
    told: dict[str, np.ndarray] = {}

    def tell(name: str, table: np.ndarray, chosen: Sequence[np.ndarray] | None = None) -> None:
        told[name] = ridge_codes(
            table, task.codes, size, task.fold, lambda a, b: near(variable, a, b), chosen=chosen
        )

    for name, table in tables.items():
        best = best_alone(table, task.codes, size, task.fold, n, shrink=task.shrink)
        tell(name, table, best)
    tell(FORWARD, tables[UNITS], forward(tables[UNITS], task.codes, size, task.fold, n))
    tell(COMPONENTS, _components(tables[UNITS], n))
    tell(ALL_UNITS, tables[UNITS])
    hit = {name: near(variable, task.codes, one) for name, one in told.items()}
    share, without = {}, {}
    for name, one in hit.items():
        share[name], without[name] = _balanced(one, task.codes, task.block, size)
    difference, errors, p = {}, {}, {}
    for name in dict.fromkeys((*SETS[1:], *others)):
        difference[name] = share[LATENTS] - share[name]
        errors[name] = float(jackknife_error(without[LATENTS] - without[name]))
        t = difference[name] / max(errors[name], 1e-9)
        p[name] = float(2 * stats.t.sf(abs(t), len(without[name]) - 1))
    chance = _chance(variable, task.codes, told[LATENTS])
    return Together(variable.name, n, share, chance, difference, errors, p)


def _task(variable: Coded, design: Design) -> _Task | None:
    codes = variable.codes[design.bins]
    if variable.table is not None and variable.table in design.trials:
        trials = make_trials(codes, design.trials[variable.table], variable.size, design)
        if trials.hindrance():
            return None
        order = np.argsort(trials.row, kind="stable")
        cuts = np.searchsorted(trials.row[order], np.arange(trials.n + 1))
        member = [order[a:b] for a, b in pairwise(cuts)]
        fold = trials.fold[trials.block]
        nowhere = np.zeros(0, dtype=np.int64)
        return _Task(member, nowhere, trials.codes, fold, trials.block, TRIAL_SHRINK)
    known = np.flatnonzero(codes >= 0)
    if not len(known):
        return None
    block = make_blocks(design.segment[known], design.bin_width)
    step = max(1, -(-len(known) // MOST_BINS))
    known, block = known[::step], block[::step]
    if len(np.unique(block)) < FOLDS or len(np.unique(codes[known])) < 2:
        return None
    shrink = SHRINK / (design.bin_width * step)
    return _Task(None, known, codes[known], block % FOLDS, block, shrink)


def _all_units(groups: Sequence[UnitGroup], design: Design) -> np.ndarray:
    """(assessed bin, unit) every unit, at its mean where it was not observed."""
    tables = [one.table[design.bins] for one in groups]
    return np.concatenate(tables, axis=1) if tables else np.zeros((len(design.bins), 0))


def _components(table: np.ndarray, n: int) -> np.ndarray:
    """The first principal components of standardised channels; behaviour has no part in them."""
    z = table - table.mean(axis=0)
    spread = z.std(axis=0)
    z = z[:, spread > 0] / spread[spread > 0]
    if not z.shape[1]:
        return z
    _, axes = np.linalg.eigh(z.T @ z)
    return z @ axes[:, ::-1][:, :n]


def _balanced(
    hit: np.ndarray, codes: np.ndarray, block: np.ndarray, size: int
) -> tuple[float, np.ndarray]:
    """Mean over codes of the share of hits; and the same without each block."""
    n_blocks = int(block.max()) + 1
    place = block * size + codes
    n = np.bincount(place, minlength=n_blocks * size).reshape(n_blocks, size)
    right = np.bincount(place, weights=hit, minlength=n_blocks * size).reshape(n_blocks, size)
    share = _mean_over_codes(right.sum(axis=0), n.sum(axis=0))
    without = [
        _mean_over_codes(right.sum(axis=0) - right[one], n.sum(axis=0) - n[one])
        for one in np.flatnonzero(n.sum(axis=1))
    ]
    return share, np.array(without)


def _mean_over_codes(right: np.ndarray, n: np.ndarray) -> float:
    there = n > 0
    return float((right[there] / n[there]).mean()) if there.any() else np.nan


def _chance(variable: Coded, codes: np.ndarray, told: np.ndarray) -> float:
    """The balanced share when predictions and variable are shifted against each other."""
    n = len(codes)
    shifts = np.unique(np.linspace(n // 10, n - n // 10, 200).astype(int))
    block = np.zeros(n, dtype=np.int64)
    shares = [
        _balanced(near(variable, codes, np.roll(told, one)), codes, block, variable.size)[0]
        for one in shifts
    ]
    return float(np.mean(shares))


def as_json(one: Together) -> dict[str, object]:
    """For the summary of an attribution."""
    return {
        "n": one.n,
        "share": {key: round(value, 4) for key, value in one.share.items()},
        "chance": round(one.chance, 4),
        "error": {key: round(value, 4) for key, value in one.error.items()},
        "p": {key: float(f"{value:.3g}") for key, value in one.p.items()},
    }

"""How strongly channels follow one variable, its interval, what chance gives, and what hinders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwbsparse.analysis.association.blocks import FOLDS, make_blocks
from nwbsparse.analysis.association.cross_fit import CrossFit, cross_fit
from nwbsparse.analysis.association.design import Design, Detrended
from nwbsparse.analysis.association.draws import Chance, Rows, by_chance
from nwbsparse.analysis.association.hindrance import too_short
from nwbsparse.analysis.association.label_draws import TRIALS, label_draws
from nwbsparse.analysis.association.memory import memories
from nwbsparse.analysis.association.nulls import NULLS, SHIFT
from nwbsparse.analysis.association.shifts import LEAST_INDEPENDENT, MEMORIES, SHIFTS, longest
from nwbsparse.analysis.association.sums import Sums, sums_by_block
from nwbsparse.analysis.association.trials import (
    make_trials,
    trial_means,
    trial_rows,
    trial_sums,
)
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.statistics.loops import classes, count_episodes

SHRINK = 1.0
"""Seconds of occupancy at which a code counts half: rarely visited places say little."""
MORE = 9
"""Times as many draws again where hardly any exchange of labels does as well."""
MIN_EPISODES = 5
"""Stretches of activity below which a channel is not tested: a few cannot follow anything."""


@dataclass(frozen=True)
class Association:
    """One variable and every channel."""

    variable: Coded
    kind: str
    fit: CrossFit | None
    """None where there is nothing to correlate."""
    chance: Chance
    independent: np.ndarray
    """(channel,) stretches of three memories in the recording; trials where labels are exchanged, and
    bins where draws are independent."""
    memory: np.ndarray
    """(channel,) s, the longer of the variable's and of what it predicts; NaN for exchanged labels."""
    hindrance: np.ndarray
    """(channel,) text: why it was not tested, '' where it was."""
    amount: float
    """Seconds (of the longest session), or trials, that there are."""

    @property
    def p(self) -> np.ndarray:
        return np.where(self.hindrance == "", self.chance.p, np.nan)

    @property
    def r(self) -> np.ndarray:
        return np.full(len(self.hindrance), np.nan) if self.fit is None else self.fit.r


def associate(
    activity: Detrended, variable: Coded, design: Design, *, number: int = 0
) -> Association:
    """Compare every channel with one variable.

    What is constant in trials is compared over trials, anything else over bins (assessment.md):
    r between the activity and its curve over the variable, curves fitted on other folds; the
    interval by leaving out blocks; p against shifts of the variable, or exchanges of its labels,
    with all curves fitted anew in each.

    Args:
        activity: the channels in the assessed bins.
        variable: coded in the bins of the whole recording.
        design: the assessed bins.
        number: of the variable, for draws of its own.
    """
    codes = variable.codes[design.bins]
    if variable.table is not None and variable.table in design.trials:
        return _over_trials(activity, variable, codes, design, number)
    return _over_bins(activity, variable, codes, design, number)


def fit_alone(activity: Detrended, variable: Coded, design: Design) -> CrossFit | None:
    """R and its blocks without any null: what channels are compared with."""
    codes = variable.codes[design.bins]
    if variable.table is not None and variable.table in design.trials:
        trials = make_trials(codes, design.trials[variable.table], variable.size, design)
        if trials.n < FOLDS:
            return None
        return cross_fit(trial_sums(trial_means(activity, trials, design), trials))
    sums = sums_over_bins(activity, codes, variable.size, design)
    return None if sums is None else cross_fit(sums)


def sums_over_bins(
    activity: Detrended, codes: np.ndarray, size: int, design: Design
) -> Sums | None:
    """Sums by block of the bins where codes are known; None where they make no five blocks."""
    known = codes >= 0
    if not known.any():
        return None
    block = np.full(len(codes), -1)
    block[known] = make_blocks(design.segment[known], design.bin_width)
    if block.max() + 1 < FOLDS or len(np.unique(codes[known])) < 2:
        return None
    shrink = SHRINK / design.bin_width
    return sums_by_block(
        activity, classes(codes, size), block, size, design, shrink=shrink, n_folds=FOLDS
    )


def _over_bins(
    activity: Detrended, variable: Coded, codes: np.ndarray, design: Design, number: int
) -> Association:
    kind = variable.null or SHIFTS
    known = np.flatnonzero(codes >= 0)
    n_channels = activity.n_channels
    session = design.session[known]
    amount = longest(session) * design.bin_width
    sums = sums_over_bins(activity, codes, variable.size, design)
    if sums is None:
        return _nothing(
            variable,
            kind,
            n_channels,
            amount,
            "it is constant, or known in fewer than five blocks",
        )
    fit = cross_fit(sums)
    total, n = sums.total.sum(axis=1), sums.n.sum(axis=0)
    mean = total.sum(axis=1, keepdims=True) / n.sum()
    own, of_curve = memories(codes[known], (total - n * mean) / (n + sums.shrink), session)
    memory = np.maximum(own, of_curve)
    drawn = NULLS[variable.null or SHIFT](
        codes[known], session, MEMORIES * own, design.n_draws, (design.seed, number)
    )
    independent = longest(session) / (MEMORIES * memory)
    if not drawn.alike:
        independent = np.full(n_channels, float(len(known)))
    least = np.minimum(MEMORIES * memory, max(longest(session) // 4, 1))
    place = np.full(len(codes), -1)
    place[known] = np.arange(len(known))
    block = make_blocks(design.segment[known], design.bin_width)
    kept = activity.kept
    rows = Rows(
        kept.indptr, place[kept.bins], kept.value, activity.beta, design.basis[known],
        block % FOLDS, sums.squares.sum(axis=1), sums.total.sum(axis=(1, 2)), variable.size,
        sums.shrink,
    )  # fmt: skip
    chance = by_chance(
        rows,
        fit.r,
        drawn.table,
        drawn.n,
        usable=None if drawn.usable is None else lambda draws: drawn.usable(least)[:, draws],
        freedom=independent - 1 if drawn.alike else None,
    )
    few = _few_episodes(activity, codes, variable.size)
    said = np.array(
        [
            why or ("" if n >= LEAST_INDEPENDENT else too_short(n, tau * design.bin_width))
            for why, n, tau in zip(few, independent, memory, strict=True)
        ],
        dtype=object,
    )
    said[(said == "") & ~np.isfinite(fit.r)] = "its activity is constant"
    seconds = memory * design.bin_width
    return Association(variable, kind, fit, chance, independent, seconds, said, amount)


def _over_trials(
    activity: Detrended, variable: Coded, codes: np.ndarray, design: Design, number: int
) -> Association:
    trials = make_trials(codes, design.trials[str(variable.table)], variable.size, design)
    n_channels, amount = activity.n_channels, float(trials.n)
    if trials.n < FOLDS:
        return _nothing(variable, TRIALS, n_channels, amount, trials.hindrance())
    means = trial_means(activity, trials, design)
    fit = cross_fit(trial_sums(means, trials))
    independent, memory = np.full(n_channels, amount), np.full(n_channels, np.nan)
    said = _few_episodes(activity, codes, variable.size)
    rows = trial_rows(means, trials)
    drawn = label_draws(trials, design.n_draws, (design.seed, number), 2, variable.null)
    if np.isfinite(drawn.independent):
        independent = np.full(n_channels, drawn.independent)
        chance = by_chance(rows, fit.r, drawn.table, drawn.n, freedom=independent - 1)
        said = np.where(said == "", drawn.status, said)
    else:
        # exchanges never come to an end; of what others bring there are as many as they say
        endless = drawn.kind == TRIALS
        n_draws = max(drawn.n - 1, 1) if endless else drawn.n
        more = MORE * n_draws if endless else 0
        chance = by_chance(rows, fit.r, drawn.table, n_draws, more=more)
        alone = "the labels never change among neighbouring trials"
        said = np.where((said == "") & (chance.std < 1e-6), alone, said)
    if why := trials.hindrance():
        said = np.full(n_channels, why, dtype=object)
    said = said.astype(object)
    said[(said == "") & ~np.isfinite(fit.r)] = "its activity is constant"
    return Association(variable, drawn.kind, fit, chance, independent, memory, said, amount)


def _few_episodes(activity: Detrended, codes: np.ndarray, size: int) -> np.ndarray:
    kept = activity.kept
    active, episodes = (np.zeros(activity.n_channels, dtype=np.int64) for _ in range(2))
    count_episodes(kept.indptr, kept.bins, classes(codes, size), active, episodes)
    stretches = {0: "never active", 1: "active in 1 stretch"}
    return np.array(
        [
            "" if n >= MIN_EPISODES or bins > len(codes) / 2
            else stretches.get(int(n), f"active in {n} separate stretches") + where
            for bins, n, where in zip(
                active, episodes, (f", {MIN_EPISODES} are needed" if n else "" for n in episodes),
                strict=True,
            )
        ],
        dtype=object,
    )  # fmt: skip


def _nothing(variable: Coded, kind: str, n_channels: int, amount: float, why: str) -> Association:
    nothing = np.full(n_channels, np.nan)
    chance = Chance(nothing, nothing, nothing, np.zeros(n_channels, dtype=np.int64))
    said = np.full(n_channels, why, dtype=object)
    return Association(variable, kind, None, chance, nothing, nothing, said, amount)

"""Latent ↔ condition: how often a latent is active inside a condition and outside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nwbsparse.analysis.apply.activity import Activity, activity_of
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.statistics.loops import classes, rank, sum_by_class

MIN_ACTIVE = 20
MIN_EPISODES = 5
"""Active bins, and separate stretches of them, below which effect sizes would mislead."""
_SHARES = ("p_in", "p_out", "precision", "auroc", "r2")


@dataclass(frozen=True)
class ConditionEffects:
    """(latent, condition) effect sizes; NaN where a condition does not occur or fills everything."""

    labels: tuple[tuple[str, str], ...]
    """(variable, condition) of each column."""
    p_in: np.ndarray
    """Share of the condition's bins in which the latent is active; also its coverage."""
    p_out: np.ndarray
    """The same outside the condition; 1 − p_out is the specificity."""
    precision: np.ndarray
    """Share of the latent's active bins that lie in the condition."""
    auroc: np.ndarray
    """Probability that a bin of the condition has the larger activation; ties count half."""
    r2: np.ndarray
    """Squared correlation of the activation with being in the condition."""
    n_in: np.ndarray
    """(condition,) bins of the condition."""
    n_known: np.ndarray
    """(condition,) bins in which its variable is known."""

    @property
    def selectivity(self) -> np.ndarray:
        """p_in / (p_in + p_out): 0.5 says nothing (Bhagat 2025, eqs 1-3)."""
        return selectivity(self.p_in, self.p_out)

    @property
    def lift(self) -> np.ndarray:
        """How many times more often the condition holds while the latent is active: precision by chance."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.precision / (self.n_in / self.n_known)


def selectivity(p_in: np.ndarray, p_out: np.ndarray) -> np.ndarray:
    """p_in / (p_in + p_out), NaN where a latent is active neither inside nor outside."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return p_in / (p_in + p_out)


def condition_effects(
    activation: np.ndarray | Activity, variables: Sequence[Coded], bins: np.ndarray
) -> ConditionEffects:
    """Effect sizes of every condition of every variable on the given bins.

    ``activation`` is (bin, latent), of these bins, nowhere negative. "Outside" are the bins where
    the variable is known but has another value: outside a trial nothing is compared. AUROC is exact:
    zeros and other ties count half (Mann-Whitney). Each variable costs one pass over the active
    bins, however many conditions it has.
    """
    activity = activity_of(activation).by_value()
    counted = [
        count_classes(activity, variable.codes[bins], variable.size) for variable in variables
    ]
    return collected(variables, counted, activity.n_channels)


def collected(
    variables: Sequence[Coded], counted: Sequence[ClassCounts], n_channels: int
) -> ConditionEffects:
    """The counts of all variables side by side, as effect sizes."""
    labels = [(variable.name, label) for variable in variables for label in variable.labels]
    shares = [one.shares() for one in counted]
    empty = np.empty((n_channels, 0))
    return ConditionEffects(
        tuple(labels),
        n_in=np.concatenate([np.empty(0, np.int64), *(one.n for one in counted)]),
        n_known=np.repeat([one.n_known for one in counted], [v.size for v in variables]),
        **{key: np.concatenate([empty, *(one[key] for one in shares)], axis=1) for key in _SHARES},
    )


@dataclass(frozen=True)
class ClassCounts:
    """What one pass over the active bins says about all classes of one variable."""

    n: np.ndarray
    """(class,) bins."""
    n_known: int
    hits: np.ndarray
    """(channel, class) active bins."""
    total: np.ndarray
    """(channel, class) summed activity."""
    squares: np.ndarray
    """(channel,) summed squares in known bins."""
    ranks: np.ndarray
    """(entry,) integer: twice the rank among the known bins, 0 where not known."""
    rank_sums: np.ndarray
    """(channel, class) of twice the ranks of all bins, active or not."""

    def shares(self) -> dict[str, np.ndarray]:
        """(channel, class) effect sizes."""
        n, rest = self.n, self.n_known - self.n
        active = self.hits.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self.total.sum(axis=1, keepdims=True) / self.n_known
            cross = self.total - n * mean
            spread = (self.squares[:, None] - self.n_known * mean**2) * (n * rest / self.n_known)
            r2 = np.where(spread > 1e-12, cross**2 / spread, np.nan)
            return {
                "p_in": self.hits / n,
                "p_out": (active - self.hits) / rest,
                "precision": self.hits / active,
                "auroc": auroc(self.rank_sums / 2, n, self.n_known),
                "r2": r2,
            }


def auroc(rank_sums: np.ndarray, n: np.ndarray, n_known: int) -> np.ndarray:
    """Area under the curve from the sums of ranks in a class of ``n`` of the known bins."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (rank_sums - n * (n + 1) / 2) / (n * (n_known - n))


def count_classes(activity: Activity, codes: np.ndarray, size: int) -> ClassCounts:
    """Count and rank the active bins of every channel by class (−1: not known).

    ``activity`` in the order of their values (:meth:`Activity.by_value`), of the bins of ``codes``.
    """
    codes = classes(codes, size)
    n = np.bincount(codes[codes >= 0], minlength=size)
    n_known = int(n.sum())
    shape = (activity.n_channels, size)
    total, hits = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    squares, rank_sums = np.zeros(shape[0]), np.zeros(shape, dtype=np.int64)
    ranks = np.empty(len(activity.value), dtype=np.int32 if n_known < 2**30 else np.int64)
    where = (activity.indptr, activity.bins, activity.value, codes)
    sum_by_class(*where, total, hits, squares)
    rank(*where, n_known, ranks, rank_sums)
    zeros = n_known - hits.sum(axis=1, keepdims=True)
    rank_sums += (n - hits) * (zeros + 1)  # bins without activity share the lowest ranks
    return ClassCounts(n, n_known, hits, total, squares, ranks, rank_sums)

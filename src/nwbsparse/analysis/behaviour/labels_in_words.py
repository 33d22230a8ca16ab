"""Labels in words: what a latent follows, in a small grammar, with its score and n."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Activity
from nwbsparse.analysis.association.blocks import FOLDS, make_blocks
from nwbsparse.analysis.association.design import Design
from nwbsparse.analysis.behaviour.clauses import Clause, is_open, one_range, two_ranges
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.conditions import condition_effects

GAIN = 1.15
"""A second range or clause must raise the correlation in both halves by this factor."""
SIMPLER = 0.9
"""An open range is said instead of a closed one where it correlates at least this much as well."""
MIN_BINS = 20
"""Bins that must fulfil a label, and that must not."""
LEAST = 0.505
"""AUROC below which a label would say nothing: it rounds to 0.50."""
MOST_ACTIVE = 0.5
"""Share of the bins a range may hold in: what is true most of the time tells nothing apart."""


def labels_in_words(
    attribution: xr.Dataset, latents: Activity, variables: Mapping[str, Coded], design: Design
) -> xr.Dataset:
    """Say in words what each explained latent follows: "speed > 0.3 m/s while position in [1.2, 1.4] m".

    Only latents whose association was found get a label; the others get ''. The grammar::

        label   = clause [" while " clause] " (AUROC " number ", n = " bins ")"
        clause  = range [" or " range]
        range   = covariate " > " edge [unit] | covariate " < " edge [unit]
                | covariate " in [" edge ", " edge "]" [unit]
                | position " in [" x ", " x "] × [" y ", " y "]" [unit]
                | variable " = " category | seconds " after " event | seconds " before " event

    Edges are those of the tuning bins (angles may pass through ±π: "in [2.6, -2.6]"). The first
    clause is about the variable that the latent follows: the range (of a map, the rectangle) whose
    bins correlate best with the activation, true in at most half of them; an open range where it
    does 90 % as well. A second range, or a clause about another variable, is added when it raises
    that correlation by 15 % both in the even and in the odd blocks.

    AUROC (is the latent more active where the label is true?) is out of fold: the label of each of
    five folds is chosen on the other four, as this one was on all of them. n are the bins where the
    label is true. Where the AUROC rounds to 0.50 or less, or fewer than 20 bins are true or false,
    there is nothing to say: ''.

    Args:
        attribution: with ``best_variable`` and ``association_status`` of each latent.
        latents: their activations in the assessed bins.
        variables: by name, coded in the bins of the whole recording.
        design: the assessed bins.

    Returns:
        The attribution with ``label(latent)``, ``label_auroc(latent)`` and ``label_bins(latent)``
        (NaN and 0 without a label).
    """
    n_latents = attribution.sizes[names.LATENT]
    label = np.full(n_latents, "", dtype=object)
    auroc, n_bins = np.full(n_latents, np.nan), np.zeros(n_latents, dtype=np.int64)
    choices: dict[str, _Choice] = {}
    for latent in np.flatnonzero(attribution["association_status"].values == "found"):
        name = str(attribution["best_variable"].values[latent])
        if name not in variables:
            continue  # a conjunction says it already; its parts are labelled by themselves
        if name not in choices:
            choices[name] = _Choice(variables[name], variables, design)
        choice, activity = choices[name], latents.dense(np.array([latent]))[:, 0].astype(float)
        clauses, score, n = choice.of(activity)
        if clauses and np.isfinite(score) and score >= LEAST:
            said = " while ".join(clause.words for clause in clauses)
            label[latent] = f"{said} (AUROC {score:.2f}, n = {n:,})"
            auroc[latent], n_bins[latent] = score, n
    return attribution.assign(
        label=(names.LATENT, label),
        label_auroc=(names.LATENT, auroc),
        label_bins=(names.LATENT, n_bins),
    )


class _Choice:
    """Clauses about one variable, and a second about any other, from sums by block and code."""

    def __init__(self, first: Coded, variables: Mapping[str, Coded], design: Design) -> None:
        self.first = first
        self.codes = first.codes[design.bins]
        self.known = np.flatnonzero(self.codes >= 0)
        # a trial is no place to cut: its bins are alike
        piece = design.trials.get(str(first.table), design.segment)[self.known]
        self.block = make_blocks(piece, design.bin_width) if len(self.known) else self.known
        self.n_blocks = int(self.block.max(initial=-1)) + 1
        self.others = {
            name: (one, one.codes[design.bins]) for name, one in variables.items()
            if name != first.name
        }  # fmt: skip
        self.place = {name: self._place(*one) for name, one in self.others.items()}
        self.n = {name: self._sums(name, None) for name in self.others}
        alone = self.block * first.size + self.codes[self.known]
        self.alone = alone, self._shaped(np.bincount(alone, minlength=self.n_blocks * first.size))

    def of(self, activity: np.ndarray) -> tuple[list[Clause], float, int]:
        """Clauses from all blocks; their AUROC, each fold's from the others; bins where they hold."""
        if self.n_blocks < FOLDS:
            return [], np.nan, 0
        mine = activity[self.known]
        total = self._shaped(
            np.bincount(self.alone[0], mine, minlength=self.n_blocks * self.first.size)
        )
        crossed = {name: self._sums(name, mine) for name in self.others}
        fold = np.arange(self.n_blocks) % FOLDS
        whole = self._clauses(total, crossed, fold >= 0)
        if not whole:
            return [], np.nan, 0
        truth = np.full(len(activity), -1, dtype=np.int32)
        for k in range(FOLDS):
            clauses = self._clauses(total, crossed, fold != k)
            held = self.known[fold[self.block] == k]
            if clauses:
                truth[held] = self._truth(clauses, held)
        score = _auroc(activity, truth)
        return whole, score, int((self._truth(whole, self.known) == 0).sum())

    def _truth(self, clauses: Sequence[Clause], bins: np.ndarray) -> np.ndarray:
        """0 where all clauses hold, 1 where one does not, −1 where one is not known."""
        holds, known = np.ones(len(bins), dtype=bool), np.ones(len(bins), dtype=bool)
        for clause in clauses:
            name = clause.variable.name
            codes = (self.codes if name == self.first.name else self.others[name][1])[bins]
            holds &= clause.true(codes)
            known &= codes >= 0
        return np.where(known, np.where(holds, 0, 1), -1)

    def _clauses(
        self, total: np.ndarray, crossed: Mapping[str, np.ndarray], blocks: np.ndarray
    ) -> list[Clause]:
        """One or two clauses from some of the blocks."""
        halves = [blocks & (np.arange(self.n_blocks) % 2 == half) for half in (0, 1)]
        n = self.alone[1]
        first = _best(self.first, total, n, blocks, halves)
        if first is None:
            return []
        best: tuple[float, Clause] | None = None
        for name, (other, _) in self.others.items():
            there, of = crossed[name][:, first], self.n[name][:, first]
            within, within_n = there.sum(axis=1), of.sum(axis=1)
            second = _best(other, within, within_n, blocks, halves)
            if second is None:
                continue
            gain = min(
                _gain(crossed[name][half], self.n[name][half], first, second) for half in halves
            )
            if gain >= GAIN and (best is None or gain > best[0]):
                best = gain, Clause(other, np.flatnonzero(second))
        clause = Clause(self.first, np.flatnonzero(first))
        return [clause] if best is None else [clause, best[1]]

    def _place(self, other: Coded, codes: np.ndarray) -> np.ndarray:
        """(known bin,) block, code of the first and code of the other (last: not known) as one."""
        of_other = np.where(codes[self.known] >= 0, codes[self.known], other.size)
        joint = self.codes[self.known].astype(np.int64) * (other.size + 1) + of_other
        return self.block * (self.first.size * (other.size + 1)) + joint

    def _sums(self, name: str, values: np.ndarray | None) -> np.ndarray:
        """(block, code, code of the other) where both are known."""
        size = self.others[name][0].size + 1
        shape = (self.n_blocks, self.first.size, size)
        sums = np.bincount(self.place[name], values, minlength=int(np.prod(shape)))
        return sums.reshape(shape)[..., :-1].astype(np.float64)

    def _shaped(self, sums: np.ndarray) -> np.ndarray:
        return sums.reshape(self.n_blocks, self.first.size).astype(np.float64)


def _best(
    variable: Coded,
    total: np.ndarray,
    n: np.ndarray,
    blocks: np.ndarray,
    halves: Sequence[np.ndarray],
) -> np.ndarray | None:
    """(code,) bool: the option that correlates best, from sums (block, code) of some blocks."""
    options = one_range(variable)
    most = 1.0 if variable.kind == names.CATEGORICAL else MOST_ACTIVE
    score = _scores(options, total[blocks].sum(axis=0), n[blocks].sum(axis=0), most=most)
    if not len(score) or not score.max() > 0:
        return None
    at = int(score.argmax())
    simpler = np.where(is_open(variable, options), score, -np.inf)
    at = int(simpler.argmax()) if simpler.max() >= SIMPLER * score[at] else at
    best = options[at]
    wider = two_ranges(variable)
    if len(wider):
        double = _scores(wider, total[blocks].sum(axis=0), n[blocks].sum(axis=0), most=most)
        two = wider[int(double.argmax())]
        both = np.stack([best, two])
        of_halves = [
            _scores(both, total[half].sum(axis=0), n[half].sum(axis=0), least=1) for half in halves
        ]
        if double.max() > 0 and all(one[1] >= GAIN * one[0] > 0 for one in of_halves):
            best = two
    return best


def _scores(
    options: np.ndarray,
    total: np.ndarray,
    n: np.ndarray,
    *,
    least: int = MIN_BINS,
    most: float = 1.0,
) -> np.ndarray:
    """(option,) correlation with each indicator, up to the spread of the activity; −inf: not allowed."""
    n_in, n_all = options @ n, n.sum()
    if not n_all:
        return np.full(len(options), -np.inf)
    share = n_in / n_all
    with np.errstate(invalid="ignore", divide="ignore"):
        score = (options @ total / n_in - total.sum() / n_all) * np.sqrt(share / (1 - share))
    score[(n_in < least) | (share > most)] = -np.inf
    return np.where(np.isfinite(score), score, -np.inf)


def _gain(total: np.ndarray, n: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """By how much the second clause raises the correlation of the first, where both are known."""
    total, n = total.sum(axis=0), n.sum(axis=0)
    alone = np.repeat(first[:, None], n.shape[1], axis=1).ravel()
    both = (first[:, None] & second).ravel()
    scores = _scores(np.stack([alone, both]), total.ravel(), n.ravel(), least=1)
    return float(scores[1] / scores[0]) if scores[0] > 0 and np.isfinite(scores).all() else -np.inf


def _auroc(activity: np.ndarray, truth: np.ndarray) -> float:
    """AUROC for truth 0 against 1; NaN where either stands in too few bins."""
    if min(np.count_nonzero(truth == one) for one in (0, 1)) < MIN_BINS:
        return np.nan
    label = Coded("label", names.CATEGORICAL, truth, ("true", "false"), shape=(2,))
    found = condition_effects(activity[:, None], [label], np.arange(len(truth)))
    return float(found.auroc[0, 0])

"""What the table of a reproduction shows of each thing that the paper says: whether, and the numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nwbsparse.runs.papers.naik2025_coders import ANALYSIS, EXPONENTIAL, STANDARD, SWEEP, TOPK
from nwbsparse.runs.papers.naik2025_embeddings import EMBEDDING
from nwbsparse.runs.papers.naik2025_settings import CHOSEN_EXPANSION, KS
from nwbsparse.runs.papers.naik2025_table import over_seeds, said
from nwbsparse.studies.fits import (
    CHOSEN_CEBRA_RATE,
    CHOSEN_HIDDEN_UNITS,
    Fits,
    made_of,
    rows_of,
    trained_on,
)

LITTLE = 0.05
"""A score that ranges over less than this over sizes is said to matter little."""
ALIKE = 0.03
"""Scores that range over less than this are said not to differ."""
KEPT = 0.02
"""What a decoder may lose and still be said to be kept."""
LEAST = 0.001
"""A difference below this is none, whatever its sign: it is not seen in what is printed."""
LARGE = 32
"""Dims from which the paper calls an embedding large."""
PAPERS = (STANDARD, TOPK, EXPONENTIAL)


@dataclass(frozen=True)
class Shown:
    """Whether something is so in the table, and the numbers that say it."""

    holds: bool
    numbers: str


Show = Callable[[Fits, str, str], Shown | None]
"""(table, score, control) → what it shows; None where the table has nothing of it."""


def settings_better(fits: Fits, metric: str, control: str) -> Shown | None:
    """64 hidden units and the smaller step do better."""
    rows = _known(rows_of(fits, EMBEDDING, control=control), metric)
    rows = rows[rows["hidden_units"].notna() & rows["cebra_rate"].notna()]
    if rows["hidden_units"].nunique() < 2 or rows["cebra_rate"].nunique() < 2:
        return None
    hidden, rate = (rows.groupby(name)[metric].mean() for name in ("hidden_units", "cebra_rate"))
    holds = (
        hidden.idxmax() == CHOSEN_HIDDEN_UNITS and math.isclose(float(rate.idxmax()), CHOSEN_CEBRA_RATE)
    )  # fmt: skip
    return Shown(
        bool(holds),
        f"{_listed(hidden, 'hidden units')}; {_listed(rate, 'learning rate')} ({len(rows)} embeddings)",
    )


def dims_matter_little(fits: Fits, metric: str, control: str) -> Shown | None:
    """The number of dims changes the score of an embedding by little."""
    by = _known(trained_on(fits, control), metric).groupby("dims")[metric].mean()
    if len(by) < 2:
        return None
    apart = float(by.max() - by.min())
    return Shown(apart < LITTLE, f"{_listed(by, 'dims')}; they lie {apart:.3f} apart")


def topk_best(fits: Fits, metric: str, control: str) -> Shown | None:
    """At the share of active latents that TopK has, no other architecture reconstructs better."""
    gaps = _gaps(fits, metric, control)
    if gaps.empty:
        return None
    by = gaps.groupby("dims")["gap"].mean()
    best = gaps.groupby("dims")[["topk", "others"]].mean()
    pairs = ", ".join(
        f"{dims:g} dims {said(one.topk)} against {said(one.others)}"
        for dims, one in best.iterrows()
    )
    return Shown(
        bool((by > LEAST).all()),
        f"TopK against the best other coder with as few active latents: {pairs}",
    )


def topk_better_when_large(fits: Fits, metric: str, control: str) -> Shown | None:
    """What TopK has over the others is more at 32 and 64 dims."""
    gaps = _gaps(fits, metric, control)
    large = gaps[gaps["dims"] >= LARGE]["gap"] if len(gaps) else gaps
    small = gaps[gaps["dims"] < LARGE]["gap"] if len(gaps) else gaps
    if not len(large) or not len(small):
        return None
    more, less = float(large.mean()), float(small.mean())
    return Shown(
        more > max(less, 0.0) + LEAST,
        f"TopK minus the best other with as few active latents: {said(more, sign=True)} from {LARGE} dims, "
        f"{said(less, sign=True)} below",
    )


def expansion_8_best(fits: Fits, metric: str, control: str) -> Shown | None:
    """Eight latents per dim reconstruct best."""
    rows = _known(rows_of(fits, SWEEP, control=control, method=PAPERS), metric)
    by = rows.groupby("expansion")[metric].mean()
    if len(by) < 2:
        return None
    best = float(by.idxmax())
    return Shown(best == CHOSEN_EXPANSION, f"{_listed(by, 'latents per dim')}, on average")


def rises_for_every_k(fits: Fits, metric: str, control: str) -> Shown | None:
    """Latents score above the embedding that they are made of, for every k."""
    rises = _rises(fits, metric, control)
    if rises is None:
        return None
    return Shown(
        all(low > LEAST for _, low, _ in rises.values()), _rises_said(fits, metric, control, rises)
    )


def rises_at_most_active_alone(fits: Fits, metric: str, control: str) -> Shown | None:
    """Latents score above the embedding at the largest k, and not at smaller ones."""
    rises = _rises(fits, metric, control)
    if rises is None:
        return None
    *others, last = KS
    holds = rises[last][1] > LEAST and all(rises[k][0] <= LEAST for k in others)
    return Shown(holds, _rises_said(fits, metric, control, rises))


def kept(fits: Fits, metric: str, control: str) -> Shown | None:
    """What is decoded from latents is as good as from the embedding, or better."""
    rises = _rises(fits, metric, control)
    if rises is None:
        return None
    holds = all(low >= -KEPT for _, low, _ in rises.values())
    return Shown(holds, _rises_said(fits, metric, control, rises))


def rises_with_dims(fits: Fits, metric: str, control: str) -> Shown | None:
    """The larger the embedding, the higher the score of its latents."""
    return _trend(fits, metric, control, "dims", +1)


def falls_with_dims(fits: Fits, metric: str, control: str) -> Shown | None:
    """The smaller the embedding, the higher the score of its latents."""
    return _trend(fits, metric, control, "dims", -1)


def rises_with_k(fits: Fits, metric: str, control: str) -> Shown | None:
    """The more latents are active, the higher the score."""
    return _trend(fits, metric, control, "k", +1)


def falls_with_k(fits: Fits, metric: str, control: str) -> Shown | None:
    """The fewer latents are active, the higher the score."""
    return _trend(fits, metric, control, "k", -1)


def k_does_not_matter(fits: Fits, metric: str, control: str) -> Shown | None:
    """The score hardly changes with k."""
    by = _known(rows_of(fits, ANALYSIS, control=control), metric).groupby("k")[metric].mean()
    if len(by) < 2:
        return None
    apart = float(by.max() - by.min())
    return Shown(apart < ALIKE, f"{_listed(by, 'k')}; they lie {apart:.3f} apart")


def _trend(fits: Fits, metric: str, control: str, over: str, direction: int) -> Shown | None:
    """Whether the score rises (or falls) per doubling, in every seed."""
    rows = _known(rows_of(fits, ANALYSIS, control=control), metric)
    if rows[over].nunique() < 2:
        return None
    slopes = rows.groupby("seed").apply(
        lambda one: np.polyfit(np.log2(one[over]), one[metric], 1)[0], include_groups=False
    )
    mean, low, high = over_seeds(slopes)
    by = rows.groupby(over)[metric].mean()
    holds = low > LEAST if direction > 0 else high < -LEAST
    return Shown(
        bool(holds),
        f"{_listed(by, over)}; {said(mean, low, high, sign=True)} with each doubling",
    )


def _rises(fits: Fits, metric: str, control: str) -> dict[int, tuple[float, float, float]] | None:
    """{k: mean, smallest and largest over seeds} of latents minus what they are made of."""
    before = _before(fits, metric, control)
    after = _known(rows_of(fits, ANALYSIS, control=control), metric)
    found: dict[int, tuple[float, float, float]] = {}
    for k in KS:
        rows = after[after["k"] == k].merge(before, on=["animal", "dims"], suffixes=("", "_before"))
        if rows.empty:
            return None
        rise = rows[metric] - rows[f"{metric}_before"]
        found[k] = over_seeds(rise.groupby(rows["seed"]).mean())
    return found


def _before(fits: Fits, metric: str, control: str) -> Fits:
    """The embeddings that latents are made of: shuffled ones of shuffled embeddings, averaged."""
    rows = _known(made_of(fits, control), metric)
    return rows.groupby(["animal", "dims"], as_index=False)[metric].mean()


def _rises_said(
    fits: Fits,
    metric: str,
    control: str,
    rises: dict[int, tuple[float, float, float]],
) -> str:
    before = float(_before(fits, metric, control)[metric].mean())
    listed = ", ".join(f"{said(*one, sign=True)} at k = {k}" for k, one in rises.items())
    return f"embedding {said(before)}; latents {listed}"


def _gaps(fits: Fits, metric: str, control: str) -> Fits:
    """Per animal, dims and k: the R² of TopK, and the best of the others at its share of active latents.

    Untrained TopK is set against the others as they were trained.
    """
    share = "train_nonzero_ratio" if metric.startswith("train_") else "nonzero_ratio"
    topk = _known(rows_of(fits, SWEEP, control=control, method=TOPK), metric)
    others = _known(rows_of(fits, SWEEP, control="", method=(STANDARD, EXPONENTIAL)), metric)
    found = []
    for (animal, dims), own in topk.groupby(["animal", "dims"]):
        there = others[(others["animal"] == animal) & (others["dims"] == dims)]
        marks = own[own["expansion"] == CHOSEN_EXPANSION].groupby("k")[share].max()
        for k, mark in marks.items():
            best = there[there[share] <= mark * (1 + 1e-6)][metric].max()
            mine = own[own[share] <= mark * (1 + 1e-6)][metric].max()
            if np.isfinite(best) and np.isfinite(mine):
                found.append((animal, dims, k, mine, best, mine - best))
    return pd.DataFrame(found, columns=["animal", "dims", "k", "topk", "others", "gap"])


def _known(rows: Fits, metric: str) -> Fits:
    return rows[rows[metric].notna()]


def _listed(by: Fits, of_what: str) -> str:
    """'dims 8: 0.61, 16: 0.62'."""
    return f"{of_what} " + ", ".join(f"{key:g}: {said(float(one))}" for key, one in by.items())

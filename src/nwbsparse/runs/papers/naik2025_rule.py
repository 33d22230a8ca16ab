"""Which coder the selection rule picks from the grid, over all animals and sizes, and in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwbsparse.runs.papers.naik2025_coders import FAMILIES, SWEEP, TOPK
from nwbsparse.runs.papers.naik2025_settings import CHOSEN_EXPANSION, CHOSEN_RATE
from nwbsparse.runs.papers.naik2025_table import said
from nwbsparse.studies.fits import Fits, rows_of
from nwbsparse.views.plots.sparsity_tradeoff import NAMED

SPARSE = 0.25
"""Share of latents that may be active in a coder that is called sparse: k = 32 of 64 dims' 128 is not."""


@dataclass(frozen=True)
class Choice:
    """What the rule picks."""

    family: str
    expansion: float
    rate: float
    r2: float
    n: int
    """Embeddings that it was chosen over."""

    @property
    def is_the_papers(self) -> bool:
        own = (self.family, self.expansion) == (TOPK, CHOSEN_EXPANSION)
        return own and bool(np.isclose(self.rate, CHOSEN_RATE))


def choose(fits: Fits) -> Choice | None:
    """The architecture, size and step size of the highest mean R².

    Of every architecture, size and step size the best coder of each embedding counts whose latents are
    active in a quarter of bins or less: its penalty or k is free, so that no architecture loses by a
    weight that does not suit it. Where one has no such coder it is out.
    """
    rows = rows_of(fits, SWEEP, control="").dropna(subset=["r2"])
    embeddings = rows.groupby(["animal", "dims"]).ngroups
    rows = rows[(rows["nonzero_ratio"] <= SPARSE) & rows["method"].isin(FAMILIES)]
    if rows.empty:
        return None
    setting = ["method", "expansion", "learning_rate"]
    best = rows.groupby([*setting, "animal", "dims"])["r2"].max()
    whole = best.groupby(setting).agg(["mean", "size"])
    whole = whole[whole["size"] == embeddings]
    if whole.empty:
        return None
    family, expansion, rate = whole["mean"].idxmax()
    return Choice(family, expansion, rate, float(whole["mean"].max()), embeddings)


def in_words(choice: Choice | None) -> str:
    """The rule, and what it picks."""
    rule = (
        "Rule: of every architecture, number of latents per dim and learning rate, the best held-out R² "
        f"per embedding among coders with at most {SPARSE:.0%} of latents active".replace("%", " %")
        + ", averaged over animals and sizes; the highest is chosen"
    )
    if choice is None:
        return f"{rule}. No setting has such a coder of every embedding, so none is chosen."
    paper = f"TopK, {CHOSEN_EXPANSION} latents per dim, learning rate {CHOSEN_RATE:g}"
    family = NAMED.get(choice.family, choice.family)
    picked = (
        f"{family}, {choice.expansion:g} latents per dim, learning rate {choice.rate:g} (mean R² "
        f"{said(choice.r2)} over {choice.n} embeddings)"
    )
    if choice.is_the_papers:
        return f"{rule}. It picks what the paper picked: {picked}."
    return f"{rule}. It picks {picked}; the paper picked {paper}, which the figures below are of."

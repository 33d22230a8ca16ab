"""What a reproduction of Naik 2025 can and cannot say, sentence by sentence, from its table."""

from __future__ import annotations

from nwbsparse.runs.papers.naik2025_coders import (
    ANALYSIS,
    EXPONENTIAL,
    JUMPRELU,
    SWEEP,
    TOPK,
)
from nwbsparse.runs.papers.naik2025_embeddings import EMBEDDING, METHOD
from nwbsparse.runs.papers.naik2025_rule import SPARSE
from nwbsparse.runs.papers.naik2025_table import said
from nwbsparse.studies.fits import Fits, rows_of, trained_on
from nwbsparse.views.plots.sparsity_tradeoff import NAMED

PAPERS_ANIMALS = ("achilles", "buddy", "cicero", "gatsby")


def limits(fits: Fits) -> list[str]:
    """The limits of what was run here, and how those that the paper names are met."""
    found = [
        _animals(fits),
        _as_many_numbers(fits),
        _supervised(fits),
        _null(fits),
        _thresholds(fits),
        _failed(fits),
        "Ablation, levels (hierarchy) and scores of hidden units, which answer the paper's other limits, "
        "are of single models: not run here; nwbsparse run and explain do them.",
    ]
    return [one for one in found if one]


def _animals(fits: Fits) -> str:
    names = sorted(fits["animal"].unique())
    absent = [one for one in PAPERS_ANIMALS if not any(one in name for name in names)]
    bare = [
        name
        for name in names
        if rows_of(fits, EMBEDDING, animal=name)["position_r2"].notna().sum() == 0
    ]
    said_of = f"Animals: {', '.join(names)}"
    if absent:
        said_of += f"; of the paper's four not run here: {', '.join(absent)}"
    if bare:
        said_of += f". Of {', '.join(bare)} there is no behaviour here: reconstruction only"
    return f"{said_of}."


def _as_many_numbers(fits: Fits) -> str:
    rows = rows_of(fits, SWEEP, control="", method=TOPK)
    rows = rows[rows["k"] >= rows["dims"]].dropna(subset=["r2"])
    if rows.empty:
        return ""
    sizes = ", ".join(f"{one:g}" for one in sorted(rows["dims"].unique()))
    return (
        f"At {sizes} dims some k are as large as the embedding: as many numbers per bin as it has, so "
        f"that R² ({said(float(rows['r2'].mean()))} there) says little about sparse structure."
    )


def _supervised(fits: Fits) -> str:
    made = rows_of(fits, EMBEDDING, control="", method=METHOD)
    if made.empty:
        return (
            "Stored embeddings are taken as they are: what they have seen of the behaviour of their "
            "training bins is not known here; held-out bins are those of their valid part."
        )
    dealt = rows_of(fits, EMBEDDING, control="shuffled", method=METHOD)
    beside = ""
    if len(dealt):
        own = trained_on(fits)
        made = own[own["dims"].isin(dealt["dims"])]
        beside = (
            " Embeddings that learn from training bins whose activity is dealt anew decode position with "
            f"R² {said(float(dealt['position_r2'].mean()))} on held-out bins, these with "
            f"{said(float(made['position_r2'].mean()))}."
        )
    return (
        "Embeddings are supervised: they were learned from position and direction of training bins, so "
        "columns that begin with train_ say little." + beside
    )


def _null(fits: Fits) -> str:
    rows = rows_of(fits, ANALYSIS, control="")
    rows = rows[rows["seed"] == 0]
    if rows["neuron_paper"].isna().all():
        return ""
    known = rows.dropna(subset=["neuron_paper_p"])
    if known.empty:
        return (
            "Scores are correlations. The held-out bins are too few for a null of circular shifts (20 of "
            "10 s or more are needed); untrained and shuffled coders stand beside them instead."
        )
    beyond = ((known["neuron_paper_p"] < 0.05) & (known["behaviour_paper_p"] < 0.05)).mean()
    return (
        f"Scores are correlations: {beyond:.0%}".replace("%", " %")
        + f" of {len(known)} analysed coders lie beyond circular shifts (p < .05) in both scores."
    )


def _thresholds(fits: Fits) -> str:
    rows = rows_of(fits, SWEEP, control="").dropna(subset=["r2"])
    rows = rows[rows["nonzero_ratio"] <= SPARSE]
    best = rows.groupby(["method", "animal", "dims"])["r2"].max().groupby("method").mean()
    if JUMPRELU not in best:
        return ""
    listed = ", ".join(f"{NAMED[name]} {said(float(best[name]))}" for name in (JUMPRELU, EXPONENTIAL, TOPK)
                       if name in best)  # fmt: skip
    return (
        "What the paper calls JumpReLU is a ReLU with a saturating penalty (exponential here). With the "
        "real one, whose thresholds are learned, the best held-out R² with at most "
        f"{SPARSE:.0%}".replace("%", " %")
        + f" of latents active is: {listed}."
    )


def _failed(fits: Fits) -> str:
    failed = fits[fits["error"] != ""]
    if failed.empty:
        return ""
    first = failed.iloc[0]
    return (
        f"{len(failed)} of {len(fits)} fits failed and are left out; the first ({first['animal']}, "
        f"{first['method']}, {first['dims']:g} dims): {first['error']}"
    )

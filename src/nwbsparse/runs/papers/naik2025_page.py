"""The page of a reproduction of Naik 2025: claims, figures, tables, limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import xarray as xr

from nwbsparse.runs.papers.naik2025_animals import Animal
from nwbsparse.runs.papers.naik2025_claims import HOLDS, NOT, NOT_RUN, UNTRAINED_TOO, Answer
from nwbsparse.runs.papers.naik2025_coders import ANALYSIS, SWEEP, TOPK
from nwbsparse.runs.papers.naik2025_embeddings import BASELINE, EMBEDDING
from nwbsparse.runs.papers.naik2025_limits import limits
from nwbsparse.runs.papers.naik2025_rule import choose, in_words
from nwbsparse.runs.papers.naik2025_settings import CONTINUOUS, KS, Naik2025
from nwbsparse.runs.papers.naik2025_table import over_seeds, said
from nwbsparse.studies.fits import Fits, as_frame, rows_of, trained_on
from nwbsparse.views.drawing import svg
from nwbsparse.views.plots.before_and_after import before_and_after, scores_by_size
from nwbsparse.views.plots.embedding_sweep import decoded_by_setting
from nwbsparse.views.plots.sparsity_tradeoff import reconstruction_by_sparsity
from nwbsparse.views.study.page import Block, Grid, Listed, Page, Picture, Section, Verdict, Words
from nwbsparse.views.words import several

COLUMNS = {
    "neuron_paper": "neuron score (paper)", "neuron_text": "neuron (text)",
    "train_neuron_code": "train: neuron (code)",
    "behaviour_paper": "behaviour score (paper)",
    "behaviour_per_behaviour": "behaviour (per behaviour)",
    "train_behaviour_code": "train: behaviour (code)",
    "position_r2": "position R²", "train_position_r2": "train: position R²",
    "direction_accuracy": "direction accuracy", "train_direction_accuracy": "train: direction accuracy",
    "nonzero_ratio": "nonzero ratio", "r2": "R² of the embedding", "train_r2": "train: R²",
}  # fmt: skip
CONTROLS = (
    "Rings: untrained. Crosses: shuffled (every dim shifted in time by an amount of its own)."
)


def page_of(
    fits: xr.Dataset, animals: Sequence[Animal], asked: Naik2025, found: Sequence[Answer]
) -> Page:
    """Everything that the table says, for a reader."""
    frame = as_frame(fits)
    n_sweep = len(rows_of(frame, SWEEP, control=""))
    changed = asked.changed()
    as_paper = (
        "Settings as in the paper."
        if not changed
        else f"Not as in the paper: {'; '.join(changed)}."
    )
    names = ", ".join(one.name for one in animals)
    return Page(
        "Naik 2025, done again: sparse autoencoders on CEBRA embeddings of rat hippocampus",
        f"{names} · {n_sweep} coders of the grid, {several(asked.seeds, 'seed')} of those analysed · "
        f"nwbsparse {fits.attrs['version']}",
        f"{_summary(found)} {as_paper} Fitted on the first 80 % of bins, scored on the last 20 %, one "
        "second between them left out; what is scored in sample is named train."
        + _labels(animals, asked),
        [
            Section("claims", "The paper's claims", [_verdict(one) for one in found]),
            Section("figures", "Figures", _figures(frame, fits)),
            Section("scores", "Before and after", _tables(frame)),
            Section("choice", "Which coder the rule picks", [Words(in_words(choose(frame)))]),
            Section("limits", "Limits", [Listed(limits(frame))]),
        ],
    )


def _labels(animals: Sequence[Animal], asked: Naik2025) -> str:
    """What CEBRA was told of behaviour, where it was trained here."""
    trained = {one.behaviours for one in animals if not one.stored}
    if not trained:
        return ""
    how = (
        "continuous, as they are: the position, and a column of 0 and 1 for each direction"
        if asked.direction_as == CONTINUOUS
        else "position continuous (z-scored), direction a condition that both moments of a pair share"
    )
    named = "; ".join(" and ".join(one) for one in sorted(trained))
    return f" CEBRA's labels ({named}): {how}."


def _summary(found: Sequence[Answer]) -> str:
    n = Counter(one.verdict for one in found)
    parts = [f"{one}: {n[one]}" for one in (HOLDS, UNTRAINED_TOO, NOT, NOT_RUN) if n[one]]
    return f"Of {len(found)} claims – {', '.join(parts)}."


def _verdict(one: Answer) -> Verdict:
    return Verdict(one.claim.text, f"section {one.claim.where}", one.verdict, one.sentences)


def _figures(frame: Fits, fits: xr.Dataset) -> list[Block]:
    blocks: list[Block] = []
    first = decoded_by_setting(fits)
    if first is None:
        blocks.append(Words("Figures 1, 4, 5 and 6 need behaviour, and there is none: not drawn."))
    else:
        blocks.append(Picture(
            "figure-1.svg", "Figure 1. Decoding from the embeddings.",
            "Held-out bins, one mark per embedding. " + CONTROLS + " Star: the counts themselves, averaged "
            "over 20 bins.", svg(first),
        ))  # fmt: skip
    for number, (which, animal, dims) in enumerate(_easy_and_hard(frame), start=2):
        blocks.append(Picture(
            f"figure-{number}.svg",
            f"Figure {number}. Reconstruction and sparsity: {which} case, {animal}, {dims:g} dims.",
            "Every coder of the grid. Rings: encoders that learned nothing, with a decoder fitted to them. "
            "Crosses: TopK trained on the shuffled embedding.",
            svg(reconstruction_by_sparsity(fits, animal, dims)),
        ))  # fmt: skip
    for number, scores, title in (
        (4, ("neuron_paper", "behaviour_paper"), "Scores before and after"),
        (5, ("position_r2", "direction_accuracy"), "Decoding before and after"),
    ):
        drawn = before_and_after(fits, scores)
        if drawn is not None:
            blocks.append(Picture(
                f"figure-{number}.svg", f"Figure {number}. {title}.",
                "TopK, eight latents per dim; mean over animals and sizes, bars from the lowest to the "
                "highest seed.", svg(drawn),
            ))  # fmt: skip
    last = scores_by_size(fits, ("neuron_paper", "behaviour_paper"))
    if last is not None:
        blocks.append(Picture(
            "figure-6.svg", "Figure 6. Scores by size of the embedding and k.",
            "TopK, eight latents per dim; mean over animals, bars from the lowest to the highest "
            "seed.", svg(last),
        ))  # fmt: skip
    return blocks


def _easy_and_hard(frame: Fits) -> list[tuple[str, str, float]]:
    """The embeddings that TopK reconstructs best and worst."""
    rows = rows_of(frame, SWEEP, control="", method=TOPK).dropna(subset=["r2"])
    by = rows.groupby(["animal", "dims"])["r2"].mean()
    if by.empty:
        return []
    found = [("an easy", *by.idxmax())]
    return [*found, ("a hard", *by.idxmin())] if len(by) > 1 else found


def _tables(frame: Fits) -> list[Block]:
    blocks: list[Block] = []
    for animal in sorted(frame["animal"].unique()):
        own = frame[frame["animal"] == animal]
        columns = [name for name in COLUMNS if rows_of(own, ANALYSIS)[name].notna().any()]
        heads = ["", *(COLUMNS[name] for name in columns)]
        plain, beside = [], []
        for name, rows in _baselines(own):
            beside.append([name, *_cells(rows, columns)])
        for dims in sorted(rows_of(own, ANALYSIS)["dims"].unique()):
            here = own[own["dims"] == dims]
            plain.append([f"CEBRA, {dims:g} dims", *_cells(trained_on(here), columns)])
            for control, said_of in (("untrained", "untrained"), ("shuffled", "shuffled")):
                before = rows_of(here, EMBEDDING, control=control)
                if len(before):
                    what = "random network" if control == "untrained" else "shuffled CEBRA"
                    beside.append([f"{what}, {dims:g} dims", *_cells(before, columns)])
                for k in KS:
                    rows = rows_of(here, ANALYSIS, control=control, k=k)
                    beside.append(
                        [f"TopK, k = {k}, {dims:g} dims, {said_of}", *_cells(rows, columns)]
                    )
            for k in KS:
                rows = rows_of(here, ANALYSIS, control="", k=k)
                plain.append([f"TopK, k = {k}, {dims:g} dims", *_cells(rows, columns)])
        what = "mean, and lowest to highest seed"
        blocks.append(Grid(f"{animal}: embedding and latents ({what})", heads, plain))
        blocks.append(
            Grid(f"{animal}: what they stand beside ({what})", heads, beside, folded=True)
        )
    return blocks


def _baselines(own: Fits) -> list[tuple[str, Fits]]:
    rows = rows_of(own, BASELINE)
    rows = rows[rows["dims"].isna()]
    return [
        (said_of, rows[rows["method"] == method])
        for method, said_of in (("counts", "counts"), ("smoothed counts", "counts over 20 bins"))
        if (rows["method"] == method).any()
    ]


def _cells(rows: Fits, columns: Sequence[str]) -> list[str]:
    return [said(*over_seeds(rows[name])) for name in columns]

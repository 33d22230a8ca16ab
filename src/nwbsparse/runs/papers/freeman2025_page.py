"""The page of a reproduction of Freeman et al. 2025: claims, numbers, what it is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from nwbsparse.runs.papers.freeman2025_claims import (
    HOLDS,
    NOT,
    NOT_RUN,
    UNTRAINED_TOO,
    Answer,
    Numbers,
    variables_of,
)
from nwbsparse.runs.papers.freeman2025_settings import Freeman2025
from nwbsparse.schema import own_version
from nwbsparse.views.study.page import Grid, Listed, Page, Section, Verdict
from nwbsparse.views.words import several

DANDI = ("000728", "000039")
"""Recordings of the Allen Institute whose files the simulation is shaped like."""
COLUMNS = {
    "score": "intact", "chance": "chance", "retained": "retained", "random_retained": "random coder",
    "selective": "selective latents", "own_drop": "own loss", "other_drop": "largest other loss",
    "steering_target": "steering: target", "steering_off_target": "steering: off target",
    "steering": "",
}  # fmt: skip


def page_of(
    runs: Mapping[str, Mapping[str, Numbers]], asked: Freeman2025, found: Sequence[Answer]
) -> Page:
    """Everything that was found, for a reader.

    Args:
        runs: per run and way of training its numbers.
        asked: what was run.
        found: the claims, answered.
    """
    counted = Counter(one.verdict for one in found)
    parts = [
        f"{one}: {counted[one]}" for one in (HOLDS, UNTRAINED_TOO, NOT, NOT_RUN) if counted[one]
    ]
    grids = [
        Grid(f"{run}, {way}", ["variable", *COLUMNS.values()], _rows(numbers))
        for run, ways in runs.items()
        for way, numbers in ways.items()
    ]
    return Page(
        "Freeman et al. 2025, done again: a sparse autoencoder in a transformer that decodes stimuli",
        f"{', '.join(runs)} · nwbsparse {own_version()}",
        f"Of {len(found)} claims – {', '.join(parts)}. A claim holds where it holds in every run that can "
        "show it. Known here is the abstract of the paper: its network, its data and its numbers are not.",
        [
            Section(
                "claims", "The paper's claims",
                [Verdict(one.claim.text, "abstract", one.verdict, one.sentences) for one in found],
            ),
            Section("numbers", "Numbers", grids),
            Section("limits", "What it is of", [Listed(limits(runs, asked))]),
        ],
    )  # fmt: skip


def limits(runs: Mapping[str, Mapping[str, Numbers]], asked: Freeman2025) -> list[str]:
    """What the answers are of, and what would be needed for more."""
    own = [one for one in runs if not one.startswith("simulation")]
    said = [
        "The simulation is of mice of four Cre lines before drifting gratings "
        f"({several(asked.seeds, 'seed')}); their files have the layout of those of the Allen Institute.",
        "Genetic background is shown on the simulation only: no recordings of several Cre lines were "
        f"given. {' and '.join(f'DANDI:{one}' for one in DANDI)} hold such recordings. With some of their "
        "files in a folder allen: nwbsparse splice allen/*.nwb --targets orientation,temporal_frequency "
        "--class-label genotype --out allen-splice",
        "A network tells what is the same in a whole session from whose units it reads; latents of the "
        "genotype are therefore tested by permuting it over sessions.",
        "Whether the paper's network was frozen or trained with the autoencoder is not said in its "
        "abstract: both are run.",
    ]
    if not own:
        said.insert(
            1, "No recordings were given: give some, and the claims are answered on them too."
        )
    return said


def _rows(numbers: Numbers) -> list[list[str]]:
    return [
        [head, *(_cell(numbers.get(f"{what}_{head}")) for what in COLUMNS)]
        for head in variables_of(numbers)
    ]


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)

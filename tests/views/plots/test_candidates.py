"""By which rule a size was chosen, as the caption of its figure says it."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from nwbsparse.models.coder import SparseCoder
from nwbsparse.results.results import Results
from nwbsparse.views.plots.candidates import rule_said


def tried(
    coder: SparseCoder, scores: dict[int, float], chosen: int, **learned: object
) -> SparseCoder:
    """The coder as if its size had been chosen of these."""
    rows = [
        {
            "smoothing": coder.config.smoothing, "n_latents": size, "k": 1, "penalty_weight": 0.0,
            "score": score, "standard_error": 0.01, "chosen": size == chosen,
        }
        for size, score in scores.items()
    ]  # fmt: skip
    made = copy.copy(coder)
    made.record = replace(coder.record, learned={"candidates": rows, **learned})
    return made


@pytest.mark.parametrize(
    ("scores", "chosen", "said"),
    [
        ({4: 0.05, 8: 0.1, 16: 0.102}, 8, "the smallest size that reaches 95 % of the best score"),
        # a chosen point below the dotted line is not left unexplained
        (
            {4: 0.0065, 16: 0.0061, 32: 0.0076},
            4,
            "none is better than the smallest, which is taken",
        ),
        ({4: float("nan"), 16: float("nan")}, 4, "none is better than the smallest"),
        ({4: 0.05, 8: 0.1, 16: 0.12}, 8, "the dotted line counts what was tried for the smoothing"),
    ],
)
def test_the_rule_that_chose_is_the_one_that_is_said(
    made: tuple[Results, object], scores: dict[int, float], chosen: int, said: str
) -> None:
    coder = made[0].coder
    assert said in rule_said(tried(coder, scores, chosen))
    given = tried(coder, scores, chosen, asked={"n_latents": chosen})
    assert rule_said(given) == "The number of latents was given."
    assert rule_said(tried(coder, {}, 0)) == ""

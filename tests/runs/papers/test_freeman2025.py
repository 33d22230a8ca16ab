"""Freeman 2025 done again: verdicts are written by the numbers, and what is there is not made again."""

import json

import pytest

from nwbsparse.errors import BadInput
from nwbsparse.runs.papers.freeman2025 import freeman2025
from nwbsparse.runs.papers.freeman2025_claims import HOLDS, NOT, NOT_RUN, UNTRAINED_TOO, answers
from nwbsparse.runs.papers.freeman2025_settings import Freeman2025
from nwbsparse.runs.papers.reproduce_paper import reproduce_paper

HEADS = ("orientation", "genotype")
GOOD = {
    "score": 0.9, "chance": 0.25, "retained": 0.99, "random_retained": 0.3, "untrained_retained": 0.6,
    "selective": 8,
    "tuned": 12, "tuned_untrained": 1, "own_drop": 0.9, "other_drop": 0.05,
    "random_drop": 0.1,
}  # fmt: skip


def numbers(heads=HEADS, **changed):
    made = {"alive": changed.pop("alive", 60.0), "loss_recovered": 0.98}
    for head in heads:
        made |= {f"{what}_{head}": value for what, value in (GOOD | changed).items()}
    return made


def verdicts(**ways):
    return [one.verdict for one in answers({"simulation 0": ways})]


def test_where_all_is_as_the_paper_says_every_claim_holds():
    assert verdicts(frozen=numbers(), together=numbers()) == [HOLDS] * 4


@pytest.mark.parametrize(
    ("changed", "place", "verdict"),
    [
        ({"retained": 0.8}, 0, NOT),
        ({"untrained_retained": 0.97}, 0, UNTRAINED_TOO),
        ({"tuned": 0}, 1, NOT),
        ({"tuned": 3, "alive": 200.0}, 2, NOT),
        ({"tuned_untrained": 13}, 1, UNTRAINED_TOO),
        ({"own_drop": 0.2}, 3, NOT),
    ],
)
def test_a_claim_holds_only_where_it_holds_in_every_run(changed, place, verdict):
    found = verdicts(frozen=numbers(), together=numbers(**changed))
    assert found[place] == verdict


def test_what_no_run_can_show_is_not_run():
    found = answers({"recordings": {"frozen": numbers(("direction", "speed"))}})
    assert [one.verdict for one in found] == [HOLDS, HOLDS, NOT_RUN, HOLDS]
    assert "nothing there that could show it" in found[2].sentences[0]


def test_what_is_not_decoded_is_neither_kept_nor_lost():
    assert verdicts(frozen=numbers(score=0.27)) == [NOT_RUN] * 4


def test_a_loss_that_others_share_is_said():
    [*_, last] = answers({"simulated": {"frozen": numbers(other_drop=0.85)}})
    assert last.verdict == HOLDS and "not that variable alone" in last.sentences[0]


def test_numbers_that_are_not_known_answer_nothing():
    missing = numbers() | {"own_drop_orientation": None, "own_drop_genotype": None}
    assert verdicts(frozen=missing)[3] == NOT_RUN


SMALL = Freeman2025(
    seeds=1, bin_width=0.5,
    simulated={"n_sessions": 2, "n_classes": 2, "n_units": 12, "repeats": 2, "noise": 0.1},
    options={
        "max_epochs": 3, "batch_size": 32, "n_latents": 12, "k": 2, "coder_epochs": 2, "tuning_epochs": 1,
        "n_permutations": 19, "n_draws": 1, "d_model": 16, "device": "cpu",
    },
)  # fmt: skip


@pytest.mark.fits
def test_the_page_answers_every_claim_and_says_what_it_is_of(tmp_path):
    made = reproduce_paper("freeman2025", (), tmp_path / "out", SMALL)
    text = made.text.read_text(encoding="utf-8")
    for one in made.answers:
        assert one.claim.text in text and f"**{one.verdict}**" in text
    for words in (
        "simulation only",
        "000728",
        "000039",
        "nwbsparse splice allen/*.nwb",
        "abstract",
    ):
        assert words in text
    assert made.page.is_file()
    kept = json.loads(made.table.read_text(encoding="utf-8"))
    assert set(kept["runs"]["simulation 0"]) == {"frozen", "together"}
    said = []
    again = freeman2025((), tmp_path / "out", SMALL, notify=said.append)
    assert said == ["simulation 0: is there already"]
    assert again.table.read_bytes() == made.table.read_bytes()


def test_options_of_another_paper_are_refused(tmp_path):
    with pytest.raises(BadInput, match="no options of naik2025"):
        reproduce_paper("naik2025", (), tmp_path, Freeman2025())
    with pytest.raises(BadInput, match="at least 1"):
        Freeman2025(seeds=0)
    with pytest.raises(BadInput, match="--cluster"):
        reproduce_paper("freeman2025", (), tmp_path, executor="local")

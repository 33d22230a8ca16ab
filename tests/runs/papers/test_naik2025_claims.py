"""The page's verdicts are written by the numbers: in made-up tables every verdict of every claim occurs."""

import pytest

from make.naik_tables import table
from nwbsparse.runs.papers.naik2025_claims import (
    CLAIMS,
    HOLDS,
    NOT,
    NOT_RUN,
    UNTRAINED_TOO,
    answer,
    answers,
)
from nwbsparse.runs.papers.naik2025_limits import limits
from nwbsparse.runs.papers.naik2025_rule import choose, in_words
from nwbsparse.studies.fits import as_frame


def by_dims(sign):
    return lambda dims, seed=0, **_: 0.5 + 0.001 * sign * dims + 0.0001 * seed


def by_k(sign):
    return lambda k, seed=0, **_: 0.5 + 0.002 * sign * k + 0.0001 * seed


def better_settings(hidden_units, cebra_rate, **_):
    return 0.6 + 0.1 * (hidden_units == 64) - 10 * cebra_rate


def worse_settings(hidden_units, **_):
    return 0.6 - 0.1 * (hidden_units == 64)


def high(**_):
    return 0.6


def low(**_):
    return 0.3


def at_32(k, **_):
    return 0.6 if k == 32 else 0.4


def topk_more(method, dims, **_):
    return 0.5 + 0.004 * dims * (method == "topk")


def topk_less(method, dims, **_):
    return 0.9 - 0.004 * dims * (method == "topk")


def large_best(expansion, **_):
    return 0.5 + 0.01 * expansion


def small_best(expansion, **_):
    return 0.5 - 0.01 * expansion


SHOWN = {
    # claim → (a table in which it holds, what makes it hold untrained too, one in which it does not)
    "settings": ({"embedding": better_settings}, None, {"embedding": worse_settings}),
    "dims": ({"network": by_dims(+1)}, {"network": high}, {"embedding": by_dims(+1)}),
    "topk": ({"r2": topk_more, "untrained_r2": low}, {"untrained_r2": high}, {"r2": topk_less}),
    "topk_large": (
        {"r2": topk_more, "untrained_r2": low},
        {"untrained_r2": lambda dims, **_: 0.5 + 0.01 * dims},
        {"r2": topk_less},
    ),
    "expansion": (
        {"r2": large_best, "untrained_r2": small_best}, {"untrained_r2": large_best}, {"r2": small_best},
    ),
    "neuron_rises": ({"latents": high}, {"untrained": high}, {"latents": at_32}),
    "behaviour_rises": ({"latents": at_32}, {"untrained": at_32}, {"latents": high}),
    "decoding": ({"untrained": low}, {"untrained": high}, {"latents": low}),
    "neuron_dims": ({"latents": by_dims(+1)}, {"untrained": by_dims(+1)}, {"latents": by_dims(-1)}),
    "neuron_k": ({"untrained": by_k(+1)}, {"untrained": high}, {"latents": by_k(+1)}),
    "behaviour_dims": ({"latents": by_dims(-1)}, {"untrained": by_dims(-1)}, {"latents": high}),
    "behaviour_k": ({"latents": by_k(+1)}, {"untrained": by_k(+1)}, {"latents": by_k(-1)}),
    "behaviour_sparsity": ({"latents": by_k(-1)}, {"untrained": by_k(-1)}, {"latents": high}),
}  # fmt: skip
NEEDS_BEHAVIOUR = SHOWN.keys() - {"topk", "topk_large", "expansion"}


def verdict(name, **scores):
    [claim] = [one for one in CLAIMS if one.name == name]
    return answer(claim, as_frame(table(**scores))).verdict


def test_every_claim_of_the_paper_is_tried():
    assert [one.name for one in CLAIMS] == list(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_a_claim_holds_holds_untrained_or_does_not_as_the_numbers_say(name):
    holds, untrained, does_not = SHOWN[name]
    assert verdict(name, **holds) == HOLDS
    assert verdict(name, **does_not) == NOT
    if untrained is not None:  # no network of random weights has a learning rate
        assert verdict(name, **(holds | untrained)) == UNTRAINED_TOO


@pytest.mark.parametrize("name", sorted(NEEDS_BEHAVIOUR))
def test_without_behaviour_what_needs_it_was_not_run(name):
    assert verdict(name, behaviour=False) == NOT_RUN


def test_of_one_size_nothing_is_said_of_sizes():
    assert verdict("topk_large", sizes=(8,)) == verdict("neuron_dims", sizes=(8,)) == NOT_RUN
    assert verdict("dims", sizes=(8,)) == NOT_RUN


def test_stored_embeddings_say_nothing_of_the_settings_they_were_made_with():
    assert verdict("settings", settings=False) == NOT_RUN


def test_one_seed_that_goes_the_other_way_is_enough():
    def one_seed_falls(dims, seed, **_):
        return 0.5 + (-0.0002 if seed == 1 else 0.001) * dims

    assert verdict("neuron_dims", latents=one_seed_falls) == NOT


def test_all_leading_scores_must_show_it():
    """The kind of fault: a claim about two things that is answered by one of them."""

    def position_alone(score, **_):
        return 0.6 if "position" in score else 0.3

    assert verdict("decoding", latents=position_alone) == NOT
    assert verdict("decoding", latents=high, untrained=position_alone) == HOLDS


def test_the_sentences_have_the_numbers_of_the_trained_and_of_the_controls():
    found = {one.claim.name: one for one in answers(as_frame(table(latents=high, untrained=low)))}
    first, untrained, shuffled, *beside = found["neuron_rises"].sentences
    assert first.startswith("`neuron_paper`: embedding 0.500; latents +0.100 at k = 8")
    assert untrained.startswith("Untrained, it is not so: embedding 0.500; latents −0.200")
    assert shuffled.startswith("Shuffled, it is not so")
    assert [one.split(":")[0] for one in beside] == ["`neuron_text`", "`train_neuron_code`"]
    assert all(one.endswith("– holds.") for one in beside)


def test_the_two_sentences_that_contradict_each_other_are_decided_by_the_numbers():
    def last(**scores):
        found = {one.claim.name: one for one in answers(as_frame(table(**scores)))}
        both = {found[name].sentences[-1] for name in ("behaviour_k", "behaviour_sparsity")}
        [said] = both
        assert said.startswith("The paper contradicts itself here")
        return said

    assert last(latents=by_k(+1)).endswith("The numbers are with the figure.")
    assert last(latents=by_k(-1)).endswith("The numbers are with the discussion.")
    assert "with neither" in last(latents=high)
    assert last(behaviour=False).endswith("nothing here can decide between them.")


def test_the_rule_picks_the_best_of_sparse_coders_over_all_embeddings():
    def best_is(method, expansion):
        return lambda **fit: 0.5 + 0.4 * (fit["method"] == method) * (fit["expansion"] == expansion)

    papers = choose(as_frame(table(r2=best_is("topk", 8), animals=("achilles", "buddy"))))
    assert papers is not None
    assert (papers.family, papers.expansion, papers.n) == ("topk", 8, 4)
    assert "the paper picked TopK" in in_words(
        papers
    )  # at equal R² the first rate: not the paper's
    other = choose(as_frame(table(r2=best_is("standard", 8))))
    assert other is not None and other.family == "standard"
    assert "It picks standard" in in_words(other)
    # what is not sparse is not chosen, however good
    busy = table(r2=best_is("standard", 8), active=lambda method, **_: 0.1 + (method == "standard"))
    found = choose(as_frame(busy))
    assert found is not None and found.family != "standard"
    assert "none is chosen" in in_words(choose(as_frame(table(active=lambda **_: 0.9))))


def test_limits_say_which_animals_are_absent_and_what_could_not_be_shown():
    said = "\n".join(limits(as_frame(table())))
    assert "of the paper's four not run here: achilles, cicero, gatsby" in said
    assert "too few for a null of circular shifts" in said
    assert "as many numbers per bin as it has" in said
    assert "What the paper calls JumpReLU" in said
    bare = "\n".join(limits(as_frame(table(behaviour=False))))
    assert "Of buddy there is no behaviour here" in bare

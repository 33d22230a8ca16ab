"""The decoder's shape: what it reads, that nothing goes round its sites, and what it refuses."""

import pytest
import torch

from nwbsparse.errors import BadInput
from nwbsparse.splice.ablations import zero
from nwbsparse.splice.heads import Head
from nwbsparse.splice.replace import replace
from nwbsparse.splice.site import site
from nwbsparse.splice.transformer import PopulationTransformer

HEADS = {
    "type": Head("category", 3),  # a name that torch has for itself
    "angle.deg": Head("circular", period=360.0),
    "pupil": Head("continuous", per="bin"),
}
SESSIONS = {"a": 5, "b.nwb": 7}


def decoder(**options):
    return PopulationTransformer(SESSIONS, HEADS, n_bins=6, d_model=8, n_heads=2, **options).eval()


def activity(n=4, n_units=5, seed=0):
    return torch.randn(n, 6, n_units, generator=torch.Generator().manual_seed(seed))


def test_every_head_answers_per_trial_or_per_bin():
    made = decoder()(activity(), session="a")
    assert {name: tuple(one.shape) for name, one in made.items()} == {
        "type": (4, 3), "angle.deg": (4, 2), "pupil": (4, 6, 1),
    }  # fmt: skip


def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before():
    first = decoder().state_dict()
    before = torch.random.get_rng_state()
    again, other = decoder().state_dict(), decoder(seed=1).state_dict()
    assert torch.equal(before, torch.random.get_rng_state()), "the global generator is left alone"
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["position"], other["position"])


def test_sessions_together_answer_what_each_answers_alone():
    model, a, b = decoder(), activity(), activity(3, 7, seed=1)
    both = model([a, b], session=["a", "b.nwb"])
    alone = [model(a, session="a"), model(b, session="b.nwb")]
    for name in HEADS:
        expected = torch.cat([one[name] for one in alone])
        torch.testing.assert_close(both[name], expected, atol=1e-6, rtol=1e-5)


def test_what_was_not_observed_is_read_as_the_mean_of_the_unit():
    model, x = decoder(), activity()
    model.read_in("a").scale(x)
    missing, filled = x.clone(), x.clone()
    missing[1, :, 2] = torch.nan
    filled[1, :, 2] = x[:, :, 2].mean()
    made, expected = model(missing, session="a"), model(filled, session="a")
    for name in HEADS:
        torch.testing.assert_close(made[name], expected[name], atol=1e-5, rtol=1e-4)


def test_a_unit_that_never_changes_or_is_never_seen_reads_as_nothing():
    x = activity()
    x[:, :, 1], x[:, :, 3] = 4.0, torch.nan
    model = decoder()
    model.read_in("a").scale(x)
    expected = model(x, session="a")["type"]
    x[:, :, 1], x[:, :, 3] = 9.0, 1.0
    assert torch.equal(model(x, session="a")["type"], expected)


def test_a_silent_population_does_not_say_which_session_it_is():
    model = decoder()
    made = model(torch.zeros(1, 6, 5), session="a"), model(torch.zeros(1, 6, 7), session="b.nwb")
    assert torch.equal(made[0]["type"], made[1]["type"])


@pytest.mark.parametrize(
    ("name", "seen"),
    [("blocks.1", ["type", "angle.deg", "pupil"]), ("pool", ["type", "angle.deg"])],
)
def test_nothing_goes_round_the_last_block_nor_the_pool(name, seen):
    model, x = decoder(), activity()
    with replace(site(model, name), zero):
        made = model(x, session="a")
    for head in HEADS:
        same = torch.equal(made[head], made[head][:1].expand_as(made[head]))
        assert same == (head in seen), head


def test_a_session_more_leaves_everything_else_as_it_was():
    model, x = decoder(), activity()
    grown = model.with_session("c", 3)
    assert torch.equal(grown(x, session="a")["type"], model(x, session="a")["type"])
    assert grown(activity(2, 3), session="c")["type"].shape == (2, 3)
    assert "c" not in model.sessions
    with pytest.raises(BadInput, match="has a session 'a' already"):
        model.with_session("a", 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m(activity(), session="b"), r"no session 'b'; did you mean|has a, b\.nwb"),
        (lambda m: m(activity(n_units=4), session="a"), r"\(trial, 6 bins, 5 units\)"),
        (lambda m: m(activity()[:, :5], session="a"), r"this activity is \(4, 5, 5\)"),
        (lambda m: m([activity()], session=["a", "b.nwb"]), "1 tensors of activity and 2 sessions"),
        (lambda m: m.readout("pupils"), "did you mean 'pupil'"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(call, words):
    with pytest.raises(BadInput, match=words):
        call(decoder())


def test_all_that_is_wrong_with_a_decoder_is_said_at_once():
    with pytest.raises(BadInput) as caught:
        PopulationTransformer({"a": 0}, {}, n_bins=0, d_model=10, n_heads=4, dropout=1.0)
    said = str(caught.value)
    for words in (
        "no units",
        "nothing to predict",
        "multiple of n_heads 4",
        "n_bins is 0",
        "dropout is 1.0",
    ):
        assert words in said

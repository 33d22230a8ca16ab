"""Every rule of what can work together: what it refuses, and that it says what is legal."""

import math

import pytest

from nwbsparse.errors import BadInput
from nwbsparse.options.config import Config, from_dict
from nwbsparse.options.legality import LEGAL_TARGETS, PENALISED, parse_levels, parse_weights


def refusal(**options):
    with pytest.raises(BadInput) as caught:
        from_dict(options)
    return str(caught.value)


POSITIVE = ["rate", "sampling_frequency", "time_scale", "bin_width", "bandwidth", "tau",
            "learning_rate"]  # fmt: skip
WHOLE = ["blocks", "n_latents", "expansion", "k", "window", "d_model", "n_heads", "n_blocks",
         "batch_size", "max_epochs", "patience", "dead_window", "k_aux", "n_shifts",
         "seeds"]  # fmt: skip
NOT_NEGATIVE = ["gap", "aux_weight", "penalty_weight", "weight_decay", "clip"]


@pytest.mark.parametrize("field", POSITIVE)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.5, 0.0])
def test_numbers_that_must_be_positive(field, value):
    assert f"{field} is {value}; it must be > 0" in refusal(**{field: value})


@pytest.mark.parametrize("field", WHOLE)
@pytest.mark.parametrize("value", [0, -3])
def test_whole_numbers_that_must_be_positive(field, value):
    assert f"{field} is {value}; it must be > 0" in refusal(**{field: value})


@pytest.mark.parametrize("field", NOT_NEGATIVE)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.5])
def test_numbers_that_may_be_zero(field, value):
    sparsifier = {"sparsifier": "l1"} if field == "penalty_weight" else {}
    assert from_dict({field: 0.0} | sparsifier)
    assert f"{field} is {value}; it must be 0 or more" in refusal(**{field: value}, **sparsifier)


@pytest.mark.parametrize("field", ["test", "validation", "alpha"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -0.5, 0.0, 1.0])
def test_shares_lie_between_zero_and_one(field, value):
    assert f"{field} is {value}; it must lie between 0 and 1" in refusal(**{field: value})


def test_something_must_be_left_to_train_on():
    assert "test + validation is 1; nothing is left" in refusal(test=0.5, validation=0.5)
    assert from_dict({"test": 0.5, "validation": 0.49})


@pytest.mark.parametrize("band", [[8.0], [8.0, 4.0], [8.0, 8.0], [0.0, 8.0], [1.0, 2.0, 3.0]])
def test_a_band_is_two_growing_frequencies(band):
    assert "it must be two growing frequencies > 0 Hz" in refusal(band=band)
    assert from_dict({"band": [4.0, 8.0]}).band == (4.0, 8.0)


@pytest.mark.parametrize("field", ["seed", "order_seed"])
def test_seeds_are_what_torch_takes(field):
    for value in (-1, 2**63):
        assert f"{field} is {value}; it must be 0 or more, and below 2^63" in refusal(
            **{field: value}
        )
    assert from_dict({field: 2**63 - 1})


@pytest.mark.fault(39)
@pytest.mark.parametrize("value", [0.0, math.nan, -0.02])
def test_a_bin_width_that_is_not_positive_is_refused(value):
    with pytest.raises(BadInput, match=r"bin_width is .*must be > 0"):
        Config(bin_width=value)


@pytest.mark.fault(51)
def test_k_must_be_positive_and_at_most_n_latents():
    with pytest.raises(BadInput, match="k is 65 but there are only 64 latents"):
        Config(n_latents=64, k=65)
    for k in (0, -3):
        with pytest.raises(BadInput, match=f"k is {k}"):
            Config(k=k)
    assert Config(n_latents=64, k=64).k == 64


PAIRS = [
    (n, o) for n in (None, "zscore", "none") for o in (None, "identity", "relu", "softplus", "exp")
]


@pytest.mark.parametrize("loss", [*LEGAL_TARGETS])
@pytest.mark.parametrize(("normalisation", "output"), PAIRS)
def test_a_pair_is_accepted_exactly_where_the_loss_is_defined(loss, normalisation, output):
    # said once more in words: a logarithm and a rate need counts and what is not negative
    fits = output != "identity" if loss == "msle" else output in (None, "softplus", "exp")
    legal = fits and normalisation != "zscore"
    if loss == "mse":
        legal = normalisation != "zscore" or output in (None, "identity")
    options = {"loss": loss, "normalisation": normalisation, "output": output}
    given = {key: value for key, value in options.items() if value is not None}
    if legal:
        chosen = from_dict(given).scaling
        assert chosen in LEGAL_TARGETS[loss]
        assert normalisation in (None, chosen[0]) and output in (None, chosen[1])
        return
    message = refusal(**given)
    assert f"loss={loss} is not defined" in message
    for pair in LEGAL_TARGETS[loss]:
        assert "normalisation={}, output={}".format(*pair) in message


def test_the_scaling_that_is_chosen_is_the_plain_one():
    chosen = {loss: from_dict({"loss": loss, "choose": "none"}).scaling for loss in LEGAL_TARGETS}
    assert chosen == {
        "mse": ("zscore", "identity"),
        "msle": ("none", "relu"),
        "poisson": ("none", "softplus"),
        "negative_binomial": ("none", "softplus"),
    }
    assert from_dict({"output": "exp", "choose": "none"}).scaling == ("none", "exp")


def test_levels_are_read_as_pairs():
    assert parse_levels(("16:1", " 64 : 4 ")) == [(16, 1), (64, 4)]
    assert parse_levels(()) == []
    config = from_dict({"levels": ["16:1", "64:4"]})
    assert config.levels == ("16:1", "64:4")
    assert config.level_sizes == [(16, 1), (64, 4)]
    assert Config(levels=("16:1", "64:4"), n_latents=64, k=4).k == 4
    assert Config(n_latents=64, k=4).level_sizes == [(64, 4)]


@pytest.mark.parametrize(
    "level",
    [
        "16",
        ":4",
        "16:",
        "a:b",
        "16:-1",
        "16:1.5",
        "",
        "²:1",
        "4:1:",
        "4:1:x",
        "4:1:0.5:1",
        "4:1:1_0",
        "4:1:²",
        "4:1:.",
    ],
)
def test_a_level_of_another_form_is_refused(level):
    with pytest.raises(BadInput, match="n_latents:k"):
        Config(levels=(level,))


def test_a_level_may_have_a_weight():
    levels = ("4:1:0.5", " 8 : 1 : 2e-1 ", "16:2", "32:2:3")
    assert parse_weights(levels) == [0.5, 0.2, 1.0, 3.0]
    assert parse_levels(levels) == [(4, 1), (8, 1), (16, 2), (32, 2)]
    assert Config(levels=levels).level_weights == [0.5, 0.2, 1.0, 3.0]
    assert Config(levels=levels).level_sizes == parse_levels(levels)
    assert Config().level_weights == [1.0]


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "-inf", "1e999", "-0.5"])
def test_a_weight_is_positive_and_finite(weight):
    message = refusal(levels=[f"16:1:{weight}", "64:4"])
    assert "in level 16:1:" in message and "it must be > 0 and finite" in message


def test_everything_wrong_about_levels_is_said_at_once():
    message = refusal(levels=["16:0:0", "64", "8:9:nan", "a:1"], expansion=4, gap=-1.0)
    for words in (
        "level '64' is not of the form",
        "level 'a:1' is not of the form",
        "the weight is 0 in level 16:0:0",
        "the weight is nan in level 8:9:nan",
        "k is 0 in level 16:0",
        "k is 9 but there are only 8",
        "expansion and n_latents (or levels) are both given",
        "gap is -1.0",
    ):
        assert words in message, words
    assert message.count("\n- ") == 8


REFUSED = [
    ({"levels": ["64:4", "16:1"]}, "must grow"),
    ({"levels": ["16:1", "16:2"]}, "must grow"),
    ({"levels": ["16:17", "64:4"]}, "k is 17 but there are only 16"),
    ({"levels": ["16:0", "64:4"]}, "k is 0 in level 16:0; it must be > 0"),
    ({"levels": ["16:1", "64:4"], "n_latents": 128}, "n_latents is 128 but the largest level"),
    ({"levels": ["16:1", "64:4"], "k": 8}, "k is 8 but the largest level says 4"),
    ({"levels": ["16:1", "64:4"], "nesting": "nested"}, "give each level the same, or use nesting"),
    ({"expansion": 4, "n_latents": 64}, "expansion and n_latents (or levels) are both given"),
    ({"expansion": 4, "levels": ["16:1"]}, "expansion and n_latents (or levels) are both given"),
    ({"decoder": "convolution", "encoder": "window"}, "needs encoder=linear, not window"),
    ({"decoder": "convolution", "encoder": "transformer"}, "needs encoder=linear, not transformer"),
    ({"window": 5}, "use encoder=window or encoder=transformer, or decoder=convolution"),
    ({"encoder": "window", "window": 1}, "needs a window of 2 bins or more"),
    ({"encoder": "transformer", "window": 1}, "needs a window of 2 bins or more"),
    ({"decoder": "convolution", "window": 1}, "needs a window of 2 bins or more"),
    ({"decoded": "all"}, "decoded=all needs encoder=window or encoder=transformer"),
    ({"decoded": "all", "decoder": "convolution"}, "one bin is reconstructed otherwise"),
    ({"encoder": "transformer", "attention": "model", "d_model": 10},
     "d_model is 10; it must be a multiple of n_heads 4"),
    ({"target_units": "3", "target_regions": "CA1"}, "target_units and target_regions are both"),
    ({"penalty": "exponential"}, "belongs to sparsifier=l1, not batch_topk"),
    ({"penalty": "exponential", "sparsifier": "jumprelu"}, "sparsifier=l1, not jumprelu"),
    ({"penalty_weight": 0.1}, "has no meaning for sparsifier=batch_topk, which keeps k latents"),
    ({"penalty_weight": 0.1, "sparsifier": "topk"}, "it belongs to l1, jumprelu, gated"),
    ({"bandwidth": 0.1}, "bandwidth belongs to sparsifier=jumprelu or penalty=exponential"),
    ({"bandwidth": 0.1, "sparsifier": "l1"}, "sparsifier=jumprelu or penalty=exponential"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_what_contradicts_is_refused_with_what_is_legal(options, words):
    assert words in refusal(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"levels": ["16:4", "64:4"], "nesting": "nested"},
        {"encoder": "window", "window": 2, "decoded": "all"},
        {"encoder": "transformer", "window": 5, "decoded": "last"},
        {"encoder": "transformer", "attention": "latent", "d_model": 10},
        {"decoder": "convolution", "window": 2, "decoded": "last"},
        {"window": 1, "decoded": "last"},
        {"penalty": "exponential", "sparsifier": "l1", "bandwidth": 0.1, "penalty_weight": 0.5},
        {"sparsifier": "jumprelu", "bandwidth": 0.1},
        {"sparsifier": "topk", "k": 8, "n_latents": 8},
        {"expansion": 2, "k": 32},
        {"lag": -3, "target_regions": "CA1"},
        *({"sparsifier": kind, "penalty_weight": 0.0} for kind in PENALISED),
    ],
    ids=str,
)
def test_what_goes_together_is_accepted(options):
    config = from_dict(options)
    assert all(field in config.to_dict() for field in options)


def test_problems_of_every_kind_are_listed_at_once():
    message = refusal(
        levels=["64:4", "16:1"], loss="poisson", output="identity", window=5, decoded="all",
        penalty="exponential", penalty_weight=1.0, seed=-1,
    )  # fmt: skip
    assert "7 problems" in message
    for words in ("must grow", "loss=poisson", "window is 5", "decoded=all", "penalty=exponential",
                  "penalty_weight has no meaning", "seed is -1"):  # fmt: skip
        assert words in message

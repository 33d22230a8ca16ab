"""One table of options: what it refuses, what it says, and that TOML gives it back."""

import dataclasses
import math
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbsparse.config import Config, from_dict, read_toml, to_toml
from nwbsparse.errors import BadInput
from nwbsparse.legality import LEGAL_TARGETS, parse_levels

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text("abcXYZ019-_ü", min_size=1, max_size=12),
        "bin_width": st.floats(1e-4, 10),
        "units": st.sampled_from(["3,7,12", "quality == 'good'", 'a "quoted" \\ word', "été"]),
        "where": st.sampled_from(["speed > 3", "speed > 3\nand x < 2"]),
        "test": st.floats(0.01, 0.45),
        "validation": st.floats(0.01, 0.45),
        "gap": st.floats(0, 100),
        "n_latents": st.integers(64, 4096),
        "k": st.integers(1, 64),
        "learning_rate": st.floats(1e-6, 1),
        "seed": st.integers(0, 2**31),
        "loss": st.sampled_from(["mse", "msle", "poisson"]),
    },
)


@settings(deadline=None)
@given(values=OPTIONS)
def test_toml_gives_back_the_same_options(values, tmp_path_factory):
    config = from_dict(values)
    path = tmp_path_factory.mktemp("toml") / "run.toml"
    path.write_text(to_toml(config, source="rat.nwb"), encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["source"] == "rat.nwb"
    assert from_dict(read_toml(path)) == config


def test_levels_survive_toml(tmp_path):
    config = Config(levels=("16:1", "64:4"))
    path = tmp_path / "run.toml"
    path.write_text(to_toml(config), encoding="utf-8")
    assert read_toml(path)["levels"] == ["16:1", "64:4"]
    assert from_dict(read_toml(path)) == config


def test_what_is_left_open_is_absent_from_toml():
    assert "n_latents" not in to_toml(Config())
    assert "bin_width" not in Config().to_dict()
    assert Config().to_dict()["test"] == 0.2


def test_an_unknown_option_is_answered_with_the_nearest_one(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("n_latent = 64\nxyzzy = 1\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_toml(path)
    message = str(caught.value)
    assert str(path) in message
    assert "'n_latent'; did you mean 'n_latents'?" in message
    assert "'xyzzy'" in message
    assert message.count("did you mean") == 1
    for refuse in (from_dict, lambda values: Config().replace(**values)):
        with pytest.raises(BadInput, match="did you mean 'seed'"):
            refuse({"seeed": 1})


@pytest.mark.parametrize("text", ["n_latents = ", "= 3", "[", 'name = "a'])
def test_broken_toml_is_refused_with_its_path(text, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"run\.toml is not valid TOML"):
        read_toml(path)


def test_toml_that_is_not_text_or_not_there_is_refused(tmp_path):
    path = tmp_path / "run.toml"
    with pytest.raises(BadInput, match="does not exist"):
        read_toml(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not valid TOML"):
        read_toml(path)


def test_every_problem_is_listed_at_once():
    with pytest.raises(BadInput) as caught:
        Config(bin_width=-1.0, gap=-2.0, test=1.5, patience=0, seed=-1, name="a/b", loss="msle",
               normalisation="zscore")  # fmt: skip
    message = str(caught.value)
    for words in ("bin_width is -1.0", "gap is -2.0", "test is 1.5", "patience is 0", "seed is -1",
                  "'a/b'", "loss=msle", "test + validation"):  # fmt: skip
        assert words in message, words
    assert "8 problems" in message
    assert message.count("\n- ") == 8


@pytest.mark.parametrize(
    "field", ["bin_width", "gap", "test", "validation", "alpha", "learning_rate", "aux_weight"]
)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.5])
def test_numbers_that_are_no_use_are_refused_by_name(field, value):
    with pytest.raises(BadInput, match=f"{field} is"):
        from_dict({field: value})


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


@pytest.mark.parametrize("name", ["", "a b", "../x", "a\x00", "a\nb", "a.b", "a/b"])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(BadInput, match="use letters, digits"):
        Config(name=name)


PAIRS = [(n, o) for n in (None, "zscore", "none") for o in (None, "identity", "relu", "softplus")]


@pytest.mark.parametrize("loss", ["mse", "msle", "poisson"])
@pytest.mark.parametrize(("normalisation", "output"), PAIRS)
def test_a_pair_is_accepted_exactly_where_the_loss_is_defined(loss, normalisation, output):
    legal = [
        pair
        for pair in LEGAL_TARGETS[loss]
        if normalisation in (None, pair[0]) and output in (None, pair[1])
    ]
    options = {"loss": loss, "normalisation": normalisation, "output": output}
    given = {key: value for key, value in options.items() if value is not None}
    if legal:
        assert from_dict(given).scaling == legal[0]
        return
    with pytest.raises(BadInput) as caught:
        from_dict(given)
    assert f"loss={loss} is not defined" in str(caught.value)
    for pair in LEGAL_TARGETS[loss]:
        assert "normalisation={}, output={}".format(*pair) in str(caught.value)


def test_no_legal_pair_gives_a_logarithm_or_a_rate_negative_numbers():
    for loss in ("msle", "poisson", "negative_binomial"):
        assert LEGAL_TARGETS[loss]
        for normalisation, output in LEGAL_TARGETS[loss]:
            assert normalisation == "none"
            assert output in ("relu", "softplus", "exp")


def test_levels_are_read_as_pairs():
    assert parse_levels(("16:1", " 64 : 4 ")) == [(16, 1), (64, 4)]
    assert parse_levels(()) == []
    config = from_dict({"levels": ["16:1", "64:4"]})
    assert config.levels == ("16:1", "64:4")
    assert Config(levels=("16:1", "64:4"), n_latents=64, k=4).k == 4


@pytest.mark.parametrize("level", ["16", ":4", "16:", "a:b", "16:-1", "16:1.5", "", "1:2:3", "²:1"])
def test_a_level_of_another_form_is_refused(level):
    with pytest.raises(BadInput, match="n_latents:k"):
        Config(levels=(level,))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"levels": ["64:4", "16:1"]}, "must grow"),
        ({"levels": ["16:1", "16:2"]}, "must grow"),
        ({"levels": ["16:17", "64:4"]}, "k is 17 but there are only 16"),
        ({"levels": ["16:0", "64:4"]}, "k is 0 in level 16:0"),
        ({"levels": ["16:1", "64:4"], "n_latents": 128}, "n_latents is 128"),
        ({"levels": ["16:1", "64:4"], "k": 8}, "k is 8"),
    ],
)
def test_levels_that_contradict_are_refused(options, words):
    with pytest.raises(BadInput, match=words):
        from_dict(options)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("k", "4", "int"),
        ("k", 4.0, "int"),
        ("k", True, "int"),
        ("bin_width", "0.02", "float or int"),
        ("bin_width", False, "float or int"),
        ("name", 3, "str"),
        ("levels", "16:1", "list"),
        ("test", None, "float"),
    ],
)
def test_from_dict_says_which_type_it_wants(key, value, said):
    with pytest.raises(BadInput, match=f"{key} is .*it must be {said}"):
        from_dict({key: value})


def test_from_dict_lists_all_wrong_types_and_takes_whole_numbers_for_seconds():
    with pytest.raises(BadInput) as caught:
        from_dict({"k": "4", "seed": 1.5, "bin_width": []}, where="my.toml")
    assert "my.toml" in str(caught.value)
    assert all(f"- {key} is" in str(caught.value) for key in ("k", "seed", "bin_width"))
    assert from_dict({"gap": 2}).gap == 2


@pytest.mark.parametrize(("field", "value"), [("loss", "mae"), ("device", "tpu")])
def test_a_choice_that_does_not_exist_is_answered_with_those_that_do(field, value):
    with pytest.raises(BadInput, match=f"{field} is '{value}'; choose one of"):
        from_dict({field: value})


def test_replace_changes_a_copy_and_checks_it():
    before = Config(n_latents=64)
    after = before.replace(k=8)
    assert (after.k, before.k, after.n_latents) == (8, None, 64)
    with pytest.raises(BadInput, match="only 64 latents"):
        before.replace(k=65)
    with pytest.raises(dataclasses.FrozenInstanceError):
        before.k = 3

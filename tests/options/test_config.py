"""One table of options: what it refuses, what it says, and that TOML gives it back."""

import dataclasses
import math
import tomllib
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbsparse.errors import BadInput
from nwbsparse.options.config import Config, from_dict
from nwbsparse.options.legality import problems
from nwbsparse.options.toml import read_toml, to_toml

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text("abcXYZ019-_ü", min_size=1, max_size=12),
        "bin_width": st.floats(1e-4, 10),
        "units": st.sampled_from(["3,7,12", "quality == 'good'", 'a "quoted" \\ word', "été"]),
        "where": st.sampled_from(["speed > 3", "speed > 3\nand x < 2"]),
        "pool": st.sampled_from(
            ["region", "depth:12.5", "electrode_group, depth:100", "Tiefe µm:1"]
        ),
        "test": st.floats(0.01, 0.45),
        "validation": st.floats(0.01, 0.45),
        "gap": st.floats(0, 100),
        "n_latents": st.integers(64, 4096),
        "k": st.integers(1, 64),
        "learning_rate": st.floats(1e-6, 1),
        "seed": st.integers(0, 2**31),
        "loss": st.sampled_from(["mse", "msle", "poisson", "negative_binomial"]),
        "sparsifier": st.sampled_from(["batch_topk", "topk", "l1", "jumprelu", "gated"]),
        "encoder": st.sampled_from(["linear", "window", "transformer"]),
        "lag": st.integers(-50, 50),
        "weight_decay": st.floats(0, 1),
        "precision": st.sampled_from(["float32", "float64", "bfloat16"]),
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


SETTLED = {
    "bin_width": 0.1, "window": 1, "decoded": "last", "n_latents": 16, "k": 2, "batch_size": 64,
    "max_epochs": 4, "k_aux": 1, "normalisation": "zscore", "output": "identity",
}  # fmt: skip


@pytest.mark.parametrize("source", [None, "rat.nwb"])
def test_the_options_of_an_earlier_run_still_mean_the_mean_of_its_levels(source, tmp_path):
    path = tmp_path / "run.toml"
    config = Config(levels=("8:1", "16:2"), **SETTLED)
    path.write_text(to_toml(config, source=source), encoding="utf-8")
    assert "level_terms" not in path.read_text(encoding="utf-8")
    assert from_dict(read_toml(path)) == config.replace(
        level_terms="mean", smoothing=0.0, transform="none", mask=0.0, sign="free"
    )
    path.write_text(to_toml(config.replace(level_terms="sum"), source=source), encoding="utf-8")
    assert from_dict(read_toml(path)).level_terms == "sum"
    path.write_text('levels = ["8:1", "16:2"]', encoding="utf-8")
    assert from_dict(read_toml(path)).level_terms is None, "somebody's own words: to be chosen"
    path.write_text(to_toml(Config(**SETTLED)), encoding="utf-8")
    assert from_dict(read_toml(path)).level_terms is None, "of no consequence without levels"


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


@pytest.mark.parametrize("pool", ["", "depth:", "depth:0", "depth:-1", "depth:x", "a,,b", "a,a"])
def test_a_pool_of_another_form_is_refused_before_anything_is_read(pool):
    with pytest.raises(BadInput, match="pool = "):
        from_dict({"pool": pool})


@pytest.mark.parametrize("name", ["", "a b", "../x", "a\x00", "a\nb", "a.b", "a/b"])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(BadInput, match="use letters, digits"):
        Config(name=name)


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


def choices():
    """The words of every option that is one of several."""
    found = {}
    for name, hint in get_type_hints(Config).items():
        words = [word for part in (hint, *get_args(hint)) for word in get_args(part)]
        if any(isinstance(word, str) for word in words):
            found[name] = tuple(word for word in words if isinstance(word, str))
    return found


CHOICES = choices()
NEEDS = {
    "exponential": {"sparsifier": "l1"},
    "nested": {"levels": ["4:2", "8:2"]},
    "all": {"encoder": "window"},
}
"""What some words need beside them."""


@pytest.mark.parametrize("field", CHOICES)
def test_a_word_that_does_not_exist_is_answered_with_those_that_do(field):
    words = ", ".join(CHOICES[field])
    with pytest.raises(BadInput, match=f"{field} is 'xyzzy'; choose one of {words}"):
        from_dict({field: "xyzzy"})
    # from Python as well, where nothing checks types
    given = Config()
    assert problems(given, CHOICES) == []
    object.__setattr__(given, field, "xyzzy")
    assert f"{field} is 'xyzzy'; choose one of {words}" in problems(given, CHOICES)


@pytest.mark.parametrize(
    ("field", "word"), [(field, word) for field, words in CHOICES.items() for word in words]
)
def test_every_word_works_somewhere_and_survives_toml(field, word, tmp_path):
    config = from_dict({field: word} | NEEDS.get(word, {}))
    assert getattr(config, field) == word
    (tmp_path / "run.toml").write_text(to_toml(config), encoding="utf-8")
    assert from_dict(read_toml(tmp_path / "run.toml")) == config


def test_the_table_of_options_has_the_choices_that_are_documented():
    expected = {
        "nesting": 2, "encoder": 3, "attention": 2, "sparsifier": 5, "penalty": 2, "decoder": 2,
        "decoded": 2, "loss": 4, "normalisation": 3, "output": 4, "rows": 2, "pre_bias": 2,
        "initialisation": 4, "schedule": 3, "precision": 3, "revival": 4, "device": 4,
        "reads": 2, "embed": 8, "level_terms": 2, "choose": 3, "sign": 2, "duplicates": 3,
        "last_batch": 2,
        "smoothing_kernel": 2, "transform": 2,
    }  # fmt: skip
    assert {field: len(words) for field, words in CHOICES.items()} == expected


def test_replace_changes_a_copy_and_checks_it():
    before = Config(n_latents=64)
    after = before.replace(k=8)
    assert (after.k, before.k, after.n_latents) == (8, None, 64)
    with pytest.raises(BadInput, match="only 64 latents"):
        before.replace(k=65)
    with pytest.raises(dataclasses.FrozenInstanceError):
        before.k = 3

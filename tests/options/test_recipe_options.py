"""Presets and stored options of before the default recipe mean what they meant."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

import nwbsparse as ns
from make.patterns import planted_patterns
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.config import Config, from_dict
from nwbsparse.options.earlier import as_meant
from nwbsparse.options.presets import PRESETS, naik_grid, preset
from nwbsparse.training.learn import is_consensus, settled_for

GOLDEN = Path(__file__).parents[1] / "golden" / "annotated"
AS_IT_WAS = {
    "smoothing": 0.0, "transform": "none", "mask": 0.0, "groups": "none", "sign": "free",
    "choose": "none", "seeds": 1, "replicates": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_leave_nothing_to_the_recipe(name):
    options = preset(name)
    assert {key: options.get(key) for key in AS_IT_WAS} == AS_IT_WAS
    config = Config(**options)
    assert not is_consensus(config)
    assert config.scaling[0] != "scaled"
    assert settled_for(planted_patterns(600)[0], config) == config


def test_nor_does_the_grid_of_naik():
    for config in naik_grid():
        assert not is_consensus(config)
        assert {key: getattr(config, key) for key in AS_IT_WAS} == AS_IT_WAS
        assert config.scaling[0] == "none"


def test_the_plain_preset_is_the_first_default():
    config = Config(**preset("plain"))
    usual = {field.name: field.default for field in fields(Config)}
    changed = {name for name, value in usual.items() if getattr(config, name) != value}
    assert changed <= {*AS_IT_WAS, "normalisation", "level_terms"}
    assert config.scaling == ("zscore", "identity")


def test_the_default_is_the_recipe():
    config = Config()
    assert is_consensus(config)
    assert (config.seeds, config.replicates, config.choose, config.groups) == (
        10,
        2,
        "all",
        "found",
    )
    assert (config.smoothing, config.mask, config.sign) == (None, None, None)
    assert config.scaling == ("scaled", "identity")
    assert not is_consensus(config.replace(seeds=1))
    assert not is_consensus(config.replace(replicates=0))


def stored_before():
    """Options as a version that hid nothing stored them."""
    config = Config(**preset("plain"), n_latents=32, k=3, bin_width=0.1, window=1, decoded="last",
                    batch_size=128, max_epochs=4, k_aux=3, output="identity")  # fmt: skip
    new = {"smoothing", "mask", "groups", "sign", "choose", "replicates"}
    return {key: value for key, value in config.to_dict().items() if key not in new}


def test_stored_options_that_could_not_say_it_meant_nothing_of_it():
    meant = from_dict(as_meant(stored_before()))
    assert {key: getattr(meant, key) for key in AS_IT_WAS} == AS_IT_WAS
    assert not is_consensus(meant)


def test_what_is_stored_now_is_not_changed():
    for config in (Config(), Config(mask=0.1, n_latents=8, k=2), Config(**preset("plain"))):
        stored = config.to_dict()
        assert as_meant(stored) == stored
    settled = {**stored_before(), "mask": 0.25, "sign": "nonnegative", "groups": "found"}
    assert as_meant(settled) == settled


def test_rows_that_were_drawn_uniformly_had_unit_length():
    """Before ``last_batch`` was an option; whoever types ``uniform`` means what it is called."""
    stored = stored_before() | {"initialisation": "uniform", "rows": "free"}
    now = as_meant(stored)
    assert (now["initialisation"], now["last_batch"]) == ("uniform", "drop")
    then = {key: value for key, value in stored.items() if key != "last_batch"}
    assert as_meant(then)["initialisation"] == "uniform_unit"
    assert as_meant(then | {"initialisation": "tied"})["initialisation"] == "tied"
    assert as_meant({"initialisation": "uniform"}) == {"initialisation": "uniform"}


@pytest.mark.parametrize("key", ["asked", "options"])
def test_so_had_those_of_a_consensus_whose_options_are_partly_open(key):
    now = Config(initialisation="uniform", rows="free").to_dict()
    then = {name: value for name, value in now.items() if name != "last_batch"}
    for stored, start in ((now, "uniform"), (then, "uniform_unit")):
        record = CoderRecord(Config(n_latents=8, k=2), ("0",), 0.1, learned={key: stored})
        assert getattr(record, key).initialisation == start
        assert getattr(record, key).last_batch == "drop"


def test_a_few_options_by_hand_are_of_today():
    assert as_meant({"n_latents": 32, "k": 3}) == {"n_latents": 32, "k": 3}


@pytest.mark.parametrize("kind", ["", "session", "embedding", "two_populations"])
def test_files_of_the_first_version_hold_plain_coders(kind):
    path = GOLDEN / "0.1.0" / kind / "hdf5.nwb"
    found = ns.open_results(path)
    assert {key: getattr(found.config, key) for key in AS_IT_WAS if key != "seeds"} == {
        key: value for key, value in AS_IT_WAS.items() if key != "seeds"
    }
    assert found.config.normalisation == "zscore"
    assert not is_consensus(found.config)
    assert found.coder.record.learned == {}
    expected = json.loads((path.parent / "expected.json").read_text(encoding="utf-8"))
    if "model_id" in expected:  # not in the first of them
        assert (found.coder.record.model_id or found.coder.id) == expected["model_id"]

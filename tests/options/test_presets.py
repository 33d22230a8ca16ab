"""Published recipes: every one can be trained, and the grid of Naik (2025) is the published one."""

from collections import Counter

import pytest

from make.configs import plain_config
from make.sessions import make_binned, planted
from nwbsparse.embedding.cebra import SETTINGS
from nwbsparse.errors import BadInput
from nwbsparse.options.config import from_dict
from nwbsparse.options.presets import EMBEDDINGS, PRESETS, naik_grid, preset
from nwbsparse.training.fit import fit


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_legal_and_trains(name):
    options = preset(name) | {"max_epochs": 1, "n_latents": 32, "k": 4, "batch_size": 128}
    options.pop("expansion", None)
    coder = fit(make_binned(planted()), from_dict(options))
    assert coder.record.history


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_take_the_mean_of_levels_as_they_did_before_there_was_a_sum(name):
    assert preset(name)["level_terms"] == "mean"


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_leave_the_rest_of_a_pass_out_but_for_the_one_that_must_not(name):
    assert preset(name)["last_batch"] == ("keep" if name == "naik2025-code" else "drop")


def test_the_grid_has_27_standard_27_topk_and_81_saturating_coders():
    grid = naik_grid()
    kinds = Counter((c.sparsifier, c.penalty) for c in grid)
    assert kinds == {("l1", "l1"): 27, ("topk", "l1"): 27, ("l1", "exponential"): 81}
    assert len({str(c.to_dict()) for c in grid}) == 135
    assert {c.expansion for c in grid} == {2, 4, 8}
    assert {c.k for c in grid if c.sparsifier == "topk"} == {8, 16, 32}
    assert all(c.rows == "free" and c.pre_bias == "none" for c in grid)


def test_published_penalties_are_batch_times_dimensions_larger():
    honest, published = naik_grid(), naik_grid(as_published=True, n_units=8)
    for ours, theirs in zip(honest, published, strict=True):
        assert theirs.batch_size == 512
        if ours.penalty_weight is not None:
            assert theirs.penalty_weight == pytest.approx(ours.penalty_weight * 512 * 8)


def test_k_beyond_the_latents_of_an_expansion_is_clamped():
    data = make_binned(planted())
    coder = fit(data, plain_config(expansion=2, k=64, max_epochs=1))
    assert (coder.n_latents, coder.config.k) == (32, 32)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(BadInput, match="did you mean 'nldisco'"):
        preset("nldisc")


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_how_a_preset_makes_its_embedding_is_legal_with_its_coder(name):
    config = from_dict(preset(name) | EMBEDDINGS[name])
    assert (config.reads, config.embed, config.embed_dims) == ("embedding", "cebra", 8)
    asked = config.embedding_settings
    assert asked.keys() <= SETTINGS.keys()
    assert asked["model_architecture"] == "offset10-model" and asked["max_iterations"] == 2000
    assert config.embedding_covariates == ([] if name == "naik2025-code" else ["place"])

"""Which latents come back: matched one to one, against what untrained coders match by chance."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from make.configs import plain_config
from make.sessions import make_binned, planted
from nwbsparse.analysis.quality.stability import fit_seeds, match_rows, stability
from nwbsparse.errors import BadInput
from nwbsparse.training.fit import fit

QUICK = {"n_latents": 32, "k": 3, "batch_size": 128, "max_epochs": 30}


@pytest.fixture(scope="module")
def data():
    return make_binned(planted())


@pytest.fixture(scope="module")
def seeds(data):
    return fit_seeds(data, plain_config(**QUICK, seeds=3))


def test_rows_are_paired_one_to_one_by_cosine():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((12, 5))
    order = rng.permutation(12)
    cosine, partner = match_rows(rows, 3.0 * rows[order])
    np.testing.assert_allclose(cosine, 1.0)
    np.testing.assert_array_equal(order[partner], np.arange(12))
    other = rng.standard_normal((12, 5))
    cosine, partner = match_rows(rows, other)
    unit = [r / np.linalg.norm(r, axis=1, keepdims=True) for r in (rows, other)]
    table = unit[0] @ unit[1].T
    assert cosine.sum() == pytest.approx(table[linear_sum_assignment(-table)].sum())
    assert sorted(partner) == list(range(12))


def test_a_coder_is_stable_beside_itself(data, seeds):
    found = stability([seeds.coders[0]] * 3, data)
    active = np.isfinite(found["agreement"].values).all(axis=1)
    assert found["stable"].values[active].all()
    np.testing.assert_allclose(found["match"], 1.0, atol=1e-5)
    np.testing.assert_allclose(found["agreement"].values[active], 1.0, atol=1e-4)


def test_planted_sources_come_back_and_chance_does_not(data, seeds):
    chance = fit_seeds(
        data, plain_config(**QUICK | {"max_epochs": 1, "learning_rate": 1e-9}, seeds=3)
    )
    assert int(chance.stability["stable"].sum()) <= 1
    assert int(seeds.stability["stable"].sum()) > int(chance.stability["stable"].sum())
    assert 0 < seeds.stability.attrs["chance_match"] < 1


def test_the_first_of_several_seeds_is_the_coder_that_fit_gives(data, seeds):
    alone = fit(data, plain_config(**QUICK))
    first = seeds.coders[0]
    assert first.config.seed == alone.config.seed
    np.testing.assert_allclose(
        first.dictionary.detach(), alone.dictionary.detach(), atol=0.05
    )  # the same to rounding for some updates, then a choice may flip
    assert [int(seed) for seed in seeds.stability["seed"]] == [1, 2]


def test_recurrence_is_the_share_of_seeds_in_which_both_conditions_hold(seeds):
    found = seeds.stability
    good = (found["match"] > found.attrs["chance_match"]) & (found["agreement"] >= 0.7)
    np.testing.assert_allclose(found["recurrence"], good.mean("seed"))
    np.testing.assert_array_equal(found["stable"], found["recurrence"] >= 0.8)


def test_one_coder_or_other_shapes_are_refused(data, seeds):
    with pytest.raises(BadInput, match="not enough"):
        stability(seeds.coders[:1], data)
    other = fit(data, plain_config(**QUICK | {"n_latents": 16, "max_epochs": 1}))
    with pytest.raises(BadInput, match="one shape"):
        stability([seeds.coders[0], other], data)

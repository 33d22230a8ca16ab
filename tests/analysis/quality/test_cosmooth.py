"""cosmooth(): the benchmark's own number, and nothing where held-in units say nothing."""

import numpy as np
import pytest
from scipy import stats

from make.configs import plain_config
from make.sessions import make_binned
from nwbsparse.analysis.quality.cosmooth import bits_per_spike, cosmooth
from nwbsparse.errors import BadInput

QUICK = plain_config(n_latents=16, k=2, batch_size=128, max_epochs=4)


def shared_states(n=2500, n_units=12, seed=0):
    """Four states, each of which drives all units in its own way; units 10 and 11 are alone."""
    rng = np.random.default_rng(seed)
    state = rng.integers(0, 4, n // 10).repeat(10)
    rates = rng.gamma(1.0, 1.0, (4, n_units))[state]
    rates[:, 10:] = 1.0
    return rng.poisson(rates).astype(np.uint8)


@pytest.fixture(scope="module")
def data():
    return make_binned(shared_states())


@pytest.fixture(scope="module")
def found(data):
    return cosmooth(data, QUICK, held_out=["2", "5", "10"])


def test_bits_per_spike_by_hand():
    counts = np.array([0.0, 0, 2, 2])
    # rates that know the bins: 4 log 2 − 4 against 0 − 4, over 4 spikes: one bit each
    assert bits_per_spike(counts, counts) == pytest.approx(1.0, abs=1e-6)
    assert bits_per_spike(counts, np.full(4, 1.0)) == pytest.approx(0.0)
    assert bits_per_spike(counts, np.full(4, 2.0)) == pytest.approx(
        (4 * np.log(2) - 4) / np.log(16)
    )
    assert np.isnan(bits_per_spike(np.zeros(4), np.ones(4)))


def test_bits_per_spike_equals_the_benchmark_formula():
    rng = np.random.default_rng(0)
    rate = rng.gamma(2.0, 0.5, (300, 3))
    counts = rng.poisson(rate).astype(float)
    # Pei et al. 2021: Poisson log-likelihoods beside the mean rate of each unit
    model = stats.poisson.logpmf(counts, rate).sum()
    null = stats.poisson.logpmf(counts, counts.mean(axis=0)).sum()
    wanted = (model - null) / counts.sum() / np.log(2)
    assert bits_per_spike(counts, rate) == pytest.approx(wanted)


def test_units_that_share_the_states_are_predicted_and_others_are_not(found):
    bits = found["unit_bits"].sel(source="latents").values
    assert (bits[:2] > 0.03).all()
    assert abs(bits[2]) < 0.01
    untrained = found["unit_bits"].sel(source="untrained").values
    assert bits[:2].sum() > untrained[:2].sum()
    assert found["unit_id"].values.tolist() == ["2", "5", "10"]
    assert found.attrs["n_held_in"] == 9


def test_the_sum_weighs_units_by_their_spikes(found):
    spikes = found["n_spikes_test"].values
    for source in range(3):
        wanted = (found["unit_bits"].values[source] * spikes).sum() / spikes.sum()
        assert float(found["bits_per_spike"][source]) == pytest.approx(wanted)


def test_no_prediction_beats_the_rates_that_made_the_spikes(found):
    """The truth is known here: what a model that knows the state's rates would score."""
    rng = np.random.default_rng(0)
    state = rng.integers(0, 4, 250).repeat(10)
    rates = rng.gamma(1.0, 1.0, (4, 12))[state]
    data = make_binned(shared_states())
    test = data["split"].values == 2
    for at, unit in enumerate((2, 5)):
        best = bits_per_spike(data["counts"].values[test, unit].astype(float), rates[test, unit])
        assert float(found["unit_bits"][:, at].max()) < best + 0.02


def test_held_out_units_are_not_seen_by_the_coder(data):
    before = cosmooth(data, QUICK, held_out=["2"])
    other = data.copy(deep=True)
    other["counts"].values[:, 2] = np.random.default_rng(9).poisson(1.0, 2500)
    after = cosmooth(other, QUICK, held_out=["2"])
    assert before.attrs["coder_id"] == after.attrs["coder_id"]
    assert abs(float(after["bits_per_spike"][0])) < 0.02 < float(before["bits_per_spike"][0])


def test_test_bins_decide_nothing(data):
    other = data.copy(deep=True)
    test = data["split"].values == 2
    other["counts"].values[test, 5] = 1
    first, second = (cosmooth(one, QUICK, held_out=["5"]) for one in (data, other))
    np.testing.assert_array_equal(first["penalty"], second["penalty"])


def test_a_share_is_drawn_among_units_that_fire(data):
    silent = data.copy(deep=True)
    silent["counts"].values[:, :6] = 0
    found = cosmooth(silent, QUICK, held_out=0.34)
    assert found.sizes["unit"] == 2
    assert (found["unit"].values >= 0).all() and set(found["unit_id"].values) <= set("6789") | {
        "10",
        "11",
    }
    again = cosmooth(silent, QUICK, held_out=0.34)
    assert found["unit_id"].values.tolist() == again["unit_id"].values.tolist()


def test_a_held_out_unit_without_spikes_is_not_assessable(data):
    silent = data.copy(deep=True)
    silent["counts"].values[:, 2] = 0
    found = cosmooth(silent, QUICK, held_out=["2", "5"])
    assert np.isnan(found["unit_bits"].values[:, 0]).all()
    np.testing.assert_allclose(found["bits_per_spike"], found["unit_bits"].values[:, 1])


def test_unobserved_bins_do_not_count(data):
    valid = np.ones((2500, 12), dtype=bool)
    valid[600:1800, 5] = False
    seen = data.assign(valid=(("time", "unit"), valid))
    wrong = seen.copy(deep=True)
    wrong["counts"].values[600:1800, 5] = 99
    first, second = (cosmooth(one, QUICK, held_out=["5"]) for one in (seen, wrong))
    np.testing.assert_allclose(first["unit_bits"], second["unit_bits"])


@pytest.mark.parametrize(
    ("held_out", "words"),
    [
        (["99"], "no unit '99'"),
        (1.5, "between 0 and 1"),
        ([str(unit) for unit in range(11)], "1 to 10 can be"),
    ],
)
def test_what_cannot_be_held_out_is_refused(data, held_out, words):
    with pytest.raises(BadInput, match=words):
        cosmooth(data, QUICK, held_out=held_out)


def test_traces_are_refused(data):
    with pytest.raises(BadInput, match="traces"):
        cosmooth(data.assign(counts=data["counts"] + 0.5), QUICK)

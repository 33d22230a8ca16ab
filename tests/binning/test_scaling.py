"""Smoothing and normalisation: known answers, gaps, and training bins only."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from make.sessions import make_session
from nwbsparse.binning.scaling import normalise, smooth
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput


@pytest.fixture
def binned():
    rng = np.random.default_rng(0)
    spikes = {unit: np.sort(rng.uniform(0, 400, 4000)) for unit in range(3)} | {3: np.array([])}
    halves = [[[0, 200], [210, 400]]] * 4
    return split(to_bins(make_session(spikes, obs_intervals=halves), 0.1))


def test_smoothing_is_a_gaussian_within_each_segment(binned):
    smoothed = smooth(binned, 0.3)
    counts = binned["counts"].values.astype(np.float32)
    for segment in (0, 1):
        of = binned["segment"].values == segment
        wanted = gaussian_filter1d(counts[of], 3.0, axis=0, mode="nearest")
        np.testing.assert_allclose(smoothed["counts"].values[of], wanted, rtol=1e-5)


def test_causal_smoothing_knows_no_future(binned):
    changed = binned.copy(deep=True)
    changed["counts"].values[1000:] += 5
    before, after = (smooth(one, 0.3, causal=True)["counts"].values for one in (binned, changed))
    np.testing.assert_array_equal(before[:1000], after[:1000])
    assert (after[1000] > before[1000]).all()
    constant = binned.copy(deep=True)
    constant["counts"].values[:] = 7
    np.testing.assert_allclose(smooth(constant, 0.3, causal=True)["counts"], 7, rtol=1e-5)


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan])
def test_a_width_that_is_none_is_refused(binned, sigma):
    with pytest.raises(BadInput, match="sigma"):
        smooth(binned, sigma)


def test_zscores_use_training_bins_only(binned):
    scaled = normalise(binned)
    train = binned["split"].values == 0
    counts = binned["counts"].values[:, :3].astype(float)
    wanted = (counts - counts[train].mean(0)) / counts[train].std(0)
    np.testing.assert_allclose(scaled["counts"].values[:, :3], wanted, rtol=1e-5, atol=1e-6)
    loud = binned.copy(deep=True)
    loud["counts"].values[~train] = 200
    np.testing.assert_array_equal(
        normalise(loud)["counts"].values[train], scaled["counts"].values[train]
    )


@pytest.mark.fault(30)
def test_a_silent_unit_stays_zero_under_every_method(binned):
    for method in ("zscore", "minmax", "soft"):
        assert (normalise(binned, method)["counts"].values[:, 3] == 0).all()


def test_minmax_and_soft_have_their_ranges(binned):
    train = binned["split"].values == 0
    minmax = normalise(binned, "minmax")["counts"].values[train, :3]
    assert minmax.min() == 0
    assert minmax.max() == 1
    counts = binned["counts"].values[:, :3].astype(float)
    spread = counts[train].max(0) - counts[train].min(0) + 5 * 0.1
    np.testing.assert_allclose(
        normalise(binned, "soft")["counts"].values[:, :3], counts / spread, rtol=1e-5
    )


def test_what_was_done_is_in_the_history(binned):
    history = normalise(smooth(binned, 0.2), "soft").attrs["history"]
    assert '"step": "smooth"' in history
    assert '"method": "soft"' in history
    with pytest.raises(BadInput, match="choose zscore"):
        normalise(binned, "log")

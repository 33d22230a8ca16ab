"""Traces and ready-made counts on the grid."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from make.sessions import make_session
from nwbsparse.binning.clock import trace_stretches
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput
from nwbsparse.session import Session, Traces


def session_of(data, times, bin_width=None):
    n_units = data.shape[1]
    units = xr.Dataset(
        {"unit_id": ("unit", np.arange(n_units)), "n_spikes": ("unit", np.zeros(n_units, int))}
    )
    traces = Traces("dff", data, times, bin_width=bin_width)
    return Session(units, np.empty(0), np.zeros(n_units + 1, int), traces=traces)


def test_traces_are_averaged_over_each_bin():
    times = np.arange(400) * 0.05
    data = np.stack([times, np.ones(400)], axis=1).astype(np.float32)
    binned = to_bins(session_of(data, times), 0.1)
    assert binned["counts"].dtype == np.float32
    assert binned.sizes["time"] == 200
    # bins begin half a step before the first sample, so each holds two samples
    np.testing.assert_allclose(
        binned["counts"].values[:, 0], 0.025 + np.arange(200) * 0.1, rtol=1e-5
    )
    assert (binned["counts"].values[:, 1] == 1).all()


def test_without_a_width_each_sample_is_a_bin():
    times = 10 + np.arange(300) / 30
    data = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    binned = to_bins(session_of(data, times))
    assert binned.attrs["bin_width"] == pytest.approx(1 / 30)
    np.testing.assert_array_equal(binned["counts"].values, data)
    np.testing.assert_allclose(binned["time"].values, times, atol=1e-6)


def test_ready_made_counts_are_summed_and_stay_integers():
    data = np.random.default_rng(1).poisson(3, size=(600, 2)).astype(np.uint8)
    session = session_of(data, (np.arange(600) + 0.5) * 0.025, bin_width=0.025)
    fine, coarse = to_bins(session), to_bins(session, 0.1)
    assert (fine["counts"].values == data).all()
    assert coarse["counts"].dtype.kind == "u"
    assert (coarse["counts"].values == data.reshape(150, 4, 2).sum(axis=1)).all()


@pytest.mark.parametrize("width", [0.01, 0.03, 0.06])
def test_ready_made_counts_cannot_be_divided(width):
    data = np.ones((2000, 1), np.uint8)
    session = session_of(data, (np.arange(2000) + 0.5) * 0.025, bin_width=0.025)
    with pytest.raises(BadInput, match="whole multiple"):
        to_bins(session, width)


def test_a_pause_begins_a_new_segment():
    times = np.concatenate([np.arange(200) * 0.1, 100 + np.arange(200) * 0.1])
    data = np.ones((400, 1), np.float32)
    binned = to_bins(session_of(data, times), 0.1)
    assert binned.sizes["time"] == 400
    assert np.flatnonzero(np.diff(binned["segment"].values)).tolist() == [199]
    stretches = trace_stretches(Traces("x", data, times))
    np.testing.assert_allclose(stretches, [[-0.05, 19.95], [99.95, 119.95]])


def test_nan_samples_are_unknown_not_zero_activity():
    times = np.arange(200) * 0.1
    data = np.ones((200, 2), np.float32)
    data[50:60, 1] = np.nan
    binned = to_bins(session_of(data, times), 0.1)
    unknown = ~binned["valid"].values
    assert unknown[:, 1].sum() == 10
    assert not unknown[:, 0].any()
    assert np.isfinite(binned["counts"].values).all()


def test_traces_are_restricted_to_intervals():
    times = np.arange(1000) * 0.1
    binned = to_bins(
        session_of(np.ones((1000, 1), np.float32), times), 0.1, intervals=np.array([[20.05, 40.05]])
    )
    assert binned.sizes["time"] == 200
    assert binned["time"].values[[0, -1]] == pytest.approx([20.1, 40.0])


def test_one_sample_is_no_recording():
    with pytest.raises(BadInput, match="at least 2"):
        to_bins(session_of(np.ones((1, 1), np.float32), np.array([0.0])))


def test_a_unit_selection_chooses_columns():
    data = np.tile(np.arange(3, dtype=np.float32), (200, 1))
    session = session_of(data, np.arange(200) * 0.1)
    binned = to_bins(replace(session), 0.1, units=[2, 0])
    assert binned["counts"].values[0].tolist() == [0.0, 2.0]
    assert make_session({0: np.array([1.0])}).traces is None


def test_ready_made_counts_of_a_unit_that_was_not_observed_are_unknown():
    data = np.ones((400, 2), np.uint8)
    session = session_of(data, (np.arange(400) + 0.5) * 0.1, bin_width=0.1)
    seen = (np.array([[0.0, 40.0]]), np.array([[0.0, 20.0]]))
    valid = to_bins(replace(session, obs_intervals=seen))["valid"].values
    assert valid[:, 0].all()
    assert valid[:200, 1].all()
    assert not valid[200:, 1].any()


def test_a_pause_of_less_than_a_bin_begins_a_new_segment_of_ready_made_counts():
    times = np.concatenate([(np.arange(200) + 0.5) * 0.1, 20.04 + (np.arange(200) + 0.5) * 0.1])
    data = np.arange(400, dtype=np.uint16)[:, None]
    binned = to_bins(session_of(data, times, bin_width=0.1))
    assert binned["segment"].values.max() == 1
    assert (binned["counts"].values[:, 0] == np.arange(400)).all()
    np.testing.assert_allclose(binned["time"].values, times, atol=1e-9)


def test_slow_traces_are_interpolated_at_bin_centres():
    times = np.arange(200) * 0.5
    data = np.stack([3 * times, np.where(np.arange(200) == 100, np.nan, 1.0)], axis=1)
    binned = to_bins(session_of(data.astype(np.float32), times), 0.1)
    inner = (binned["time"].values > 0) & (binned["time"].values < times[-1])
    np.testing.assert_allclose(
        binned["counts"].values[inner, 0], 3 * binned["time"].values[inner], rtol=1e-4
    )
    assert "valid" not in binned or binned["valid"].values[inner, 0].all()


def test_traces_with_pauses_are_known_in_every_bin_that_holds_a_sample():
    times = np.concatenate([np.arange(200) * 0.1, 100 + np.arange(200) * 0.1])
    session = session_of(np.ones((400, 1), np.float32), times)
    stretches = np.array([[times[0], times[199] + 0.1], [times[200], times[-1] + 0.1]])
    binned = to_bins(replace(session, obs_intervals=(stretches,)))
    assert binned.sizes["time"] == 400
    assert "valid" not in binned

"""Session to Binned: everything on one clock, nothing lost, the session left as it was."""

import copy
import json

import numpy as np
import pytest
import xarray as xr

from make.sessions import make_series, make_session, make_table
from nwbsparse import names
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.binning.variables import conditions_of, covariates_of
from nwbsparse.errors import BadInput


def spikes(n_units=3, rate=20, start=0.0, stop=60.0, seed=0):
    rng = np.random.default_rng(seed)
    return {str(u): rng.uniform(start, stop, int(rate * (stop - start))) for u in range(n_units)}


def recording(**changes):
    times = np.arange(0, 60, 0.02)
    angle = 2 * np.pi * times / 10
    walk = make_series(
        "position",
        times,
        np.column_stack([np.cos(angle), np.sin(angle)]),
        unit="m",
        kind=names.POSITION,
    )
    trials = make_table(
        np.arange(0, 60, 10.0),
        np.arange(0, 60, 10.0) + 8,
        side=("category", np.array(["left", "right"] * 3)),
        reward=("continuous", np.arange(6.0)),
    )
    given = {
        "columns": {"quality": ["good", "mua", "good"], "depth": [10.0, 20.0, 30.0]},
        "series": [walk],
        "intervals": {"trials": trials},
        "extent": (0.0, 60.0),
    }
    return make_session(spikes(), **(given | changes))


def conserved(binned):
    total = binned["counts"].sum("time").values.astype(np.int64) + binned["dropped"].values
    np.testing.assert_array_equal(total, binned["n_spikes"].values)


def test_the_table_holds_counts_behaviour_and_trials_on_one_clock():
    binned = to_bins(recording(), 0.1)
    assert dict(binned.sizes) == {"time": 600, "unit": 3, "space": 2}
    np.testing.assert_allclose(binned["time"].values, np.arange(600) * 0.1 + 0.05)
    assert covariates_of(binned) == ["position", "speed", "movement_direction", "trials.reward"]
    assert conditions_of(binned) == ["trials.side"]
    assert binned["unit_id"].values.tolist() == ["0", "1", "2"]
    assert binned["quality"].values.tolist() == ["good", "mua", "good"]
    np.testing.assert_array_equal(binned["trial"].values, binned["trials"].values)
    assert binned["trial"].values[[0, 79, 80, 100]].tolist() == [0, 0, -1, 1]
    assert binned.attrs["bin_width"] == 0.1
    assert binned.attrs["extent_from"] == "extent of the raw recording"
    assert "valid" not in binned
    conserved(binned)


def test_a_lap_has_the_speed_and_direction_of_a_circle():
    binned = to_bins(recording(), 0.1)
    middle = slice(20, 580)
    np.testing.assert_allclose(binned["speed"].values[middle], 2 * np.pi / 10, rtol=0.01)
    expected = 2 * np.pi * binned["time"].values / 10 + np.pi / 2
    off = np.angle(np.exp(1j * (binned["movement_direction"].values - expected)))
    assert np.abs(off[middle]).max() < 0.02


@pytest.mark.parametrize("width", [0.01, 0.025, 0.07, 0.2, 1 / 3])
def test_spikes_are_conserved_at_every_width_and_across_gaps(width):
    obs = [[[3.0, 20.0], [25.0, 50.03]], [[0.5, 20.0]], [[3.0, 12.0]]]
    binned = to_bins(recording(obs_intervals=obs, invalid_times=[[30, 31.5]]), width)
    conserved(binned)
    assert binned["dropped"].values.min() > 0
    times = binned["time"].values
    assert not ((times > 30) & (times < 31.5)).any()
    assert not ((times > 20) & (times < 25)).any()
    assert np.unique(binned["segment"].values).tolist() == [0, 1, 2]


@pytest.mark.fault(41)
def test_a_unit_is_valid_only_where_it_was_observed():
    obs = [[[0, 60]], [[10.0, 20.0]], []]
    valid = to_bins(recording(obs_intervals=obs), 0.1)["valid"].values
    assert valid[:, [0, 2]].all()
    np.testing.assert_array_equal(np.flatnonzero(valid[:, 1]), np.arange(100, 200))


def test_epochs_restrict_the_bins_and_name_their_source():
    epochs = make_table([5, 30], [25, 50], label=("category", np.array(["run", "rest"])))
    session = recording(intervals={"epochs": epochs})
    binned = to_bins(session, 0.1, epochs="run")
    assert binned["time"].values[[0, -1]] == pytest.approx([5.05, 24.95])
    conserved(binned)
    assert binned.attrs["extent_from"] == "epochs run"
    with pytest.raises(BadInput, match=r"no epoch is called walk.*rest, run"):
        to_bins(session, 0.1, epochs="walk")
    with pytest.raises(BadInput, match="no epochs table"):
        to_bins(recording(), 0.1, epochs="run")


def test_units_are_chosen_and_the_others_are_absent():
    session = recording()
    assert to_bins(session, 0.1, units="good")["unit_row"].values.tolist() == [0, 2]
    chosen = to_bins(session, 0.1, units="depth > 15")
    assert chosen["unit_id"].values.tolist() == ["1", "2"]
    np.testing.assert_array_equal(
        chosen["counts"].values, to_bins(session, 0.1)["counts"].values[:, 1:]
    )
    conserved(chosen)
    with pytest.raises(BadInput, match="no unit '9'"):
        to_bins(session, 0.1, units="9")


def test_where_leaves_bins_out_and_says_which_are_still_neighbours():
    whole = to_bins(recording(), 0.1)
    binned = to_bins(recording(), 0.1, where="trials.side == 'left' and position_x > -0.5")
    keep = (whole["trials.side"].values == 0) & (whole["position"].values[:, 0] > -0.5)
    np.testing.assert_allclose(binned["time"].values, whole["time"].values[keep])
    np.testing.assert_array_equal(binned["counts"].values, whole["counts"].values[keep])
    conserved(binned)
    jumps = np.diff(binned["time"].values) > 0.15
    np.testing.assert_array_equal(np.diff(binned["segment"].values), jumps.astype(int))
    assert binned["segment"].values[0] == 0


def test_where_keeps_old_segments_apart():
    obs = [[[0.0, 20.0], [20.05, 60.0]]] * 3
    binned = to_bins(recording(obs_intervals=obs), 0.1, where="speed > 0.1")
    assert np.unique(binned["segment"].values).tolist() == [0, 1]


def test_where_excludes_bins_without_a_value_and_bins_outside_of_trials():
    binned = to_bins(recording(), 0.1, where="trials.reward >= 0")
    assert (binned["trial"].values >= 0).all()
    assert binned.sizes["time"] == 480
    outside = to_bins(recording(), 0.1, where="trials.side == ''")
    assert outside.sizes["time"] == 120
    assert (outside["trial"].values == -1).all()


@pytest.mark.parametrize(
    ("where", "words"),
    [("sped > 1", "did you mean 'speed'"), ("speed > 99", "leaves 0 of 600"),
     ("speed.max() > 1", "not a comparison")],
)  # fmt: skip
def test_a_where_that_cannot_be_is_refused(where, words):
    with pytest.raises(BadInput, match=words):
        to_bins(recording(), 0.1, where=where)


def test_a_frozen_signal_is_nan_there_and_the_reason_is_kept():
    times = np.arange(0, 60, 0.02)
    data = np.random.default_rng(0).normal(size=len(times)).cumsum()
    data[500:2500] = 1.0  # 10 to 50 s
    binned = to_bins(recording(series=[make_series("lever", times, data)]), 0.1)
    assert np.isnan(binned["lever"].values[100:500]).all()
    assert np.isfinite(np.delete(binned["lever"].values, range(100, 500))).all()
    assert "frozen, so taken as not measured: 10.0 to 50.0 s" in binned["lever"].attrs["notes"]


@pytest.mark.fault(30)
@pytest.mark.fault(31)
def test_a_silent_unit_is_kept_and_a_silent_population_refused():
    binned = to_bins(make_session({"a": np.arange(0, 20, 0.1), "b": []}, extent=(0.0, 20.0)), 0.1)
    assert binned["n_spikes"].values.tolist() == [200, 0]
    assert (binned["counts"].values[:, 1] == 0).all()
    for extent in ((0.0, 20.0), None):
        with pytest.raises(BadInput, match="no spikes"):
            to_bins(make_session({"a": [], "b": []}, extent=extent), 0.1)


def test_a_width_is_chosen_from_the_rates_when_none_is_given():
    assert to_bins(recording()).attrs["bin_width"] == 0.1  # 60 spikes/s


@pytest.mark.fault(39)
@pytest.mark.parametrize("width", [0.0, -0.1, float("nan")])
def test_a_width_that_is_not_positive_is_refused(width):
    with pytest.raises(BadInput, match="bin width must be > 0"):
        to_bins(recording(), width)


@pytest.mark.parametrize("name", ["counts", "time", "segment", "dropped", "valid", "trial", "unit"])
def test_names_in_the_file_cannot_replace_what_binning_makes(name):
    plain = to_bins(recording(), 0.1)
    signal = make_series(name, np.arange(0, 60, 0.05), np.full(1200, 3.0))
    for session in (recording(series=[signal]), recording(columns={name: [7, 8, 9]})):
        try:
            binned = to_bins(session, 0.1)
        except BadInput:
            continue  # saying so is as good as renaming
        for made in ("counts", "time", "segment", "dropped", "trial", "unit"):
            np.testing.assert_array_equal(binned[made].values, plain[made].values)
        assert "valid" not in binned.variables  # it means: some unit was not observed throughout


def test_the_step_is_recorded_with_what_was_asked():
    step = json.loads(to_bins(recording(), 0.1, units="good").attrs["history"])[-1]
    assert step["step"] == "to_bins"
    assert step["parameters"] == {"bin_width": 0.1, "units": "good"}


def test_binning_is_repeatable_and_leaves_the_session_alone():
    session = recording(obs_intervals=[[[0, 60]], [[10, 20]], [[0, 60]]], invalid_times=[[30, 31]])
    before = copy.deepcopy(session)
    one = to_bins(session, 0.1, where="speed > 0.1")
    xr.testing.assert_identical(one, to_bins(session, 0.1, where="speed > 0.1"))
    xr.testing.assert_identical(session.units, before.units)
    np.testing.assert_array_equal(session.spike_times, before.spike_times)
    np.testing.assert_array_equal(session.invalid_times, before.invalid_times)
    for name, series in before.series.items():
        np.testing.assert_array_equal(session.series[name].data, series.data)
        np.testing.assert_array_equal(session.series[name].times, series.times)
    for name, table in before.intervals.items():
        xr.testing.assert_identical(session.intervals[name], table)

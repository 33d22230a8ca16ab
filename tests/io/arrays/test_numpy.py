"""Spike times and matrices in memory: everything kept, or counted, or refused."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import nwbsparse as ns
from make.recordings import line_of, reasons
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.numpy import read_matrix, read_times

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(0.7, (400, 5))
TRACES = RNG.normal(size=(400, 5))
CENTRES = (np.arange(400) + 0.5) * 0.05


def trains():
    return {1: RNG.uniform(0, 50, 300), 2: RNG.uniform(0, 50, 200)}


def test_spikes_are_kept_sorted_and_counted():
    session = read_times({"a": [3.0, 1.0, np.nan, 2.0, 2.0], "b": [], "c": [np.inf, 5.0]})
    assert session.units["unit_id"].values.tolist() == ["a", "b", "c"]
    assert session.spikes_of(0).tolist() == [1.0, 2.0, 2.0, 3.0]
    assert session.units["n_spikes"].values.tolist() == [4, 0, 1]
    spikes = line_of(session, "spikes", "spike_times")
    assert (spikes.found, spikes.kept) == (7, 5)
    said = reasons(session, "spikes", "spike_times")
    assert "2 NaN or infinite times dropped, of unit a (1), unit c (1)" in said
    assert "1 unit had unsorted times" in said and "1 duplicate" in said
    assert "1 unit without activity kept: b" in reasons(session, "units", "units")


@pytest.mark.parametrize(
    ("spikes", "ids"),
    [
        ({7: [1.0], 3: [2.0]}, [7, 3]),
        ({np.int32(7): [1.0]}, [7]),
        ({"001": [1.0], "2": [2.0]}, ["001", "2"]),
        ({"a": [1.0], 2: [2.0]}, ["a", "2"]),
        ([[1.0], [2.0, 3.0]], [0, 1]),
        ([np.array([[1.0], [2.0]])], [0]),
    ],
)
def test_unit_ids(spikes, ids):
    session = read_times(spikes)
    assert session.units["unit_id"].values.tolist() == ids
    assert session.source.path is None and len(session.source.sha256) == 64


def test_ids_that_become_equal_are_reported_and_refused_when_strict():
    session = read_times({"1": [1.0], 1: [2.0]})
    assert "ids are not unique (1): units keyed by row" in reasons(session, "units", "units")
    with pytest.raises(BadInput, match="ids are not unique"):
        read_times({"1": [1.0], 1: [2.0]}, strict=True)


@pytest.mark.parametrize(
    ("spikes", "message"),
    [
        ({}, "no units"),
        ({1: [], 2: []}, "no spikes in any of 2 units"),
        ({1: ["a"]}, "unit 1 holds <U1, not real numbers"),
        ({1: np.array([1, None], dtype=object)}, "unit 1 holds object"),
        ({1: [1j]}, "unit 1 holds complex128"),
        ({1: [[1.0], [1.0, 2.0]]}, "rows of different lengths"),
        ({1: 3.0}, r"unit 1 has shape \(\), not one time per spike"),
        ({1: np.ones((3, 2))}, r"unit 1 has shape \(3, 2\)"),
        ({1.5: [1.0]}, "unit ids must be whole numbers or text, not 1.5"),
        ({True: [1.0]}, "unit ids must be whole numbers or text, not True"),
        (np.ones((10, 2)), "read with read_matrix"),
        ({1: [1.7e9, 1.7e9 + 5]}, "Unix time or samples"),
        ({1: np.arange(0, 3.6e6, 100)}, "look like samples or milliseconds; use time_scale"),
        ({1: np.array(["2020-01-01"], dtype="datetime64[s]")}, "seconds since the session start"),
    ],
)
def test_spike_times_that_are_none(spikes, message):
    with pytest.raises(BadInput, match=message):
        read_times(spikes)


def test_all_faulty_units_are_named_at_once():
    with pytest.raises(BadInput, match=r"2 problems:\n- unit 1 .*\n- unit 2 "):
        read_times({1: ["a"], 2: 3.0, 3: [1.0]})


def test_milliseconds_become_seconds():
    session = read_times({1: [1000, 2500]}, time_scale=0.001)
    assert session.spike_times.tolist() == [1.0, 2.5]
    with pytest.raises(BadInput, match="time_scale must be a positive"):
        read_times({1: [1.0]}, time_scale=0.0)


def test_float32_times_keep_their_warning_beside_empty_units():
    session = read_times({1: np.array([80_000.0], dtype=np.float32), 2: []})
    assert "stored as float32" in reasons(session, "spikes", "spike_times")


def test_early_spikes_need_a_recording_that_starts_early():
    assert "before time 0 kept" in reasons(read_times({1: [-1.0, 2.0]}), "spikes", "spike_times")
    read_times({1: [-1.0, 2.0]}, extent=(-2.0, 3.0), strict=True)
    with pytest.raises(BadInput, match="1 spike before time 0"):
        read_times({1: [-1.0, 2.0]}, strict=True)
    with pytest.raises(BadInput, match="extent must be"):
        read_times({1: [1.0]}, extent=(3.0, 2.0))


def test_unit_columns():
    session = read_times(
        trains(), columns={"region": ["CA1", None], "n_spikes": [1, 2], "shape": np.ones((2, 3))}
    )
    assert session.units["region"].values.tolist() == ["CA1", ""]
    assert session.units["n_spikes_column"].values.tolist() == [1, 2]
    assert line_of(session, "column", "units/shape").dropped == 2
    with pytest.raises(BadInput, match="column 'region' has 3 values for 2 units"):
        read_times(trains(), columns={"region": list("abc")})


def test_observed_intervals_for_all_or_for_each():
    for_all = read_times(trains(), obs_intervals=np.array([[30, 50], [0, 20], [5, 5.0]]))
    assert for_all.obs_intervals is not None
    assert for_all.obs_intervals[1].tolist() == [[0, 20], [30, 50]]
    assert line_of(for_all, "column", "units/obs_intervals").dropped == 1
    each = read_times(trains(), obs_intervals=[[[0, 20]], []])
    assert each.obs_intervals is not None and [len(o) for o in each.obs_intervals] == [1, 0]
    with pytest.raises(BadInput, match="1 arrays for 2 units"):
        read_times(trains(), obs_intervals=[[[0, 20]]])


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int16, np.uint64])
def test_counts_are_exact(dtype):
    session = read_matrix(COUNTS.astype(dtype), bin_width=0.05, unit_ids=list("abcde"))
    assert session.traces is not None
    assert session.traces.data.dtype == np.uint8 and session.traces.bin_width == 0.05
    np.testing.assert_array_equal(session.traces.data, COUNTS)
    np.testing.assert_allclose(session.traces.times, CENTRES)
    assert session.extent == pytest.approx((0.0, 20.0))
    assert session.units["n_spikes"].values.tolist() == COUNTS.sum(0).tolist()
    assert line_of(session, "spikes", "activity").kept == COUNTS.sum()
    assert len(session.spike_times) == 0 and len(session.spike_index) == 6


def test_counts_above_255_keep_their_size():
    session = read_matrix(COUNTS * 100, bin_width=0.05)
    assert session.traces is not None and session.traces.data.dtype == np.uint16


def test_counts_survive_binning():
    binned = to_bins(read_matrix(COUNTS, bin_width=0.05), 0.1)
    np.testing.assert_array_equal(binned["counts"], COUNTS.reshape(200, 2, 5).sum(1))


def test_true_and_false_are_counts():
    session = read_matrix(COUNTS > 0, bin_width=0.05)
    assert line_of(session, "spikes", "activity").kept == (COUNTS > 0).sum()


def test_the_bin_width_of_counts_comes_from_their_times():
    times = np.concatenate([CENTRES[:200], CENTRES[200:] + 41])
    session = read_matrix(COUNTS, times=times)
    assert session.traces is not None and session.traces.bin_width == pytest.approx(0.05)
    said = reasons(session, "spikes", "activity")
    assert (
        "bin width 0.05 s: the median step" in said and "1 gap in its clock, the longest 41" in said
    )


def test_traces_are_float32_with_nan_where_not_measured():
    data = TRACES.copy()
    data[3, 1], data[5, 2], data[7, 2], data[:, 4] = np.nan, np.inf, 1e300, 2.0
    session = read_matrix(data, times=CENTRES)
    assert session.traces is not None and session.traces.bin_width is None
    assert session.traces.data.dtype == np.float32
    assert np.isnan(session.traces.data).sum() == 3
    said = reasons(session, "traces", "activity")
    assert "2 infinite values made NaN, of unit 2 (2)" in said
    assert "1 value NaN, not measured, of unit 1 (1)" in said
    assert "1 unit without activity kept: 4" in reasons(session, "units", "units")
    with pytest.raises(BadInput, match="infinite values made NaN"):
        read_matrix(data, times=CENTRES, strict=True)


def test_whole_floats_are_traces_and_said_to_be_whole():
    session = read_matrix(COUNTS.astype(float), bin_width=0.05)
    assert session.traces is not None and session.traces.bin_width is None
    assert "all values are whole" in reasons(session, "traces", "activity")


def test_masked_samples_are_not_measured():
    session = read_matrix(np.ma.masked_less(TRACES, -2.0), times=CENTRES)
    assert session.traces is not None
    assert np.isnan(session.traces.data).sum() == (TRACES < -2.0).sum()


def test_samples_with_unsound_times_are_dropped_with_their_behaviour():
    times = CENTRES.copy()
    times[10], times[20] = np.nan, times[19]
    session = read_matrix(COUNTS, times=times, bin_width=0.05, series={"speed": np.arange(400.0)})
    assert session.traces is not None and len(session.traces.times) == 398
    kept = np.delete(np.arange(400), [10, 20])
    np.testing.assert_array_equal(session.traces.data, COUNTS[kept])
    np.testing.assert_array_equal(session.series["speed"].data, kept)
    spikes = line_of(session, "spikes", "activity")
    assert (spikes.found, spikes.kept) == (COUNTS.sum(), COUNTS[kept].sum())


@pytest.mark.parametrize(
    ("activity", "given", "message"),
    [
        (COUNTS, {}, "no clock: give bin_width"),
        (COUNTS, {"bin_width": 0.0}, "bin width must be > 0 s; it is 0"),
        (COUNTS, {"bin_width": np.nan}, "bin width must be > 0 s; it is nan"),
        (COUNTS, {"times": CENTRES[:-1]}, "there are 399 times for 400 samples"),
        (COUNTS.T, {"times": CENTRES}, r"give the activity as \(time, unit\)"),
        (COUNTS, {"times": CENTRES, "bin_width": 0.1}, "bins of 0.1 s overlap"),
        (COUNTS[:, 0], {"bin_width": 1.0}, r"for one unit give activity\[:, None\]"),
        (COUNTS[None], {"bin_width": 1.0}, r"must be \(time, unit\)"),
        (COUNTS[:0], {"bin_width": 1.0}, "not empty"),
        (COUNTS[:1], {"bin_width": 1.0}, "1 sample with a sound time: too few"),
        (COUNTS - 1, {"bin_width": 1.0}, "counts are negative"),
        (COUNTS * 0, {"bin_width": 1.0}, "no spikes in any of 5 units"),
        (TRACES * np.nan, {"bin_width": 1.0}, "every value is NaN or infinite"),
        (TRACES.astype(object), {"bin_width": 1.0}, "the activity holds object"),
        (TRACES.astype(complex), {"bin_width": 1.0}, "the activity holds complex128"),
        (COUNTS.astype(str), {"bin_width": 1.0}, "the activity holds <U"),
        (COUNTS, {"bin_width": 1.0, "unit_ids": [1, 2]}, "2 unit ids for the 5 units"),
        (
            COUNTS,
            {"bin_width": 1.0, "series": {"s": np.arange(3)}},
            "3 samples and the activity 400",
        ),
        (np.ma.masked_equal(COUNTS, 0), {"bin_width": 1.0}, "some counts are masked"),
    ],
)
def test_matrices_that_are_refused(activity, given, message):
    with pytest.raises(BadInput, match=message):
        read_matrix(activity, **given)


def test_a_clock_in_milliseconds_is_said():
    assert "in ms or samples?" in reasons(read_matrix(COUNTS, bin_width=50.0), "spikes", "activity")
    with pytest.raises(BadInput, match="in ms or samples"):
        read_matrix(COUNTS, bin_width=50.0, strict=True)


def test_labels_on_the_clock_of_counts_fill_whole_bins():
    right = np.arange(400) % 100 < 50
    session = read_matrix(COUNTS, bin_width=0.05, series={"right": right})
    runs = session.intervals["right_runs"]
    np.testing.assert_allclose(runs["start_time"], np.arange(8) * 2.5)
    np.testing.assert_allclose(runs["stop_time"], np.arange(1, 9) * 2.5)
    binned = to_bins(session, 0.05)
    assert np.array_equal(binned["right_runs.right"].values == 1, right)


def test_the_digest_is_that_of_the_arrays():
    def digest(data=COUNTS, **given):
        return read_matrix(data, bin_width=0.05, **given).source.sha256

    other = COUNTS.copy()
    other[0, 0] += 1
    assert digest() == digest(COUNTS.astype(np.uint8)) != digest(other)
    assert digest() != digest(unit_ids=[1, 2, 3, 4, 5])
    assert digest() != digest(series={"speed": np.arange(400.0)})


def test_a_frame_whose_index_has_levels_is_read_where_one_is_the_time():
    counts = np.random.default_rng(0).poisson(1, (600, 3))
    trial, time = np.repeat(np.arange(3), 200), np.arange(600) * 0.1
    index = pd.MultiIndex.from_arrays([trial, time], names=["trial", "time"])
    session = read_matrix(pd.DataFrame(counts, index=index))
    np.testing.assert_allclose(session.traces.times, time)
    stacked = xr.Dataset({"counts": (("time", "unit"), counts)}).assign_coords(
        xr.Coordinates.from_pandas_multiindex(index.rename(["trial_", "t"]), "time")
    )
    np.testing.assert_allclose(ns.read(stacked).traces.times, time)


@pytest.mark.parametrize(
    ("name", "times", "said"),
    [
        ("time", np.tile(np.arange(200) * 0.1, 3), "'time' begins anew, .* within each trial"),
        ("phase", np.arange(600) * 0.1, "levels trial, phase, and none is called time"),
        ("time", np.repeat(["a", "b", "c"], 200), "not seconds"),
    ],
)
def test_levels_that_are_no_time_of_the_session_are_named(name, times, said):
    index = pd.MultiIndex.from_arrays([np.repeat(np.arange(3), 200), times], names=["trial", name])
    frame = pd.DataFrame(np.ones((600, 3), dtype=int), index=index)
    with pytest.raises(BadInput, match=said):
        read_matrix(frame)
    assert read_matrix(frame, bin_width=0.1).n_units == 3

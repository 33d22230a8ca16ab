"""SpikeInterface objects: units, ids and times as they are, and never a guessed clock."""

import subprocess
import sys

import numpy as np
import pytest

from make.recordings import line_of, reasons
from nwbsparse.binning.observed import observed
from nwbsparse.errors import BadInput
from nwbsparse.io.sorting.spikeinterface import read_spikeinterface

core = pytest.importorskip("spikeinterface.core", reason="needs SpikeInterface's own objects")

RATE = 30_000.0
TRAINS = ({"a": [30, 60_000], "b": [15_000], "c": []}, {"a": [3], "b": [], "c": [7, 30_000]})


def make_sorting(*trains, ids=("a", "b", "c")):
    arrays = [{unit: np.array(train[unit], dtype=np.int64) for unit in ids} for train in trains]
    return core.NumpySorting.from_unit_dict(arrays, RATE)


def make_recording(*seconds, starts=None):
    traces = [np.zeros((int(s * RATE), 2), dtype=np.int16) for s in seconds]
    recording = core.NumpyRecording(traces, RATE, t_starts=starts)
    recording.set_dummy_probe_from_locations(np.array([[0.0, 0.0], [0.0, 20.0]]))
    recording.set_channel_gains(1.0)
    recording.set_channel_offsets(0.0)
    return recording


@pytest.fixture(scope="module")
def analyzer():
    """A small analyzer with metrics and locations; its recording starts at 100 s."""
    recording, sorting = core.generate_ground_truth_recording(
        durations=[5.0], num_channels=4, num_units=5, seed=0
    )
    recording.shift_times(100.0)
    made = core.create_sorting_analyzer(sorting, recording, format="memory", sparse=False)
    quiet = {"n_jobs": 1, "progress_bar": False}
    made.compute(["random_spikes", "waveforms", "templates", "noise_levels"], **quiet)
    made.compute("unit_locations", method="center_of_mass")
    made.compute("quality_metrics", metric_names=["num_spikes", "firing_rate", "snr"])
    return made


def test_reading_a_sorting_imports_nothing_of_spikeinterface():
    code = "import nwbsparse.io.sorting.spikeinterface, sys; print('spikeinterface' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_a_sorting_of_one_segment_is_read_whole():
    sorting = make_sorting(TRAINS[0])
    sorting.annotate(name="rat 1")
    sorting.set_property("KSLabel", ["good", "mua", "good"])
    sorting.set_property("snr", [1.5, 2.5, 3.5])
    sorting.set_property("shape", np.zeros((3, 4)))
    session = read_spikeinterface(sorting, strict=True)
    units = session.units
    assert units["unit_id"].values.tolist() == ["a", "b", "c"]
    assert units["n_spikes"].values.tolist() == [2, 1, 0]
    assert session.spikes_of(0).tolist() == [0.001, 2.0]
    assert units["KSLabel"].values.tolist() == units["quality"].values.tolist()
    assert units["snr"].values.tolist() == [1.5, 2.5, 3.5]
    assert "shape" not in units
    assert "more than one value per row" in reasons(session, "column", "units/shape")
    assert units.attrs["samples_per_second"] == RATE
    assert session.obs_intervals is None
    assert session.extent is None
    assert (session.source.path, session.source.identifier) == (None, "rat 1")
    assert "1 unit without spikes kept: c" in reasons(session, "units", "units")
    said = reasons(session, "other", "segment 0")
    assert "starts at 0 s, which SpikeInterface also says where nothing is stated" in said
    assert "its length is not known" in said


@pytest.mark.parametrize("ids", [(7, 3, 191), ("001", "010", "7")])
def test_ids_stay_numbers_or_text(ids):
    trains = {unit: [30 * (row + 1)] for row, unit in enumerate(ids)}
    session = read_spikeinterface(make_sorting(trains, ids=ids))
    assert session.units["unit_id"].values.tolist() == list(ids)
    assert session.spike_times.tolist() == [0.001, 0.002, 0.003]


def test_only_the_units_asked_for_are_read():
    whole = read_spikeinterface(make_sorting(TRAINS[0]))
    session = read_spikeinterface(make_sorting(TRAINS[0]), units=["b", "a"])
    assert session.units["unit_id"].values.tolist() == ["a", "b"]
    line = line_of(session, "units", "units")
    assert (line.found, line.kept) == (3, 2)
    assert session.source.sha256 == whole.source.sha256
    with pytest.raises(BadInput, match="has no unit z; it has a, b, c"):
        read_spikeinterface(make_sorting(TRAINS[0]), units=["z"])
    with pytest.raises(BadInput, match="a list of unit ids"):
        read_spikeinterface(make_sorting(TRAINS[0]), units="a")


def test_the_digest_is_of_ids_rate_and_spikes_only():
    def digest(sorting, **given):
        return read_spikeinterface(sorting, **given).source.sha256

    same = digest(make_sorting(TRAINS[0]))
    assert digest(make_sorting(TRAINS[0]), start_time=12.5) == same
    other = {"a": [30, 60_000], "b": [15_001], "c": []}
    assert digest(make_sorting(other)) != same
    renamed = make_sorting(TRAINS[0]).rename_units(["a", "b", "d"])
    assert digest(renamed) != same
    arrays = [{unit: np.array(train) for unit, train in TRAINS[0].items()}]
    assert digest(core.NumpySorting.from_unit_dict(arrays, 20_000.0)) != same


@pytest.mark.parametrize("start", [100.0, 12.3, 1_499.0])
def test_a_given_start_moves_all_spikes_and_keeps_samples_exact(start):
    session = read_spikeinterface(make_sorting(TRAINS[0]), start_time=start)
    samples = np.array([30, 60_000, 15_000]) + round(start * RATE)
    np.testing.assert_array_equal(session.spike_times, samples / RATE)
    assert session.units.attrs["samples_per_second"] == RATE
    assert f"starts at {start:g} s as asked" in reasons(session, "other", "segment 0")


def test_a_start_between_two_samples_states_no_clock_of_whole_samples():
    session = read_spikeinterface(make_sorting(TRAINS[0]), start_time=1.00001)
    assert "samples_per_second" not in session.units.attrs
    np.testing.assert_allclose(session.spikes_of(0), [1.00101, 3.00001], rtol=0, atol=1e-12)


@pytest.mark.fault(41)
def test_segments_become_stretches_with_a_gap_between_them():
    sorting = make_sorting(*TRAINS)
    sorting.register_recording(make_recording(3.0, 2.0, starts=[10.0, 60.0]))
    session = read_spikeinterface(sorting)
    assert session.spikes_of(0).tolist() == [10.001, 12.0, 60.0001]
    assert session.spikes_of(2).tolist() == [(60 * 30_000 + 7) / RATE, 61.0]
    stretches, _ = observed(session)
    np.testing.assert_array_equal(stretches, [[10.0, 13.0], [60.0, 62.0]])
    assert session.extent == (10.0, 62.0)
    assert session.obs_intervals is not None
    assert len(session.obs_intervals) == 3


def test_segments_without_start_times_are_never_laid_out_by_guess():
    with pytest.raises(
        BadInput, match=r"2 segments whose place in time is unknown; give start_time="
    ):
        read_spikeinterface(make_sorting(*TRAINS))
    sorting = make_sorting(*TRAINS)
    sorting.register_recording(make_recording(3.0, 2.0))
    with pytest.raises(BadInput, match="give start_time=, one per segment"):
        read_spikeinterface(sorting)
    session = read_spikeinterface(sorting, start_time=[5.0, 8.0])  # the second follows at once
    np.testing.assert_array_equal(observed(session)[0], [[5.0, 10.0]])
    with pytest.raises(BadInput, match=r"start_time: they overlap \(segment 0 runs until 8 s"):
        read_spikeinterface(sorting, start_time=[5.0, 7.0])


@pytest.mark.parametrize("start", [1.0, [1.0], [1.0, 2.0, 3.0], [1.0, float("nan")]])
def test_start_times_that_do_not_fit_are_refused(start):
    with pytest.raises(BadInput, match="has 2 segments; start_time must be as many numbers"):
        read_spikeinterface(make_sorting(*TRAINS), start_time=start)


def test_segments_of_unknown_length_end_with_their_last_spike():
    session = read_spikeinterface(make_sorting(*TRAINS), start_time=[0.0, 50.0])
    stretches, _ = observed(session)
    np.testing.assert_allclose(stretches, [[0, 60_001 / RATE], [50, 50 + 30_001 / RATE]])
    assert session.extent is None
    assert "its length is not known" in reasons(session, "other", "segment 1")


def test_time_stamps_of_the_recording_are_used_and_their_gaps_kept():
    recording = make_recording(3.0)
    stamps = 7.0 + np.arange(90_000) / RATE * 1.0001
    stamps[45_000:] += 20.0
    recording.set_times(stamps, segment_index=0)
    sorting = make_sorting(TRAINS[0])
    sorting.register_recording(recording)
    session = read_spikeinterface(sorting)
    np.testing.assert_array_equal(session.spikes_of(0), stamps[[30, 60_000]])
    assert "samples_per_second" not in session.units.attrs
    expected = [[stamps[0], stamps[44_999] + 1 / RATE], [stamps[45_000], stamps[-1] + 1 / RATE]]
    np.testing.assert_allclose(observed(session)[0], expected)
    said = reasons(session, "other", "segment 0")
    assert "each sample has its own time stamp" in said
    assert "1 gap in the time stamps" in said
    assert read_spikeinterface(sorting, start_time=0.0).spikes_of(0).tolist() == [0.001, 2.0]


@pytest.mark.filterwarnings("ignore:Some spikes exceed the recording:UserWarning")
def test_spikes_outside_of_the_recording_are_reported():
    sorting = make_sorting(TRAINS[0])
    sorting.register_recording(make_recording(1.0, starts=[5.0]))
    session = read_spikeinterface(sorting)
    assert session.spikes_of(0).tolist() == [5.001, 7.0]
    assert "1 spike after the end of the recording kept" in reasons(
        session, "spikes", "spike_times"
    )
    with pytest.raises(BadInput, match="after the end of the recording"):
        read_spikeinterface(sorting, strict=True)


def test_an_analyzer_gives_metrics_and_locations_as_columns(analyzer):
    session = read_spikeinterface(analyzer)
    units = session.units
    metrics = analyzer.get_extension("quality_metrics").get_data()
    for name in ("firing_rate", "snr"):
        np.testing.assert_array_equal(units[name], metrics[name])
    np.testing.assert_array_equal(units["num_spikes"], units["n_spikes"])
    at = analyzer.get_extension("unit_locations").get_data()
    np.testing.assert_array_equal(units["x"], at[:, 0])
    np.testing.assert_array_equal(units["y"], at[:, 1])
    np.testing.assert_array_equal(units["depth"], at[:, 1])
    assert "gt_unit_locations" not in units
    assert "not read: noise_levels, random_spikes" in reasons(session, "other", "extensions")


def test_an_analyzer_takes_its_clock_from_the_recording(analyzer):
    session = read_spikeinterface(analyzer)
    for row, unit in enumerate(analyzer.unit_ids):
        samples = analyzer.sorting.get_unit_spike_train(unit, segment_index=0)
        np.testing.assert_array_equal(session.spikes_of(row), (2_500_000 + samples) / 25_000)
    assert session.extent == (100.0, 105.0)
    np.testing.assert_array_equal(observed(session)[0], [[100.0, 105.0]])


@pytest.mark.filterwarnings("ignore:The extractor is not serializable:UserWarning")
@pytest.mark.filterwarnings("ignore:The Recording is not serializable:UserWarning")
def test_an_analyzer_that_lost_its_recording_starts_where_it_is_told(analyzer, tmp_path):
    analyzer.save_as(format="binary_folder", folder=tmp_path / "saved")
    loaded = core.load_sorting_analyzer(tmp_path / "saved", load_extensions=True)
    loaded._recording = None
    session = read_spikeinterface(loaded)
    assert session.extent == (0.0, 5.0)
    assert "where nothing is stated" in reasons(session, "other", "segment 0")
    assert read_spikeinterface(loaded, start_time=100.0).extent == (100.0, 105.0)
    np.testing.assert_allclose(
        session.units["snr"], analyzer.get_extension("quality_metrics").get_data()["snr"]
    )


def test_an_analyzer_of_several_segments_without_times_asks():
    sorting, recording = make_sorting(*TRAINS), make_recording(3.0, 2.0)
    made = core.create_sorting_analyzer(sorting, recording, format="memory", sparse=False)
    with pytest.raises(BadInput, match="give start_time="):
        read_spikeinterface(made)
    session = read_spikeinterface(made, start_time=[0.0, 10.0])
    np.testing.assert_array_equal(observed(session)[0], [[0.0, 3.0], [10.0, 12.0]])


def test_what_is_no_sorting_is_refused():
    with pytest.raises(
        BadInput, match=r"a dict is neither a SpikeInterface sorting .*lacks unit_ids"
    ):
        read_spikeinterface({})
    with pytest.raises(BadInput, match="no spikes in any of 3 units"):
        read_spikeinterface(make_sorting({"a": [], "b": [], "c": []}))
    with pytest.raises(BadInput, match="has no units"):
        read_spikeinterface(make_sorting({}, ids=()))

"""When the recording ran: what a file states is held to its spikes.

The kind of fault: a stated extent is trusted over the data. Raw data that are a piece, or stored the
other way round; epochs and obs_intervals shorter, longer or on another clock than the spikes.
"""

import numpy as np
import pytest

import nwbsparse as ns
from make.recordings import (
    damaged,
    line_of,
    poisson_spikes,
    reasons,
    replace_dataset,
    spatial,
    time_series,
    write_recording,
)
from make.sessions import make_session, make_table
from nwbsparse.binning.observed import observed
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb

pytestmark = pytest.mark.filterwarnings("ignore:.*dimension of data:UserWarning")
SPIKES = poisson_spikes()  # 0 to 100 s
RAW = "extent of the raw recording"


def with_raw(tmp_path, data, rate, **more):
    raw = {"data": data, "rate": rate} | more
    place = {"location": ["CA1"] * 4}
    path = write_recording(tmp_path / "a.nwb", spike_times=SPIKES, electrodes=place, raw=raw)
    return path, read_nwb(path)


@pytest.mark.parametrize(
    ("n_samples", "rate", "start"), [(50, 20_000.0, 0.0), (150, 10.0, 0.0), (1000, 10.0, 1e6)]
)
def test_a_piece_of_the_raw_data_is_no_extent_and_is_said(tmp_path, n_samples, rate, start):
    path, session = with_raw(tmp_path, np.zeros((n_samples, 1)), rate, starting_time=start)
    assert session.extent is None
    assert "it holds" in reasons(session, "other", RAW)
    binned = ns.to_bins(session, 0.1)
    assert binned.attrs["extent_from"] == "first to last spike"
    assert int(binned["counts"].sum()) > 0.99 * session.spike_times.size
    read_nwb(path, strict=True)  # a piece of the raw data is no fault of the spikes


def test_raw_data_stored_channels_first_last_as_long_as_their_long_axis(tmp_path):
    _, session = with_raw(tmp_path, np.zeros((1, 1200)), 10.0)
    assert session.extent == (0.0, 120.0)


def test_an_extent_that_is_given_is_what_was_asked_for():
    session = ns.read(SPIKES, extent=(20.0, 60.0))
    np.testing.assert_array_equal(observed(session)[0], [[20.0, 60.0]])


@pytest.mark.parametrize(
    ("epochs", "found", "said"),
    [
        ([[10, 30]], [[0, 99.5]], "first to last spike; the epochs table holds 20% of the spikes"),
        ([[1e6, 2e6]], [[0, 99.5]], "the epochs table holds 0% of the spikes only"),
        ([[0, 50], [60, 100]], [[0, 50], [60, 100]], "epochs table"),
        ([[0, 1e5]], [[0, 99.5]], "epochs table as far as there are spikes: it goes on for 99900"),
        ([[0, 150]], [[0, 150]], "epochs table"),
    ],
)
def test_epochs_are_held_to_the_spikes(epochs, found, said):
    bounds = np.array(epochs, dtype=np.float64)
    table = make_table(bounds[:, 0], bounds[:, 1])
    train = np.arange(0, 100, 0.5)
    session = make_session({0: train, 1: train}, intervals={"epochs": table})
    stretches, words = observed(session)
    np.testing.assert_array_equal(stretches, found)
    assert said in words


def test_long_epochs_of_units_that_hardly_fire_are_left_alone():
    table = make_table(np.array([0.0]), np.array([1000.0]))
    session = make_session({0: [1.0, 50.0, 300.0]}, intervals={"epochs": table})
    np.testing.assert_array_equal(observed(session)[0], [[0, 1000]])


def test_epochs_of_a_recording_with_one_spike_stand_as_they_are():
    table = make_table(np.array([0.0]), np.array([100.0]))
    session = make_session({0: [50.0]}, intervals={"epochs": table})
    np.testing.assert_array_equal(observed(session)[0], [[0, 100]])


# obs_intervals


def test_intervals_that_hold_hardly_a_spike_are_left_out(tmp_path):
    path = write_recording(tmp_path / "a.nwb", obs_intervals=[[(5000, 9000)]] * 4)
    session = read_nwb(path)
    assert session.obs_intervals is None
    assert "another clock" in reasons(session, "column", "units/obs_intervals")
    with pytest.raises(BadInput, match="another clock"):
        read_nwb(path, strict=True)


def test_one_stretch_per_unit_needs_no_index(tmp_path):
    path = write_recording(tmp_path / "a.nwb", obs_intervals=[[(row, 100)] for row in range(4)])
    with damaged(path) as file:
        del file["units/obs_intervals_index"]
    session = read_nwb(path, strict=True)
    assert session.obs_intervals is not None
    assert [own.tolist() for own in session.obs_intervals] == [[[row, 100]] for row in range(4)]


def test_intervals_that_are_no_pairs_are_left_out(tmp_path):
    path = write_recording(tmp_path / "a.nwb", obs_intervals=[[(0, 100)]] * 4)
    with damaged(path) as file:
        del file["units/obs_intervals_index"]
        replace_dataset(file, "units/obs_intervals", np.zeros(4))
    session = read_nwb(path)
    assert session.obs_intervals is None
    assert "left out" in reasons(session, "column", "units/obs_intervals")


def test_an_open_interval_ends_with_the_spikes(tmp_path):
    open_ = [(0, 40), (60, np.inf)]
    path = write_recording(tmp_path / "a.nwb", obs_intervals=[open_] * 4)
    session = read_nwb(path)
    last = session.spike_times.max()
    for own in (*session.obs_intervals, *ns.read(SPIKES, obs_intervals=[open_] * 4).obs_intervals):
        np.testing.assert_array_equal(own, [[0, 40], [60, last]])
    assert line_of(session, "column", "units/obs_intervals").dropped == 0


# behaviour that was stored the other way round


@pytest.mark.parametrize("n_stamps", [None, 999])
def test_behaviour_with_more_columns_than_there_can_be_is_turned(tmp_path, n_stamps):
    xy = np.random.default_rng(0).random((1000, 2))
    clock = {"timestamps": np.arange(1000) / 10} if n_stamps else {"rate": 10.0}
    held = [spatial(data=xy, **clock), time_series("wheel", data=xy[:, :1], **clock)]
    path = write_recording(tmp_path / "a.nwb", behaviour=held)
    with damaged(path) as file:
        for name in ("position", "wheel"):
            group = file[f"processing/behavior/{name}"]
            replace_dataset(group, "data", group["data"][:].T)
            if n_stamps:
                replace_dataset(group, "timestamps", clock["timestamps"][:n_stamps])
    session = read_nwb(path)
    n = n_stamps or 1000
    np.testing.assert_array_equal(session.series["position"].data, xy[:n])
    np.testing.assert_array_equal(session.series["wheel"].data, xy[:n, 0])
    assert "time last: transposed" in reasons(session, "series", "/processing/behavior/wheel")

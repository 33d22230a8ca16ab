"""Times that fall back: a swap of neighbours is sorted, a session or a trial within another is said.

The kind of fault: nobody looks at how times fall. Sorting hides that two trains, two clocks or all
trials lie on top of each other; so of spikes in files, folders and memory, of events, and of clocks.
"""

import numpy as np
import pytest
from pynwb.misc import AnnotationSeries

import nwbsparse as ns
from make.recordings import damaged, poisson_spikes, reasons, write_recording
from make.sortings import N_UNITS, RATE, kilosort_folder
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.io.rules.falls import far_falls

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated")
RNG = np.random.default_rng(0)
JOINED = np.concatenate([np.sort(RNG.uniform(0, 3000, 900)) for _ in range(2)])
IN_TRIALS = np.concatenate([np.sort(RNG.uniform(0, 0.8, 25)) for _ in range(40)])
SWAPPED = np.sort(RNG.uniform(0, 600, 900))
SWAPPED[[100, 101]] = SWAPPED[[101, 100]]


@pytest.mark.parametrize(
    ("times", "n", "meaning"),
    [
        (JOINED, 1, "two trains joined"),
        (IN_TRIALS, 39, "times within trials"),
        (RNG.permutation(SWAPPED), None, "in no order of time"),
    ],
)
def test_far_falls_are_counted_and_measured(times, n, meaning):
    falls = far_falls(times)
    assert falls is not None and meaning in falls.meaning
    assert n is None or falls.n == n
    assert falls.largest == -np.diff(times).min()


@pytest.mark.parametrize(
    "times",
    [
        SWAPPED,
        np.array([3000.0, 100.0]),  # two spikes in an hour
        np.array([0.0, 700.0, 2000.0, 1400.0, 3000.0]),  # rare neighbours
        np.sort(SWAPPED.reshape(-1, 3) // 1e-3 * 1e-3, axis=0)[:, ::-1].ravel(),  # batches
        np.arange(5.0),
        np.empty(0),
    ],
)
def test_a_jitter_is_no_far_fall(times):
    assert far_falls(times) is None


@pytest.mark.fault(28)
@pytest.mark.parametrize(
    ("train", "said"),
    [(JOINED, "unit 1 (once, by 29"), (IN_TRIALS, "unit 1 (39 times, by up to 0.7")],
)
def test_spikes_that_fall_back_are_named_and_refused_when_strict(tmp_path, train, said):
    spikes = [SWAPPED, train, np.sort(train)]
    path = write_recording(tmp_path / "a.nwb", spike_times=spikes)
    session = read_nwb(path)
    np.testing.assert_array_equal(session.spikes_of(1), np.sort(train))
    line = reasons(session, "spikes", "spike_times")
    assert f"times of 1 unit fall back and were sorted all the same: {said}" in line
    assert "1 unit had unsorted times and was sorted: 0" in line
    with pytest.raises(BadInput, match=r"unit 1 \("):
        read_nwb(path, strict=True)
    with pytest.raises(BadInput, match=r"unit 1 \("):
        ns.read(spikes, strict=True)


@pytest.mark.fault(28)
def test_an_index_that_gives_one_unit_two_trains_is_refused_when_strict(tmp_path):
    path = write_recording(tmp_path / "a.nwb", spike_times=poisson_spikes(n_units=3))
    with damaged(path) as file:
        file["units/spike_times_index"][0] = 0
    with pytest.raises(BadInput, match=r"unit 1 \(once, by 9.* two trains joined"):
        read_nwb(path, strict=True)


@pytest.mark.fault(28)
def test_a_sorting_of_two_recordings_that_both_begin_at_0_is_refused_when_strict(tmp_path):
    folder = kilosort_folder(tmp_path / "ks")
    for name in ("spike_times.npy", "spike_clusters.npy"):
        stored = np.load(folder / name)
        np.save(folder / name, np.concatenate([stored, stored]))
    with pytest.raises(BadInput, match=f"times of {N_UNITS} units fall back"):
        ns.read(folder, strict=True)
    assert np.diff(ns.read(folder).spike_times).max() < 240 * RATE


def test_events_and_clocks_that_fall_back_are_said_too(tmp_path):
    twice = np.concatenate([np.arange(10.0, 90.0), np.arange(10.5, 90.0)])
    notes = AnnotationSeries(name="notes", data=["lick"] * len(twice), timestamps=twice)
    position = {"data": np.arange(float(len(twice))), "timestamps": twice}
    path = write_recording(tmp_path / "a.nwb", acquisition=[notes], position=position)
    session = read_nwb(path)
    assert "times fall back once, by 78.5 s" in reasons(session, "events", "/acquisition/notes")
    said = reasons(session, "series", "/processing/behavior/Position/position")
    assert "run backwards: they fall back once, by 78.5 s" in said
    with pytest.raises(BadInput, match="2 problems"):
        read_nwb(path, strict=True)


def test_given_events_that_fall_back_are_refused_when_strict():
    twice = np.tile(np.arange(10.0, 90.0), 2)
    given = {"spikes": poisson_spikes(), "events": {"licks": twice}}
    assert len(ns.read(given["spikes"], events=given["events"]).events["licks"].times) == 160
    with pytest.raises(BadInput, match="licks: times fall back once"):
        ns.read(given["spikes"], events=given["events"], strict=True)
    labelled = {"licks": (twice, np.repeat(["left", "right"], 80))}
    ns.read(given["spikes"], events=labelled, strict=True)  # one kind after the other

"""Gratings before mice of several lines: what is planted is in the file, and can be found there."""

import numpy as np
import pytest
from pynwb import NWBHDF5IO
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score

import nwbsparse as ns
from nwbsparse.simulate.calcium import wander
from nwbsparse.simulate.nwb import write_sessions, write_simulation
from nwbsparse.simulate.orientation import CLASSES, DIRECTIONS, simulate_orientation

LABELS = "orientation, temporal_frequency, genotype"


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    made = simulate_orientation(n_sessions=8, repeats=6)
    paths = write_sessions(made, tmp_path_factory.mktemp("mice"))
    return made, ns.to_trials([ns.read(path) for path in paths], labels=LABELS, bin_width=0.25)


def shown(trials):
    """(trial, time, unit) z-scored over a session, without blank sweeps."""
    activity = trials["activity"].values[~trials["blank"].values]
    return (activity - activity.mean((0, 1))) / activity.std((0, 1))


def test_a_file_is_laid_out_as_those_of_the_allen_institute(tmp_path):
    made = simulate_orientation(session=1, repeats=1, n_units=5)
    path = write_simulation(made, tmp_path / "mouse.nwb")
    with NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        series = nwbfile.processing["ophys"]["DfOverF"].roi_response_series["dff"]
        assert series.unit == "dF/F" and series.data.shape == made.dff.shape
        assert len(series.rois) == 5
        rois = nwbfile.processing["ophys"]["ImageSegmentation"]["rois"]
        assert rois.imaging_plane.location == "VISp"
        table = nwbfile.stimulus["drifting_gratings"]
        assert set(table.colnames) == {
            "start_time", "stop_time", "orientation", "temporal_frequency", "blank_sweep",
        }  # fmt: skip
        assert nwbfile.subject.genotype == CLASSES[1].line
        truth = nwbfile.processing["simulation"]["cell_class"]
        np.testing.assert_array_equal(truth["course"].data[0], CLASSES[1].course)
        np.testing.assert_array_equal(rois["gain"].data[:], made.gain)


def test_each_grating_is_shown_equally_often_and_as_many_blanks(sessions):
    _, trials = sessions
    one = trials[0]
    assert one.sizes == {"trial": 150, "time": 8, "unit": 48}
    assert one["blank"].sum() == 6
    gratings = one["orientation"].values * 3 + one["temporal_frequency"].values
    _, counts = np.unique(gratings[~one["blank"].values], return_counts=True)
    assert counts.tolist() == [6] * 24
    assert [int(t["genotype"][0]) for t in trials[:4]] == [
        0,
        2,
        3,
        1,
    ]  # in the order of the alphabet
    assert trials[0]["genotype"].attrs["constant"] == 1


def test_a_unit_responds_most_to_what_it_prefers(sessions):
    made, trials = sessions
    for truth, one in zip(made[:4], trials, strict=False):
        z = shown(one).mean(axis=1)
        codes = one["orientation"].values[~one["blank"].values]
        tuning = np.array([z[codes == code].mean(axis=0) for code in range(8)])
        best = DIRECTIONS[tuning.argmax(axis=0)]
        apart = np.abs((best - truth.preferred_direction + 180) % 360 - 180)
        tuned = (truth.direction_share > 0.7) & (truth.gain > 0.7)
        assert tuned.sum() > 5
        assert np.mean(apart[tuned] <= 45) > 0.9


def test_what_was_shown_is_decoded_from_trials_that_were_held_out(sessions):
    _, trials = sessions
    for one in trials[:2]:
        z = shown(one).mean(axis=1)
        for label, least in (("orientation", 0.8), ("temporal_frequency", 0.9)):
            codes = one[label].values[~one["blank"].values]
            scores = cross_val_score(LogisticRegression(C=0.1, max_iter=500), z, codes, cv=3)
            assert scores.mean() > least


def test_the_line_is_in_the_course_of_responses_and_in_no_mean(sessions):
    """Whole sessions are held out: nothing that is a session's own can help."""
    _, trials = sessions
    course = [shown(one).mean(axis=2) for one in trials]
    lines = np.repeat([int(one["genotype"][0]) for one in trials], [len(one) for one in course])
    mouse = np.repeat(np.arange(8), [len(one) for one in course])
    held_out = LeaveOneGroupOut()

    def decoded(features):
        model = LogisticRegression(max_iter=500)
        return cross_val_score(model, features, lines, groups=mouse, cv=held_out).mean()

    course = np.concatenate(course)
    assert decoded(course) > 0.9
    assert decoded(course.mean(axis=1, keepdims=True)) < 0.4


def test_lines_respond_equally_strongly():
    for one in CLASSES:
        assert np.mean(one.course) == pytest.approx(1)


def test_noise_is_shared_between_units():
    made = simulate_orientation(session=0, repeats=2, noise=1.0)
    still = simulate_orientation(session=0, repeats=2, noise=0.0)
    r = np.corrcoef((made.dff - still.dff).T)[np.triu_indices(48, 1)]
    assert np.abs(r).mean() > 0.1


def test_what_wanders_forgets_itself_in_the_time_that_is_said():
    signal = wander(np.random.default_rng(0), 200_000, 1, rate=10.0, scale=2.0)[:, 0]
    assert signal.std() == pytest.approx(1, abs=0.05)
    lag = np.corrcoef(signal[:-20], signal[20:])[0, 1]
    assert lag == pytest.approx(np.exp(-1), abs=0.05)

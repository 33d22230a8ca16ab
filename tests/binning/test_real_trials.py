"""Trials of published recordings: five mice before gratings, a person who recognises scenes."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import nwbsparse as ns

DATA = os.environ.get("NWBSPARSE_DATA")
pytestmark = [
    pytest.mark.files,
    pytest.mark.skipif(not DATA, reason="NWBSPARSE_DATA names no folder of recordings"),
]


def data(name):
    return Path(DATA or "") / name


def test_five_mice_before_gratings_have_the_same_classes():
    paths = sorted(data("mouse-v1-gratings").glob("*.nwb"))
    sessions = [ns.read(path) for path in paths]
    made = ns.to_trials(sessions, labels="direction, orientation, speed, pupil_zscore")
    assert [one.sizes["unit"] for one in made] == [28, 53, 56, 18, 39]
    for one, session in zip(made, sessions, strict=True):
        assert dict(one.sizes) == {"trial": 128, "time": 32, "unit": session.n_units}
        assert json.loads(one["direction"].attrs["values"]) == [str(45 * n) for n in range(8)]
        assert json.loads(one["orientation"].attrs["values"]) == ["0", "45", "90", "135"]
        assert (one["orientation"] == one["direction"] % 4).all()
        assert np.isfinite(one["activity"]).all() and np.isfinite(one["speed"]).all()
        assert json.loads(one.attrs["notes"]) == []
        # the frames stand on the edges of the bins: a bin is a frame, whatever pauses there were
        times, traces = session.traces.times, session.traces.data
        for trial in (0, 127):
            first = np.searchsorted(times, one["start"].values[trial] - 1e-6)
            np.testing.assert_array_equal(one["activity"].values[trial], traces[first : first + 32])


def test_time_before_the_window_that_was_kept_is_refused():
    session = ns.read(data("mouse-v1-gratings") / "mrcuts24_fov1.nwb")
    assert ns.to_trials(session, window=(-1, 2)).sizes["time"] == 48
    with pytest.raises(ns.errors.BadInput, match="nothing was recorded between -2 and -1 s"):
        ns.to_trials(session, window=(-2, 2))


def test_spikes_of_a_person_who_recognises_scenes():
    session = ns.read(data("human-mtl-dandi000207-sub-4.nwb"))
    with pytest.raises(ns.errors.BadInput, match="say table="):
        ns.to_trials(session)
    trials = ns.to_trials(session, labels="old_new, RT", bin_width=0.1)
    assert trials.attrs["table"] == "recognition_table"
    assert dict(trials.sizes) == {"trial": 180, "time": 15, "unit": 35}
    start = trials["start"].values[17]
    for unit in (0, 20):
        counted = np.histogram(session.spikes_of(unit), start + np.arange(16) * 0.1)[0]
        assert np.abs(trials["activity"].values[17, :, unit] - counted).max() == 0
    seen = ns.to_trials(session, table="encoding_table", labels="stimCategory", window=(0, 4))
    assert np.unique(seen["stimCategory"]).tolist() == [0, 1, 2]
    assert seen.sizes["trial"] == 90


def test_gratings_back_to_back_in_a_short_recording():
    trials = ns.to_trials(ns.read(data("mouse-v1-gratings-binary.nwb")), bin_width=0.2)
    assert trials.sizes["trial"] == 60
    assert json.loads(trials["orientation"].attrs["values"]) == ["0", "45", "90", "135"]

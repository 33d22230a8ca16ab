"""Five recordings made by others: nothing of what they hold is lost."""

import os
from pathlib import Path

import numpy as np
import pytest

from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.session import Session

DATA = os.environ.get("NWBSPARSE_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="NWBSPARSE_DATA names no folder of recordings")


def read(name: str) -> Session:
    return read_nwb(Path(DATA or "") / name)


def kinds(session: Session, table: str) -> dict[str, str]:
    columns = session.intervals[table].data_vars
    return {str(name): col.attrs["kind"] for name, col in columns.items() if "kind" in col.attrs}


def test_human_medial_temporal_lobe():
    session = read("human-mtl-dandi000207-sub-4.nwb")
    assert session.n_units == 35
    assert len(session.spike_times) == 214_278
    sizes = {name: table.sizes["interval"] for name, table in session.intervals.items()}
    assert sizes == {
        "encoding_table": 90, "recognition_table": 180, "timediscrimination_table": 180,
    }  # fmt: skip
    encoding, recognition = kinds(session, "encoding_table"), kinds(session, "recognition_table")
    assert encoding["stimCategory"] == "category"
    assert encoding["boundary1_time"] == encoding["fixcross_time"] == "event time"
    assert encoding["Clip_name"] == recognition["frameName"] == "identifier"
    assert recognition["response_time"] == "event time"
    assert recognition["trial_num"] == "identifier"
    assert recognition["accuracy"] == "category"
    assert recognition["RT"] == "continuous"
    assert "hippocampus_right" in session.units["region"].values
    assert session.spike_times.min() >= 0  # not stretched to the event at −1.5e9 s
    assert session.subject["species"] == "Homo sapiens"
    assert any("OpticalSeries" in warning for warning in session.report.warnings)
    others = {line.name for line in session.report.of_kind("other")}
    assert "/acquisition/events" not in others
    assert "/acquisition/experiment_ids" in others
    events = session.events["events"]
    [line] = session.report.of_kind("events")
    assert (line.found, line.kept, line.dropped) == (1717, 1716, 1)
    assert "1 event far outside the recording (-1.5429e+09 s;" in line.reasons[0]
    assert events.labels is not None
    assert set(events.labels) == {"1", "2", "4", "11", "60", "61"}
    assert (np.diff(events.times) >= 0).all()


def test_mouse_alm_with_unsorted_spikes_and_no_stop_times():
    session = read("mouse-alm-dandi000006-anm369963.nwb")
    trials = session.intervals["trials"]
    assert trials.sizes["interval"] == 178
    assert np.isfinite(trials["stop_time"]).all()
    assert trials["stop_time"].attrs["inferred"] == 178
    np.testing.assert_array_equal(trials["stop_time"][:-1], trials["start_time"][1:])
    assert kinds(session, "trials")["cue_start_time"] == "event time"
    assert kinds(session, "trials")["type"] == "category"
    assert len(session.spike_times) == 1_679
    licks = {name: len(events.times) for name, events in session.events.items()}
    assert licks == {"lick_left_times": 782, "lick_right_times": 1016}
    assert all(line.dropped == 0 for line in session.report.of_kind("events"))
    assert (np.diff(session.spike_times) >= 0).all()
    [spikes] = session.report.of_kind("spikes")
    assert "1 unit had unsorted times" in spikes.reasons[0]
    assert session.units["depth"].item() == 780.0
    assert "ALM" in session.units["region"].item()


def test_mouse_alm_that_starts_late():
    session = read("mouse-alm-dandi000009-anm00239123.nwb")
    assert session.n_units == 4
    assert len(session.spike_times) == 34_057
    assert session.spike_times.min() == pytest.approx(1499, abs=1)
    assert session.intervals["trials"].sizes["interval"] == 412
    assert kinds(session, "trials")["photo_stim_power"] == "category"
    assert "waveform_mean" not in session.units


def test_mouse_postsubiculum_with_ids_that_do_not_count():
    session = read("mouse-psb-a8604.nwb")
    assert session.units["unit_id"].values.tolist() == [6, 191, 206]
    assert len(session.spike_times) == 21_354
    assert session.series == {}
    assert session.intervals["epochs"]["tags"].values.tolist() == ["wake"]


def test_rat_on_the_w_maze_with_silent_units():
    session = read("rat-ca1-w-maze.nwb")
    assert session.n_units == 46
    assert int((session.units["n_spikes"] == 0).sum()) == 24
    assert len(session.spike_times) == 493_977
    position = session.series["position"]
    assert position.kind == "position"
    assert position.data.shape == (261_995, 2)
    [units] = session.report.of_kind("units")
    assert "24 units without spikes kept" in units.reasons[0]

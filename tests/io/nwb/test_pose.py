"""Poses: each part of the body is a position, and the tracker's confidence a signal beside it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
from ndx_pose import PoseEstimation, PoseEstimationSeries

from make.recordings import damaged, reasons, replace_dataset, write_recording
from nwbsparse.io.nwb.read import read_nwb

STAMPS = np.arange(500) / 10
SURE = np.where(np.arange(500) % 5, 0.9, 0.2)


def pose(camera: str, *nodes: str, stamps=STAMPS, unit: str = "pixels", columns: int = 2):
    held = [
        PoseEstimationSeries(
            name=node, data=np.ones((len(stamps), columns)) * (i + 1), reference_frame="corner",
            timestamps=stamps, confidence=SURE, confidence_definition="softmax", unit=unit,
        )
        for i, node in enumerate(nodes)
    ]  # fmt: skip
    return PoseEstimation(name=camera, pose_estimation_series=held, description="tracked")


def test_each_part_is_a_position_with_its_confidence_beside_it(tmp_path):
    held = [pose("left", "nose", "tail base"), pose("right", "nose", unit="degrees", columns=3)]
    session = read_nwb(write_recording(tmp_path / "a.nwb", behaviour=held, module="tracking"))
    assert {name: one.kind for name, one in session.series.items()} == {
        "left_nose": "position",
        "left_nose_confidence": "continuous",
        "left_tail_base": "position",
        "left_tail_base_confidence": "continuous",
        "right_nose": "position",
        "right_nose_confidence": "continuous",
    }
    assert session.series["left_tail_base"].data.shape == (500, 2)
    assert session.series["right_nose"].data.shape == (500, 3)
    confidence = session.series["left_nose_confidence"]
    np.testing.assert_allclose(confidence.data, SURE, rtol=1e-6)
    assert confidence.description == "softmax"
    said = reasons(session, "series", "/processing/tracking/left/nose/confidence")
    assert "100 positions below 0.5 kept" in said
    assert np.isfinite(session.series["left_nose"].data).all()


def test_confidence_loses_the_samples_that_the_positions_lose(tmp_path):
    stamps = STAMPS.copy()
    stamps[7] = np.nan
    session = read_nwb(
        write_recording(tmp_path / "a.nwb", behaviour=[pose("top", "nose", stamps=stamps)])
    )
    for name in ("top_nose", "top_nose_confidence"):
        assert len(session.series[name].times) == len(session.series[name].data) == 499
    np.testing.assert_allclose(
        session.series["top_nose_confidence"].data, np.delete(SURE, 7), rtol=1e-6
    )


def test_a_confidence_of_another_length_is_left_out_and_said_so(tmp_path):
    path = write_recording(tmp_path / "a.nwb", behaviour=[pose("top", "nose")])
    name = "/processing/behavior/top/nose/confidence"
    with damaged(path) as file:
        replace_dataset(file, name, SURE[:-1])
    session = read_nwb(path)
    assert set(session.series) == {"top_nose"}
    assert "499 values for 500 positions" in reasons(session, "series", name)


def test_poses_are_read_where_the_extension_is_not_loaded(tmp_path):
    path = write_recording(tmp_path / "a.nwb", behaviour=[pose("top", "nose")])
    code = (
        "import sys, json; from nwbsparse.io.nwb.read import read_nwb; s = read_nwb(sys.argv[1]);"
        "assert 'ndx_pose' not in sys.modules; print(json.dumps(sorted(s.series)))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True)
    assert json.loads(done.stdout) == ["top_nose", "top_nose_confidence"]

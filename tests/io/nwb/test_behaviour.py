"""Behaviour signals: found by what they are, on their own clocks, or reported."""

import numpy as np
import pytest
from hdmf.common import DynamicTable
from pynwb.behavior import (
    BehavioralTimeSeries,
    CompassDirection,
    EyeTracking,
    Position,
    PupilTracking,
)

from make.recordings import (
    circle,
    damaged,
    line_of,
    reasons,
    replace_dataset,
    spatial,
    time_series,
    write_recording,
)
from nwbsparse.io.nwb.behaviour import identifier
from nwbsparse.io.nwb.read import read_nwb


def test_signals_are_found_by_type_and_know_their_kind(tmp_path):
    clock = {"rate": 10.0, "starting_time": 0.0}
    angle = np.linspace(0, 2 * np.pi, 900, endpoint=False)
    held = [
        CompassDirection(spatial_series=spatial("head", data=angle, unit="radians", **clock)),
        BehavioralTimeSeries(time_series=time_series("speed", data=np.arange(900.0), **clock)),
        PupilTracking(time_series=time_series("pupil", data=np.ones(900), **clock)),
        EyeTracking(
            spatial_series=spatial("gaze", data=np.ones((900, 2)), unit="degrees", **clock)
        ),
        time_series("licking", data=np.arange(900), **clock),
        spatial("wheel", data=np.rad2deg(angle), unit="degrees", **clock),
        spatial("nose", data=np.ones((900, 2)), unit="cm", **clock),
        spatial("pressure", data=np.ones((900, 2)), unit="bar", **clock),
    ]
    linear = Position(spatial_series=spatial("1-D, linear", data=np.ones((900, 1)), **clock))
    path = write_recording(
        tmp_path / "a.nwb", behaviour=held, acquisition=[linear], module="my_Behaviour_data"
    )
    series = read_nwb(path).series
    assert {name: one.kind for name, one in series.items()} == {
        "head": "circular",
        "speed": "continuous",
        "pupil": "continuous",
        "gaze": "continuous",
        "licking": "continuous",
        "wheel": "circular",
        "nose": "position",
        "pressure": "continuous",
        "_1_D_linear": "position",
    }
    np.testing.assert_allclose(series["wheel"].data, angle)
    assert series["wheel"].unit == "radians"
    assert series["_1_D_linear"].data.shape == (900,)
    assert series["_1_D_linear"].path == "/acquisition/Position/1-D, linear"
    assert series["nose"].data.dtype == np.float64
    np.testing.assert_allclose(series["nose"].times[:3], [0, 0.1, 0.2])


def test_conversion_and_offset_are_applied(tmp_path):
    given = {"data": np.array([[1, 2], [3, 4]] * 50, dtype="i2"), "timestamps": np.arange(100.0)}
    path = write_recording(tmp_path / "a.nwb", position=given | {"conversion": 0.5, "offset": 10.0})
    series = read_nwb(path).series["position"]
    np.testing.assert_array_equal(series.data[:2], [[10.5, 11.0], [11.5, 12.0]])


def test_what_is_not_behaviour_is_listed_with_the_reason(tmp_path):
    clock = {"rate": 10.0, "starting_time": 0.0}
    held = [
        time_series("wide", data=np.ones((50, 8)), **clock),
        DynamicTable(name="ripples", description="a table", columns=[]),
    ]
    path = write_recording(
        tmp_path / "a.nwb", behaviour=held,
        acquisition=[time_series("sync", data=np.ones(70), **clock)],
    )  # fmt: skip
    session = read_nwb(path)
    assert session.series == {}
    wide = "/processing/behavior/wide"
    assert "1 to 3 columns, this has shape (50, 8)" in reasons(session, "other", wide)
    assert "not behaviour: TimeSeries in /acq" in reasons(session, "other", "/acquisition/sync")
    assert line_of(session, "other", "/acquisition/sync").found == 70
    table = "/processing/behavior/ripples"
    assert "a table of type DynamicTable" in reasons(session, "other", table)


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        (np.linspace(0, 6, 100), "circular", "taken as radians"),
        (np.linspace(0, 359, 100), "continuous", "not taken as an angle"),
    ],
)
def test_a_direction_without_a_unit_of_angle_is_an_angle_within_two_pi(
    tmp_path, values, kind, said
):
    head = spatial("head", data=values, rate=10.0)  # the default unit of a SpatialSeries is meters
    path = write_recording(tmp_path / "a.nwb", behaviour=[CompassDirection(spatial_series=head)])
    session = read_nwb(path)
    assert session.series["head"].kind == kind
    assert said in reasons(session, "series", "/processing/behavior/CompassDirection/head")


def test_a_series_on_the_clock_of_another_is_read(tmp_path):
    one = time_series("one", data=np.arange(50.0), timestamps=np.arange(50.0) * 2)
    two = time_series("two", data=np.arange(50.0), timestamps=one)
    session = read_nwb(write_recording(tmp_path / "a.nwb", behaviour=[one, two]))
    np.testing.assert_array_equal(session.series["two"].times, np.arange(50.0) * 2)


def test_series_of_one_name_are_told_apart_by_their_containers(tmp_path):
    clock = {"rate": 10.0, "starting_time": 0.0}
    held = [
        Position(name=name, spatial_series=spatial("xy", data=np.ones((900, 2)), **clock))
        for name in ("left camera", "right camera")
    ]
    path = write_recording(tmp_path / "a.nwb", behaviour=held)
    assert set(read_nwb(path).series) == {"xy_left_camera", "xy_right_camera"}


def test_transposed_data_are_turned_and_said_so(tmp_path):
    name = "/processing/behavior/Position/position"
    given = {"data": np.zeros((100, 2)), "timestamps": np.arange(100.0)}
    path = write_recording(tmp_path / "a.nwb", position=given)
    with damaged(path) as file:
        replace_dataset(file, f"{name}/data", np.arange(200.0).reshape(2, 100))
    session = read_nwb(path)
    np.testing.assert_array_equal(session.series["position"].data[3], [3.0, 103.0])
    assert "transposed" in reasons(session, "series", name)


def test_a_series_on_another_clock_is_reported_and_not_shifted(tmp_path):
    path = write_recording(tmp_path / "a.nwb", position=circle() | {"starting_time": 1e6})
    session = read_nwb(path)
    said = reasons(session, "series", "/processing/behavior/Position/position")
    assert "do not overlap the spikes" in said
    assert session.series["position"].times[0] == 1e6


@pytest.mark.parametrize(
    ("name", "clean"), [("a b/c", "a_b_c"), ("3d", "_3d"), ("lambda", "_lambda"), ("Ä!", "series")]
)
def test_names_become_identifiers(name, clean):
    assert identifier(name) == clean
    assert identifier(name).isidentifier()

"""Taken or left without a word: the kind of fault is something in a file that no line of the report names.

Members: angles that no SpatialSeries holds, moments that were detected, and interfaces of every other kind.
"""

import warnings
from datetime import UTC, datetime

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.behavior import BehavioralTimeSeries
from pynwb.core import ScratchData
from pynwb.ecephys import LFP, ElectricalSeries, EventDetection
from pynwb.misc import Units

from make.recordings import line_of, poisson_spikes, reasons, time_series, write_recording
from nwbsparse import read
from nwbsparse.binning.to_bins import to_bins

T = np.arange(0, 100, 1 / 60)
TURN = (T * 50) % 360


def angles(tmp_path, **signals):
    series = [
        time_series(name, data=data, unit=unit, timestamps=T)
        for name, (data, unit) in signals.items()
    ]
    return read(
        write_recording(tmp_path / "a.nwb", behaviour=[BehavioralTimeSeries(time_series=series)])
    )


def test_an_angle_that_runs_round_is_averaged_round_the_circle(tmp_path):
    session = angles(
        tmp_path, head=(TURN, "degrees"), yaw=(np.deg2rad(TURN) - np.pi, "rad"),
        minus=(TURN - 180, "deg"),
    )  # fmt: skip
    binned = to_bins(session, 0.1)
    true = np.deg2rad((binned["time"].values * 50) % 360)
    for name, shift in (("head", 0.0), ("yaw", np.pi), ("minus", np.pi)):
        assert session.series[name].kind == "circular"
        assert session.series[name].unit == "radians"
        off = np.angle(np.exp(1j * (binned[name].values - true + shift)))
        assert np.nanmax(np.abs(off)) < 0.1
        assert "runs round" in reasons(session, "series", session.series[name].path)


@pytest.mark.parametrize(
    ("data", "unit", "why"),
    [
        (np.cumsum(np.full(len(T), 3.0)), "degrees", "its values go beyond one turn"),
        (20 * np.sin(T), "degrees", "it never runs round"),
    ],
)
def test_an_angle_that_does_not_stays_a_number_and_is_said_to(tmp_path, data, unit, why):
    session = angles(tmp_path, wheel=(data, unit))
    one = session.series["wheel"]
    assert one.kind == "continuous"
    np.testing.assert_array_equal(one.data, data)
    assert f"not taken as an angle: {why}" in reasons(session, "series", one.path)


def test_what_is_no_angle_by_its_unit_is_none_however_it_jumps(tmp_path):
    session = angles(tmp_path, phase=(np.deg2rad(TURN), "a.u."))
    assert session.series["phase"].kind == "continuous"
    assert reasons(session, "series", session.series["phase"].path) == ""


def detected(path, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nwbfile = NWBFile("s", "i", datetime(2024, 1, 1, tzinfo=UTC))
        group = nwbfile.create_electrode_group("shank", "d", "CA1", nwbfile.create_device("probe"))
        nwbfile.add_electrode(location="CA1", group=group)
        nwbfile.units = Units(name="units", description="u")
        for spikes in poisson_spikes():
            nwbfile.add_unit(spike_times=spikes)
        region = nwbfile.create_electrode_table_region([0], "all")
        field = ElectricalSeries(name="lfp", data=np.zeros((3000, 1)), rate=25.0, electrodes=region)
        module = nwbfile.create_processing_module("ecephys", "e")
        module.add(LFP(electrical_series=field))
        module.add(
            EventDetection(
                name="ripples", detection_method="m", source_electricalseries=field,
                source_idx=np.arange(50), **given,
            )
        )  # fmt: skip
        nwbfile.add_scratch(ScratchData(name="mine", data=np.arange(3), description="d"))
        with NWBHDF5IO(path, "w") as io:
            io.write(nwbfile)
    return read(path)


def test_detected_moments_are_events(tmp_path):
    times = np.linspace(1, 99, 50)
    session = detected(tmp_path / "a.nwb", times=times)
    np.testing.assert_array_equal(session.events["ripples"].times, times)
    assert line_of(session, "events", "/processing/ecephys/ripples").kept == 50


def test_of_detections_without_times_it_is_said_that_they_are_not_read(tmp_path):
    session = detected(tmp_path / "a.nwb")
    assert "ripples" not in session.events
    assert "states no times" in reasons(session, "other", "/processing/ecephys/ripples")


def test_every_interface_is_listed_once_and_what_only_holds_others_is_not(tmp_path):
    session = detected(tmp_path / "a.nwb", times=np.linspace(1, 99, 50))
    names = [line.name for line in session.report.lines]
    assert "/scratch/mine" in names
    assert "nothing is known to do with a ScratchData" in reasons(session, "other", "/scratch/mine")
    assert "/processing/ecephys/LFP" not in names
    assert names.count("/processing/ecephys/LFP/lfp") == 1

"""Types that nobody defines: the rest of the file is read, and the report says what it lacks."""

import json
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.ophys import Fluorescence, RoiResponseSeries

from make.cli_runs import run_cli
from make.recordings import (
    add_rois,
    circle,
    damaged,
    laps,
    line_of,
    poisson_spikes,
    spatial,
    time_series,
    write_recording,
)
from nwbsparse import read
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput

SPIKES = poisson_spikes()
POSITION = "/processing/behavior/Position/position"


@pytest.fixture
def whole(tmp_path):
    return write_recording(
        tmp_path / "a.nwb", spike_times=SPIKES, position=circle(), trials=laps(),
        acquisition=[time_series("sync", data=np.ones(30), rate=1.0)],
        unit_columns={"quality": ["good", "mua", "good", "good"], "waveform": [np.ones(3)] * 4},
        electrodes={"location": ["CA1", "CA3", "CA1", "CA3"]},
    )  # fmt: skip


def as_type(path, *places, type_name="LabThing", namespace="ndx-lab"):
    """Say that objects of a file are of another type."""
    with damaged(path) as file:
        for place in places:
            file[place].attrs.update(neurodata_type=type_name, namespace=namespace)
    return path


def left_out(session, place):
    """What the report says about an object that could not be built."""
    line = line_of(session, "other", place)
    assert (line.found, line.kept) == (1, 0)
    return " | ".join(line.reasons)


def assert_rest_is_read(session, *, series=("position",)):
    assert session.n_units == 4
    for row, times in enumerate(SPIKES):
        np.testing.assert_array_equal(session.spikes_of(row), times)
    assert set(session.series) == set(series)
    assert set(session.intervals) == {"trials"}
    assert to_bins(session, 0.1).sizes["unit"] == 4


def test_a_series_of_unknown_type_is_left_out_and_the_rest_is_read(whole):
    session = read(as_type(whole, "/acquisition/sync"))
    assert_rest_is_read(session)
    said = left_out(session, "/acquisition/sync")
    assert "its type is LabThing of namespace ndx-lab" in said
    assert "neither in the file nor installed: install it (pip install ndx-lab)" in said
    with pytest.raises(BadInput, match=r"/acquisition/sync: left out: .*pip install ndx-lab"):
        read(whole, strict=True)


def test_inspect_says_what_was_left_out(whole, capsys):
    as_type(whole, "/acquisition/sync")
    assert run_cli("inspect", whole, "--json") == 0
    [line] = [
        one
        for one in json.loads(capsys.readouterr().out)["report"]["lines"]
        if one["name"] == "/acquisition/sync"
    ]
    assert (line["found"], line["kept"], line["dropped"]) == (1, 0, 1)
    assert "pip install ndx-lab" in line["reasons"][0]
    assert run_cli("inspect", whole, "--strict") == 2
    assert "pip install ndx-lab" in " ".join(capsys.readouterr().err.split())


def test_a_series_in_a_container_is_never_read_as_another_kind_of_series(whole):
    session = read(as_type(whole, POSITION, type_name="GridCoordinates"))
    assert_rest_is_read(session, series=())
    assert "GridCoordinates" in left_out(session, POSITION)


def test_what_lies_in_a_container_of_unknown_type_is_named(whole):
    session = read(as_type(whole, "/processing/behavior/Position"))
    assert_rest_is_read(session, series=())
    said = left_out(session, "/processing/behavior/Position")
    assert f"left out, and with it {POSITION} (SpatialSeries)" in said


def test_a_column_of_unknown_type_is_left_out_with_its_index(whole):
    as_type(whole, "/units/quality", "/units/waveform", type_name="LabColumn")
    with damaged(whole) as file:  # what is not ragged yet
        index = file["units"].create_dataset("waveform_index", data=np.arange(1, 5))
        index.attrs.update(
            neurodata_type="VectorIndex", namespace="hdmf-common", description="index",
            target=file["units/waveform"].ref, object_id="the index",
        )  # fmt: skip
    session = read(whole)
    assert_rest_is_read(session)
    assert "quality" not in session.units
    assert "LabColumn" in left_out(session, "/units/quality")
    assert "LabColumn" in left_out(session, "/units/waveform")
    assert "needs /units/waveform" in left_out(session, "/units/waveform_index")


def test_a_table_at_its_place_is_read_as_nwb_defines_it(whole):
    as_type(whole, "/units", "/intervals/trials", type_name="LabTable")
    session = read(whole)
    assert_rest_is_read(session)
    assert session.units["quality"].values.tolist() == ["good", "mua", "good", "good"]
    for place, base in (("/units", "Units"), ("/intervals/trials", "TimeIntervals")):
        line = line_of(session, "other", place)
        assert (line.found, line.kept) == (1, 1)
        assert f"read as {base}, without what an extension adds" in line.reasons[0]
        assert "LabTable of namespace ndx-lab" in line.reasons[0]
    with pytest.raises(BadInput, match=r"/units: read as Units"):
        read(whole, strict=True)


def test_units_whose_spikes_are_of_unknown_type_are_refused_and_say_so(whole):
    as_type(whole, "/units", "/units/spike_times")
    with pytest.raises(BadInput, match="no Units in") as refused:
        read(whole)
    assert "/units/spike_times: left out: its type is LabThing" in str(refused.value)
    assert "pip install ndx-lab" in str(refused.value)


def test_units_that_lack_what_nwb_asks_of_them_are_left_out_and_refused(whole):
    as_type(whole, "/units")
    with damaged(whole) as file:
        del file["units/id"]
    with pytest.raises(BadInput, match="no Units in") as refused:
        read(whole)
    assert "/units: left out: its type is LabThing" in str(refused.value)


def test_devices_and_electrode_groups_of_unknown_type_cost_no_region(whole):
    as_type(whole, "/general/devices/probe", type_name="LabProbe")
    as_type(whole, "/general/extracellular_ephys/shank", type_name="LabShank")
    as_type(whole, "/general/extracellular_ephys/electrodes", type_name="LabElectrodes")
    session = read(whole)
    assert_rest_is_read(session)
    assert session.units["region"].values.tolist() == ["CA1", "CA3", "CA1", "CA3"]
    assert session.units["electrode_group"].values.tolist() == ["shank"] * 4
    assert "read as Device" in line_of(session, "other", "/general/devices/probe").reasons[0]


def test_what_cannot_be_without_something_left_out_goes_too_and_references_lead_nowhere(whole):
    # a group of unknown type that is no ElectrodeGroup either: a column of electrodes refers to it
    as_type(whole, "/general/extracellular_ephys/shank")
    with damaged(whole) as file:
        del file["general/extracellular_ephys/shank"].attrs["location"]
    session = read(whole)
    assert_rest_is_read(session)
    assert session.units["region"].values.tolist() == ["CA1", "CA3", "CA1", "CA3"]
    assert "LabThing" in left_out(session, "/general/extracellular_ephys/shank")


def test_links_to_what_is_left_out_are_dropped(whole):
    as_type(whole, "/acquisition/sync")
    with damaged(whole) as file:
        file["processing/behavior/link"] = h5py.SoftLink("/acquisition/sync")
        file["acquisition/zz_link"] = h5py.SoftLink("/acquisition/sync")
    session = read(whole)
    assert_rest_is_read(session)
    assert left_out(session, "/acquisition/sync")


def test_a_series_whose_rows_lie_in_an_unknown_table_is_left_out(whole):
    place = "/general/extracellular_ephys/electrodes"
    as_type(whole, place)
    with damaged(whole) as file:
        del file[place]["id"]  # so that it is no electrodes table
    session = read(whole)
    assert_rest_is_read(session)
    assert left_out(session, place)
    assert "region" not in session.units


def test_a_file_in_another_file_is_sifted_too(whole, tmp_path):
    other = write_recording(
        tmp_path / "other.nwb", acquisition=[time_series("raw", data=np.ones(3), rate=1.0)]
    )
    as_type(other, "/acquisition/raw")
    with damaged(whole) as file:
        file["acquisition/raw"] = h5py.ExternalLink("other.nwb", "/acquisition/raw")
    session = read(whole)
    assert_rest_is_read(session)
    [line] = [line for line in session.report.of_kind("other") if "other.nwb" in line.name]
    assert line.name.startswith("/acquisition/raw of ")


def test_a_type_that_the_definition_at_hand_does_not_have_is_reported(whole):
    # hdmf skips these without a word
    as_type(whole, "/acquisition/sync", type_name="SeriesOfTomorrow", namespace="core")
    session = read(whole)
    assert_rest_is_read(session)
    said = left_out(session, "/acquisition/sync")
    assert "has no such type: update pynwb" in said


def test_an_object_without_a_namespace_is_reported(whole):
    with damaged(whole) as file:
        del file["acquisition/sync"].attrs["namespace"]
    session = read(whole)
    assert_rest_is_read(session)
    assert "it states no namespace" in left_out(session, "/acquisition/sync")


def test_a_name_that_is_no_package_is_not_put_into_a_command(whole):
    session = read(as_type(whole, "/acquisition/sync", namespace="x; rm -rf /"))
    said = left_out(session, "/acquisition/sync")
    assert "x; rm -rf /" in said
    assert "pip install" not in said


def test_a_file_whose_root_is_of_unknown_type_is_read_as_an_nwb_file(whole):
    session = read(as_type(whole, "/", type_name="LabFile"))
    assert_rest_is_read(session)
    assert "read as NWBFile" in line_of(session, "other", "/").reasons[0]


def test_what_still_cannot_be_built_is_refused_with_what_to_install(whole):
    as_type(whole, "/acquisition/sync")
    with damaged(whole) as file:
        del file["identifier"]
    with pytest.raises(BadInput, match=r"definition it does not hold.*ndx-lab: install it \(pip"):
        read(whole)


def test_the_guard_holds_for_what_is_left_out(whole):
    as_type(whole, "/acquisition/sync")
    with damaged(whole) as file:
        file["acquisition/sync"].create_dataset(
            "evil", (4,), "u1", external=[("/etc/passwd", 0, 4)]
        )
    with pytest.raises(BadInput, match="keeps its data in another file"):
        read(whole)


def test_a_position_beside_one_of_unknown_type_is_read(tmp_path):
    held = [
        spatial("head", data=np.ones((9, 2)), rate=1.0),
        time_series("lick", data=np.ones(9), rate=1.0),
    ]
    path = write_recording(tmp_path / "a.nwb", spike_times=SPIKES, behaviour=held, trials=laps())
    session = read(as_type(path, "/processing/behavior/lick"))
    assert_rest_is_read(session, series=("head",))


def refer(file, place, targets):
    """A column of references, as pynwb writes them."""
    refs = np.array([file[target].ref for target in targets], dtype=h5py.ref_dtype)
    column = file.create_dataset(place, data=refs, dtype=h5py.ref_dtype)
    column.attrs.update(
        neurodata_type="VectorData", namespace="hdmf-common", description="refs", object_id=place
    )


def test_columns_of_references_to_what_is_left_out_can_be_read(whole):
    group = "/general/extracellular_ephys/shank"
    as_type(whole, group)
    with damaged(whole) as file:
        del file[group].attrs["location"]  # so that it is no ElectrodeGroup
        refer(file, "units/electrode_group", [group] * 4)
        refer(file, "intervals/trials/sync", ["/acquisition/sync"] * 10)
        for table, name in (("units", "electrode_group"), ("intervals/trials", "sync")):
            file[table].attrs["colnames"] = [*file[table].attrs["colnames"], name]
    as_type(whole, "/acquisition/sync")
    session = read(whole)
    assert_rest_is_read(session)
    assert session.units["electrode_group"].values.tolist() == ["shank"] * 4
    assert "sync" not in session.intervals["trials"]
    assert line_of(session, "column", "trials/sync").kept == 0


def test_an_open_file_is_sifted_like_a_path(whole):
    as_type(whole, "/acquisition/sync")
    with whole.open("rb") as stream:
        session = read(stream)
    assert_rest_is_read(session)
    assert left_out(session, "/acquisition/sync")


@pytest.fixture
def imaged(tmp_path):
    nwbfile = NWBFile("imaged", "imaged", datetime(2024, 1, 1, tzinfo=UTC))
    region = add_rois(nwbfile, range(3)).create_roi_table_region(
        description="all", region=[0, 1, 2]
    )
    traces = RoiResponseSeries(
        name="traces", data=np.random.default_rng(0).random((200, 3)), rois=region, unit="a.u.",
        rate=10.0,
    )  # fmt: skip
    fluorescence = Fluorescence()
    nwbfile.processing["ophys"].add(fluorescence)
    fluorescence.add_roi_response_series(traces)
    with NWBHDF5IO(tmp_path / "imaged.nwb", "w") as io:
        io.write(nwbfile)
    return tmp_path / "imaged.nwb"


def test_an_imaging_plane_of_unknown_type_costs_no_trace(imaged):
    as_type(imaged, "/general/optophysiology/plane", "/general/devices/scope")
    as_type(imaged, "/processing/ophys/ImageSegmentation/rois")
    session = read(imaged)
    assert session.n_units == 3
    assert session.units["region"].values.tolist() == ["CA1"] * 3


def test_what_hangs_on_something_left_out_goes_link_by_link(imaged):
    as_type(imaged, "/general/optophysiology/plane")
    with damaged(imaged) as file:
        del file["general/optophysiology/plane/indicator"]  # so that it is no ImagingPlane
    session = read(imaged, series="traces")
    rois = "/processing/ophys/ImageSegmentation/rois"
    assert "left out" in left_out(session, "/general/optophysiology/plane")
    said = left_out(session, rois)
    assert "a PlaneSegmentation that needs /general/optophysiology/plane" in said
    assert session.n_units == 3  # the traces are still there, of units that are only numbered
    assert session.traces is not None


def test_a_series_of_traces_of_unknown_type_is_not_guessed_to_be_activity(imaged):
    as_type(imaged, "/processing/ophys/Fluorescence/traces")
    with pytest.raises(BadInput, match="no Units in") as refused:
        read(imaged)
    assert "/processing/ophys/Fluorescence/traces: left out" in str(refused.value)

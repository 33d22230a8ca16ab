"""Activity that is not spikes: which series it is, whose units, in what unit, on which clock."""

from __future__ import annotations

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.ophys import DfOverF, Fluorescence, ImageSegmentation, OpticalChannel, RoiResponseSeries

from make.recordings import START, damaged, line_of, reasons, replace_dataset, time_series
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb

RATE = 20.0
SHAPE = (400, 5)


def new_file() -> NWBFile:
    return NWBFile("a synthetic recording", "synthetic", START, session_id="session 1")


def save(nwbfile: NWBFile, path):
    with NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def add_plane(nwbfile: NWBFile, name: str, *, ids, **columns):
    """A table of ROIs, one per id, of an imaging plane in V1."""
    device = nwbfile.devices.get("microscope") or nwbfile.create_device("microscope")
    channel = {"name": "green", "description": "GFP", "emission_lambda": 500.0}
    plane = nwbfile.create_imaging_plane(
        name=f"plane {name}", optical_channel=OpticalChannel(**channel), description="a plane",
        device=device, excitation_lambda=900.0, indicator="GCaMP", location="V1",
    )  # fmt: skip
    module = nwbfile.processing.get("ophys") or nwbfile.create_processing_module("ophys", "o")
    if "ImageSegmentation" not in module.data_interfaces:
        module.add(ImageSegmentation())
    table = module["ImageSegmentation"].create_plane_segmentation(
        description="ROIs", imaging_plane=plane, name=name
    )
    for roi in ids:
        table.add_roi(image_mask=np.ones((4, 4)), id=roi)
    for column, values in columns.items():
        table.add_column(column, column, data=values)
    return table


def roi_series(table, name: str = "roi", *, rows=None, **given) -> RoiResponseSeries:
    n = len(table.id) if rows is None else len(rows)
    region = table.create_roi_table_region("rois", region=rows or list(range(n)))
    shape = (SHAPE[0], n)
    default = {"data": np.arange(np.prod(shape), dtype=float).reshape(shape), "unit": "a.u."}
    clock = {} if "timestamps" in given else {"rate": RATE, "starting_time": 5.0}
    return RoiResponseSeries(name=name, rois=region, **(default | clock | given))


def add_series(nwbfile: NWBFile, container, held) -> None:
    nwbfile.processing["ophys"].add(container)  # first: the regions look for their table from here
    for series in held:
        container.add_roi_response_series(series)


def imaging(path, *, planes=1, containers=("Fluorescence",), **given):
    """A file with ROI series of each plane in each container."""
    nwbfile = new_file()
    tables = [add_plane(nwbfile, f"p{i}", ids=[7, 9, 11, 13, 15]) for i in range(planes)]
    kinds = {"Fluorescence": Fluorescence, "DfOverF": DfOverF}
    for container in containers:
        held = [roi_series(table, f"roi{i}", **given) for i, table in enumerate(tables)]
        add_series(nwbfile, kinds[container](), held)
    return save(nwbfile, path)


FIRST = "/processing/ophys/Fluorescence/roi0"


def test_the_only_fluorescence_series_is_the_activity(tmp_path):
    nwbfile = new_file()
    table = add_plane(
        nwbfile, "p0", ids=[7, 9, 11, 13, 15], x=[1.0, 2.0, 3.0, 4.0, 5.0], n_spikes=[1, 2, 3, 4, 5]
    )
    data = np.arange(400 * 3).reshape(400, 3).astype("i2")
    data_in_file = roi_series(table, rows=[4, 0, 2], data=data, conversion=0.5, offset=1.0)
    add_series(nwbfile, Fluorescence(), [data_in_file])
    session = read_nwb(save(nwbfile, tmp_path / "a.nwb"))
    traces = session.traces
    assert traces is not None
    assert traces.data.dtype == np.float32
    np.testing.assert_array_equal(traces.data, data * 0.5 + 1)
    np.testing.assert_allclose(traces.times[:3], [5, 5.05, 5.1])
    assert (traces.name, traces.unit, traces.bin_width) == ("roi", "a.u.", None)
    assert traces.path == "/processing/ophys/Fluorescence/roi"
    units = session.units
    assert units["unit_id"].values.tolist() == [15, 7, 11]
    assert units["unit_row"].values.tolist() == [4, 0, 2]
    assert units["x"].values.tolist() == [5, 1, 3]
    assert units["n_spikes_column"].values.tolist() == [5, 1, 3]
    assert units["n_spikes"].values.tolist() == [0, 0, 0]
    assert set(units["plane"].values) == {"plane p0"}
    assert set(units["region"].values) == {"V1"}
    assert set(units["modality"].values) == {"ophys"}
    assert "the shape of the unit" in reasons(session, "column", "p0/image_mask")
    assert not len(session.spike_times)
    assert session.spike_index.tolist() == [0, 0, 0, 0]
    assert session.obs_intervals is None
    assert session.extent == pytest.approx((5.0, 25.0))
    assert session.source.units_path == "/processing/ophys/ImageSegmentation/p0"
    assert session.source.units_object_id == table.object_id
    assert line_of(session, "traces", traces.path).kept == 400
    assert session.report.of_kind("other") == ()


def test_several_series_are_listed_and_one_is_asked_for(tmp_path):
    path = imaging(tmp_path / "a.nwb", containers=("Fluorescence", "DfOverF"))
    with pytest.raises(BadInput, match=r"2 series of .* give series=") as refused:
        read_nwb(path)
    for container in ("Fluorescence", "DfOverF"):
        line = f"- /processing/ophys/{container}/roi0 (fluorescence, 400 × 5, in a.u.)"
        assert line in str(refused.value)
    with pytest.raises(BadInput, match=r"'roi0' names 2 series .*container/name"):
        read_nwb(path, series="roi0")
    for asked in ("DfOverF/roi0", "/processing/ophys/DfOverF/roi0", "DfOverF"):
        session = read_nwb(path, series=asked)
        assert session.traces is not None
        assert session.traces.path == "/processing/ophys/DfOverF/roi0"
        assert f"series='{FIRST}'" in reasons(session, "other", FIRST)
    with pytest.raises(BadInput, match="did you mean 'roi0'"):
        read_nwb(path, series="roi")
    with pytest.raises(BadInput, match=r"no series 'nothing at all' in .*There are:\n- /proc"):
        read_nwb(path, series="nothing at all")


def test_planes_with_one_clock_are_joined(tmp_path):
    path = imaging(tmp_path / "a.nwb", planes=2)
    session = read_nwb(path, series="roi0, roi1")
    assert session.traces is not None
    assert session.traces.data.shape == (400, 10)
    assert session.traces.path == f"{FIRST}, {FIRST[:-1]}1"
    assert session.units["unit_id"].values.tolist() == [7, 9, 11, 13, 15] * 2
    assert session.units["plane"].values.tolist() == ["plane p0"] * 5 + ["plane p1"] * 5
    assert session.source.units_path == ""  # the rows of two tables
    assert "unit_row" not in session.units
    assert "5 ids for 10 units: keyed by row" in reasons(session, "units", "units")
    with damaged(path) as file:
        file[f"{FIRST}/starting_time"][()] = 5.011
    with pytest.raises(BadInput, match=r"clocks of .* are up to 0\.011 s apart: only series with"):
        read_nwb(path, series="roi0,roi1")
    with damaged(path) as file:
        replace_dataset(file, f"{FIRST}/data", np.zeros((300, 5)))
    with pytest.raises(BadInput, match=r"has 300 samples and .* has 400"):
        read_nwb(path, series="roi0,roi1")


def test_series_of_one_table_say_which_of_its_rows_they_are(tmp_path):
    nwbfile = new_file()
    table = add_plane(nwbfile, "p0", ids=[7, 9, 11, 13, 15])
    add_series(nwbfile, Fluorescence(), [roi_series(table, "roi0", rows=[3, 1])])
    add_series(nwbfile, DfOverF(), [roi_series(table, "roi1", rows=[4])])
    session = read_nwb(save(nwbfile, tmp_path / "a.nwb"), series="roi0,roi1")
    assert session.units["unit_row"].values.tolist() == [3, 1, 4]
    assert session.units["unit_id"].values.tolist() == [9 + 4, 9, 15]
    assert session.source.units_object_id == table.object_id
    whole = read_nwb(imaging(tmp_path / "b.nwb"))
    assert "unit_row" not in whole.units  # the rows in order
    assert to_bins(whole, 0.1)["unit_row"].values.tolist() == [0, 1, 2, 3, 4]


def test_units_that_are_only_numbered_are_rows_of_no_table(tmp_path):
    path = imaging(tmp_path / "a.nwb")
    with damaged(path) as file:
        replace_dataset(file, "/processing/ophys/Fluorescence/roi0/rois", [0, 1, 2, 3, 99])
    session = read_nwb(path)
    assert session.units["unit_id"].values.tolist() == [0, 1, 2, 3, 4]
    assert (session.source.units_path, session.source.units_object_id) == ("", "")


def test_data_with_the_units_first_are_turned_and_said_so(tmp_path):
    path = imaging(tmp_path / "a.nwb")
    with damaged(path) as file:
        replace_dataset(file, f"{FIRST}/data", np.arange(2000.0).reshape(5, 400))
    session = read_nwb(path)
    assert session.traces is not None
    np.testing.assert_array_equal(session.traces.data[3], 3 + 400 * np.arange(5))
    assert "stored as (5, 400), units first: transposed" in reasons(session, "traces", FIRST)
    with pytest.raises(BadInput, match="transposed"):
        read_nwb(path, strict=True)


def test_data_that_do_not_fit_their_rois_are_numbered_and_said_so(tmp_path):
    path = imaging(tmp_path / "a.nwb")
    with damaged(path) as file:
        replace_dataset(file, f"{FIRST}/data", np.zeros((400, 4)))
    session = read_nwb(path)
    assert session.units["unit_id"].values.tolist() == [0, 1, 2, 3]
    assert "4 columns for 5 ROIs" in reasons(session, "traces", FIRST)


def test_missing_values_stay_missing_and_are_counted(tmp_path):
    data = np.ones(SHAPE)
    data[10:20, 1] = np.nan
    data[:, 3] = np.nan
    data[0, 0] = np.inf
    session = read_nwb(imaging(tmp_path / "a.nwb", data=data))
    assert session.traces is not None
    assert int(np.isnan(session.traces.data).sum()) == 411
    said = reasons(session, "traces", FIRST)
    assert "1 infinite value made NaN" in said
    assert "411 of 2,000 values are NaN and stay so; 1 unit without any value" in said


def test_a_gap_and_a_backward_stamp_in_the_clock(tmp_path):
    stamps = 10 + np.arange(400) / RATE
    stamps[200:] += 41
    stamps[50] = 0.0
    session = read_nwb(imaging(tmp_path / "a.nwb", timestamps=stamps))
    assert session.traces is not None
    assert len(session.traces.times) == 399
    assert (np.diff(session.traces.times) > 0).all()
    assert session.obs_intervals is not None
    expected = [[10, 20], [61, 71]]
    np.testing.assert_allclose(session.obs_intervals[4], expected)
    said = reasons(session, "traces", FIRST)
    assert "1 sample dropped because timestamps run backwards" in said
    assert "1 gap in its clock, the longest 41 s" in said


def test_one_series_per_unit_is_joined_by_a_pattern(tmp_path):
    nwbfile = new_file()
    module = nwbfile.create_processing_module("ophys", "o")
    clock = {"rate": RATE, "starting_time": 0.0}
    for i in (1, 2, 3):
        module.add(time_series(f"Activity_{i}", data=np.full(400, float(i)), **clock))
    module.add(time_series("Other", data=np.zeros(400), **clock))
    path = save(nwbfile, tmp_path / "a.nwb")
    session = read_nwb(path, series="Activity_*")
    assert session.traces is not None
    assert session.units["unit_id"].values.tolist() == ["Activity_1", "Activity_2", "Activity_3"]
    np.testing.assert_array_equal(session.traces.data[7], [1, 2, 3])
    assert session.series == {}
    with pytest.raises(BadInput, match="no Units"):
        read_nwb(path)


def test_a_series_that_is_asked_for_comes_before_the_spikes(tmp_path):
    nwbfile = new_file()
    nwbfile.add_unit(spike_times=np.arange(50.0))
    module = nwbfile.create_processing_module("behavior", "b")
    clock = {"rate": RATE, "starting_time": 0.0}
    module.add(time_series("whole", data=np.zeros(SHAPE), **clock))
    path = save(nwbfile, tmp_path / "a.nwb")
    session = read_nwb(path, series="whole")
    assert session.n_units == 5
    assert not len(session.spike_times)
    assert "asked for instead" in reasons(session, "other", "/units")
    assert read_nwb(path).traces is None


def test_a_rate_that_is_a_period_is_refused_and_can_be_given(tmp_path):
    nwbfile = new_file()
    nwbfile.add_unit(spike_times=np.arange(50.0))
    module = nwbfile.create_processing_module("behavior", "b")
    module.add(time_series("speed", data=np.zeros(400), rate=0.0256, starting_time=0.0))
    path = save(nwbfile, tmp_path / "a.nwb")
    name = "/processing/behavior/speed"
    assert "give rate=39.06" in reasons(read_nwb(path), "series", name)
    session = read_nwb(path, rate=39.0625, strict=True)
    np.testing.assert_allclose(np.diff(session.series["speed"].times), 0.0256)
    assert "replaced by the 39.0625 Hz" in reasons(session, "series", name)
    with pytest.raises(BadInput, match=r"whole cannot|cannot be read: LEFT OUT"):
        read_nwb(path, series="speed")
    assert read_nwb(path, series="speed", rate=39.0625).traces is not None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rate": 0.0}, "rate must be a positive number"),
        ({"band": (8.0, 4.0)}, "band must be two frequencies"),
        ({"band": (0.0, 4.0)}, "band must be two frequencies"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_before_reading(tmp_path, wrong, said):
    with pytest.raises(BadInput, match=said):
        read_nwb(tmp_path / "none.nwb", **wrong)

"""Activity of some of the rows of a table: results say which rows these are."""

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.ecephys import LFP, ElectricalSeries
from pynwb.ophys import Fluorescence, RoiResponseSeries

from make.configs import plain_config
from make.recordings import START, add_rois
from nwbsparse.results.results import open_results
from nwbsparse.runs.run import run

ROWS = [5, 2, 7]
IDS = np.arange(100, 109)
QUICK = {"bin_width": 0.1, "n_latents": 8, "k": 1, "max_epochs": 2, "batch_size": 100}


def activity(n_samples=1000):
    rng = np.random.default_rng(0)
    return rng.gamma(0.3, size=(n_samples, len(ROWS)))


def imaged(path):
    """Traces of three of nine ROIs, not in the order of their table."""
    nwbfile = NWBFile("imaged", "imaged", START)
    rois = add_rois(nwbfile, IDS)
    fluorescence = Fluorescence()
    nwbfile.processing["ophys"].add(fluorescence)
    region = rois.create_roi_table_region(description="three", region=ROWS)
    fluorescence.add_roi_response_series(
        RoiResponseSeries(name="traces", data=activity(), rois=region, unit="a.u.", rate=10.0)
    )
    with NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def recorded(path):
    """The field potential of three of nine channels."""
    nwbfile = NWBFile("recorded", "recorded", START)
    device = nwbfile.create_device("probe")
    group = nwbfile.create_electrode_group("g", description="g", location="CA1", device=device)
    for channel in IDS:
        nwbfile.add_electrode(group=group, location="CA1", id=int(channel))
    region = nwbfile.create_electrode_table_region(ROWS, "three")
    noise = np.random.default_rng(0).standard_normal((20_000, 3))
    series = ElectricalSeries(name="lfp", data=noise, electrodes=region, rate=200.0)
    held = LFP()
    nwbfile.create_processing_module("ecephys", "lfp").add(held)
    held.add_electrical_series(series)
    with NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def check_rows(done, table_of, rows):
    ids = IDS[rows].tolist()
    assert done.binned["unit_row"].values.tolist() == rows
    assert done.binned["unit_id"].values.tolist() == ids
    with NWBHDF5IO(done.nwb, "r") as io:
        nwbfile = io.read()
        population = nwbfile.processing["sparse_latents"]["latents"].input_population
        table = table_of(nwbfile)
        assert population.source_table is table
        assert population["source_row"][:].tolist() == rows
        assert population["source_id"][:].tolist() == ids
        assert table.id[:][population["source_row"][:]].tolist() == ids
    again = open_results(done.nwb)
    assert again.attribution["unit_row"].values.tolist() == rows
    assert again.session.units["unit_row"].values.tolist() == ROWS
    assert again.session.units["unit_id"].values.tolist() == IDS[ROWS].tolist()


@pytest.mark.parametrize(("units", "rows"), [(None, ROWS), ("107,105", [5, 7])])
def test_rois_in_another_order_than_their_table(tmp_path, units, rows):
    done = run(imaged(tmp_path / "a.nwb"), tmp_path / "out", plain_config(**QUICK, units=units))
    check_rows(done, lambda nwbfile: nwbfile.processing["ophys"]["ImageSegmentation"]["rois"], rows)


def test_some_channels_of_a_probe(tmp_path):
    config = plain_config(**QUICK, series="lfp", band=(10.0, 40.0))
    done = run(recorded(tmp_path / "a.nwb"), tmp_path / "out", config)
    check_rows(done, lambda nwbfile: nwbfile.electrodes, ROWS)

"""A linked copy holds everything that its source holds, wherever a lab put it.

The kind of fault: places of NWB that take no links, or that are made anew: what lies there is lost.
"""

import h5py
import numpy as np
import pytest
from hdmf.common import DynamicTable, VectorData
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.ecephys import LFP, ElectricalSeries

from make.recordings import START, damaged, poisson_spikes
from make.results import made_results
from nwbsparse.results.results import write


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("linked")
    nwb = NWBFile("s", "i", START, was_generated_by=[("spyglass", "1.0")], source_script="x = 1",
                  source_script_file_name="x.py", keywords=["a", "b"])  # fmt: skip
    for spikes in poisson_spikes():
        nwb.add_unit(spike_times=spikes)
    group = nwb.create_electrode_group(
        "shank", description="d", location="CA1", device=nwb.create_device("probe")
    )
    for _ in range(2):
        nwb.add_electrode(location="CA1", group=group)
    raw = {"data": np.arange(20.0).reshape(10, 2), "rate": 1.0}
    rows = nwb.create_electrode_table_region([0, 1], "both")
    lfp = LFP(name="lfp")
    numbers = VectorData(name="n", description="n", data=[1, 2])
    nwb.add_scratch(np.arange(5), name="notes", description="work in progress")
    nwb.add_scratch("a word", name="word", description="work in progress")
    nwb.add_scratch(TimeSeries(name="series", data=[1.0, 2.0], unit="a", timestamps=[0.0, 1.5]))
    nwb.add_scratch(DynamicTable(name="table", description="d", columns=[numbers]))
    nwb.add_scratch(lfp)
    lfp.add_electrical_series(ElectricalSeries(name="x", electrodes=rows, **raw))
    nwb.add_analysis(TimeSeries(name="analysed", data=[1.0, 2.0], unit="a", rate=1.0))
    nwb.add_stimulus_template(TimeSeries(name="template", data=[1.0, 2.0], unit="a", rate=1.0))
    with NWBHDF5IO(folder / "source.nwb", "w") as io:
        io.write(nwb)
    with damaged(folder / "source.nwb") as file:
        file["general/extracellular_ephys"].attrs["lab"] = "ours"
        file.create_group("general/our_own").attrs["n"] = 3
        file["general/our_own/x"] = [1, 2]
    return write(made_results(folder / "source.nwb"), folder / "linked.nwb", "link")


def test_scratch_is_there(linked):
    with NWBHDF5IO(linked, "r") as io:
        held = io.read().scratch
        assert sorted(held) == ["lfp", "notes", "series", "table", "word"]
        assert held["notes"].data[:].tolist() == [0, 1, 2, 3, 4]
        assert held["series"].timestamps[:].tolist() == [0.0, 1.5]
        assert held["table"].to_dataframe()["n"].tolist() == [1, 2]
        series = held["lfp"].electrical_series["x"]
        assert series.data.shape == (10, 2)
        assert series.electrodes.to_dataframe()["location"].tolist() == ["CA1", "CA1"]


def test_large_things_in_scratch_are_linked(linked):
    with h5py.File(linked, "r") as file:
        for place in ("series/data", "series/timestamps", "table/n", "lfp/x"):
            assert isinstance(file["scratch"].get(place, getlink=True), h5py.ExternalLink), place


def test_what_is_about_the_recording_is_there(linked):
    with NWBHDF5IO(linked, "r") as io:
        nwb = io.read()
        programs = [name for name, _ in nwb.was_generated_by[:].tolist()]
        assert programs == ["spyglass", "nwbsparse"]
        assert nwb.source_script_file_name == "x.py" and list(nwb.keywords) == ["a", "b"]
        assert {*nwb.analysis, *nwb.stimulus_template} == {"analysed", "template"}
    with h5py.File(linked, "r") as file:
        assert file["general/extracellular_ephys"].attrs["lab"] == "ours"
        assert file["general/our_own"].attrs["n"] == 3
        assert file["general/our_own/x"][:].tolist() == [1, 2]

"""Units are found by type wherever they lie, and chosen by name where there are several tables.

The kind of fault: one path is looked at. Sorting results lie in /processing; one series per unit is a
recording too, and the message says how it is read.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.misc import Units

import nwbsparse as ns
from make.cli_runs import run_cli
from make.recordings import START, poisson_spikes, reasons, time_series
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.options.config import Config

ECEPHYS = "/processing/ecephys"


def saved(path, *, sorters=(), at_units=None, empty=(), plain=()):
    nwbfile = NWBFile("sorted", "sorted", START)
    module = nwbfile.create_processing_module("ecephys", "sorting")
    for unit in at_units or ():
        nwbfile.add_unit(spike_times=unit)
    for at, name in enumerate((*sorters, *empty)):
        table = Units(name=name, description="a sorting")
        for unit in poisson_spikes(n_units=2 + at, seed=at) if name in sorters else ():
            table.add_unit(spike_times=unit, obs_intervals=[[0.0, 100.0]])
        module.add(table)
    for series in plain:
        module.add(series)
    with NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def test_the_only_table_with_spikes_is_read_wherever_it_lies(tmp_path):
    path = saved(tmp_path / "a.nwb", sorters=["units"], empty=["none"])
    session = read_nwb(path, strict=True)
    assert session.n_units == 2 and session.obs_intervals is not None
    assert session.source.units_path == f"{ECEPHYS}/units"
    assert "no spikes" in reasons(session, "other", f"{ECEPHYS}/none")
    with NWBHDF5IO(path, "r") as io:
        assert read_nwb(io.read()).source.units_path == f"{ECEPHYS}/units"


def test_of_several_tables_none_is_guessed_and_one_can_be_asked_for(tmp_path):
    path = saved(tmp_path / "a.nwb", sorters=["kilosort", "ironclust"])
    with pytest.raises(BadInput, match="--units-table") as refused:
        read_nwb(path)
    assert f"{ECEPHYS}/kilosort (2 units, " in str(refused.value)
    assert f"{ECEPHYS}/ironclust (3 units, " in str(refused.value)
    for asked in ("ironclust", "ecephys/ironclust", f"{ECEPHYS}/ironclust"):
        session = read_nwb(path, units_table=asked)
        assert session.n_units == 3
    other = reasons(session, "other", f"{ECEPHYS}/kilosort")
    assert f"units_table='{ECEPHYS}/kilosort'" in other
    with pytest.raises(BadInput, match=r"no Units table with spikes 'clust'.*ironclust"):
        read_nwb(path, units_table="clust")
    with pytest.raises(BadInput, match="give one"):
        read_nwb(path, units_table="kilosort", series="x")


def test_the_table_at_units_comes_first_and_another_can_be_asked_for(tmp_path):
    path = saved(tmp_path / "a.nwb", sorters=["kilosort"], at_units=poisson_spikes(n_units=4))
    assert read_nwb(path).n_units == 4
    assert "kilosort" in reasons(read_nwb(path), "other", f"{ECEPHYS}/kilosort")
    session = read_nwb(path, units_table="kilosort")
    assert session.n_units == 2 and "units_table='/units'" in reasons(session, "other", "/units")


def test_it_is_an_option_of_a_run(tmp_path, capsys):
    path = saved(tmp_path / "a.nwb", sorters=["kilosort", "ironclust"])
    assert run_cli("inspect", path, "--units-table", "ironclust", "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_units"] == 3
    assert Config(units_table="ironclust").for_reading(["units_table"]) == {
        "units_table": "ironclust"
    }


def test_one_series_per_unit_is_suggested_where_it_works(tmp_path):
    def series(*numbers, mean=False):
        clock = {"rate": 10.0, "starting_time": 0.0}
        each = [time_series(f"Activity_{i}", data=np.full(900, float(i)), **clock) for i in numbers]
        return [*each, *([time_series("Activity_mean", data=np.ones(50), **clock)] * mean)]

    path = saved(tmp_path / "a.nwb", plain=series(1, 2, 3))
    with pytest.raises(BadInput, match=r"--series 'Activity_\*'"):
        read_nwb(path)
    assert ns.read(path, series="Activity_*").n_units == 3
    path = saved(tmp_path / "b.nwb", plain=series(1, 2, mean=True))
    with pytest.raises(BadInput, match=r"series='Activity_\[0-9\]\*'"):
        read_nwb(path)
    assert ns.read(path, series="Activity_[0-9]*").n_units == 2
    path = saved(tmp_path / "c.nwb", plain=series(mean=True))
    with pytest.raises(BadInput, match="such as '/processing/ecephys/Activity_mean'"):
        read_nwb(path)

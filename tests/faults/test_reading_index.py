"""A damaged index of the spikes: no unit ever gets those of another, and none is lost in silence."""

import json
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest
from pynwb import NWBHDF5IO

from make.cli_runs import run_cli
from make.configs import plain_config
from make.recordings import (
    damaged,
    line_of,
    poisson_spikes,
    reasons,
    replace_dataset,
    write_recording,
)
from nwbsparse import read
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput
from nwbsparse.results.results import open_results
from nwbsparse.runs.run import run

SPIKES = poisson_spikes(n_units=6)
ENDS = np.cumsum([len(times) for times in SPIKES])
IDS = [6, 191, 206, 207, 300, 301]
BEYOND = int(ENDS[-1]) + 7


@pytest.fixture
def recording(tmp_path):
    return write_recording(
        tmp_path / "a.nwb", spike_times=SPIKES, unit_ids=IDS,
        unit_columns={"quality": list("abcdef")}, electrodes={"location": list("uvwxyz")},
        obs_intervals=[[(0, 90 + row)] for row in range(6)],
    )  # fmt: skip


def with_index(path, values, name="units/spike_times_index"):
    with damaged(path) as file:
        replace_dataset(file, name, np.asarray(values))
    return path


def swapped(ends, first=1, second=2):
    ends = ends.astype(np.int64)
    ends[[first, second]] = ends[[second, first]]
    return ends


def changed(**edges):
    ends = ENDS.astype(np.int64)
    for row, value in edges.items():
        ends[int(row[1:])] = value
    return ends


# what the index says → the rows that nobody can doubt
DAMAGED = {
    "two neighbours swapped": (swapped(ENDS), [0, 4, 5]),
    "two far ones swapped": (swapped(ENDS, 0, 5), []),
    "one past the data": (changed(r2=BEYOND), [0, 1, 4, 5]),
    "the last past the data": (changed(r5=BEYOND), [0, 1, 2, 3, 4]),
    "all past the data": (ENDS.astype(np.int64) + BEYOND, []),
    "one negative": (changed(r2=-5), [0, 1, 4, 5]),
    "one too small": (changed(r3=1), [5]),
    "one too large": (changed(r3=int(ENDS[-1])), [0, 1, 2]),
    "a flipped high bit": (changed(r1=2**62 + 5).astype(np.uint64), [0, 3, 4, 5]),
    "no number": (np.where(np.arange(6) == 1, np.nan, ENDS), [0, 3, 4, 5]),
    "zeros from the middle": (np.where(np.arange(6) > 2, 0, ENDS), []),
}


@pytest.mark.fault(24)
@pytest.mark.parametrize("name", DAMAGED)
def test_units_beside_a_damaged_index_are_read_and_the_others_named(recording, name):
    values, rows = DAMAGED[name]
    with_index(recording, values)
    with pytest.raises(BadInput, match="spike_times_index"):
        read(recording, strict=True)
    if not rows:
        with pytest.raises(BadInput, match="no spike is left of which it is certain whose it is"):
            read(recording)
        return
    session = read(recording)
    assert session.units["unit_id"].values.tolist() == [IDS[row] for row in rows]
    assert session.units["unit_row"].values.tolist() == rows
    for at, row in enumerate(rows):
        np.testing.assert_array_equal(session.spikes_of(at), SPIKES[row])
    # columns and observed stretches stay with their units
    assert session.units["quality"].values.tolist() == ["abcdef"[row] for row in rows]
    assert session.units["region"].values.tolist() == ["uvwxyz"[row] for row in rows]
    assert session.obs_intervals is not None
    assert [float(held[0, 1]) for held in session.obs_intervals] == [90.0 + row for row in rows]
    # every unit and every spike is accounted for
    units, spikes = line_of(session, "units", "units"), line_of(session, "spikes", "spike_times")
    assert (units.found, units.kept) == (6, len(rows))
    assert (spikes.found, spikes.kept) == (ENDS[-1], len(session.spike_times))
    said = " ".join(units.reasons)
    for row, unit_id in enumerate(IDS):
        assert (f"unit {unit_id} (row {row}: " in said) == (row not in rows)
    assert f"{spikes.dropped:,} spikes dropped: of units that are in doubt" in spikes.reasons
    binned = to_bins(session, 0.1)
    assert binned.sizes["unit"] == len(rows)
    assert int(binned["counts"].sum() + binned["dropped"].sum()) == len(session.spike_times)


@pytest.mark.fault(24)
def test_the_refusal_names_the_unit_its_row_and_both_values(recording):
    with_index(recording, swapped(ENDS))
    falls = (
        rf"spike_times_index is not increasing at unit 206 \(row 2\), from {ENDS[2]:,} to "
        rf"{ENDS[1]:,}; 3 units in doubt: unit 191 \(row 1: {ENDS[0]:,} to {ENDS[2]:,}\), "
        rf"unit 206 \(row 2: {ENDS[2]:,} to {ENDS[1]:,}\), unit 207 "
    )
    with pytest.raises(BadInput, match=falls):
        read(recording, strict=True)
    assert "is not increasing at unit 206 (row 2)" in reasons(read(recording), "units", "units")
    with_index(recording, changed(r3=BEYOND))
    past = rf"spike_times_index of unit 207 \(row 3\) points to spike {BEYOND:,} of {ENDS[-1]:,}"
    with pytest.raises(BadInput, match=past):
        read(recording, strict=True)


@pytest.mark.fault(24)
def test_inspect_shows_who_was_left_out_and_strict_refuses(recording, capsys):
    with_index(recording, changed(r5=BEYOND))
    assert run_cli("inspect", recording, "--json") == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["n_units"] == 5
    [line] = [line for line in seen["report"]["lines"] if line["kind"] == "units"]
    assert (line["found"], line["dropped"]) == (6, 1)
    assert "unit 301 (row 5" in line["reasons"][0]
    assert run_cli("inspect", recording, "--strict") == 2
    assert "unit 301 (row 5" in " ".join(capsys.readouterr().err.split())


@pytest.mark.fault(24)
def test_the_annotated_copy_refers_to_the_rows_that_the_units_have_in_the_file(recording, tmp_path):
    with_index(recording, changed(r1=BEYOND))
    config = plain_config(
        bin_width=0.1, n_latents=16, k=2, max_epochs=2, batch_size=100, n_shifts=50
    )
    done = run(recording, tmp_path / "out", replace(config, units="6,300,301"))
    rows = [0, 4, 5]
    assert done.binned["unit_row"].values.tolist() == rows
    assert done.results.attribution["unit_row"].values.tolist() == rows
    assert done.nwb is not None
    with NWBHDF5IO(done.nwb, "r") as io:
        nwbfile = io.read()
        population = nwbfile.processing["sparse_latents"]["latents"].input_population
        assert population.source_table is nwbfile.units
        assert population.source_table_path == "/units"
        assert population["source_row"][:].tolist() == rows
        ids = nwbfile.units.id[:][population["source_row"][:]]
        assert ids.tolist() == population["source_id"][:].tolist() == [6, 300, 301]
        assert nwbfile.units["quality"][rows].tolist() == ["a", "e", "f"]
    again = open_results(done.nwb)
    assert again.attribution["unit_row"].values.tolist() == rows
    assert again.session.units["unit_row"].values.tolist() == [0, 3, 4, 5]


@pytest.mark.fault(24)
def test_a_silent_unit_is_not_in_doubt(tmp_path):
    spikes = [SPIKES[0], np.empty(0), SPIKES[1], np.empty(0)]
    path = write_recording(tmp_path / "a.nwb", spike_times=spikes)
    ends = np.cumsum([len(times) for times in spikes])
    assert read(path, strict=True).n_units == 4
    with_index(path, [ends[0], ends[1], 10**6, ends[3]])
    session = read(path)
    assert session.units["unit_id"].values.tolist() == [0, 1]
    assert "1 unit without spikes kept: 1" in line_of(session, "units", "units").reasons


@pytest.mark.fault(24)
def test_where_only_silent_units_are_certain_the_file_is_refused(tmp_path):
    path = write_recording(tmp_path / "a.nwb", spike_times=[np.empty(0), SPIKES[0]])
    with_index(path, [0, 10**6])
    with pytest.raises(BadInput, match=r"unit 1 \(row 1\) points to spike .* no spike is left"):
        read(path)


@pytest.mark.fault(24)
def test_an_index_that_is_too_short_or_no_number_is_refused(recording):
    with_index(recording, ENDS[:3])
    with pytest.raises(
        BadInput, match=r"no spike_times(.|\n)*spike_times_index: .* with 3 rows in"
    ):
        read(recording)
    with_index(recording, np.array([f"{n}" for n in ENDS], dtype="S4"))
    with pytest.raises(BadInput, match="not the numbers of an index"):
        read(recording)


@pytest.mark.fault(24)
def test_spikes_past_the_last_index_are_counted(recording):
    with_index(recording, ENDS - np.array([0, 0, 0, 0, 0, 5]))
    session = read(recording)
    line = line_of(session, "spikes", "spike_times")
    assert (line.dropped, session.n_units) == (5, 6)
    assert "5 spikes belong to no unit" in line.reasons
    with pytest.raises(BadInput, match="5 spikes belong to no unit"):
        read(recording, strict=True)


@pytest.mark.fault(24)
def test_a_damaged_index_of_observed_intervals_leaves_them_out(recording):
    with_index(recording, [1, 3, 2, 4, 5, 6], "units/obs_intervals_index")
    session = read(recording)
    assert session.n_units == 6
    assert session.obs_intervals is None
    line = line_of(session, "column", "units/obs_intervals")
    assert (line.found, line.kept) == (6, 0)
    assert (
        "left out: its index is not increasing at unit 206 (row 2), from 3 to 2" in line.reasons[0]
    )
    with pytest.raises(BadInput, match=r"units/obs_intervals: left out: .*unit 206 \(row 2\)"):
        read(recording, strict=True)


@pytest.mark.fault(24)
def test_a_damaged_index_of_electrodes_gives_no_unit_the_region_of_another(recording):
    with_index(recording, [1, 3, 2, 4, 5, 6], "units/electrodes_index")
    session = read(recording)
    assert session.n_units == 6
    assert session.units["region"].values.tolist() == ["u", "", "", "", "y", "z"]
    line = line_of(session, "column", "units/electrodes")
    assert (line.found, line.kept) == (6, 3)
    assert "unit 191 (row 1: 1 to 3)" in line.reasons[0]
    with pytest.raises(
        BadInput, match=r"units/electrodes: its index is not increasing at unit 206"
    ):
        read(recording, strict=True)


@pytest.mark.fault(24)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:numcodecs")
@pytest.mark.filterwarnings("ignore:.*_destroy:DeprecationWarning")
def test_a_zarr_store_with_a_damaged_index_reads_like_the_file(recording, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hdmf_zarr = pytest.importorskip("hdmf_zarr", reason="hdmf-zarr is not installed")
        zarr = pytest.importorskip("zarr", reason="zarr is not installed")
        store = tmp_path / "a.nwb.zarr"
        with NWBHDF5IO(recording, "r") as source, hdmf_zarr.NWBZarrIO(str(store), "w") as target:
            target.export(src_io=source, write_args={"link_data": False})
        index = zarr.open(str(store / "units" / "spike_times_index"), mode="r+")
        index[:] = swapped(ENDS)
    with_index(recording, swapped(ENDS))
    from_store, from_file = read(store), read(recording)
    np.testing.assert_array_equal(from_store.spike_times, from_file.spike_times)
    assert from_store.units["unit_row"].values.tolist() == [0, 4, 5]
    assert from_store.report.of_kind("units") == from_file.report.of_kind("units")
    with pytest.raises(BadInput, match=r"not increasing at unit 206 \(row 2\)"):
        read(store, strict=True)
    shutil.rmtree(store)

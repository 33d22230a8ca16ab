"""Pools of units in an annotated file: which rows they are, opened as made, and edits noticed."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO

import nwbsparse as ns
from make.cli_runs import run_cli
from make.configs import plain_config
from make.recordings import circle, laps, poisson_spikes, write_recording
from nwbsparse.binning.account import POOLS
from nwbsparse.errors import BadInput
from nwbsparse.runs.revisit import revisit

QUICK = {
    "bin_width": 0.1,
    "n_latents": 8,
    "k": 2,
    "max_epochs": 2,
    "batch_size": 100,
    "n_shifts": 50,
}
REGIONS = ["CA3", "CA1", "CA3", "DG", "CA1", "", "CA1", "DG", "CA3", "DG"]
MEMBERS = {"CA3": [0, 2, 8], "CA1": [1, 4, 6], "DG": [3, 7, 9]}


def write_pooled(path, **given):
    """Ten units, ids 20, 21, …, of three regions and one of none."""
    spikes = [one[: 200 + 25 * at] for at, one in enumerate(poisson_spikes(n_units=10, rate=6.0))]
    return write_recording(
        path, spike_times=spikes, unit_ids=[20 + row for row in range(10)],
        unit_columns={"region": REGIONS}, position=circle(), trials=laps(), **given,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pools")
    source = write_pooled(folder / "rat.nwb")
    return ns.run(source, folder / "out", plain_config(**QUICK, pool="region"))


def population_of(nwbfile):
    return nwbfile.processing["sparse_latents"]["latents"].input_population


def test_the_population_says_which_rows_each_pool_is(made):
    with NWBHDF5IO(made.nwb, "r") as io:
        nwbfile = io.read()
        population = population_of(nwbfile)
        assert list(population["unit_name"][:]) == list(MEMBERS)
        n = [len(nwbfile.units["spike_times"][row]) for row in range(10)]
        most = [max(rows, key=lambda row: n[row]) for rows in MEMBERS.values()]
        assert population["source_row"][:].tolist() == most
        assert population["source_id"][:].tolist() == [20 + row for row in most]
        listed = [json.loads(one) for one in population["merged_units"][:]]
        assert [[one[0] for one in each] for each in listed] == list(MEMBERS.values())
        assert all(
            one[1] == str(20 + one[0]) and len(one[2]) == 64 for each in listed for one in each
        )
        assert "summed to this pool" in population["merged_units"].description
        assert len(nwbfile.units) == 10, "the recording itself is as it was"


def test_opened_it_makes_the_same_pools_again(made):
    results = ns.open_results(made.nwb)
    assert results.config.pool == "region"
    again = revisit(made.nwb).binned
    for name in ("counts", "unit_id", "unit_row", "n_spikes", "merged_units"):
        np.testing.assert_array_equal(again[name], made.binned[name])
    np.testing.assert_allclose(
        ns.encode(results.coder, again)["activation"], results.latents["activation"], atol=1e-5
    )
    for one in (results.attribution, results.metrics):
        assert one["unit_id"].values.tolist() == list(MEMBERS)
        assert one["merged_units"].values.tolist() == made.binned["merged_units"].values.tolist()


def test_what_was_summed_is_said_after_the_run_and_on_opening(made):
    for results in (made.results, ns.open_results(made.nwb)):
        [line] = [one for one in results.session.report.lines if one.name == POOLS]
        assert (line.found, line.kept) == (10, 9)
    page = made.report.read_text(encoding="utf-8")
    assert "summed to 3 pools by region: CA3 (3 units)" in page
    assert "3 pools that fire, 8 are needed" in page
    assert "The recording holds 9 units in 3 pools in CA3, CA1 and DG" in page
    assert "Where this page speaks of a unit it means a pool (by region)" in page
    log = (made.folder / "log.txt").read_text(encoding="utf-8")
    assert "9 units in 3 pools (by region)" in log


def test_the_file_is_valid_and_written_again_the_same(made, capsys):
    assert run_cli("validate", made.nwb) == 0
    before = made.nwb.read_bytes()
    ns.write(made.results, made.nwb)
    assert made.nwb.read_bytes() == before
    capsys.readouterr()


COMMANDS = (
    ("reproduce", "{nwb}", "--source", "{source}"),
    ("explain", "{nwb}", "--write"),
    ("label", "{nwb}", "--latent", "0", "--name", "a label"),
    ("info", "{nwb}"),
    ("doctor", "{nwb}"),
)
SLOW = (
    ("explain", "{nwb}", "--source", "{source}"),
    ("evaluate", "{nwb}", "--source", "{source}"),
    ("decode", "{nwb}"),
    ("report", "{nwb}", "--out", "{folder}/again.html"),
    ("bundle", "{nwb}", "--out", "{folder}/dandi", "--subject-id", "A1", "--species",
     "Rattus norvegicus", "--sex", "M", "--age", "P90D"),
)  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [*COMMANDS, *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW)],
    ids=lambda command: " ".join(command[:3]),
)
def test_every_command_works_on_it_and_finds_the_recording_untouched(
    made, command, tmp_path, capsys
):
    nwb = tmp_path / made.nwb.name
    nwb.write_bytes(made.nwb.read_bytes())
    places = {"nwb": nwb, "source": made.folder.parent / "rat.nwb", "folder": tmp_path}
    assert run_cli(*(word.format(**places) for word in command)) == 0, capsys.readouterr()
    ns.open_results(nwb)
    revisit(nwb)


def with_edit(path, to, row):
    """A copy of an annotated file in which one spike of a unit is 0.1 ms later."""
    to.write_bytes(path.read_bytes())
    with h5py.File(to, "r+") as file:
        first = int(file["units/spike_times_index"][row - 1]) if row else 0
        times = file["units/spike_times"]
        times[first] = times[first] + 1e-4
    return to


@pytest.mark.parametrize(("row", "noticed"), [(0, True), (6, True), (9, True), (5, False)])
def test_an_edit_of_any_unit_of_a_pool_is_noticed(made, tmp_path, row, noticed):
    path = with_edit(made.nwb, tmp_path / made.nwb.name, row)
    if not noticed:  # a unit without a region is in no pool
        revisit(path)
        return
    with pytest.raises(BadInput, match="1 differ"):
        revisit(path)


def test_an_edited_recording_is_not_taken_for_the_one_it_was_made_from(made, tmp_path):
    untouched = made.folder.parent / "rat.nwb"
    revisit(made.nwb, source=untouched)
    edited = with_edit(made.nwb, tmp_path / made.nwb.name, 1)
    with pytest.raises(BadInput, match="1 differ"):
        revisit(made.nwb, source=edited)
    assert run_cli("explain", made.folder, "--source", edited) == 2


def test_pools_that_are_read_and_those_reconstructed(tmp_path):
    source = write_pooled(tmp_path / "rat.nwb")
    config = plain_config(**QUICK, pool="region", target_units="DG,CA3")
    results = ns.open_results(ns.run(source, tmp_path / "out", config).nwb)
    of = results.attribution
    for ids, said, names in (
        ("input_unit_id", "input_merged_units", ["CA1"]),
        ("unit_id", "merged_units", ["CA3", "DG"]),
    ):
        assert of[ids].values.tolist() == names
        rows = [[row for row, _ in json.loads(one)] for one in of[said].values]
        assert rows == [MEMBERS[name] for name in names]


def test_pools_of_units_that_were_merged_list_all_of_them(tmp_path):
    source = write_pooled(tmp_path / "rat.nwb")
    config = plain_config(**QUICK, pool="region", duplicates="merge")
    results = ns.open_results(ns.run(source, tmp_path / "out", config).nwb)
    rows = {row for one in results.attribution["merged_units"].values for row, _ in json.loads(one)}
    assert rows == {row for some in MEMBERS.values() for row in some}, (
        "spikes of one train are shared"
    )


def sorted_elsewhere(**columns):
    """Nine units that come from no NWB file, with columns of their own."""
    read = ns.read(dict(enumerate(poisson_spikes(n_units=9, rate=6.0))))
    units = read.units.assign({name: ("unit", np.array(held)) for name, held in columns.items()})
    return replace(read, units=units)


def test_pools_of_a_sorting_stand_in_the_recording_that_is_written(tmp_path):
    session = sorted_elsewhere(depth=np.arange(9) * 40.0)
    done = ns.run(session, tmp_path / "out", plain_config(**QUICK, pool="depth:120"))
    results = ns.open_results(done.nwb)
    called = ["depth 0-120", "depth 120-240", "depth 240-360"]
    assert results.attribution["unit_id"].values.tolist() == called
    np.testing.assert_array_equal(revisit(done.nwb).binned["counts"], done.binned["counts"])
    assert run_cli("validate", done.nwb) == 0


def test_pools_of_a_sorting_go_into_the_labs_file_where_it_makes_the_same(tmp_path):
    session = sorted_elsewhere(shank=[0, 1, 2] * 3)
    results = ns.run(session, tmp_path / "out", plain_config(**QUICK, pool="shank")).results
    spikes = [session.spikes_of(row) for row in range(9)]
    # the lab has the units in another order: pools are the same, of other rows
    lab = write_recording(
        tmp_path / "lab.nwb", spike_times=spikes[::-1], unit_ids=list(range(9))[::-1],
        unit_columns={"shank": [2, 1, 0] * 3},
    )  # fmt: skip
    ns.write(results, lab, mode="in_place")
    again = ns.open_results(lab)
    for said, shank in zip(again.attribution["merged_units"].values, range(3), strict=True):
        held = [[8 - unit, str(unit)] for unit in (shank, shank + 3, shank + 6)]
        assert sorted(json.loads(said)) == sorted(held)
    np.testing.assert_array_equal(revisit(lab).binned["counts"], results_counts(session))
    other = write_recording(
        tmp_path / "other.nwb", spike_times=spikes, unit_ids=list(range(9)),
        unit_columns={"shank": [0, 0, 0, 1, 1, 1, 2, 2, 2]},
    )  # fmt: skip
    with pytest.raises(BadInput, match="make other pools by shank"):
        ns.write(results, other, mode="in_place")


def results_counts(session):
    return ns.to_bins(session, QUICK["bin_width"], pool="shank")["counts"].values


def test_a_dry_run_says_how_many_units_are_in_how_many_pools(tmp_path, capsys):
    source = write_pooled(tmp_path / "rat.nwb")
    flags = ("--preset=plain", "--bin-width=0.1", "--pool", "region", "--dry-run")
    assert run_cli("run", source, "--out", tmp_path / "out", *flags) == 0
    assert "9 units in 3 pools (by region)" in capsys.readouterr().out


@pytest.mark.slow
def test_a_model_of_several_sessions_pools_in_each(tmp_path):
    sources = {
        name: write_pooled(tmp_path / f"{name}.nwb", identifier=name) for name in ("mon", "tue")
    }
    ns.run_sessions(sources, tmp_path / "both", plain_config(**QUICK, pool="region"))
    for name in sources:
        nwb = next((tmp_path / "both" / name).glob("*_sparse.nwb"))
        results = ns.open_results(nwb)
        ids = [one.rpartition("/")[2] for one in results.attribution["unit_id"].values.tolist()]
        assert ids == list(MEMBERS)
        [line] = [one for one in results.session.report.lines if one.name == POOLS]
        assert (line.found, line.kept) == (10, 9)
        revisit(nwb)

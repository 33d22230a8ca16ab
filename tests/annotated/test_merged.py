"""Merged and dropped units in an annotated file: it refers to the right rows, and opens as it was made."""

import json

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO

import nwbsparse as ns
from make.cli_runs import run_cli
from make.configs import plain_config
from make.duplicated import write_duplicated
from nwbsparse.binning.account import ACCOUNT
from nwbsparse.errors import BadInput
from nwbsparse.runs.revisit import revisit

QUICK = {"bin_width": 0.1, "n_latents": 8, "k": 2, "max_epochs": 2, "batch_size": 100}
ROWS = [0, 2, 4, 5, 6, 7, 8, 9]


@pytest.fixture(scope="module", params=["merge", "drop"])
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    source = write_duplicated(folder / "rat.nwb")
    return ns.run(source, folder / "out", plain_config(**QUICK, duplicates=request.param))


def is_merged(made):
    return made.results.config.duplicates == "merge"


def test_populations_refer_to_the_rows_of_most_spikes(made):
    with NWBHDF5IO(made.nwb, "r") as io:
        nwbfile = io.read()
        population = nwbfile.processing["sparse_latents"]["latents"].input_population
        assert population["source_row"][:].tolist() == ROWS
        assert population["source_id"][:].tolist() == [10 + row for row in ROWS]
        assert len(nwbfile.units) == 10, "the recording itself is as it was"
        if not is_merged(made):
            assert "merged_units" not in population.colnames
            return
        listed = [json.loads(one) for one in population["merged_units"][:]]
        assert [[one[:2] for one in each] for each in listed][:3] == [[], [[1, "11"]], [[3, "13"]]]
        assert all(len(one[2]) == 64 for each in listed for one in each)


def test_opened_it_makes_the_same_units_again(made):
    results = ns.open_results(made.nwb)
    assert results.config.duplicates == made.results.config.duplicates
    again = revisit(made.nwb).binned
    for name in ("counts", "unit_id", "unit_row", "n_spikes"):
        np.testing.assert_array_equal(again[name], made.binned[name])
    np.testing.assert_allclose(
        ns.encode(results.coder, again)["activation"], results.latents["activation"], atol=1e-5
    )
    if is_merged(made):
        for one in (results.attribution, results.metrics, again):
            said = one["merged_units"].values.tolist()
            assert said == made.binned["merged_units"].values.tolist()


def test_what_was_done_is_said_after_the_run_and_on_opening(made):
    for results in (made.results, ns.open_results(made.nwb)):
        [line] = [one for one in results.session.report.lines if one.name == ACCOUNT]
        assert (line.found, line.kept) == (10, 8)
    page = made.report.read_text(encoding="utf-8")
    assert ("unit 11 merged into unit 12" if is_merged(made) else "unit 11 dropped") in page


def test_the_file_is_valid_and_written_again_the_same(made, capsys):
    assert run_cli("validate", made.nwb) == 0
    before = made.nwb.read_bytes()
    ns.write(made.results, made.nwb)
    assert made.nwb.read_bytes() == before
    capsys.readouterr()


def test_reproduce_makes_the_same(made, capsys):
    source = made.folder.parent / "rat.nwb"
    assert run_cli("reproduce", made.nwb, "--source", source, "--quiet") == 0
    assert "everything is the same" in capsys.readouterr().out


def test_an_edit_of_a_unit_that_was_merged_is_noticed(made, tmp_path):
    path = tmp_path / made.nwb.name
    path.write_bytes(made.nwb.read_bytes())
    with h5py.File(path, "r+") as file:
        first = int(file["units/spike_times_index"][0])
        times = file["units/spike_times"]
        times[first] = times[first] + 1e-4  # of the second row, which was merged or dropped
    if is_merged(made):
        with pytest.raises(BadInput, match="1 differ"):
            revisit(path)
    else:
        revisit(path)


def merged_of(dataset, name="merged_units"):
    ids = dataset["input_unit_id" if name.startswith("input") else "unit_id"].values.astype(str)
    said = zip(ids, dataset[name].values, strict=True)
    return {unit: json.loads(others) for unit, others in said if others}


def test_units_that_are_read_and_those_reconstructed_each_say_what_was_merged(tmp_path):
    source = write_duplicated(tmp_path / "rat.nwb")
    config = plain_config(**QUICK, duplicates="merge", target_units="14,15,16,17")
    results = ns.open_results(ns.run(source, tmp_path / "out", config).nwb)
    assert merged_of(results.attribution, "input_merged_units") == {"12": [[1, "11"]]}
    assert merged_of(results.attribution) == {"14": [[3, "13"]]}


@pytest.mark.slow
def test_a_model_of_several_sessions_merges_in_each(tmp_path):
    sources = {
        name: write_duplicated(tmp_path / f"{name}.nwb", identifier=name) for name in ("mon", "tue")
    }
    config = plain_config(**QUICK, duplicates="merge")
    done = ns.run_sessions(sources, tmp_path / "both", config)
    for name in sources:
        results = ns.open_results(next((tmp_path / "both" / name).glob("*_sparse.nwb")))
        said = merged_of(results.attribution)
        assert {unit.rpartition("/")[2]: others for unit, others in said.items()} == {
            "12": [[1, "11"]], "14": [[3, "13"]],
        }  # fmt: skip
        [line] = [one for one in results.session.report.lines if one.name == ACCOUNT]
        assert (line.found, line.kept) == (10, 8)
    assert done

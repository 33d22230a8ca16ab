"""What several seeds said about latents stays with the result, whatever is done to its file."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from pynwb import NWBHDF5IO

import nwbsparse as ns
from make.cli_runs import PLAIN, run_cli
from make.recordings import write_recording
from nwbsparse.errors import BadInput
from nwbsparse.results import label as curation

OPTIONS = (
    PLAIN,
    *("--bin-width=0.1", "--n-latents=12", "--k=1", "--max-epochs=40", "--n-shifts=100"),
    "--seeds=3",
)


def place_cells(path, *, n_units=24, seconds=1500.0):
    """Units that each fire at a place of a track, on which an animal runs as it pleases."""
    rng = np.random.default_rng(3)
    t = np.arange(0, seconds, 0.02)
    phase = 0.9 * t + 2.5 * np.sin(0.13 * t) + np.cumsum(rng.normal(0, 0.05, len(t)))
    trains = []
    for unit in range(n_units):
        rate = 25.0 * np.exp(6.0 * (np.cos(phase - 2 * np.pi * unit / n_units) - 1))
        trains.append(t[rng.uniform(size=len(t)) < rate * 0.02])
    data = np.column_stack([np.cos(phase), np.sin(phase)])
    position = {"data": data, "rate": 50.0, "starting_time": 0.0, "unit": "meters"}
    subject = {"subject_id": "A", "species": "Rattus norvegicus", "sex": "M", "age": "P90D"}
    return write_recording(path, spike_times=trains, position=position, subject=subject)


@pytest.fixture(scope="module")
def three_seeds(tmp_path_factory):
    out = tmp_path_factory.mktemp("seeds")
    recording = place_cells(out.parent / "track.nwb")
    assert run_cli("run", recording, "--out", out, *OPTIONS, "--quiet") == 0
    return out


@pytest.fixture
def run_folder(three_seeds, tmp_path):
    return shutil.copytree(three_seeds, tmp_path / "run")


def annotated(folder):
    return next(folder.glob("*_sparse.nwb"))


def said_of(path):
    attribution = ns.open_results(path).attribution
    return {key: attribution[key].values.tolist() for key in ("confirmed", "confirmed_status")}


def test_from_run_to_bundle_nothing_of_it_is_lost(run_folder, tmp_path):
    file = tmp_path / "alone.nwb"
    shutil.move(annotated(run_folder), file)
    before = ns.open_results(file)
    confirmed = said_of(file)
    assert any(confirmed["confirmed"])
    computed = sorted(set(before.attribution.variables) - {"label", "verdict"})
    assert run_cli("label", file, "--latent=3", "--name", "left turns", "--accept") == 0
    assert run_cli("explain", file, "--write", "--quiet") == 0
    after = ns.open_results(file)
    assert said_of(file) == confirmed
    assert after.stability.identical(before.stability)
    assert after.coder.id == before.coder.id and after.latents.equals(before.latents)
    assert after.metrics.equals(before.metrics)
    assert after.attribution[computed].equals(before.attribution[computed])
    assert after.attribution["label"].values[3] == "left turns"
    assert after.attribution["verdict"].values[3] == "accepted"
    assert run_cli("bundle", file, "--out", tmp_path / "dandiset") == 0
    [bundled] = (tmp_path / "dandiset").rglob("*.nwb")
    assert said_of(bundled) == confirmed
    there = ns.revisit(bundled)
    assert there.stability.identical(before.stability)
    assert there.coder.id == before.coder.id and there.results.latents.equals(before.latents)
    assert there.results.metrics.equals(before.metrics)
    assert there.results.attribution[computed].equals(before.attribution[computed])
    assert there.results.attribution["verdict"].values[3] == "accepted"
    assert there.results.attribution["label"].values[3] == "left turns"


def test_the_file_holds_what_the_folder_holds(run_folder):
    with xr.open_dataset(run_folder / "stability.nc", engine="h5netcdf") as stored:
        alone = stored.load()
    kept = ns.open_results(annotated(run_folder)).stability
    assert set(kept.variables) == set(alone.variables) and kept.attrs.keys() == alone.attrs.keys()
    for name in kept.variables:
        np.testing.assert_allclose(kept[name].values, alone[name].values, err_msg=str(name))
    numbers = json.loads((run_folder / "metrics.json").read_text())
    assert int(kept["stable"].sum()) == numbers["n_stable_latents"]


def test_anyone_reads_it_in_the_types_of_the_extension(run_folder):
    kept = ns.open_results(annotated(run_folder)).stability
    with NWBHDF5IO(annotated(run_folder), "r") as io:
        model = io.read().processing["sparse_latents"]["latents"]
        assert model.latents["recurrence"][:].tolist() == kept["recurrence"].values.tolist()
        assert model.seeds == 3
        assert model.chance_match == pytest.approx(kept.attrs["chance_match"])
        assert "matched one to one" in model.stability_method


def test_one_seed_says_nothing_about_it(finished):
    results = ns.open_results(annotated(finished))
    assert results.stability is None
    assert not results.attribution["confirmed"].values.any()
    with NWBHDF5IO(annotated(finished), "r") as io:
        model = io.read().processing["sparse_latents"]["latents"]
        assert "recurrence" not in model.latents.colnames and model.seeds is None


def test_stability_of_another_coder_is_not_written(three_seeds, tmp_path):
    results = ns.open_results(annotated(three_seeds))
    other = results.stability.assign_attrs(coder_id="another")
    with pytest.raises(BadInput, match="the stability are of the coder another"):
        ns.write(replace(results, stability=other), tmp_path / "a.nwb", replace=True)
    assert not (tmp_path / "a.nwb").exists()


@pytest.mark.slow
def test_a_label_given_while_explain_computes_is_kept(run_folder, monkeypatch):
    from nwbsparse.analysis import explain

    file, compute = annotated(run_folder), explain.explain

    def interrupted(*args, **options):
        found = compute(*args, **options)
        curation.label(file, 5, name="given meanwhile", verdict="rejected")
        return found

    monkeypatch.setattr(explain, "explain", interrupted)
    assert run_cli("explain", run_folder, "--write", "--quiet") == 0
    again = ns.open_results(file).attribution
    assert again["label"].values[5] == "given meanwhile"
    assert again["verdict"].values[5] == "rejected"
    with xr.open_dataset(run_folder / "attribution.nc", engine="h5netcdf") as stored:
        assert stored["label"].values[5] == "given meanwhile"

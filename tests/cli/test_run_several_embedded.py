"""``nwbsparse run A.nwb B.nwb --embed METHOD``: one space, one coder, results of each recording."""

import json

import numpy as np
import pytest
import xarray as xr

import nwbsparse as ns
from make.cli_runs import PLAIN, run_cli
from make.recordings import circle, laps, poisson_spikes, write_recording

FAST = (
    PLAIN, "--bin-width=0.1", "--n-latents=12", "--k=2", "--max-epochs=3", "--n-shifts=50", "--quiet",
)  # fmt: skip


def recording(folder, name, *, n_units=5, seed=0, subject="M1"):
    return write_recording(
        folder / f"{name}.nwb",
        spike_times=poisson_spikes(n_units=n_units, rate=6.0, seed=seed),
        position=circle(),
        trials=laps(),
        subject={"subject_id": subject, "species": "Mus musculus", "sex": "U", "age": "P90D"},
        identifier=name,
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    return [recording(folder, name, seed=at) for at, name in enumerate(("left", "right"))]


@pytest.fixture(scope="module")
def done(sources, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    assert run_cli("run", *sources, "--embed=fa", "--embed-dims=3", "--out", out, *FAST) == 0
    return out


def test_each_recording_has_its_embedding_and_the_latents_of_the_one_coder(done):
    model = json.loads((done / "model.json").read_text())["id"]
    for name in ("left", "right"):
        own = done / name
        results = ns.open_results(own / f"{name}_desc-latents_sparse.nwb")
        assert results.embedding is not None and results.embedding.shape[1] == 3
        assert results.coder.record.model_id == model and results.coder.record.session == name
        assert results.attribution.sizes["unit"] == 5  # explained with its own units
        with xr.open_dataset(own / "embedding.nc") as kept:
            np.testing.assert_array_equal(kept["embedding"], results.embedding)
        assert (own / "embedder.safetensors").is_file()
        assert "embedding_consistency" in results.metrics
        log = (own / "log.txt").read_text()
        assert "embedded in 3 dims by fa, in one space with 1 more; learned on training bins" in log
        there = ns.revisit(own)
        again = ns.encode(there.coder, there.binned)["activation"]
        np.testing.assert_array_equal(again, results.latents["activation"])


def test_a_fit_of_several_is_applied_to_one(sources, tmp_path):
    out = tmp_path / "fit"
    assert run_cli("fit", *sources, "--embed=pca", "--embed-dims=3", "--out", out, *FAST) == 0
    assert run_cli("encode", out, sources[1], "--out", tmp_path / "latents.nc") == 0
    with xr.open_dataset(tmp_path / "latents.nc") as latents:
        assert latents.sizes["latent"] == 12


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            {"n_units": 4, "seed": 1},
            "only where the units are the same: the first has 5, the second",
        ),
        ({"seed": 1, "subject": "M2"}, "units of two subjects are not"),
    ],
)
def test_units_that_are_not_the_same_are_refused_and_nothing_is_left(
    other, words, sources, tmp_path, capsys
):
    second = recording(tmp_path, "other", **other)
    code = run_cli("run", sources[0], second, "--embed=pca", "--out", tmp_path / "out", *FAST)
    assert code == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()

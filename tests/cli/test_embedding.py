"""``--embedding``: a run, fit and encode of a coder that reads an embedding."""

import json
import shutil

import numpy as np
import pytest

import nwbsparse as ns
from make.cli_runs import PLAIN, run_cli
from make.embedded_recordings import projected

QUICK = (PLAIN, "--bin-width=0.1", "--max-epochs=4", "--n-shifts=50")


@pytest.fixture(scope="module")
def embedding(recording, tmp_path_factory):
    path = tmp_path_factory.mktemp("embedding") / "emb.npy"
    np.save(path, projected(ns.to_bins(ns.read(recording), 0.1)))
    return path


@pytest.fixture(scope="module")
def finished_embedding(recording, embedding, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    given = ("--embedding", embedding, "--embedding-method=pca")
    assert run_cli("run", recording, "--out", out, *given, *QUICK, "--quiet") == 0
    return out


@pytest.fixture
def annotated(finished_embedding):
    return next(finished_embedding.glob("*_sparse.nwb"))


def test_a_run_keeps_the_embedding_and_says_what_was_read(finished_embedding, embedding, annotated):
    results = ns.open_results(annotated)
    np.testing.assert_array_equal(results.embedding, np.load(embedding))
    assert results.embedding.attrs["method"] == "pca"
    assert results.config.reads == "embedding" and results.config.n_latents == 40
    numbers = json.loads((finished_embedding / "metrics.json").read_text())
    assert numbers["n_units"] == 7 and numbers["n_dims"] == 5
    assert 'reads = "embedding"' in (finished_embedding / "run.toml").read_text()
    page = (finished_embedding / "report.html").read_text()
    assert "from an embedding of the population in 5 dims (pca)" in page
    assert "R² of the embedding" in page and "Held-out R² of each dim" in page
    assert "Correlation of each unit of latent" in page or "No latent" in page
    assert "decoder weights" not in page and "from the spikes alone" not in page
    assert "all bins are assessed" in page


@pytest.mark.slow
@pytest.mark.parametrize("what", ["file", "folder"])
def test_it_is_understood_from_what_the_run_left(
    finished_embedding, annotated, what, tmp_path, capsys
):
    alone = shutil.copyfile(annotated, tmp_path / "alone.nwb")
    run = alone if what == "file" else finished_embedding
    for command in ("explain", "evaluate", "decode"):
        assert run_cli(command, run) == 0
    said = capsys.readouterr().out
    assert "R² of a dim, median" in said and "embedding" in said
    assert run_cli("report", run, "--out", tmp_path / "report.html") == 0
    assert "in 5 dims (pca)" in (tmp_path / "report.html").read_text()
    assert run_cli("validate", run if what == "file" else annotated) == 0


def test_it_is_reproduced(recording, annotated, tmp_path, capsys):
    shutil.copyfile(annotated, tmp_path / "annotated.nwb")
    assert run_cli("reproduce", tmp_path / "annotated.nwb", "--source", recording) == 0
    assert "everything is the same" in capsys.readouterr().out


def test_fit_and_encode(recording, embedding, finished_embedding, tmp_path):
    import xarray as xr

    given = ("--embedding", embedding)
    assert run_cli("fit", recording, "--out", tmp_path / "fit", *given, *QUICK, "--quiet") == 0
    for number, more in enumerate(((), given)):
        out = tmp_path / f"{number}.nc"
        assert run_cli("encode", tmp_path / "fit", recording, "--out", out, *more) == 0
        with (
            xr.open_dataset(out) as found,
            xr.open_dataset(finished_embedding / "latents.nc") as known,
        ):
            np.testing.assert_array_equal(found["activation"], known["activation"])
    assert ns.revisit(tmp_path / "fit", source=recording).binned["embedding"].shape[1] == 5


def test_a_dry_run_counts_dims(recording, embedding, tmp_path, capsys):
    given = ("--embedding", embedding, "--dry-run")
    assert run_cli("run", recording, "--out", tmp_path, *given, *QUICK) == 0
    assert "5 dims" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (("--embedding", "EMB", "--bin-width=0.2"), "rows, the recording"),
        (("--embedding", "none.npy"), "none.npy is missing"),
        (("--reads=embedding", "--bin-width=0.1"), "no embedding is given"),
        (("--reads=spikes",), "reads"),
        (("--embedding", "EMB", "--bin-width=0.1", "--loss=poisson"), "use loss=mse"),
        (("--embedding", "EMB", "--target-units=1"), "reconstructs the embedding's dims"),
        (("MORE", "--embedding", "EMB"), "--embedding is for one recording"),
    ],
)
def test_what_cannot_work_is_said_and_leaves_nothing(
    recording, embedding, tmp_path, capsys, tokens, said
):
    words = {"EMB": embedding, "MORE": recording}
    tokens = [words.get(token, token) for token in tokens]
    assert run_cli("run", recording, *tokens, "--out", tmp_path / "out") == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list((tmp_path / "out").glob("*"))

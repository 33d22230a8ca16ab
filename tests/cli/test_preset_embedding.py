"""``--preset naik2025``: the embedding with its coder, unless what is read is said otherwise."""

import json

import pytest

from make.cli_runs import run_cli
from nwbsparse.cli.options import with_config_file
from nwbsparse.embedding.embedder import embedder_from
from nwbsparse.options.toml import read_toml
from nwbsparse.results.folder import embedder_in

NAIK = ("run", "a.nwb", "--preset", "naik2025")


def flags(*tokens):
    found = with_config_file(tokens)
    return dict(one[2:].split("=", 1) for one in found if "=" in one)


def test_the_preset_makes_its_embedding():
    found = flags(*NAIK)
    assert (found["embed"], found["embed-dims"], found["embed-covariates"]) == (
        "cebra",
        "8",
        "place",
    )
    assert found["sparsifier"] == "topk"
    assert "embed-covariates" not in flags("run", "a.nwb", "--preset=naik2025-code")


@pytest.mark.parametrize(
    "said", [["--embed=none"], ["--embed", "none"], ["--embedding=e.npy"], ["--reads=counts"]]
)
def test_its_coder_reads_what_is_said(said):
    found = flags(*NAIK, *said)
    assert not {"embed-dims", "embed-covariates", "embed-settings"} & found.keys()
    assert found.get("embed", "none") == "none" and found["sparsifier"] == "topk"


def test_one_of_its_options_can_be_another():
    found = flags(*NAIK, "--embed-dims=16")
    assert (found["embed"], found["embed-dims"], found["embed-covariates"]) == (
        "cebra",
        "16",
        "place",
    )


def test_a_file_says_it_too(tmp_path):
    (tmp_path / "mine.toml").write_text('embed = "pca"\n', encoding="utf-8")
    found = flags(*NAIK, "--config", str(tmp_path / "mine.toml"))
    assert found["embed"] == "pca" and "embed-covariates" not in found


@pytest.mark.slow
def test_the_paper_from_one_command(recording, tmp_path, capsys):
    pytest.importorskip("cebra")
    out = tmp_path / "out"
    quick = (
        "--bin-width=0.1", "--embed-settings=max_iterations=20,num_hidden_units=8,batch_size=64",
        "--max-epochs=2", "--n-shifts=50", "--batch-size=32",
    )  # fmt: skip
    assert run_cli("run", recording, "--preset", "naik2025", "--out", out, *quick) == 0
    assert "by position (continuous)" in " ".join(capsys.readouterr().out.split())
    used = read_toml(out / "run.toml")
    assert (used["embed"], used["n_latents"], used["k"]) == ("cebra", 64, 32)
    assert embedder_from(embedder_in(out)).settings["kinds"] == {"position": "continuous"}
    numbers = json.loads((out / "metrics.json").read_text())
    assert numbers["n_dims"] == 8

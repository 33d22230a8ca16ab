"""Names and verdicts of a person, kept in the annotated file."""

import shutil

import pytest

import nwbsparse as ns
from make.cli_runs import run_cli
from nwbsparse.errors import BadInput
from nwbsparse.schema import history


@pytest.fixture
def annotated(run_folder):
    return next(run_folder.glob("*_sparse.nwb"))


@pytest.mark.slow
def test_a_name_and_a_verdict_are_read_back_and_nothing_else_changes(annotated):
    before = ns.open_results(annotated)
    ns.label(annotated, 3, name="fast left turns", verdict="accepted")
    ns.label(annotated, 5, verdict="rejected")
    after = ns.open_results(annotated)
    assert after.attribution["label"].values[3] == "fast left turns"
    assert after.attribution["verdict"].values.tolist()[3:6] == ["accepted", "", "rejected"]
    automatic = before.attribution["label"].values.tolist()
    assert after.attribution["automatic_label"].values.tolist() == automatic
    named = {"label", "verdict", "automatic_label"}
    for name in set(before.attribution.variables) - named:
        assert after.attribution[name].equals(before.attribution[name]), name
    assert after.latents.equals(before.latents) and after.metrics.equals(before.metrics)
    assert after.coder.id == before.coder.id
    steps = [step["step"] for step in history(after.attribution)]
    assert steps.count("label") == 2 and "explain" in steps


def test_the_recording_behind_it_stays_the_one_it_was_made_from(annotated):
    from nwbsparse.annotated.read.opened import opened_model
    from nwbsparse.annotated.read.parse import parse_model

    def source():
        with opened_model(annotated, None) as model:
            return parse_model(model).source

    before = source()
    ns.label(annotated, 0, name="x")
    assert source() == before


@pytest.mark.slow
def test_an_empty_name_gives_the_automatic_words_back(annotated):
    words = ns.open_results(annotated).attribution["label"].values[1]
    ns.label(annotated, 1, name="mine", verdict="accepted")
    ns.label(annotated, 1, name="", verdict="open")
    again = ns.open_results(annotated).attribution
    assert again["label"].values[1] == words and again["verdict"].values[1] == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "nothing to do"),
        ({"name": "a\nb"}, "line breaks"),
        ({"name": "x" * 201}, "200 characters"),
        ({"verdict": "perhaps"}, "accepted, rejected, open"),
    ],
)
def test_what_cannot_be_kept_is_refused(given, words, annotated):
    before = annotated.read_bytes()
    with pytest.raises(BadInput, match=words):
        ns.label(annotated, 0, **given)
    assert annotated.read_bytes() == before


def test_a_latent_that_is_not_there_is_refused(annotated):
    with pytest.raises(BadInput, match=r"no latent 16; latents are numbered 0 to 15"):
        ns.label(annotated, 16, name="x")
    with pytest.raises(BadInput, match="no latent -1"):
        ns.label(annotated, -1, name="x")


@pytest.mark.slow
def test_the_command_keeps_both_places_and_a_backup(run_folder, annotated, capsys):
    before = annotated.read_bytes()
    flags = ("--latent", "2", "--name", "rest", "--reject", "--backup")
    assert run_cli("label", run_folder, *flags) == 0
    assert "latent 2: rest (rejected)" in capsys.readouterr().out
    assert annotated.with_name(annotated.name + ".bak").read_bytes() == before
    import xarray as xr

    with xr.open_dataset(run_folder / "attribution.nc", engine="h5netcdf") as stored:
        assert stored["verdict"].values[2] == "rejected"
    assert run_cli("label", run_folder, "--latent", "2", "--accept", "--reject") == 2
    assert "one of --accept" in capsys.readouterr().err


@pytest.mark.slow
def test_explaining_again_keeps_what_a_person_said(run_folder, annotated, capsys):
    ns.label(annotated, 3, name="fast left turns", verdict="accepted")
    assert run_cli("explain", run_folder, "--covariate", "position", "--write", "--quiet") == 0
    again = ns.open_results(annotated).attribution
    assert again["label"].values[3] == "fast left turns"
    assert again["verdict"].values[3] == "accepted"
    assert again["covariate"].values.tolist() == ["position"]
    ns.label(annotated, 3, name="")
    label = ns.open_results(annotated).attribution["label"].values[3]
    assert label == again["automatic_label"].values[3]


@pytest.mark.slow
def test_results_go_into_other_files_from_the_command_line(run_folder, annotated, tmp_path, capsys):
    source = run_folder.parent / "rat.nwb"
    shutil.copy(annotated, tmp_path / "elsewhere.nwb")
    zarr = tmp_path / "copy.nwb.zarr"
    assert run_cli("write", tmp_path / "elsewhere.nwb", "--to", zarr, "--mode", "zarr") == 2
    said = capsys.readouterr().err
    assert "--replace" in said
    flags = ("--mode", "zarr", "--replace")
    assert run_cli("write", tmp_path / "elsewhere.nwb", "--to", zarr, *flags) == 0
    assert ns.open_results(zarr).latents.equals(ns.open_results(annotated).latents)
    assert not source.exists()


@pytest.mark.slow
def test_a_labelled_file_is_reproduced(annotated, recording, capsys):
    """A name and a verdict are no difference between two runs."""
    assert run_cli("label", annotated, "--latent=3", "--name=left reaches", "--accept") == 0
    assert run_cli("reproduce", annotated, "--source", recording) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "1 latent was labelled by hand" in said
    assert "reproduced: everything is the same" in said

"""``--source`` is the recording of the result, or is refused; ``write`` finds it where it can."""

import shutil

import h5py
import pytest

import nwbsparse as ns
from make.cli_runs import PLAIN, run_cli
from make.recordings import circle, damaged, laps, poisson_spikes, write_recording
from nwbsparse.errors import BadInput


@pytest.fixture(scope="session")
def other(tmp_path_factory):
    """Another recording, whose units have the same ids."""
    return write_recording(
        tmp_path_factory.mktemp("other") / "other.nwb",
        spike_times=[*poisson_spikes(n_units=6, stop=300.0, seed=9), []],
        position=circle(n=15_000),
        trials=laps(n=30),
    )


@pytest.fixture
def annotated(run_folder):
    return next(run_folder.glob("*_sparse.nwb"))


def edited(path, *, unit=0, by=0.01):
    """Move the spikes of one unit by some time (s)."""
    with damaged(path) as file:
        ends = file["units/spike_times_index"][:]
        start = ends[unit - 1] if unit else 0
        file["units/spike_times"][start : ends[unit]] += by
    return path


@pytest.mark.parametrize("verb", ["evaluate", "explain", "explain --write", "decode"])
@pytest.mark.parametrize("of", ["folder", "file"])
def test_another_recording_is_refused(verb, of, run_folder, annotated, other, capsys):
    before = {one: one.read_bytes() for one in run_folder.iterdir()}
    run = run_folder if of == "folder" else annotated
    verb, *flags = verb.split()
    assert run_cli(verb, run, *flags, "--source", other) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "is not the recording that 'latents' was made from" in said
    assert "nwbsparse transfer" in said
    assert {one: one.read_bytes() for one in run_folder.iterdir()} == before


@pytest.mark.parametrize("mode", ["derived", "in_place"])
def test_write_refuses_it_too(mode, run_folder, other, tmp_path, capsys):
    target = shutil.copy(other, tmp_path / "copy.nwb") if mode == "in_place" else tmp_path / "a.nwb"
    assert run_cli("write", run_folder, "--to", target, "--mode", mode, "--source", other) == 2
    assert "is not the recording" in " ".join(capsys.readouterr().err.split())


def test_a_fit_is_held_to_its_recording(recording, other, tmp_path, capsys):
    flags = (
        PLAIN,
        "--bin-width=0.1",
        "--n-latents=8",
        "--k=2",
        "--max-epochs=2",
        "--n-shifts=50",
    )
    assert run_cli("fit", recording, "--out", tmp_path / "fit", *flags, "--quiet") == 0
    assert run_cli("evaluate", tmp_path / "fit", "--source", recording) == 0
    assert run_cli("evaluate", tmp_path / "fit", "--source", other) == 2
    assert "is not the recording" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_the_recording_itself_and_copies_of_it_are_taken(
    recording, run_folder, annotated, tmp_path
):
    noted = tmp_path / "noted.nwb"
    shutil.copy(recording, noted)
    with damaged(noted) as file:
        file["session_description"][()] = "edited elsewhere"
    for source in (recording, noted, shutil.copy(annotated, tmp_path / "copy.nwb")):
        assert run_cli("explain", run_folder, "--source", source, "--write", "--quiet") == 0
    assert run_cli("write", run_folder, "--to", tmp_path / "a.nwb", "--source", noted) == 0
    again = ns.open_results(tmp_path / "a.nwb")
    assert again.coder.id == ns.open_results(annotated).coder.id
    assert run_cli("explain", tmp_path / "a.nwb", "--write", "--quiet") == 0


def test_a_fit_takes_an_annotated_copy_until_its_spikes_are_edited(
    recording, annotated, tmp_path, capsys
):
    flags = (
        PLAIN,
        "--bin-width=0.1",
        "--n-latents=8",
        "--k=2",
        "--max-epochs=2",
        "--n-shifts=50",
    )
    assert run_cli("fit", recording, "--out", tmp_path / "fit", *flags, "--quiet") == 0
    assert run_cli("evaluate", tmp_path / "fit", "--source", annotated) == 0
    assert run_cli("evaluate", tmp_path / "fit", "--source", edited(annotated)) == 2
    assert "no copy of it" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("verb", ["evaluate", "explain", "decode", "reproduce"])
def test_spikes_edited_in_an_annotated_file_are_noticed(verb, annotated, tmp_path, capsys):
    edited(annotated, unit=2)
    edited(annotated, unit=4)
    quiet = () if verb in ("evaluate", "decode") else ("--quiet",)
    assert run_cli(verb, annotated, *quiet) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"{annotated.name} changed since 'latents' was made: 2 differ" in said


def test_results_on_edited_spikes_are_not_written_elsewhere(annotated, tmp_path):
    edited(annotated)
    with pytest.raises(BadInput, match="changed since 'latents' was made: 1 differ"):
        ns.write(ns.open_results(annotated), tmp_path / "a.nwb", replace=True)
    assert not (tmp_path / "a.nwb").exists()


def test_an_edited_copy_of_the_recording_is_refused_as_source(
    recording, run_folder, tmp_path, capsys
):
    copy = edited(shutil.copy(recording, tmp_path / "copy.nwb"))
    assert run_cli("explain", run_folder, "--source", copy, "--quiet") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "copy.nwb changed since 'latents' was made: 1 differ" in said


@pytest.mark.slow
def test_a_file_of_before_checksums_were_kept_is_read_as_it_was(annotated, tmp_path):
    """Older results have none; what is not known is not held against a recording."""
    from pathlib import Path

    golden = Path(__file__).parents[1] / "golden/annotated/0.1.0/hdf5.nwb"
    copy = shutil.copy(golden, tmp_path / "golden.nwb")
    assert ns.open_results(copy).digests == {}
    assert run_cli("explain", copy, "--write", "--quiet") == 0
    assert run_cli("label", copy, "--latent=1", "--name", "x") == 0
    assert ns.open_results(copy).attribution["label"].values[1] == "x"


@pytest.mark.slow
def test_in_place_right_after_a_run_takes_the_recording_it_was_made_from(
    recording, run_folder, tmp_path
):
    target = tmp_path / "rat.nwb"
    shutil.copy(recording, target)
    assert run_cli("write", run_folder, "--to", target, "--mode=in_place") == 0
    again = ns.open_results(target)
    assert again.latents.equals(ns.open_results(next(run_folder.glob("*_sparse.nwb"))).latents)
    with h5py.File(target) as file, h5py.File(recording) as before:
        model = file["processing/sparse_latents/latents"]
        assert model["sessions/sha256"].asstr()[0] == again.coder.record.source_sha256
        assert file["units/spike_times"][:].tolist() == before["units/spike_times"][:].tolist()
    assert run_cli("explain", target, "--write", "--quiet") == 0


def test_in_place_into_another_file_names_the_flag(run_folder, other, tmp_path, capsys):
    target = shutil.copy(other, tmp_path / "copy.nwb")
    assert run_cli("write", run_folder, "--to", target, "--mode=in_place") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "--source" in said and "neither the recording that 'latents' was made from" in said


def test_an_attribution_of_another_recording_does_not_get_into_a_file(annotated, other):
    from nwbsparse.annotated.write.amend import amend
    from nwbsparse.runs.prepare import prepare

    results = ns.open_results(annotated)
    found = ns.explain(results.coder, prepare(ns.read(other), results.config))
    before = annotated.read_bytes()
    with pytest.raises(BadInput, match="the attribution were made from another recording"):
        amend(annotated, lambda _: found, result=None, backup=False, notify=lambda _: None)
    assert annotated.read_bytes() == before

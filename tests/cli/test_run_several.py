"""``nwbsparse run A.nwb B.nwb``: one model, results of each session, nothing half-written."""

import json
import os
import shutil

import pytest

from make.cli_runs import PLAIN, QUICK, run_cli
from make.recordings import circle, laps, poisson_spikes, write_recording
from nwbsparse.errors import EnvironmentProblem
from nwbsparse.results.results import open_results

FAST = (PLAIN, "--n-latents=12", "--k=2", "--max-epochs=3", "--n-shifts=50", "--quiet")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    made = []
    for at, name in enumerate(("left", "right")):
        made.append(
            write_recording(
                folder / f"{name}.nwb",
                spike_times=poisson_spikes(n_units=4 + at, rate=6.0 + 6 * at, seed=at),
                position=circle(),
                trials=laps(),
                identifier=name,
            )
        )
    return made


@pytest.fixture(scope="module")
def done(sources, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    assert run_cli("run", *sources, "--out", out, *FAST) == 0
    return out


def annotated(out, name):
    return out / name / f"{name}_desc-latents_sparse.nwb"


def everything(folder):
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*"))


def test_each_session_has_what_a_run_of_one_leaves(done, sources, tmp_path):
    assert run_cli("run", sources[0], "--out", tmp_path / "one", *FAST) == 0
    alone = set(everything(tmp_path / "one"))
    assert set(everything(done / "left")) == alone
    assert {name.replace("right", "left") for name in everything(done / "right")} == alone
    top = {one.name for one in done.iterdir()}
    whole = {"log.txt", "model.json", "model.safetensors", "run.toml", "sessions.json"}
    assert top == whole | {"left", "right"}
    said = json.loads((done / "sessions.json").read_text())
    assert said["model_id"] == json.loads((done / "model.json").read_text())["id"]
    assert list(said["sessions"]) == ["left", "right"]
    own = json.loads((done / "right" / "metrics.json").read_text())
    assert said["sessions"]["right"] == own


def test_the_bin_width_is_chosen_for_all_and_said(done):
    log = (done / "log.txt").read_text()
    assert "bins of 200 ms for all (chosen: what 'left' needs" in log
    assert (
        "left: reconstruction: held-out R²" in log and "right: reconstruction: held-out R²" in log
    )
    own = (done / "left" / "log.txt").read_text()
    assert "held-out R²" in own and "right: reconstruction" not in own


def test_info_and_validate_show_that_two_files_hold_one_model(done, sources, capsys):
    files = [annotated(done, name) for name in ("left", "right")]
    assert run_cli("info", *files, "--json") == 0
    held = json.loads(capsys.readouterr().out)
    ids = {one["model_id"] for results in held.values() for one in results}
    assert ids == {json.loads((done / "model.json").read_text())["id"]}
    assert run_cli("info", *files, sources[0]) == 0
    printed = capsys.readouterr().out
    assert printed.count(f"model id {ids.pop()}") == 2
    assert "session left of left, right" in printed and "session right of left, right" in printed
    assert "left.nwb no sparse latents" in printed


def test_info_of_a_file_that_is_not_there_is_bad_input(tmp_path, capsys):
    assert run_cli("info", tmp_path / "none.nwb") == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.slow
def test_other_commands_take_the_folder_of_a_session(done, sources, tmp_path, capsys):
    folder = shutil.copytree(done / "left", tmp_path / "left")
    assert run_cli("evaluate", folder) == 0
    assert run_cli("explain", folder, "--write") == 0
    assert run_cli("label", folder, "--latent", 1, "--name", "a place") == 0
    assert run_cli("encode", folder, sources[0], "--out", tmp_path / "latents.nc") == 0
    results = open_results(annotated(tmp_path, "left"))
    assert str(results.attribution["label"].values[1]) == "a place"
    assert results.coder.record.session == "left"
    capsys.readouterr()
    for command in (("evaluate", done), ("encode", done, sources[0], "--out", tmp_path / "x.nc")):
        assert run_cli(*command) == 2
        assert f"give the folder of one of them: {done / 'left'}" in capsys.readouterr().err


def test_a_dry_run_says_how_large_it_would_be_and_writes_nothing(sources, tmp_path, capsys):
    out = tmp_path / "out"
    assert run_cli("run", *sources, "--out", out, *QUICK, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "left + right" in said and "9 units" in said
    assert not out.exists()


@pytest.mark.slow
def test_results_that_are_there_are_replaced_only_when_asked(done, sources, tmp_path, capsys):
    out = shutil.copytree(done, tmp_path / "out")
    before = {one: (out / one).read_bytes() for one in everything(out) if (out / one).is_file()}
    assert run_cli("run", *sources, "--out", out, *FAST) == 2
    assert (
        "already holds model.safetensors, sessions.json; use --overwrite" in capsys.readouterr().err
    )
    assert {one: (out / one).read_bytes() for one in before} == before
    assert run_cli("run", *sources, "--out", out, *FAST, "--seed=3", "--overwrite") == 0
    assert everything(out) == everything(done)
    new, old = (open_results(annotated(one, "left")).coder for one in (out, done))
    assert new.model_id != old.model_id


def test_what_a_run_of_one_left_there_is_not_replaced_either(sources, tmp_path, capsys):
    out = tmp_path / "out"
    assert run_cli("run", sources[0], "--out", out / "left", *FAST) == 0
    before = everything(out)
    assert run_cli("run", *sources, "--out", out, *FAST) == 2
    assert "left already holds left_desc-latents_sparse.nwb" in capsys.readouterr().err
    assert everything(out) == before


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["report", "checkpoint.save"])
def test_what_fails_at_the_last_session_leaves_nothing(sources, tmp_path, broken, monkeypatch):
    import nwbsparse.runs.outputs as module

    original = module.report if broken == "report" else module.checkpoint.save

    def fails(*given):
        if "right" in str(given[-1]):
            raise EnvironmentProblem("the disk is full")
        return original(*given)

    monkeypatch.setattr(f"nwbsparse.runs.outputs.{broken}", fails)
    out = tmp_path / "out"
    assert run_cli("run", *sources, "--out", out, *FAST) == 3
    assert everything(out) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said_before_the_work(sources, tmp_path, capsys):
    tmp_path.chmod(0o500)
    assert run_cli("run", *sources, "--out", tmp_path, *FAST) == 3
    assert "cannot be written to" in capsys.readouterr().err


def test_two_sessions_of_one_name_or_content_are_refused(sources, tmp_path, capsys):
    other = tmp_path / "LEFT.nwb"
    shutil.copy(sources[1], other)
    assert run_cli("run", sources[0], other, "--out", tmp_path / "out", *FAST) == 2
    assert "would both be the session 'LEFT'; rename one" in capsys.readouterr().err
    shutil.copy(sources[0], tmp_path / "again.nwb")
    assert run_cli("run", sources[0], tmp_path / "again.nwb", "--out", tmp_path / "out", *FAST) == 2
    assert "'left' and 'again' are the same recording" in capsys.readouterr().err
    assert everything(tmp_path / "out") == []


@pytest.mark.slow
def test_a_part_is_reproduced_by_training_on_all_again(done, sources, tmp_path, capsys):
    file = annotated(done, "right")
    given = [word for one in sources for word in ("--source", one)]
    assert run_cli("reproduce", file, *given, "--quiet") == 0
    printed = capsys.readouterr().out
    assert "model id" in printed and "everything is the same" in printed


@pytest.mark.slow
def test_sessions_are_found_near_the_file_or_named_as_missing(done, sources, tmp_path, capsys):
    shutil.copytree(done, tmp_path / "runs" / "both")
    file = annotated(tmp_path / "runs" / "both", "left")
    assert run_cli("reproduce", file, "--quiet") == 2
    said = capsys.readouterr().err
    assert "sessions left (sha256 " in said and "right (sha256 " in said
    shutil.copy(sources[0], tmp_path / "runs" / "under another name.nwb")
    assert run_cli("reproduce", file, "--quiet") == 2
    said = capsys.readouterr().err
    assert "in the session right (sha256" in said and "left (sha256" not in said
    assert run_cli("reproduce", file, "--source", done / "left" / file.name, "--quiet") == 2
    assert "is another recording" in capsys.readouterr().err
    shutil.copy(sources[1], tmp_path / "runs" / "both" / "right.nwb")
    assert run_cli("reproduce", file, "--quiet") == 0

"""Building a file with pynwb takes seconds: how often it is done has an upper limit."""

import shutil
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pynwb import NWBHDF5IO

from make.cli_runs import run_cli
from make.configs import plain_config
from make.recordings import laps, write_recording
from make.results import made_results
from nwbsparse.results.activations import open_activations
from nwbsparse.results.results import open_results, write
from nwbsparse.runs.run import run

MODES = ["derived", "link", "in_place", "zarr"]
QUICK = plain_config(bin_width=0.1, n_latents=8, k=2, max_epochs=2, batch_size=100, n_shifts=50)


@pytest.fixture
def reads(monkeypatch):
    """with reads() as done: len(done) is how often an HDF5 file was built meanwhile."""
    read = NWBHDF5IO.read

    @contextmanager
    def counted():
        done = []

        def once_more(self, *given, **more):
            done.append(self)
            return read(self, *given, **more)

        with monkeypatch.context() as patched:
            patched.setattr(NWBHDF5IO, "read", once_more)
            yield done

    return counted


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """source, results, annotated file."""
    folder = tmp_path_factory.mktemp("budgets")
    source = write_recording(folder / "source.nwb", trials=laps())
    results = made_results(source)
    return source, results, write(results, folder / "annotated.nwb")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The annotated file of a run."""
    folder = tmp_path_factory.mktemp("ran")
    source = write_recording(folder / "source.nwb", trials=laps())
    return run(source, folder / "out", QUICK).nwb


def arranged(folder, scene, mode):
    """A target for a mode, and results of a source that lies beside it."""
    source, results, _ = scene
    here = folder / "source.nwb"
    shutil.copyfile(source, here)
    session = replace(results.session, source=replace(results.session.source, path=here))
    target = folder / ("a.nwb.zarr" if mode == "zarr" else "a.nwb")
    return (here if mode == "in_place" else target), replace(results, session=session)


def test_opening_builds_a_file_once(scene, reads):
    with reads() as done:
        again = open_results(scene[2])
    assert len(done) == 1
    assert again.coder.id == scene[1].coder.id and again.session.n_units


def test_opening_without_the_recording_builds_a_file_once(scene, tmp_path, reads):
    target, results = arranged(tmp_path, scene, "link")
    write(results, target, "link")
    (tmp_path / "source.nwb").unlink()
    with reads() as done, pytest.warns(match="is not here"):
        open_results(target)
    assert len(done) == 1


def test_a_window_builds_a_file_once(scene, reads):
    with reads() as done, open_activations(scene[2]) as held:
        held.window(0, 1e9)
        held.window(0, 1)
    assert len(done) == 1


@pytest.mark.parametrize("mode", MODES)
def test_writing_builds_files_three_times_at_most(scene, tmp_path, reads, mode):
    target, results = arranged(tmp_path, scene, mode)
    with reads() as done:
        write(results, target, mode)
    assert 1 <= len(done) <= 3
    other = made_results(tmp_path / "source.nwb", seed=5)
    with reads() as done:
        write(other, target, mode, replace=True, overwrite=True)
    assert 1 <= len(done) <= 3
    assert open_results(target).coder.id == other.coder.id


@pytest.mark.parametrize("mode", MODES)
def test_writing_what_was_opened_from_a_copy_does_as_well(scene, tmp_path, reads, mode):
    """The source is looked at as well then: what was it made from?"""
    annotated = tmp_path / "annotated.nwb"
    shutil.copyfile(scene[2], annotated)
    target = tmp_path / ("a.nwb.zarr" if mode == "zarr" else "a.nwb")
    if mode == "in_place":
        target = annotated
    elif mode != "zarr":
        target.write_text("the previous one")
    with reads() as done:
        write(open_results(annotated), target, mode, replace=True, overwrite=True)
    assert len(done) <= 1 + 3
    assert open_results(target).coder.id == scene[1].coder.id


def test_the_same_result_is_known_from_one_look(scene, tmp_path, reads):
    target, results = arranged(tmp_path, scene, "derived")
    write(results, target)
    with reads() as done:
        write(results, target)
    assert len(done) == 1


def test_the_command_line_explains_with_four(ran, tmp_path, reads):
    path = tmp_path / ran.name
    shutil.copyfile(ran, path)
    with reads() as done:
        assert run_cli("explain", path, "--write", "--quiet") == 0
    assert len(done) <= 4


def test_the_command_line_labels_with_three(ran, tmp_path, reads):
    path = tmp_path / ran.name
    shutil.copyfile(ran, path)
    with reads() as done:
        assert run_cli("label", path, "--latent=1", "--name", "mine") == 0
    assert len(done) <= 3
    assert open_results(path).attribution["label"].values[1] == "mine"


def test_the_command_line_writes_with_four(ran, tmp_path, reads):
    path = tmp_path / ran.name
    shutil.copyfile(ran, path)
    with reads() as done:
        assert run_cli("write", path, "--to", tmp_path / "b.nwb", "--replace") == 0
    assert len(done) <= 4

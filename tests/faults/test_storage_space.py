"""Disks that are full, limited or read-only."""

import hashlib
import os
import resource
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import replace

import pytest

from nwbsparse.annotated.safe import publish as commit
from nwbsparse.errors import EnvironmentProblem
from nwbsparse.results.results import open_results, write
from recordings import write_recording
from results.made import made_results

MODES = ["derived", "link", "in_place", "zarr"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """source, results, the source's digest."""
    source = write_recording(tmp_path_factory.mktemp("space") / "source.nwb")
    return source, made_results(source, n_bins=2000), digest(source)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def copied(folder, source, results, mode):
    """A target for a mode in a folder, and results whose source lies there for links."""
    here = folder / "source.nwb"
    here.write_bytes(source.read_bytes())
    session = replace(results.session, source=replace(results.session.source, path=here))
    target = folder / ("a.nwb.zarr" if mode == "zarr" else "a.nwb")
    if mode == "in_place":
        target = here
    return target, replace(results, session=session)


def nothing_happened(folder, source, before):
    assert digest(source) == digest(folder / "source.nwb") == before
    assert sorted(one.name for one in folder.iterdir()) == ["source.nwb"]


@pytest.mark.fault(8)
@pytest.mark.parametrize("mode", MODES)
def test_a_limit_on_the_size_of_files(scene, tmp_path, mode):
    source, results, before = scene
    target, results = copied(tmp_path, source, results, mode)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = 2**12 if mode == "zarr" else 2**16
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(EnvironmentProblem, match=r"source\.nwb is unchanged") as caught:
            write(results, target, mode)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert "a limit on the size of files" in str(caught.value) and caught.value.exit_code == 3
    nothing_happened(tmp_path, source, before)
    assert open_results(write(results, target, mode)).coder.id == results.coder.id


@contextmanager
def mounted(folder, options):
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        done = False
    if not done:
        pytest.skip("a small disk cannot be mounted here: needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.fault(5)
@pytest.mark.fault(6)
@pytest.mark.fault(7)
@pytest.mark.parametrize("mode", MODES)
def test_a_disk_that_fills_up(scene, tmp_path, mode, monkeypatch):
    source, results, before = scene
    monkeypatch.setattr("nwbsparse.annotated.write.write.check_space", lambda folder, needed: None)
    size = source.stat().st_size // 1024 + 90
    with mounted(tmp_path / "disk", f"size={size}k") as disk:
        target, results = copied(disk, source, results, mode)
        with pytest.raises(EnvironmentProblem, match="the disk is full") as caught:
            write(results, target, mode)
        assert f"free on {disk}" in str(caught.value)
        nothing_happened(disk, source, before)


@pytest.mark.fault(5)
@pytest.mark.parametrize("mode", MODES)
def test_too_little_space_is_said_before_anything_is_written(scene, tmp_path, mode, monkeypatch):
    source, results, before = scene
    target, results = copied(tmp_path, source, results, mode)
    usage = commit.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(commit.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(EnvironmentProblem, match=r"Disk full: need .* GB, 0\.00 GB free on /"):
        write(results, target, mode)
    nothing_happened(tmp_path, source, before)


@pytest.mark.fault(10)
@pytest.mark.parametrize("mode", MODES)
def test_a_read_only_disk(scene, tmp_path, mode):
    source, results, before = scene
    with mounted(tmp_path / "disk", "size=4m") as disk:
        target, results = copied(disk, source, results, mode)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(EnvironmentProblem, match=r"[Rr]ead-only") as caught:
            write(results, target, mode)
        assert caught.value.exit_code == 3
        nothing_happened(disk, source, before)


@pytest.mark.fault(10)
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(scene, tmp_path):
    _, results, _ = scene
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(EnvironmentProblem, match="read-only"):
            write(results, tmp_path / "a.nwb")
    finally:
        tmp_path.chmod(0o700)
    assert not list(tmp_path.iterdir())

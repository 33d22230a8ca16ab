"""A small recording with position and trials, and one finished run on it."""

import os
import shutil
import subprocess

import pytest

from make.cli_runs import QUICK, run_cli
from make.recordings import circle, laps, poisson_spikes, write_recording


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    return write_recording(
        tmp_path_factory.mktemp("recording") / "rat.nwb",
        spike_times=[*poisson_spikes(n_units=6, stop=300.0), []],
        position=circle(n=15_000),
        trials=laps(n=30),
        subject={"subject_id": "A", "species": "Rattus norvegicus", "sex": "M", "age": "P90D"},
    )


@pytest.fixture(scope="session")
def finished(recording, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished")
    assert run_cli("run", recording, "--out", out, *QUICK, "--quiet") == 0
    return out


@pytest.fixture
def read_only_folder(tmp_path):
    """A folder nobody may write to: by permission, or as root by a read-only mount."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("root can write everywhere, and this machine allows no read-only mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)

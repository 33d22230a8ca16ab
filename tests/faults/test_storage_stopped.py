"""Stopped while it writes, by a signal or by an error: exit 4, nothing half written, once more works."""

import hashlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hdmf.backends.hdf5 import H5DataIO
from hdmf.data_utils import DataChunkIterator

from make.recordings import write_recording
from make.results import made_results
from nwbsparse.__main__ import main
from nwbsparse.annotated.write import modes as export
from nwbsparse.results.results import open_results, write

MODES = ["derived", "link", "in_place", "zarr"]
SIGNALS = [
    pytest.param(signal.SIGTERM, marks=pytest.mark.fault(2), id="SIGTERM"),
    pytest.param(signal.SIGINT, marks=pytest.mark.fault(3), id="Ctrl-C"),
]


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard():
    """A shell lets what it starts in the background ignore Ctrl-C, and so do all that this starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """source, annotated file: results that take about a second to write."""
    folder = tmp_path_factory.mktemp("stopped")
    source = write_recording(folder / "source.nwb")
    results = made_results(source, n_latents=400, k=8, n_bins=20_000)
    return source, write(results, folder / "annotated.nwb")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def arranged(folder, source, mode):
    """The command that writes in this mode, its target, and everything that is there before."""
    here = folder / "source.nwb"
    here.write_bytes(source.read_bytes())
    target = folder / ("a.nwb.zarr" if mode == "zarr" else "a.nwb")
    if mode == "in_place":
        target.write_bytes(source.read_bytes())
    return ["--to", str(target), "--mode", mode, "--source", str(here)], target


def content(folder):
    return {one.name: one.is_dir() or digest(one) for one in folder.iterdir()}


def wait_for_partial(folder, alive):
    """Until there is a hidden file that is being written."""
    until = time.monotonic() + 60
    while time.monotonic() < until and alive():
        if any(one.suffix != ".lock" for one in folder.glob(".nwbsparse-*")):
            return
        time.sleep(0.002)
    raise AssertionError("nothing was written")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    ("mode", "number"),
    [
        *(pytest.param(mode, signal.SIGTERM, marks=pytest.mark.fault(2)) for mode in MODES),
        pytest.param("in_place", signal.SIGINT, marks=pytest.mark.fault(3)),
    ],
)
def test_stopped_at_any_moment_of_writing(scene, tmp_path, mode, number):
    source, annotated = scene
    for n, delay in enumerate((0.0, 0.2)):
        folder = tmp_path / str(n)
        folder.mkdir()
        command, target = arranged(folder, source, mode)
        before = content(folder)
        child = os.fork()
        if child == 0:  # the command line itself, in a process that has its imports already
            try:
                main(["write", str(annotated), *command])
            except SystemExit as left:
                os._exit(left.code)
            finally:
                os._exit(99)
        wait_for_partial(folder, lambda child=child: not os.waitpid(child, os.WNOHANG)[0])
        time.sleep(delay)
        os.kill(child, number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code == 4, (delay, code)
        assert content(folder) == before, delay
        assert digest(source) == before["source.nwb"]
    with pytest.raises(SystemExit) as left:
        main(["write", str(annotated), *command])
    assert left.value.code == 0
    assert open_results(target).coder.id == open_results(annotated).coder.id


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_a_stopped_command_says_so_and_the_same_command_works(scene, tmp_path, number):
    source, annotated = scene
    options, target = arranged(tmp_path, source, "derived")
    command = [sys.executable, "-m", "nwbsparse", "write", str(annotated), *options]
    before = content(tmp_path)
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        wait_for_partial(tmp_path, lambda: process.poll() is None)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    words = b"stopped by SIGTERM" if number == signal.SIGTERM else b"stopped"
    assert process.returncode == 4 and words in said and b"nothing was half written" in said
    assert content(tmp_path) == before
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert open_results(target).coder.id == open_results(annotated).coder.id


STOPPED_OFTEN = """
import random, signal, sys
from pathlib import Path
import numpy as np
from nwbsparse.annotated.safe.hdf5 import steady_hdf5

class Stop(BaseException):
    pass

def stop(number, frame):
    came.append(number)
    raise Stop

signal.signal(signal.SIGALRM, stop)
data = np.random.default_rng(0).integers(0, 255, (4, 1024), dtype=np.uint8)
random.seed(0)
raised = 0
for _ in range(400):
    came = []
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(2e-4, 8e-3))
        with steady_hdf5(Path(sys.argv[1]), "w") as file:
            for name in range(20):
                file.create_dataset(str(name), data=data, compression="gzip")
        signal.setitimer(signal.ITIMER_REAL, 0)
    except Stop:
        raised += 1
        continue
    assert not came, "a stop was swallowed"
print(raised)
"""


@pytest.mark.fault(2)
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer")
def test_no_stop_is_swallowed_while_hdf5_writes(tmp_path):
    """In a process of its own: HDF5 used to end it with a segmentation fault now and then."""
    command = [sys.executable, "-c", STOPPED_OFTEN, str(tmp_path / "a.h5")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert not done.stderr and int(done.stdout) > 100


@pytest.mark.fault(4)
def test_values_that_fail_to_come_half_way(scene, tmp_path, monkeypatch):
    source, annotated = scene
    results = open_results(annotated)
    original = export.packed
    given = []

    def rows(array):
        for n, row in enumerate(array):
            if n == len(array) // 2:
                given.append(n)
                raise ValueError("the disk that the values come from is gone")
            yield row

    def failing(array):
        if array.shape != (results.latents.sizes["entry"],) or array.dtype != np.float32:
            return original(array)
        return H5DataIO(DataChunkIterator(rows(array), buffer_size=1000), chunks=True)

    with monkeypatch.context() as patched:
        patched.setattr(export, "packed", failing)
        with pytest.raises(ValueError, match="is gone"):
            write(results, tmp_path / "a.nwb", replace=True)
    assert given and not list(tmp_path.iterdir())
    assert digest(source) == results.coder.record.source_sha256
    written = write(results, tmp_path / "a.nwb", replace=True)
    assert open_results(written).coder.id == results.coder.id

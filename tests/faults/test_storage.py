"""Storage faults of annotated files: other programs, and damage."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from make.recordings import damaged, replace_dataset, write_recording
from make.results import copied, made_results
from nwbsparse.annotated.safe import lock
from nwbsparse.errors import BadInput, EnvironmentProblem, IntegrityError
from nwbsparse.results.activations import open_activations
from nwbsparse.results.results import open_results, write

MODEL = "/processing/sparse_latents/latents"


@pytest.fixture
def scene(made_once, tmp_path):
    """source, results; the source must not change."""
    source, results = copied(made_once, tmp_path)
    before = source.read_bytes(), source.stat().st_mtime_ns
    yield source, results
    if source.exists():
        assert (source.read_bytes(), source.stat().st_mtime_ns) == before


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """An annotated file and its results, to be copied and damaged."""
    folder = tmp_path_factory.mktemp("annotated")
    results = made_results(write_recording(folder / "source.nwb"), n_latents=300, k=3, n_bins=2000)
    return write(results, folder / "a.nwb"), results


def hidden(folder):
    return [one.name for one in folder.glob(".nwbsparse-*")]


# other programs


HOLD = """
import sys, time, h5py
with h5py.File(sys.argv[1], "r+"):
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.fault(11)
@pytest.mark.parametrize("mode", ["derived", "in_place"])
def test_a_source_that_another_program_writes(scene, tmp_path, mode, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE", 0.2)
    source, results = scene
    copy = shutil.copy(source, tmp_path / "copy.nwb")
    session = replace(results.session, source=replace(results.session.source, path=copy))
    target = copy if mode == "in_place" else tmp_path / "a.nwb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(copy)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(EnvironmentProblem) as caught:
            write(replace(results, session=session), target, mode)
        assert f"open in another program (process {other.pid})" in str(caught.value)
        other.communicate(b"\n")
    # h5py closes a file that it could have changed with another time, and the same bytes
    assert copy.read_bytes() == source.read_bytes()
    write(replace(results, session=session), target, mode)
    assert open_results(target).coder.id == results.coder.id


@pytest.mark.fault(11)
def test_a_lock_that_is_let_go_in_time_is_waited_for(tmp_path):
    target = tmp_path / "a.nwb"
    held, done = threading.Event(), []

    def other():
        with lock.locked(target):
            held.set()
            time.sleep(0.3)
            done.append("first")

    thread = threading.Thread(target=other)
    thread.start()
    held.wait()
    with lock.locked(target, patience=20.0):
        done.append("second")
    thread.join()
    assert done == ["first", "second"] and not hidden(tmp_path)


@pytest.mark.fault(12)
@pytest.mark.parametrize("mode", ["derived", "link", "in_place", "zarr"])
def test_two_writers_cannot_both_win(scene, tmp_path, mode, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE", 0.1)
    source, results = scene
    target = tmp_path / ("a.nwb.zarr" if mode == "zarr" else "a.nwb")
    if mode == "in_place":
        shutil.copy(source, target)
    with lock.locked(target), pytest.raises(EnvironmentProblem) as caught:
        write(results, target, mode)
    assert f"{target} is being written by nwbsparse on " in str(caught.value)
    assert f"(process {os.getpid()}) since 20" in str(caught.value)
    assert not hidden(tmp_path)
    assert open_results(write(results, target, mode)).coder.id == results.coder.id


BOTH = """
import os, sys
sys.path.insert(0, sys.argv[1])
os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
from pathlib import Path
from nwbsparse.results import write
from make.results import copied, made_results
source, target, name, seed = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])
results = made_results(source, name=name, seed=seed)
print("ready", flush=True)
sys.stdin.readline()
write(results, target, "in_place")
"""


@pytest.mark.slow
@pytest.mark.fault(12)
def test_no_result_is_lost_among_writers_without_hdf5_locks(scene, tmp_path):
    source, _ = scene
    target = shutil.copy(source, tmp_path / "both.nwb")
    tests = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
    both = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", BOTH, tests, source, target, name, str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for seed, name in enumerate(("one", "two"))
    ]
    for one in both:
        assert one.stdout.readline() == b"ready\n", one.stderr.read()
    for one in both:
        one.stdin.write(b"\n")
        one.stdin.flush()
    codes = [(one.communicate(), one.returncode)[1] for one in both]
    assert 0 in codes
    for name, code in zip(("one", "two"), codes, strict=True):
        if code == 0:  # who says that it wrote has written
            assert open_results(target, result=name).name == name


@pytest.mark.fault(12)
def test_the_lock_of_a_process_that_died_is_taken_over(scene, tmp_path):
    _, results = scene
    target = tmp_path / "a.nwb"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    held = {"host": socket.gethostname(), "pid": dead.pid, "since": "2020"}
    lock.hidden_name(target, ".lock").write_text(json.dumps(held))
    assert write(results, target) == target and not hidden(tmp_path)


@pytest.mark.fault(13)
def test_a_source_that_this_process_reads_can_be_annotated(scene, tmp_path):
    source, results = scene
    with h5py.File(source, "r"):
        assert open_results(write(results, tmp_path / "a.nwb")).coder.id == results.coder.id


# damage


@pytest.mark.fault(16)
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_truncated_annotated_file_says_how_much_is_missing(annotated, tmp_path, share):
    whole = annotated[0].read_bytes()
    cut = tmp_path / "cut.nwb"
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadInput, match=rf"is incomplete: \d+ of {len(whole)} bytes"):
        open_results(cut)


ARRAYS = [
    "activations/values", "activations/indices", "activations/indptr", "decoder_weights",
    "encoder_weights", "parameters", "latents/density", "latents/best_variable",
    "input_population/source_id", "splits/start_time", "metrics/value", "weight/scores",
]  # fmt: skip


@pytest.mark.fault(17)
@pytest.mark.parametrize("name", ARRAYS)
def test_a_bit_that_flips_in_an_array_is_found_and_named(annotated, tmp_path, name):
    path = shutil.copy(annotated[0], tmp_path / "a.nwb")
    with damaged(path) as file:
        values = file[f"{MODEL}/{name}"][:]
        if values.dtype.kind == "O":
            values[-1] = b"speeds"
        else:
            flat = values.reshape(-1).view(np.uint8)
            flat[len(flat) // 2] ^= 1
        attributes = dict(file[f"{MODEL}/{name}"].attrs)
        file[f"{MODEL}/{name}"][...] = values
        file[f"{MODEL}/{name}"].attrs.update(attributes)
    with pytest.raises(IntegrityError, match=name) as caught:
        open_results(path)
    assert caught.value.exit_code == 5 and "changed in its rows" in str(caught.value)


@pytest.mark.fault(17)
@pytest.mark.parametrize("attribute", ["num_bins", "starting_time", "rate", "bin_width"])
def test_a_number_that_changes_in_an_attribute_is_found(tmp_path, attribute):
    source = write_recording(tmp_path / "source.nwb")
    results = made_results(source, n_latents=300, k=3)
    times = results.latents["time"].values[0] + np.arange(300) * 0.02
    path = write(
        replace(results, latents=results.latents.assign_coords(time=times)), tmp_path / "a.nwb"
    )
    with damaged(path) as file:
        file[f"{MODEL}/activations"].attrs[attribute] += 1
    with pytest.raises(IntegrityError, match="activations/words changed"):
        open_results(path)


@pytest.mark.slow
@pytest.mark.fault(17)
def test_flips_in_stored_bytes_are_never_taken_for_data(annotated, tmp_path):
    """Wherever a bit of a compressed chunk flips: an error with words, never other numbers."""
    path, _ = annotated
    whole = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        dataset = file[f"{MODEL}/activations/values"]
        at = [dataset.id.get_chunk_info(i) for i in range(dataset.id.get_num_chunks())]
    rng = np.random.default_rng(0)
    for _ in range(12):
        chunk = at[rng.integers(len(at))]
        byte = int(chunk.byte_offset + rng.integers(chunk.size))
        wrong = bytearray(whole)
        wrong[byte] ^= 1 << int(rng.integers(8))
        (tmp_path / "a.nwb").write_bytes(wrong)
        with pytest.raises(IntegrityError, match="activations/values"):
            open_results(tmp_path / "a.nwb")
        with (
            open_activations(tmp_path / "a.nwb") as held,
            pytest.raises(IntegrityError, match="activations/values"),
        ):
            held.window(-1e9, 1e9)


@pytest.mark.fault(19)
def test_a_source_that_changes_while_it_is_written_is_noticed(tmp_path, monkeypatch):
    source = write_recording(tmp_path / "source.nwb")
    results = made_results(source)
    from nwbsparse.annotated.write import write as writing

    original = writing.export
    other = Path(shutil.copy(source, tmp_path / "other.nwb"))
    with damaged(other) as file:
        replace_dataset(file, "/units/spike_times", file["/units/spike_times"][:] + 1e-3)

    def meanwhile(*given, **more):
        done = original(*given, **more)
        shutil.copy(other, source)  # HDF5 itself would not open what this process still reads
        return done

    monkeypatch.setattr(writing, "export", meanwhile)
    with pytest.raises(BadInput, match="changed meanwhile"):
        write(results, tmp_path / "a.nwb")
    assert not (tmp_path / "a.nwb").exists() and not hidden(tmp_path)

"""Killed, or out of space, at any write: the target is what it was or complete, the source untouched."""

import errno
import hashlib
import os
import signal
import time
import traceback

import pytest

from make.recordings import write_recording
from make.results import made_results
from nwbsparse.annotated.safe import hdf5 as steady
from nwbsparse.errors import EnvironmentProblem
from nwbsparse.results.results import open_results, write

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
MODES = ["derived", "link", "in_place"]


class Dying(steady.Steady):
    """A file that ends the process, or finds the disk full, at the n-th write of a process."""

    written, last, full = 0, None, False

    def write(self, data):
        Dying.written += 1
        if Dying.last is not None and Dying.written >= Dying.last:
            if not Dying.full:
                os._exit(9)
            self.error = self.error or OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def in_child(task):
    """What a task returns in a process of its own (a number below 256)."""
    child = os.fork()
    if child == 0:
        code = 77
        try:
            steady.Steady = Dying
            code = task() or 0
        except EnvironmentProblem as error:
            code = 3 if "is unchanged" in str(error) else 78
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """folder, source, results, the bytes of the source, writes that each mode needs."""
    folder = tmp_path_factory.mktemp("killed")
    source = write_recording(folder / "source.nwb")
    results = made_results(source)
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    needed = {}
    for mode in MODES:
        target = target_of(folder, source, mode)

        def count(target=target, mode=mode):
            write(results, target, mode, overwrite=True)
            (folder / "count").write_text(str(Dying.written))

        assert in_child(count) == 0
        needed[mode] = int((folder / "count").read_text())
        assert needed[mode] > 50
    return folder, source, results, before, needed


def target_of(folder, source, mode):
    target = folder / f"{mode}.nwb"
    if mode == "in_place":
        target.write_bytes(source.read_bytes())
    else:
        target.unlink(missing_ok=True)
    return target


def points(needed, *, all_of_them):
    last = range(needed - 39, needed + 1)
    return sorted({*range(1, needed, 10), *last}) if all_of_them else [1, needed // 2, *last[::13]]


def die_everywhere(scene, mode, full, *, all_of_them):
    folder, source, results, before, needed = scene
    for point in points(needed[mode], all_of_them=all_of_them):
        target = target_of(folder, source, mode)

        def attempt(point=point, target=target):
            Dying.last, Dying.full = point, full
            write(results, target, mode)

        code = in_child(attempt)
        assert code == (3 if full else 9), f"write {point} of {needed[mode]}: exit {code}"
        assert hashlib.sha256(source.read_bytes()).hexdigest() == before, point
        if mode == "in_place":
            assert target.read_bytes() == source.read_bytes(), point
        else:
            assert not target.exists(), point
        left = [one.name for one in folder.glob(".nwbsparse-*")]
        assert not (full and left), (point, left)
    said = []
    target = target_of(folder, source, mode)
    write(results, target, mode, notify=said.append)
    assert open_results(target).coder.id == results.coder.id
    found = [line for line in said if "unfinished temporary file" in line]
    assert len(found) == (0 if full else 1)
    assert full or found[0].endswith("is unchanged.")
    assert not list(folder.glob(".nwbsparse-*"))


@pytest.mark.fault(1)
@pytest.mark.fault(14)
@pytest.mark.parametrize("mode", MODES)
def test_killed_at_some_writes(scene, mode):
    die_everywhere(scene, mode, False, all_of_them=False)


@pytest.mark.fault(5)
@pytest.mark.fault(6)
@pytest.mark.parametrize("mode", MODES)
def test_the_disk_is_full_at_some_writes(scene, mode):
    die_everywhere(scene, mode, True, all_of_them=False)


@pytest.mark.slow
@pytest.mark.fault(1)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("full", [False, True], ids=["killed", "full"])
def test_every_tenth_write_and_each_of_the_last_forty(scene, mode, full):
    die_everywhere(scene, mode, full, all_of_them=True)


@pytest.mark.fault(1)
@pytest.mark.parametrize("mode", ["derived", "in_place", "zarr"])
def test_sigkill_at_any_moment(scene, tmp_path, mode):
    _, source, results, before, _ = scene
    here = tmp_path / "source.nwb"
    here.write_bytes(source.read_bytes())
    for delay in (0.05, 0.2, 0.5, 1.0):
        target = target_of(tmp_path, here, mode)
        child = os.fork()
        if child == 0:
            write(results, target, mode)
            os._exit(0)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert hashlib.sha256(source.read_bytes()).hexdigest() == before
        assert hashlib.sha256(here.read_bytes()).hexdigest() == before
        if mode == "in_place":
            whole = target.read_bytes() == source.read_bytes()
            assert whole or open_results(target).coder.id == results.coder.id
        elif target.exists():
            assert open_results(target).coder.id == results.coder.id
            break

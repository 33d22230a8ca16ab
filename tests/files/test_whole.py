"""A file is complete or what it was: whatever fails, or is killed, while it is written."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.files.whole import whole_file, write_whole


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "numbers.json"
    path.write_text("old")
    return path


def names_in(folder):
    return [one.name for one in folder.iterdir()]


def test_it_gets_its_name_in_the_end(target):
    with whole_file(target) as fresh:
        assert fresh.parent == target.parent and fresh.suffix == ".json"
        assert fresh.name.startswith(".nwbsparse-")
        fresh.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new" and names_in(target.parent) == [target.name]


def test_text_and_bytes_and_folders_that_are_made(tmp_path):
    write_whole(tmp_path / "a" / "b" / "c.txt", "µ")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "µ".encode()
    write_whole(tmp_path / "a" / "b" / "c.txt", b"\0")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"\0"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), EnvironmentProblem),
        (BadInput("it holds nothing"), BadInput),
        (EnvironmentProblem("said already"), EnvironmentProblem),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["disk full", "bad input", "in words", "interrupted"],
)
def test_a_failure_half_way_leaves_the_old_file(target, error, raised):
    def fail_half_way():
        with whole_file(target) as fresh:
            fresh.write_text("ha")
            raise error

    with pytest.raises(raised) as caught:
        fail_half_way()
    assert target.read_text() == "old" and names_in(target.parent) == [target.name]
    if isinstance(error, OSError) and raised is EnvironmentProblem and error.errno:
        assert str(caught.value) == f"{target} cannot be written: No space left on device"
    else:
        assert caught.value is error


def test_a_folder_in_the_way_is_said(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(EnvironmentProblem, match=r"taken cannot be written"):
        write_whole(tmp_path / "taken", "x")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match=r"b\.txt cannot be written"):
        write_whole(tmp_path / "file" / "b.txt", "x")
    assert sorted(names_in(tmp_path)) == ["file", "taken"]


def test_two_that_write_one_file_do_not_meet(target):
    with whole_file(target) as one, whole_file(target) as other:
        one.write_text("one")
        other.write_text("other")
    assert target.read_text() == "one" and names_in(target.parent) == [target.name]


KILLED = """
import sys, time
from pathlib import Path
from nwbsparse.files.whole import whole_file
with whole_file(Path(sys.argv[1])) as fresh:
    with fresh.open("w") as stream:
        stream.write("half")
        stream.flush()
        print("now", flush=True)
        time.sleep(60)
"""


@pytest.mark.fault(1)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs signals")
def test_killed_half_way_leaves_the_old_file(target):
    command = [sys.executable, "-c", KILLED, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
    assert target.read_text() == "old"
    assert len(list(target.parent.glob(".nwbsparse-*"))) == 1
    write_whole(target, "new")
    assert target.read_text() == "new"

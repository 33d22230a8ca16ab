"""A reproduction that is killed, at whatever point, goes on and ends with the same bytes, whoever works."""

import os
import subprocess
import sys
import time

import pytest

from make.naik_animals import write_animals

pytestmark = [pytest.mark.fits, pytest.mark.files, pytest.mark.slow]


def command(source, out, *more):
    return [
        sys.executable, "-m", "nwbsparse", "reproduce-paper", "naik2025", str(source), "--out", str(out),
        "--dims", "4", "--seeds", "1", "--max-epochs", "1", "--quiet", *more,
    ]  # fmt: skip


def pieces(out):
    return len(list((out / "ledger/results").glob("*.json")))


def killed_after(n, source, out, *more):
    """Killed without warning when so many pieces are done: in the middle of the next."""
    process = subprocess.Popen(command(source, out, *more))
    for _ in range(3000):
        if pieces(out) >= n or process.poll() is not None:
            break
        time.sleep(0.1)
    assert process.poll() is None, "it was done before it could be killed"
    process.kill()
    process.wait()


@pytest.mark.parametrize("more", [(), ("--cluster", "local")], ids=["alone", "with workers"])
def test_killed_three_times_and_resumed_it_gives_the_same_bytes(more, tmp_path):
    if more:
        pytest.importorskip("distributed")
    source = write_animals(tmp_path / "animals") / "sim"
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    subprocess.run(command(source, whole), check=True, env=os.environ)
    for n in (1, 5, 11):
        killed_after(n, source, parts, *more)
        assert not (parts / "naik2025.nc").exists()
    subprocess.run(command(source, parts, *more), check=True, env=os.environ)
    files = sorted(one.name for one in whole.iterdir() if one.is_file())
    assert files == sorted(one.name for one in parts.iterdir() if one.is_file())
    for name in files:
        assert (parts / name).read_bytes() == (whole / name).read_bytes(), name

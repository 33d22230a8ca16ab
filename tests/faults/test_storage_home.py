"""A home folder that is full or cannot be written to: commands work, and nothing broken is left there."""

import importlib.metadata
import os
import subprocess
import sys

import pytest

from faults.test_storage_space import mounted
from nwbsparse.io.pynwb_cache import broken_caches

pytestmark = [
    pytest.mark.fault(9),
    pytest.mark.skipif(sys.platform != "linux", reason="the cache lies elsewhere"),
]
IMPORT = "import pynwb"


def environment(home):
    left_out = ("XDG_CACHE_HOME", "PYNWB_NO_CACHE_DIR")
    return {key: one for key, one in os.environ.items() if key not in left_out} | {
        "HOME": str(home)
    }


def done(home, *words):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        env=environment(home), capture_output=True, text=True, check=False,
    )  # fmt: skip


def cache_in(home):
    version = "-".join(importlib.metadata.version(name) for name in ("pynwb", "hdmf"))
    return home / ".cache" / "pynwb-hdmf" / version / "pynwb_core_typemap.pkl"


@pytest.mark.slow
def test_a_home_in_which_nothing_can_be_made(recording, tmp_path):
    home = tmp_path / "file"
    home.write_text("in the way")
    assert done(home, "-c", IMPORT).returncode != 0  # what other programs make of it
    for command in ("inspect", "doctor"):
        said = done(home, "-m", "nwbsparse", command, recording)
        assert said.returncode == 0, said.stderr
        assert "Traceback" not in said.stderr
    assert home.read_text() == "in the way"


@pytest.mark.slow
def test_a_half_written_cache_stops_no_command_and_doctor_removes_it(recording, tmp_path):
    cache = cache_in(tmp_path)
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"\x80\x05half of it")
    assert done(tmp_path, "-c", IMPORT).returncode != 0
    said = done(tmp_path, "-m", "nwbsparse", "inspect", recording)
    assert said.returncode == 0, said.stderr
    assert cache.exists()  # only who is asked to removes it
    said = done(tmp_path, "-m", "nwbsparse", "doctor", recording)
    assert said.returncode == 0, said.stderr
    assert f"removed {cache}" in said.stdout.replace("\n", "")
    assert not cache.exists()
    assert done(tmp_path, "-c", IMPORT).returncode == 0


@pytest.mark.slow
def test_a_full_home_gets_no_half_written_cache(recording, tmp_path, monkeypatch):
    with mounted(tmp_path / "home", "size=200k") as home:
        assert done(home, "-m", "nwbsparse", "inspect", recording).returncode == 0
        assert not cache_in(home).exists()
        monkeypatch.setattr("platformdirs.user_cache_path", lambda _: home / ".cache/pynwb-hdmf")
        assert not broken_caches()
        assert done(home, "-c", IMPORT).returncode == 0
        assert broken_caches() == (cache_in(home),)  # what pynwb alone leaves behind
        assert done(home, "-c", IMPORT).returncode != 0
        assert done(home, "-m", "nwbsparse", "inspect", recording).returncode == 0


def test_a_home_with_room_keeps_the_cache(recording, tmp_path):
    assert done(tmp_path, "-m", "nwbsparse", "inspect", recording).returncode == 0
    assert cache_in(tmp_path).stat().st_size > 100_000

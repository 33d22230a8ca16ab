"""A folder nobody may write to."""

import os
import shutil
import subprocess

import pytest


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

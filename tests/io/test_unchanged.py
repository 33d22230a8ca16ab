"""A checksum is believed only where nothing can have changed."""

import os
import time

import pytest

from nwbsparse.io import digest as unchanged
from nwbsparse.io.check import sha256_of
from nwbsparse.io.digest import digest_of


@pytest.fixture
def old_file(tmp_path, monkeypatch):
    """A file that was written long ago, and how often files were read to be hashed."""
    path = tmp_path / "a.nwb"
    path.write_bytes(b"recording" * 1000)
    monkeypatch.setattr(unchanged, "SETTLED", 0.05)
    time.sleep(0.1)
    reads = []

    def counted(one):
        reads.append(one)
        return sha256_of(one)

    monkeypatch.setattr(unchanged, "sha256_of", counted)
    return path, reads


def test_a_file_that_nobody_wrote_to_is_hashed_once(old_file):
    path, reads = old_file
    assert digest_of(path) == digest_of(str(path)) == sha256_of(path)
    assert len(reads) == 1


def test_every_way_of_changing_a_file_shows(old_file):
    path, reads = old_file
    first = digest_of(path)
    seen = path.stat()
    with path.open("r+b") as file:  # as many bytes, and its old time put back
        file.write(b"R")
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert path.stat().st_mtime_ns == seen.st_mtime_ns
    second = digest_of(path)
    assert second == sha256_of(path) != first
    other = path.with_name("other.nwb")  # another file under the name, of the same size and time
    other.write_bytes(b"Recordinh" * 1000)
    os.utime(other, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    other.replace(path)
    assert digest_of(path) == sha256_of(path) not in (first, second)
    assert len(reads) == 3


def test_a_file_that_was_written_a_moment_ago_is_read_again(old_file, monkeypatch):
    path, reads = old_file
    monkeypatch.setattr(unchanged, "SETTLED", 60.0)
    assert digest_of(path) == digest_of(path)
    assert len(reads) == 2


def test_a_checksum_is_believed_for_some_minutes(old_file, monkeypatch):
    path, reads = old_file
    digest_of(path)
    monkeypatch.setattr(unchanged, "BELIEVED_FOR", 0.0)
    digest_of(path)
    assert len(reads) == 2


def test_a_file_that_changes_while_it_is_hashed_is_not_believed(old_file, monkeypatch):
    path, reads = old_file

    def slowly(one):
        reads.append(one)
        digest = sha256_of(one)
        if len(reads) == 1:
            path.write_bytes(b"changed")
        return digest

    monkeypatch.setattr(unchanged, "sha256_of", slowly)
    digest_of(path)
    assert digest_of(path) == sha256_of(path)
    assert len(reads) == 2

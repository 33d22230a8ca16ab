"""numpy's own files, untrusted: arrays of numbers and text; nothing in them is ever executed."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.datasets import BOMB_BYTES, BOMB_RATIO

_BROKEN = (ValueError, OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, zlib.error)
PICKLE = "left out: it holds Python objects (a pickle), which can run code"


@contextmanager
def blamed_on(path: Path) -> Iterator[None]:
    """Whatever is found wrong within names the file that it came from."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def load_npy(path: Path) -> np.ndarray:
    """The array in a ``.npy`` file, mapped read-only: nothing is loaded until it is used.

    Raises:
        BadInput: it is no ``.npy`` file, is cut short, or holds Python objects.
        EnvironmentProblem: this account may not read it.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except PermissionError:
        raise EnvironmentProblem(f"{path} may not be read by this account.") from None
    except _BROKEN as error:
        if "ickle" in str(error) or "Python objects" in str(error):
            raise BadInput(
                f"{path} holds Python objects (a pickle), which can run code: it is not read. "
                "Save it again as a plain array of numbers."
            ) from error
        raise BadInput(f"{path} is not a complete .npy file ({error}). Re-copy it.") from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise BadInput(f"{path} is an .npz archive with the name of an .npy file; rename it.")
    return array


def load_npz(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of an ``.npz`` file by their keys, and why others of its keys were not read.

    Raises:
        BadInput: the file is missing, no archive, damaged, or a decompression bomb.
        EnvironmentProblem: this account may not read it.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give the path of one .npz file.")
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bomb(archive, path)
        return _arrays_of(path)
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist.") from None
    except PermissionError:
        raise EnvironmentProblem(f"{path} may not be read by this account.") from None
    except BadInput:
        raise
    except _BROKEN as error:
        raise BadInput(f"{path} is not a complete .npz archive ({error}). Re-copy it.") from error


def _arrays_of(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    arrays, refused = {}, {}
    held: Any = np.load(path, allow_pickle=False)
    with held:
        for key in held.files:
            try:
                value = held[key]
            except ValueError as error:
                if "Object arrays" not in str(error) and "pickle" not in str(error):
                    raise
                refused[key] = PICKLE
                continue
            if isinstance(value, np.ndarray):
                arrays[key] = value
            else:
                refused[key] = "left out: it is not a numpy array"
    return arrays, refused


def _refuse_bomb(archive: zipfile.ZipFile, path: Path) -> None:
    logical = sum(member.file_size for member in archive.infolist())
    stored = sum(member.compress_size for member in archive.infolist())
    claimed = max(logical, sum(_claimed(archive, member) for member in archive.infolist()))
    if claimed > BOMB_BYTES and claimed > BOMB_RATIO * max(stored, 1):
        raise BadInput(
            f"{path} claims {claimed / 2**30:.1f} GiB of which {stored / 2**20:.1f} MiB are stored: "
            "it was never written, or it is a decompression bomb. Get the file again from its source."
        )


def _claimed(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """How many bytes the header of an array says it has; 0 where there is no header."""
    with archive.open(member) as file:
        try:
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(file)
        except (ValueError, EOFError):
            return 0
    n = 1
    for size in shape:
        n *= int(size)
    return n * dtype.itemsize

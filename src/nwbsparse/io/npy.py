"""numpy's own files, untrusted: arrays of numbers and text; nothing in them is ever executed."""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import (
    MAGIC_PREFIX,
    open_memmap,
    read_array_header_1_0,
    read_array_header_2_0,
    read_magic,
)

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.rules.values import BOMB_BYTES, BOMB_RATIO

PICKLE = "left out: it holds Python objects (a pickle), which can run code"


@contextmanager
def blamed_on(path: Path) -> Iterator[None]:
    """Whatever is found wrong within names the file that it came from."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def load_npy(path: Path, *, name: str = "") -> np.ndarray:
    """The array in a ``.npy`` file, mapped read-only: nothing is loaded until it is used.

    ``name`` is what messages call the file; its path where nothing is said.

    Raises:
        BadInput: it is missing, empty, no ``.npy`` file, cut short or damaged, or holds Python
            objects, which are never opened.
        EnvironmentProblem: this account may not read it.
    """
    name = name or str(path)
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC_PREFIX))
    except FileNotFoundError:
        raise BadInput(f"{name} is missing") from None
    except PermissionError:
        raise EnvironmentProblem(f"{path} may not be read by this account.") from None
    except OSError as error:
        raise BadInput(f"{name} cannot be read ({error.strerror})") from None
    if not magic:
        raise BadInput(f"{name} is empty: 0 bytes. Re-copy it")
    if magic != MAGIC_PREFIX:
        kind = "; anything else is never opened"
        if magic.startswith(b"PK"):
            kind += " (an .npz archive with the name of an .npy file? Rename it)"
        raise BadInput(f"{name} is not a NumPy array file{kind}")
    try:
        with warnings.catch_warnings():
            # headers that Python 2 wrote are read as well as others: nothing to be done about it
            warnings.simplefilter("ignore")
            return open_memmap(path, mode="r")  # unlike np.load it cannot read a pickle at all
    except Exception as error:  # headers are literals of Python, whose parser raises anything
        if "Python objects" in str(error):
            why = "holds Python objects (a pickle), which can run code: never opened. Save it again"
            raise BadInput(f"{name} {why} as plain numbers") from None
        said = str(error)[:100] or type(error).__name__
        raise BadInput(f"{name} is damaged or incomplete ({said}). Re-copy it") from None


def load_npz(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of an ``.npz`` file by their keys, and why others of its keys were not read.

    Raises:
        BadInput: the file is missing, no archive, damaged, or a decompression bomb.
        EnvironmentProblem: this account may not read it.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give the path of one .npz file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in load_npy
            with zipfile.ZipFile(path) as archive:
                _refuse_bomb(archive, path)
            return _arrays_of(path)
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist.") from None
    except PermissionError:
        raise EnvironmentProblem(f"{path} may not be read by this account.") from None
    except BadInput:
        raise
    except Exception as error:  # as in load_npy
        said = str(error)[:100] or type(error).__name__
        raise BadInput(f"{path} is not a complete .npz archive ({said}). Re-copy it.") from error


def _arrays_of(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    arrays, refused = {}, {}
    held: Any = np.load(path, allow_pickle=False)
    with held:
        for key in held.files:
            try:
                value = held[key]
            except ValueError as error:
                if "Object arrays" not in str(error):  # others speak of pickles as advice
                    raise
                refused[key] = PICKLE
                continue
            if isinstance(value, np.ndarray):
                arrays[key] = value
            else:
                refused[key] = "left out: it is not a numpy array"
    return arrays, refused


def _refuse_bomb(archive: zipfile.ZipFile, path: Path) -> None:
    members = archive.infolist()
    stored = sum(member.compress_size for member in members)
    _refuse_claim(sum(member.file_size for member in members), stored, path)
    # only then: a header too can unpack to gigabytes
    _refuse_claim(sum(_claimed(archive, member) for member in members), stored, path)


def _refuse_claim(claimed: int, stored: int, path: Path) -> None:
    if claimed > BOMB_BYTES and claimed > BOMB_RATIO * max(stored, 1):
        raise BadInput(
            f"{path} claims {claimed / 2**30:.1f} GiB of which {stored / 2**20:.1f} MiB are stored: "
            "it was never written, or it is a decompression bomb. Get the file again from its source."
        )


def _claimed(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """How many bytes the header of an array says it has; 0 where there is no header."""
    with archive.open(member) as file:
        try:
            read = read_array_header_1_0 if read_magic(file) == (1, 0) else read_array_header_2_0
            shape, _, dtype = read(file)
        except Exception:  # damaged: reading it says so
            return 0
    return max(0, math.prod(int(size) for size in shape) * dtype.itemsize)

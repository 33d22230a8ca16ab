"""Can this file be read as NWB at all, and is it safe to open? One sentence when it is not."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import h5py

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.datasets import text
from nwbsparse.io.guard import check_tree

_TRUNCATED = re.compile(r"eof = (\d+), sblock->base_addr = (\d+), stored_eof = (\d+)")


def check_readable(path: str | Path) -> Path:
    """Make sure that a path is a complete NWB 2 file (HDF5) that is safe to open.

    Nothing but the structure of the file is read: no data, no pynwb. Returns the path.

    Raises:
        BadInput: the file is missing, a folder, not HDF5, incomplete, damaged, not NWB, NWB 1, or
            reaches for data outside its own folder. The message says which, and what to do.
        EnvironmentProblem: the file is there but this account may not read it, or another
            program holds it.
    """
    path = Path(path).expanduser()
    _check_file(path)
    try:
        with h5py.File(path, mode="r") as file:
            check_tree(path)  # before the first value is read: it could lead to another file
            _check_nwb(file, path)
    except BlockingIOError:
        raise _locked(path) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    return path


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of a whole file, as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; give the path of one NWB file (HDF5, .nwb).")
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        where = path.parent if path.parent.is_dir() else None
        hint = f"look in {where}" if where else f"there is no folder {path.parent} either"
        if path.is_symlink():
            hint = "it is a link to a file that is not here; fetch it first"
        raise BadInput(f"{path} does not exist; {hint}.") from None
    except PermissionError:
        raise EnvironmentProblem(
            f"{path} may not be read by this account; ask its owner or change its permissions."
        ) from None
    if empty:
        raise BadInput(f"{path} is empty: 0 bytes. Re-copy it.")
    if not h5py.is_hdf5(path):
        raise BadInput(f"{path} is not an HDF5 file, so not NWB; check that it is the right file.")


def _check_nwb(file: h5py.File, path: Path) -> None:
    stated = file.get("nwb_version")
    if "nwb_version" in file.attrs:
        version = text(file.attrs["nwb_version"])
    elif isinstance(stated, h5py.Dataset) and stated.shape == ():
        version = text(stated[()])  # NWB 1 kept its version in a dataset
    elif text(file.attrs.get("neurodata_type", "")) == "NWBFile":
        return
    else:
        held = ", ".join(sorted(file)[:6]) or "nothing"
        raise BadInput(
            f"{path} is HDF5 but not NWB: it states no nwb_version (it holds {held}). "
            "Convert it to NWB first, for example with NeuroConv."
        )
    if (number := version.removeprefix("NWB-")).startswith(("0.", "1.")):
        raise BadInput(
            f"{path} is NWB {number}, which pynwb cannot open: get its NWB 2 version (DANDI has "
            "many), or read it with h5py and rewrite it with pynwb or NeuroConv."
        )


def _unreadable(path: Path, error: OSError) -> BadInput | EnvironmentProblem:
    if sizes := _TRUNCATED.search(str(error)):
        have, base, want = (int(size) for size in sizes.groups())
        return BadInput(f"{path} is incomplete: {have} of {base + want} bytes. Re-copy it.")
    if "unable to lock file" in str(error):
        return _locked(path)
    if isinstance(error, PermissionError):
        return EnvironmentProblem(f"{path} may not be read by this account.")
    return BadInput(f"{path} is damaged: HDF5 says '{error}'. Re-copy it.")


def _locked(path: Path) -> EnvironmentProblem:
    return EnvironmentProblem(f"{path} is open for writing in another program; close it there.")

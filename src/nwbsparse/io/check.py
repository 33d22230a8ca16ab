"""Can this file be read as NWB at all, and is it safe to open? One sentence when it is not."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nwbsparse.errors import BadInput, EnvironmentProblem, NwbsparseError
from nwbsparse.io.guard import Damaged as Damaged
from nwbsparse.io.guard import check_open_tree, check_storage, check_tree, datasets_in
from nwbsparse.io.rules.values import refuse_bomb, text
from nwbsparse.io.stops import stops_are_heard
from nwbsparse.io.zarr.check_store import check_zarr
from nwbsparse.io.zarr.metadata import attributes_of, generation

_RESULTS = "processing/sparse_latents"
_WORDS = ("/environment", "/hyperparameters")
_PRELIMINARY = re.compile(r"2\.0(\.0)?[-_. ]?(a|b|rc|dev)", re.IGNORECASE)
_TRUNCATED = re.compile(r"eof = (\d+), sblock->base_addr = (\d+), stored_eof = (\d+)")


@stops_are_heard()
def check_readable(path: str | Path) -> Path:
    """Make sure that a path is a complete NWB 2 file (HDF5 or Zarr) that is safe to open.

    Nothing but the structure of the file is read: no data, no pynwb. Returns the path.

    Raises:
        BadInput: the file is missing, a folder that is no Zarr store, not HDF5, incomplete or
            damaged (Damaged), not NWB, NWB 1, or reaches for data outside its own folder (or store). The
            message says which, and what to do.
        EnvironmentProblem: the file is there but this account may not read it, or another
            program holds it.
    """
    path = Path(path).expanduser()
    _check_file(path)
    if path.is_dir():
        _check_store(path)
        return path
    try:
        with h5py.File(path, mode="r") as file:
            _check_age(file, path)  # links of a file that is too old need not lead anywhere
            check_tree(path)  # before the first value is read: it could lead to another file
            _check_nwb(file, path)
            _check_results(file)
    except BlockingIOError:
        raise _locked(path) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    return path


@stops_are_heard()
def open_checked(stream: Any, *, path: Path) -> h5py.File:
    """An open binary file as HDF5, once it is known to be NWB 2 and safe to read.

    ``path`` names it in messages. The stream itself stays open when the HDF5 file is closed.

    Raises:
        BadInput: as ``check_readable``; links to any other file are refused.
    """
    file = None
    try:
        file = h5py.File(stream, mode="r")
        _check_age(file, path)
        check_open_tree(file, path)
        _check_nwb(file, path)
        return file
    except BaseException as error:
        if file is not None:
            file.close()
        if isinstance(error, OSError) and not isinstance(error, NwbsparseError):
            raise _unreadable(path, error) from None
        raise


def bombs_in(path: Path) -> list[str]:
    """Datasets of a checked file that claim far more values than are stored; nothing is unpacked.

    Readers that load whole datasets, as validators do, must not be let loose on them. A Zarr
    store that holds one does not pass ``check_readable``.
    """
    if path.is_dir():
        return []
    found = []
    with h5py.File(path, mode="r") as file:
        for where, dataset in datasets_in(file):
            try:
                refuse_bomb(dataset, what=where)
            except BadInput as error:
                found.append(str(error))
    return found


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of a whole file, as 64 hexadecimal digits.

    That of a folder (a Zarr store) is taken over the path and the SHA-256 of each of its files,
    in the order of their paths.
    """
    path = Path(path)
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    whole = hashlib.sha256()
    files = {one.relative_to(path).as_posix(): one for one in path.rglob("*") if one.is_file()}
    for name in sorted(files):
        whole.update(f"{name}\0{sha256_of(files[name])}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            return
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


def _check_store(path: Path) -> None:
    if generation(path) is None:
        raise BadInput(
            f"{path} is a folder; give the path of one NWB file (HDF5, .nwb) or of one NWB Zarr "
            "store (a folder that holds .zgroup or zarr.json)."
        )
    check_zarr(path)
    attributes = attributes_of(path)
    if not attributes.get("nwb_version") and attributes.get("neurodata_type") != "NWBFile":
        held = ", ".join(sorted(one.name for one in path.iterdir() if one.is_dir())[:6])
        raise BadInput(
            f"{path} is Zarr but not NWB: it states no nwb_version (it holds {held or 'nothing'}). "
            "Convert it to NWB first, for example with NeuroConv."
        )


def preliminary(version: str) -> str:
    """Why an NWB file of a preliminary version may not be readable, behind its name; '' for releases."""
    number = version.removeprefix("NWB-")
    if not _PRELIMINARY.match(number):
        return ""
    return (
        f"is NWB {number}, a preliminary version from before NWB 2.0, which pynwb cannot open: "
        "get the file again from its source (many were rewritten), or read it with h5py and rewrite it."
    )


def first_text(value: Any) -> str:
    """An attribute as text, also where it was stored as an array of one."""
    return text(value.flat[0] if isinstance(value, np.ndarray) and value.size else value)


def _check_age(file: h5py.File, path: Path) -> None:
    """Refuse NWB 1, and what was written before NWB 2.0 was released in a form that pynwb cannot open.

    Nothing is read but attributes, and a value that lies in the file itself.
    """
    version = first_text(file.attrs.get("nwb_version"))
    if not version and isinstance(file.get("nwb_version", getlink=True), h5py.HardLink):
        stated = file["nwb_version"]  # NWB 1 kept its version in a dataset
        if isinstance(stated, h5py.Dataset) and stated.shape in ((), (1,)):
            check_storage(stated.id, "/nwb_version", path)
            version = first_text(stated[()])
    if (number := version.removeprefix("NWB-")).startswith(("0.", "1.")):
        raise BadInput(
            f"{path} is NWB {number}, which pynwb cannot open: get its NWB 2 version (DANDI has "
            "many), or read it with h5py and rewrite it with pynwb or NeuroConv."
        )
    is_array = isinstance(file.attrs.get("neurodata_type"), np.ndarray)
    if is_array and (early := preliminary(version)):
        raise BadInput(f"{path} {early}")


def _check_nwb(file: h5py.File, path: Path) -> None:
    if "nwb_version" in file.attrs or first_text(file.attrs.get("neurodata_type")) == "NWBFile":
        return
    held = ", ".join(sorted(file)[:6]) or "nothing"
    raise BadInput(
        f"{path} is HDF5 but not NWB: it states no nwb_version (it holds {held}). "
        "Convert it to NWB first, for example with NeuroConv."
    )


def _check_results(file: h5py.File) -> None:
    """Refuse bombs among our own results, which are loaded whole when they are opened."""
    module = file.get(_RESULTS)
    for where, dataset in datasets_in(module) if isinstance(module, h5py.Group) else ():
        refuse_bomb(dataset, what=f"/{_RESULTS}{where}")
        if where.endswith(_WORDS) and dataset.shape == ():
            try:
                json.loads(text(dataset[()]))
            except RecursionError:
                raise Damaged(
                    f"/{_RESULTS}{where} nests deeper than any record of ours; get the file again "
                    "from its source"
                ) from None
            except (ValueError, TypeError):
                pass  # whoever opens the results says so


def _unreadable(path: Path, error: OSError) -> BadInput | EnvironmentProblem:
    if sizes := _TRUNCATED.search(str(error)):
        have, base, want = (int(size) for size in sizes.groups())
        return Damaged(
            f"{path} is incomplete: {have} of {base + want} bytes. Re-copy it; `nwbsparse doctor "
            f"{path.name}` lists what can still be read."
        )
    if "unable to lock file" in str(error):
        return _locked(path)
    if isinstance(error, PermissionError):
        return EnvironmentProblem(f"{path} may not be read by this account.")
    if "signature not found" in str(error):
        return BadInput(f"{path} is not an HDF5 file, so not NWB; check that it is the right file.")
    return Damaged(
        f"{path} is damaged: HDF5 says '{error}'. Re-copy it; `nwbsparse doctor {path.name}` lists "
        "what can still be read."
    )


def _locked(path: Path) -> EnvironmentProblem:
    return EnvironmentProblem(f"{path} is open for writing in another program; close it there.")

"""Who reads what: one reader for each kind of source, ours and those that others registered."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.roles import Registry
from nwbsparse.session import Session

READERS = Registry("reader", methods=("takes", "read"))
"""Readers by what they read, in words: 'a suite2p folder'. ``takes(source)`` says whether a source is
theirs, ``read(source, *, strict, …)`` makes a Session of it; its keywords are the options of reading."""

_LARGEST_ATTRIBUTES = 2**20
"""Bytes of a Zarr store's attributes that are looked into to see whose it is."""


@dataclass(frozen=True)
class _Ours:
    """A reader whose module is imported when it first reads: sources of most others are not needed."""

    takes: Callable[[Any], bool]
    module: str
    function: str

    @property
    def read(self) -> Callable[..., Session]:
        return getattr(importlib.import_module(f"nwbsparse.io.{self.module}"), self.function)


def what_is(source: Any) -> str:
    """What kind of source this is, in words.

    Readers of others are asked before ours: an ``.npz`` of a lab is not taken for one of CEBRA's.

    Raises:
        BadInput: nothing that can be read.
    """
    ours = READERS.own()
    for kind in (*(one for one in READERS if one not in ours), *ours):
        if READERS[kind].takes(source):
            return kind
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        held = ", ".join(sorted(child.name for child in path.iterdir())[:5]) or "nothing"
        if _is_analyzer(path):
            raise BadInput(
                f"{path} was written by SpikeInterface, whose loader runs what such a folder says: open it "
                "with spikeinterface.load, and give the sorting or analyzer to nwbsparse.read()."
            )
        raise BadInput(
            f"{path} is a folder that is neither NWB Zarr, nor a Kilosort or Phy folder "
            f"(spike_times.npy), nor suite2p's (F.npy); it holds {held}"
        )
    raise BadInput(
        f"a {type(source).__name__} cannot be read; give a path or address, an NWBFile, a "
        "SpikeInterface, pynapple or xarray object, {unit: spike times}, or an array (time, unit)"
    )


def _is_npz(source: Any) -> bool:
    path = _path(source)
    return path is not None and path.suffix == ".npz"


def _is_sorting_folder(source: Any) -> bool:
    """Whether it is the output of a sorter, or a folder around it: the reader says where it lies then."""
    return _holds(source, "spike_times.npy") or _has_below(source, "*/spike_times.npy")


def _is_suite2p(source: Any) -> bool:
    """Whether it is a plane of suite2p, or the folder of its planes: the reader takes the only one."""
    names = ("iscell.npy", "F.npy", "spks.npy")
    below = [f"plane*/{name}" for name in names] + [f"suite2p/plane*/{name}" for name in names]
    return _holds(source, *names) or _has_below(source, *below)


def _is_analyzer(path: Path) -> bool:
    """Whether SpikeInterface wrote it: an analyzer or a sorting, as a folder or as a Zarr store."""
    marks = ("spikeinterface_info.json", "si_folder.json", "provenance.json", "cached.json")
    return any((path / name).is_file() for name in marks) or _is_analyzer_zarr(path)


def _is_analyzer_zarr(path: Path) -> bool:
    """The attributes of a Zarr store say so: "spikeinterface_info", or "zarr_class_info" of a sorting."""
    said: Any = {}
    for name in (".zattrs", "zarr.json"):
        try:
            if (path / name).stat().st_size <= _LARGEST_ATTRIBUTES:
                said = json.loads((path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # not there, or damaged: whoever reads the store says so
        if isinstance(said, dict) and isinstance(said.get("attributes"), dict):
            said = said["attributes"]
        if isinstance(said, dict) and {"spikeinterface_info", "zarr_class_info"} & said.keys():
            return True
    return False


def _is_nwb(source: Any) -> bool:
    if isinstance(source, str | Path):
        path = _path(source)
        if path is None or not path.is_dir():
            return True
        return _holds(source, ".zgroup", "zarr.json") and not _is_analyzer_zarr(path)
    is_stream = hasattr(source, "read") and hasattr(source, "seek")
    return is_stream or getattr(source, "neurodata_type", "") == "NWBFile"


def _is_xarray(source: Any) -> bool:
    return _family(source) == "xarray"


def _is_table(source: Any) -> bool:
    if isinstance(source, np.ndarray):
        return source.ndim == 2 and source.dtype != object
    return _family(source) == "pandas"


def _is_spikeinterface(source: Any) -> bool:
    known = hasattr(source, "get_unit_spike_train") or hasattr(source, "sorting")
    return known and not isinstance(source, str | Path)


def _is_pynapple(source: Any) -> bool:
    held = (source, *(source.values() if isinstance(source, Mapping) else ()))
    return any(_family(one) == "pynapple" for one in held)


def _are_times(source: Any) -> bool:
    listed = isinstance(source, Mapping | Sequence | np.ndarray)
    return listed and not isinstance(source, str)


def _family(source: Any) -> str:
    return type(source).__module__.partition(".")[0]


def _path(source: Any) -> Path | None:
    """The path that a source is; None for addresses and for what is in memory."""
    if not isinstance(source, str | Path) or "://" in str(source):
        return None
    return Path(source).expanduser()


def _holds(source: Any, *names: str) -> bool:
    """Whether it is a folder with a file of one of these names."""
    path = _path(source)
    return path is not None and path.is_dir() and any((path / name).exists() for name in names)


def _has_below(source: Any, *patterns: str) -> bool:
    """Whether it is a folder, none of NWB, that holds a file of such a name further down."""
    path = _path(source)
    if path is None or not path.is_dir() or _holds(source, ".zgroup", "zarr.json"):
        return False
    return any(next(path.glob(pattern), None) is not None for pattern in patterns)


for _kind, _reader in {
    "an .npz file": _Ours(_is_npz, "arrays.npz", "read_npz"),
    "a sorting folder": _Ours(_is_sorting_folder, "sorting.folder", "read_sorting_folder"),
    "a suite2p folder": _Ours(_is_suite2p, "arrays.suite2p", "read_suite2p"),
    "an xarray object": _Ours(_is_xarray, "arrays.xarray", "read_xarray"),
    "a table of activity": _Ours(_is_table, "arrays.numpy", "read_matrix"),
    "a SpikeInterface object": _Ours(
        _is_spikeinterface, "sorting.spikeinterface", "read_spikeinterface"
    ),
    "pynapple objects": _Ours(_is_pynapple, "arrays.pynapple", "read_pynapple"),
    "NWB": _Ours(_is_nwb, "nwb.read", "read_nwb"),
    "spike times": _Ours(_are_times, "arrays.numpy", "read_times"),
}.items():
    READERS.register(_kind, _reader)

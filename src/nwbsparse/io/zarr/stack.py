"""Which hdmf-zarr is here, and so which Zarr stores can be read and written.

hdmf-zarr 0.11 to 0.13 reads and writes format 2, on any Python. Since 0.14 (Python 3.12 or newer,
zarr 3) it writes format 3, and reads format 2 with classes of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hdmf.build import BuildManager

from nwbsparse.errors import EnvironmentProblem
from nwbsparse.io.zarr.inside import all_of_format_2, inside, readable, with_definitions
from nwbsparse.io.zarr.metadata import generation

EXTRA = "pip install 'nwbsparse[zarr]'"
NEEDS_PYTHON = (3, 12)
"""For format 3."""


def reader_of(store: Path) -> Callable[[BuildManager], Any]:
    """What opens an NWB Zarr store of either format for reading, given the types to build.

    References are followed inside the store only, and never unpickled.

    Raises:
        EnvironmentProblem: hdmf-zarr is missing, or the one that is here cannot read this format.
    """
    form, module = generation(store), _hdmf_zarr(f"{store} is NWB Zarr, which")
    newer = _is_newer(module)
    if form == 3 and not newer:
        raise EnvironmentProblem(f"{store} is NWB Zarr of format 3, which {_needs_newer()}")
    kind, more = module.NWBZarrIO, {}
    if form == 2 and newer:
        # by its own choice it would refuse every store with electrodes
        kind, more = all_of_format_2(module.NWBZarrV2IO), {"allow_pickle": True}
    if newer:
        kind = with_definitions(kind)
    kind = inside(kind, store.resolve())
    return lambda manager: kind(path=str(store), mode="r", manager=manager, **more)


def left_out(io: Any) -> tuple[tuple[str, str], ...]:
    """Arrays of an open store that Zarr could not decode, and why: path, reason."""
    return tuple(getattr(io, "skipped_entries", ()))


def is_raised_by_zarr(error: BaseException) -> bool:
    """Whether an error came up while Zarr read a chunk: of one that is damaged it raises many kinds."""
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_globals.get("__name__", "").partition(".")[0] in ("zarr", "numcodecs"):
            return True
        frame = frame.tb_next
    return False


def new_store(path: Path) -> Any:
    """An open new store in the format that is written here: 3 where hdmf-zarr can, else 2.

    In format 2, references stand as JSON: pickles can run programs. Writing to it raises BadInput at what
    could not be read again.

    Raises:
        EnvironmentProblem: hdmf-zarr is missing.
    """
    module = _hdmf_zarr("NWB Zarr")
    if _is_newer(module):
        return module.NWBZarrIO(path=str(path), mode="w")
    from numcodecs import JSON

    io = readable(module.NWBZarrIO)(path=str(path), mode="w")
    io._ZarrIO__codec_cls = JSON  # NWBZarrIO does not pass its argument for this on
    return io


def written_store(path: Path) -> Any:
    """A store that was just written, opened by hdmf-zarr as by anyone else."""
    return _hdmf_zarr("NWB Zarr").NWBZarrIO(path=str(path), mode="r")


def written_again(store: Path, place: str, words: str) -> str:
    """Replace the one text of a dataset in a store that was just written; what stands there then."""
    zarr = import_module("zarr")
    held = zarr.open(str(store), mode="r+")[place]
    one = (0,) * held.ndim  # format 2 keeps one value as a list of one
    held[one] = words
    return str(zarr.open(str(store), mode="r")[place][one])


def _needs_newer() -> str:
    here = f"hdmf-zarr {version('hdmf-zarr')}"
    if sys.version_info < NEEDS_PYTHON:
        python = ".".join(map(str, sys.version_info[:2]))
        return (
            f"needs Python 3.12 or newer and hdmf-zarr 0.14 (here are Python {python} and {here}): "
            f"{EXTRA} with such a Python."
        )
    return (
        f"needs hdmf-zarr 0.14 (here is {here}): {EXTRA} in an environment without SpikeInterface, "
        "which on this Python holds zarr below 3."
    )


def _is_newer(module: Any) -> bool:
    """Whether it is of the generation that writes format 3."""
    return hasattr(module, "NWBZarrV2IO")


def _hdmf_zarr(what: str) -> Any:
    try:
        return import_module("hdmf_zarr")
    except ImportError:
        raise EnvironmentProblem(f"{what} needs hdmf-zarr: {EXTRA}") from None

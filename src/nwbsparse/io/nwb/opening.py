"""Whatever holds an NWB recording, opened: a file, a Zarr store, an address, or an open object."""

from __future__ import annotations

import json
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hdmf.build import BuildManager
from pynwb import NWBFile

from nwbsparse.errors import BadInput, IntegrityError, NwbsparseError
from nwbsparse.io.check import check_readable, open_checked
from nwbsparse.io.digest import digest_of
from nwbsparse.io.nwb.building import build
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.nwb.hdf5 import LenientHDF5IO
from nwbsparse.io.nwb.in_memory import builders_of, check_still_open, content_digest, version_of
from nwbsparse.io.nwb.unbuildable import Unbuildable
from nwbsparse.io.rules.values import text
from nwbsparse.io.stream import Stream, is_address, name_of, open_stream
from nwbsparse.io.zarr.metadata import attributes_of
from nwbsparse.io.zarr.stack import is_raised_by_zarr, reader_of

_DAMAGED = (OSError, zlib.error, json.JSONDecodeError)
"""What HDF5 and the codecs of Zarr raise at a chunk that does not unpack."""
_DAMAGED_IF_ZARR = (RuntimeError, ValueError)
"""What else they raise, as anything might."""


@runtime_checkable
class ByteStream(Protocol):
    """An open binary file: local, in memory, or on a server."""

    def read(self, size: int = ..., /) -> bytes: ...
    def seek(self, offset: int, whence: int = ..., /) -> Any: ...
    def tell(self) -> int: ...


Openable = str | Path | NWBFile | ByteStream
"""What a recording can be opened from."""


@dataclass(frozen=True)
class Recording:
    """An open NWB recording, and where it came from."""

    nwbfile: Any
    io: Any
    """With ``manager.get_builder`` and ``nwb_version``, as NWBHDF5IO has them."""
    label: Path
    """What messages call it."""
    path: Path | None
    """The file or Zarr store; None for an address or an object without a file."""
    digest: str
    note: str = ""
    """What a reader should know about where it came from."""
    unbuildable: tuple[Unbuildable, ...] = ()
    """Parts whose type nobody defines, or that depend on such parts."""
    warned: tuple[str, ...] = ()
    """What libraries warned of while it was opened; a report says it, nobody is warned."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Say what a damaged chunk is, wherever it is met, and what was left out of a file in vain."""
        try:
            yield
        except NwbsparseError as error:
            gone = [f"{one.path}: {one}" for one in self.unbuildable if not one.is_read]
            if not gone or not isinstance(error, BadInput):
                raise
            raise BadInput(f"{error}\nLeft out of the file:\n- " + "\n- ".join(gone)) from error
        except (*_DAMAGED, *_DAMAGED_IF_ZARR) as error:
            if not isinstance(error, _DAMAGED) and not is_raised_by_zarr(error):
                raise
            raise BadInput(
                f"data in {self.label} are damaged ({error}). Re-copy the file."
            ) from error


@contextmanager
def opened(source: Openable) -> Iterator[Recording]:
    """Open a recording for reading only, once it is known to be safe; closed on leaving.

    An NWBFile or open file that the caller gave stays open: it is theirs.

    Raises:
        BadInput: it cannot be read as NWB, and why.
        EnvironmentProblem: it may not be read here, or a server cannot be reached.
    """
    with ExitStack() as held:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recording = _opened(source, held)
        yield replace(recording, warned=tuple(map(said_of_warning, caught)))


def said_of_warning(warning: warnings.WarningMessage) -> str:
    """A library's warning, as a report says it."""
    return f"{warning.category.__name__}: {warning.message}"


def _opened(source: Openable, held: ExitStack) -> Recording:
    if isinstance(source, NWBFile):
        return _from_object(source)
    if not isinstance(source, str | Path):
        return _from_stream(source, held)
    if is_address(str(source)) and not str(source).startswith("file:"):
        return _from_stream(held.enter_context(open_stream(str(source))), held)
    return _from_path(_local(source), held)


@contextmanager
def built(path: Path, *, for_copy: bool = False) -> Iterator[tuple[Any, Any]]:
    """A pynwb io of a file or Zarr store, and the NWBFile that it reads, without what nobody can build.

    Unlike ``opened`` it takes the file for safe and does not look at its bytes. ``for_copy``
    leaves out what can be read but not be written again.

    Raises:
        BadInput: it cannot be read as NWB, and why.
        IntegrityError: results in it cannot be built.
    """
    with ExitStack() as held:
        make = reader_of(path) if _is_zarr(path) else _hdf5_reader(path=str(path))
        io, nwbfile, parts = build(make, path, held, for_copy=for_copy)
        check_results_built(parts, path)
        yield io, nwbfile


def check_results_built(parts: tuple[Unbuildable, ...], label: Path) -> None:
    """Make sure that of our own results nothing was left out: they would seem not to be there.

    Raises:
        IntegrityError: some part of them cannot be built.
    """
    place = f"/processing/{MODULE}"
    gone = [one for one in parts if one.is_spoiled and f"{one.path}/".startswith(f"{place}/")]
    if gone:
        said = "; ".join(f"{one.path}: {one.what}" for one in gone)
        raise IntegrityError(f"results in {label} are damaged: {said}")


def _local(source: str | Path) -> Path:
    if not str(source).startswith("file:/"):
        return Path(source)
    parts = urlsplit(str(source))
    if parts.netloc not in ("", "localhost"):
        raise BadInput(f"{source} is on another machine; give file:///path or a path.")
    return Path(url2pathname(parts.path))


def _from_path(path: Path, held: ExitStack) -> Recording:
    path = check_readable(path)
    digest = digest_of(path)
    if not _is_zarr(path):
        make = _hdf5_reader(path=str(path))
        io, nwbfile, unbuildable = build(make, path, held)
        return Recording(nwbfile, io, path, path, digest, unbuildable=unbuildable)
    io, nwbfile, unbuildable = build(reader_of(path), path, held)
    version = text(attributes_of(path).get("nwb_version"))
    places = SimpleNamespace(manager=io.manager, nwb_version=(version, ()))
    return Recording(nwbfile, places, path, path, digest, unbuildable=unbuildable)


def _from_stream(stream: Any, held: ExitStack) -> Recording:
    name = getattr(stream, "name", None)
    label = Path(name) if isinstance(name, str) and name else Path("the open file")
    note = ""
    if isinstance(stream, Stream):
        label = Path(name_of(stream.url))
        note = f"read in parts from {stream.url} ({stream.size:,} bytes); it was not downloaded"
    try:
        before = stream.tell()
        digest = stream.digest if isinstance(stream, Stream) else _sha256_of_stream(stream)
        held.callback(stream.seek, before)
    except (AttributeError, TypeError, ValueError, OSError) as error:
        if isinstance(error, NwbsparseError):
            raise
        raise BadInput(
            f"{label} cannot be read ({error}): give a path, an address, an NWBFile, or a binary "
            "file that is open and can seek."
        ) from None
    file = open_checked(stream, path=label)
    held.callback(file.close)
    io, nwbfile, unbuildable = build(_hdf5_reader(file=file), label, held)
    path = label.resolve() if isinstance(name, str) and label.is_file() else None
    return Recording(nwbfile, io, label, path, digest, note, unbuildable)


def _from_object(nwbfile: Any) -> Recording:
    check_still_open(nwbfile)
    path = Path(text(nwbfile.container_source) or "?")
    # what was changed in memory is not what the file says
    known = path if path.exists() and not nwbfile.modified else None
    label = known or Path(f"NWBFile '{nwbfile.identifier}'")
    digest = digest_of(known) if known else content_digest(nwbfile)
    places = SimpleNamespace(manager=builders_of(nwbfile), nwb_version=(version_of(nwbfile), ()))
    return Recording(nwbfile, places, label, known, digest)


def _sha256_of_stream(stream: Any) -> str:
    before, digest = stream.tell(), sha256()
    stream.seek(0)
    while block := stream.read(2**20):
        digest.update(block)
    stream.seek(before)
    return digest.hexdigest()


def _is_zarr(path: Path | None) -> bool:
    return path is not None and path.is_dir()


def _hdf5_reader(**source: Any) -> Callable[[BuildManager], Any]:
    return lambda manager: LenientHDF5IO(**source, mode="r", manager=manager)

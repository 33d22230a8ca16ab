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
from pynwb import NWBHDF5IO, NWBFile

from nwbsparse.errors import BadInput, NwbsparseError
from nwbsparse.io.check import check_readable, open_checked
from nwbsparse.io.digest import digest_of
from nwbsparse.io.nwb.definitions import open_with_definitions, remedy
from nwbsparse.io.nwb.in_memory import builders_of, check_still_open, content_digest, version_of
from nwbsparse.io.nwb.unbuildable import Unbuildable, sift
from nwbsparse.io.rules.values import text
from nwbsparse.io.stream import Stream, is_address, name_of, open_stream
from nwbsparse.io.zarr.metadata import attributes_of
from nwbsparse.io.zarr.stack import is_raised_by_zarr, left_out, reader_of

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
    """
    with ExitStack() as held:
        make = reader_of(path) if _is_zarr(path) else _hdf5_reader(path=str(path))
        io, nwbfile, _ = _built(make, path, held, for_copy=for_copy)
        yield io, nwbfile


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
        io, nwbfile, unbuildable = _built(make, path, held)
        return Recording(nwbfile, io, path, path, digest, unbuildable=unbuildable)
    io, nwbfile, unbuildable = _built(reader_of(path), path, held)
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
    io, nwbfile, unbuildable = _built(_hdf5_reader(file=file), label, held)
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
    return lambda manager: NWBHDF5IO(**source, mode="r", manager=manager)


def _built(
    make: Callable[[BuildManager], Any], label: Path, held: ExitStack, *, for_copy: bool = False
) -> tuple[Any, Any, tuple[Unbuildable, ...]]:
    """A pynwb io, the NWBFile that it reads and what that lacks, or one sentence about why not."""
    unbuildable: list[Unbuildable] = []
    undecoded: list[str] = []
    try:
        io, broken = open_with_definitions(make, held)
        # reading builds the same tree, from which all is gone that would stop it
        unbuildable = sift(io.read_builder(), io.manager.type_map, broken, for_copy=for_copy)
        for path, reason in left_out(io):
            unbuildable.append(Unbuildable(path, f"it cannot be decoded ({reason})"))
            undecoded.append(f"{path}: {reason}")
        return io, io.read(), tuple(unbuildable)
    except NwbsparseError:
        raise
    except Exception as error:  # pynwb raises anything: a missing extension, a broken table, …
        if undecoded or (is_raised_by_zarr(error) and not isinstance(error, ValueError)):
            said = "; ".join(undecoded) or str(error)
            raise BadInput(
                f"data in {label} are damaged, or packed by a codec that is not here ({said}). Re-copy "
                "the file, or install the codec."
            ) from error
        # hdmf puts the whole tree of the file before the sentence that matters
        why = text(error.args[-1])[:300] if error.args else type(error).__name__
        if unknown := {str(one.namespace) for one in unbuildable if one.namespace is not None}:
            said = "; ".join(f"{name}: {remedy(name)}" for name in sorted(unknown))
            raise BadInput(
                f"{label} uses types whose definition it does not hold, and cannot be read without "
                f"them ({why}). {said}."
            ) from error
        raise BadInput(
            f"{label} cannot be read by pynwb ({why}). Check it with nwbinspector, and re-export "
            "it."
        ) from error

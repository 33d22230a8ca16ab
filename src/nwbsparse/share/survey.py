"""Everything in a file, damaged or not, and whether it can be read: within a time and a memory."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue]  (compiled)

from nwbsparse.errors import BadInput
from nwbsparse.io.guard import MAX_DEPTH, check_storage
from nwbsparse.io.rules.values import refuse_bomb
from nwbsparse.share.truncated import Padded

BLOCK_BYTES = 2**22
MAX_CHUNK = 2**28
MAX_PARTS = 20_000
_UNREADABLE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError)
"""What HDF5 and numpy raise at bytes that are not what they should be."""


@dataclass(frozen=True)
class Part:
    """One dataset, link or group of a file."""

    path: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    problem: str = ""
    """Why it cannot be read; '' where all of it was read."""
    tried: bool = True
    """Whether it was read at all: time may run out before."""
    elsewhere: str = ""
    """The other file that holds it, which was not looked at; '' where this one does."""

    @property
    def readable(self) -> bool:
        return self.tried and not self.problem and not self.elsewhere


@dataclass(frozen=True)
class _Elsewhere:
    file: str


def survey(file: h5py.File, stream: Padded, *, seconds: float) -> Iterator[Part]:
    """Every dataset of an open file, read block by block; links that lead nowhere; broken groups.

    Our own results come first. No link out of the file is followed.
    """
    until = time.monotonic() + seconds
    waiting: deque[tuple[str, Any]] = deque([("", file)])
    seen: set[int] = set()
    n_parts = 0
    while waiting:
        prefix, group = waiting.pop()
        for name, thing in _children(group, stream):
            where = f"{prefix}/{name}"
            n_parts += 1
            if n_parts > MAX_PARTS:
                yield Part(where, problem=f"more than {MAX_PARTS:,} parts; the rest is not listed")
                return
            if isinstance(thing, _Elsewhere):
                yield Part(where, elsewhere=thing.file)
            elif isinstance(thing, str):
                yield Part(where, problem=thing)
            elif isinstance(thing, h5py.Dataset):
                yield _looked_at(where, thing, stream, until)
            elif isinstance(thing, h5py.Group):
                address = h5o.get_info(thing.id).addr
                if address in seen:
                    continue
                seen.add(address)
                if where.count("/") > MAX_DEPTH:
                    yield Part(where, problem=f"nested more than {MAX_DEPTH} deep; not entered")
                elif where.startswith("/processing"):
                    waiting.append((where, thing))  # the last is looked at next
                else:
                    waiting.appendleft((where, thing))


def _children(group: Any, stream: Padded) -> Iterator[tuple[str, Any]]:
    """Names in a group, and what is there: an object, or in words why not."""
    stream.missed = False
    try:
        names = list(group)
    except _UNREADABLE as error:
        yield "", f"the list of its parts is damaged ({_first(error)})"
        return
    for name in names:
        try:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                yield name, _Elsewhere(str(link.filename))
                continue
            thing = group.get(name)
            if thing is not None:
                yield name, thing
            elif isinstance(link, h5py.SoftLink) and (other := _leads_to(group.file, link.path)):
                yield name, _Elsewhere(other)
            elif isinstance(link, h5py.SoftLink):
                yield name, f"links to {link.path}, which is not there"
            else:
                yield name, "is not where the file says; it cannot be found"
        except _UNREADABLE as error:
            yield name, f"is damaged ({_first(error)})"


def _leads_to(file: Any, path: str) -> str:
    """The other file that an absolute path passes into; '' where it stays in this one."""
    steps = path.strip("/").split("/")
    for n in range(1, len(steps) + 1):
        link = file.get("/" + "/".join(steps[:n]), getlink=True)
        if isinstance(link, h5py.ExternalLink):
            return str(link.filename)
        if not isinstance(link, h5py.HardLink):
            return ""
    return ""


def _looked_at(where: str, dataset: Any, stream: Padded, until: float) -> Part:
    try:
        shape, dtype = tuple(int(n) for n in dataset.shape or ()), str(dataset.dtype)
    except _UNREADABLE as error:
        return Part(where, problem=f"what it is cannot be read ({_first(error)})")
    if time.monotonic() > until:
        return Part(where, shape, dtype, tried=False)
    try:
        check_storage(dataset.id, where, where)
        refuse_bomb(dataset, what=where)
        chunk = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
        if chunk > MAX_CHUNK:
            return Part(where, shape, dtype, f"is stored in pieces of {chunk / 2**30:.1f} GiB")
        stream.missed = False
        for _ in blocks_of(dataset):
            if stream.missed:
                return Part(where, shape, dtype, "reaches into the part of the file that is gone")
            if time.monotonic() > until:
                return Part(where, shape, dtype, tried=False)
    except _UNREADABLE as error:
        said = "its data are elsewhere" if isinstance(error, BadInput) else _first(error)
        said = str(error) if isinstance(error, BadInput) and "claims" in str(error) else said
        return Part(where, shape, dtype, f"is damaged ({said})")
    return Part(where, shape, dtype)


def blocks_of(dataset: Any) -> Iterator[Any]:
    """The values of a dataset, a few megabytes at a time."""
    if dataset.shape is None:
        return
    if dataset.shape == ():
        yield dataset[()]
        return
    row = dataset.dtype.itemsize * math.prod(dataset.shape[1:])
    rows = max(1, BLOCK_BYTES // max(1, row))
    if dataset.chunks:  # whole chunks: each is unpacked once
        rows = max(1, rows // dataset.chunks[0]) * dataset.chunks[0]
    width = max(1, BLOCK_BYTES // max(1, dataset.dtype.itemsize)) if dataset.ndim > 1 else 0
    for at in range(0, dataset.shape[0], rows):
        if dataset.ndim > 1 and row > 64 * BLOCK_BYTES:  # rows too wide to be held whole
            for column in range(0, dataset.shape[1], width):
                yield dataset[at, column : column + width]
        else:
            yield dataset[at : at + rows]


def whole(dataset: Any, stream: Padded) -> np.ndarray | None:
    """All values of a dataset; None where they cannot be read, or not all of them."""
    stream.missed = False
    try:
        refuse_bomb(dataset, what="")
        values = np.asarray(dataset[()])
    except _UNREADABLE:
        return None
    return None if stream.missed else values


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]

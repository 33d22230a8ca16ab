"""A file whose parts lie in other files → one file that needs no other.

pynwb cannot export a link to a group of another file (it writes the link again), and HDF5's own copy
loses references between separately copied objects. Here each object gets one home in the copy; links
and references to it lead there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue]  (compiled)

from nwbsparse.errors import BadInput

_Key = tuple[int, int]
"""Which file, and where in it: the same for every name of one object."""


def has_external_links(path: Path) -> bool:
    """Whether a file, which was checked before, has parts that lie in other files."""
    with h5py.File(path, "r") as file:
        return any(isinstance(link, h5py.ExternalLink) for _, link in _links(file))


def flatten(source: Path, target: Path, *, without: frozenset[str] = frozenset()) -> None:
    """Copy an HDF5 file with everything it links to, in this file or another, into one new file.

    Data are copied as they are stored, chunk by chunk. ``without`` are paths that are left out,
    unless something that is kept refers to them. The source must have passed ``check_readable``.

    Raises:
        BadInput: a link or reference leads to what is not there.
    """
    with h5py.File(source, "r") as old, h5py.File(target, "w-") as new:
        _Flattening(old, new, without).run()


class _Flattening:
    def __init__(self, old: Any, new: Any, without: frozenset[str]) -> None:
        self.old, self.new, self.without = old, new, without
        self.home: dict[_Key, str] = {}
        self.things: dict[_Key, Any] = {}  # held open, so that no number names two files
        self.waiting: deque[tuple[str, Any]] = deque()

    def run(self) -> None:
        self._settle("/", self.old["/"])
        soft = self._walk()
        # what is reached only by soft links and references still needs a home
        while missing := self._homeless(soft):
            for where, thing in missing:
                if _key(thing) in self.home:
                    continue
                if self._is_twin(thing):
                    self.home[_key(thing)] = str(thing.name)
                else:
                    self._settle(self._free_place(where, thing), thing)
            soft += self._walk()
        self._write()
        for where, thing in soft:
            if where not in self.new and self._parent_of(where) in self.new:
                self.new[where] = h5py.SoftLink(self.home[_key(thing)])

    def _walk(self) -> list[tuple[str, Any]]:
        """Give every object below the waiting ones a home, the nearest first; the links that remain."""
        remaining = []
        while self.waiting:
            prefix, group = self.waiting.popleft()
            for name, link in _links_of(group):
                where = f"{prefix.rstrip('/')}/{name}"
                if where in self.without:
                    continue
                thing = group.get(name)
                if thing is None:
                    if isinstance(link, h5py.HardLink):
                        raise BadInput(f"{where} in {self.old.filename} cannot be read; re-copy it")
                    raise BadInput(f"{where} in {self.old.filename} links to what is not there")
                if isinstance(link, h5py.SoftLink) or _key(thing) in self.home:
                    remaining.append((where, thing))
                else:
                    self._settle(where, thing)
        return remaining

    def _settle(self, where: str, thing: Any) -> None:
        self.home[_key(thing)] = where
        self.things[_key(thing)] = thing
        if isinstance(thing, h5py.Group):
            self.waiting.append((where, thing))

    def _homeless(self, soft: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        found = [(where, thing) for where, thing in soft if _key(thing) not in self.home]
        for thing in list(self.things.values()):
            for target in _referred(thing):
                if _key(target) not in self.home:
                    found.append((str(target.name), target))
        return found

    def _is_twin(self, thing: Any) -> bool:
        """Whether the same object, by its id, stands at the same place already: copied, not linked."""
        for key, where in self.home.items():
            if where == thing.name and key in self.things:
                twin = self.things[key].attrs.get("object_id")
                return twin is not None and twin == thing.attrs.get("object_id")
        return False

    def _free_place(self, where: str, thing: Any) -> str:
        """Where an object stood in its own file, if its group is there in the copy; else at the link."""
        own = str(thing.name)
        taken = set(self.home.values())
        place = own if own not in taken and self._parent_of(own) in taken else where
        if self._parent_of(place) not in taken or place in taken:
            raise BadInput(
                f"{own} in {thing.file.filename} is referred to, but its group is not part of "
                f"{self.old.filename}; write the results again with mode='derived'"
            )
        return place

    def _write(self) -> None:
        places = [(self.home[key], thing) for key, thing in self.things.items()]
        for where, thing in sorted(places, key=lambda one: one[0].count("/")):
            if where == "/":
                pass
            elif isinstance(thing, h5py.Group):
                self.new.create_group(where)
            elif _has_references(thing.dtype):
                self.new.create_dataset(where, thing.shape, thing.dtype)
            else:
                parent = self.new[self._parent_of(where)]
                h5o.copy(thing.id, b".", parent.id, where.rpartition("/")[2].encode())
        for where, thing in places:
            self._refer(thing, self.new[where])

    def _refer(self, thing: Any, made: Any) -> None:
        """Write references, and the attributes that a copy of the object did not take along."""
        referring = isinstance(thing, h5py.Dataset) and _has_references(thing.dtype)
        if referring:
            made[...] = self._moved(thing, thing[...], thing.dtype)
        copied = isinstance(thing, h5py.Dataset) and not referring
        for name in thing.attrs:
            of = thing.attrs.get_id(name)
            if _has_references(of.dtype):
                value = self._moved(thing, np.asarray(thing.attrs[name], dtype=of.dtype), of.dtype)
                made.attrs.create(name, value, shape=of.shape, dtype=of.dtype)
            elif not copied:
                made.attrs.create(name, thing.attrs[name], shape=of.shape, dtype=of.dtype)

    def _moved(self, thing: Any, values: Any, dtype: np.dtype) -> Any:
        moved = np.array(values, dtype=dtype)
        for at in np.ndindex(moved.shape):
            if dtype.names is None:
                moved[at] = self._reference(thing, values[at])
            else:
                for name in dtype.names:
                    if h5py.check_ref_dtype(dtype[name]) is not None:
                        moved[name][at] = self._reference(thing, values[name][at])
        return moved

    def _reference(self, thing: Any, reference: Any) -> Any:
        if not reference:
            return reference
        return self.new[self.home[_key(thing.file[reference])]].ref

    @staticmethod
    def _parent_of(where: str) -> str:
        return where.rpartition("/")[0] or "/"


def _key(thing: Any) -> _Key:
    about = h5o.get_info(thing.id)
    return about.fileno, about.addr


def _links_of(group: Any) -> Iterator[tuple[str, Any]]:
    for name in group:
        yield name, group.get(name, getlink=True)


def _links(file: Any) -> Iterator[tuple[str, Any]]:
    """Every link of a file, none followed out of it."""
    waiting, seen = [file["/"]], set()
    while waiting:
        group = waiting.pop()
        if _key(group) in seen:
            continue
        seen.add(_key(group))
        for name, link in _links_of(group):
            yield name, link
            if isinstance(link, h5py.HardLink) and isinstance(group[name], h5py.Group):
                waiting.append(group[name])


def _has_references(dtype: Any) -> bool:
    if dtype.names is not None:
        return any(_has_references(dtype[name]) for name in dtype.names)
    return h5py.check_ref_dtype(dtype) is not None


def _referred(thing: Any) -> Iterator[Any]:
    """What the references of an object lead to."""
    held = [
        (np.asarray(thing.attrs[name], dtype=thing.attrs.get_id(name).dtype))
        for name in thing.attrs
        if _has_references(thing.attrs.get_id(name).dtype)
    ]
    if isinstance(thing, h5py.Dataset) and _has_references(thing.dtype):
        held.append(np.asarray(thing[...]))
    for values in held:
        columns = [values] if values.dtype.names is None else [
            values[name] for name in values.dtype.names if _has_references(values.dtype[name])
        ]  # fmt: skip
        for reference in (one for column in columns for one in np.ravel(column)):
            if reference:
                try:
                    yield thing.file[reference]
                except (KeyError, ValueError, RuntimeError):
                    raise BadInput(
                        f"{thing.name} in {thing.file.filename} refers to what is not there"
                    ) from None

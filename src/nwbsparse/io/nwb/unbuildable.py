"""Objects that cannot be built, of types that nobody defines or spoiled: taken out, and reported.

pynwb builds a file whole or not at all: one object of an extension that is not at hand stops it.
hdmf first reads the tree of a file ("builders") and then makes objects of it; in between, and only
in memory, the tree is sifted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hdmf.build import DatasetBuilder, GroupBuilder, TypeMap
from hdmf.build.builders import BaseBuilder

from nwbsparse.io.nwb.builders import (
    NAMESPACE,
    TYPE,
    all_in,
    namespace_of,
    path_of,
    target_of,
    targets_in,
    targets_of,
    type_of,
)
from nwbsparse.io.nwb.definitions import load_installed, remedy
from nwbsparse.io.nwb.known_types import KnownTypes
from nwbsparse.io.rules.account import listed
from nwbsparse.io.rules.values import text

_LISTS = ("colnames", "categories")
"""Attributes in which tables name their parts."""


@dataclass(frozen=True)
class Unbuildable:
    """A part of a file that could not be built as what it says it is."""

    path: str
    what: str
    """Its type, why that cannot be built, and what to install."""
    namespace: str | None = None
    """Where its type would be defined; None where that is not what it lacks."""
    read_as: str = ""
    """The NWB type that it was read as instead; '' where it was left out."""
    inside: tuple[str, ...] = ()
    """What else lay within it and was left out too."""
    is_spoiled: bool = False
    """Whether it is itself what cannot be built, though its type is known."""
    in_copy: bool = True
    """Whether what was read can be written again."""

    @property
    def is_read(self) -> bool:
        """Whether it is there in what was read, as something."""
        return bool(self.read_as) or not self.in_copy

    def __str__(self) -> str:
        if not self.in_copy:
            return f"read, but annotated copies lack it: {self.what}"
        if self.read_as:
            return f"read as {self.read_as}, without what an extension adds: {self.what}"
        within = f", and with it {listed(self.inside, most=20)}" if self.inside else ""
        return f"left out{within}: {self.what}"


def sift(
    root: GroupBuilder,
    type_map: TypeMap,
    broken: dict[str, str],
    *,
    spoiled: Mapping[str, str] = MappingProxyType({}),
    for_copy: bool = False,
) -> list[Unbuildable]:
    """Take everything out of the tree of a file that cannot be built, and say what it was.

    A group whose type is unknown at a place where NWB itself says what belongs there (/units, the
    tables of intervals, devices, electrode groups, imaging planes, the subject) is built as that
    NWB type: much of a file hangs on these. Series and columns never are: what their type adds
    may change what the numbers mean. All else of unknown type is taken out, and so is what
    cannot be without it; links to it go. Columns of references to it stay, because the names in
    them can be read. They cannot be written again: ``for_copy`` takes them out as well.

    ``broken`` says why definitions of the file cannot be used, by namespace; ``spoiled`` why
    objects cannot be built though their type is known, by path.
    """
    catalog: Any = type_map.namespace_catalog
    known = {*catalog.namespaces, *broken}
    stated = {namespace_of(one) or "core" for one in all_in(root)}
    for namespace in sorted(stated - known):
        load_installed(namespace, type_map)
    sieve = _Sieve(KnownTypes(type_map, broken), spoiled, for_copy=for_copy)
    sieve.sift(root)
    return sieve.found


class _Sieve:
    """One pass through the tree of a file: what was found, and what is no longer there."""

    def __init__(self, types: KnownTypes, spoiled: Mapping[str, str], *, for_copy: bool) -> None:
        self.found: list[Unbuildable] = []
        self._types, self._spoiled, self._for_copy = types, spoiled, for_copy
        self._seen: set[int] = set()
        self._gone: dict[int, BaseBuilder] = {}  # held, so that no other object gets its id
        # holder, name of the part, its path
        self._lost: deque[tuple[BaseBuilder, str, str]] = deque()

    def sift(self, root: GroupBuilder) -> None:
        if why := self._types.why_not(root):
            self._retype(root, "NWBFile", "core", why)
        roots: list[BaseBuilder] = [root]
        self._walk(root, namespace_of(root) or "core")
        # links and references may lead to builders outside of the tree: those of another file
        for one in roots:
            for target in [target for holder in all_in(one) for target in targets_of(holder)]:
                if id(target) not in self._seen and id(target) not in self._gone:
                    self._seen.add(id(target))
                    roots.append(target)
                    if why := self._types.why_not(target):
                        self._leave_out(target, why)
                    elif isinstance(target, GroupBuilder):
                        self._walk(target, namespace_of(target) or "core")
        while self._follow(roots):
            pass  # what goes may take others with it
        if self._gone and not self._for_copy:
            self._note_columns(roots)

    def _walk(self, root: GroupBuilder, namespace: str) -> None:
        """Sift a group and all below it, with what NWB says belongs where."""
        waiting = [(root, self._types.definition(root), namespace)]
        self._seen.add(id(root))
        while waiting:
            group, place, namespace = waiting.pop()
            self._unlist(group)
            for child in [*group.groups.values(), *group.datasets.values()]:
                if id(child) in self._seen:
                    continue
                self._seen.add(id(child))
                why = self._types.why_not(child)
                if why and not self._retyped(child, place, namespace, why):
                    self._leave_out(child, why)
                elif spoiled := self._spoiled.get(path_of(child)):
                    self._leave_out(child, spoiled)
                elif isinstance(child, GroupBuilder):
                    below = self._types.definition(child)
                    if below is None and place is not None and type_of(child) is None:
                        below = place.get_group(child.name)
                    waiting.append((child, below, namespace_of(child) or namespace))

    def _retyped(self, child: BaseBuilder, place: Any, namespace: str, why: str) -> bool:
        """Make a group the NWB type that belongs in its place, if one does and the group fits it."""
        if not isinstance(child, GroupBuilder):
            return False
        base = self._types.fitting(child, place, namespace)
        if base:
            self._retype(child, base, namespace, why)
        return bool(base)

    def _retype(self, group: GroupBuilder, base: str, namespace: str, why: str) -> None:
        said = (path_of(group), _described(group, why), namespace_of(group))
        self.found.append(Unbuildable(*said, read_as=base))
        group.attributes[TYPE], group.attributes[NAMESPACE] = base, namespace

    def _leave_out(self, builder: BaseBuilder, why: str) -> None:
        """Take a builder out of its group; what is inside it goes with it."""
        within = [one for one in all_in(builder) if one is not builder]
        inside = tuple(
            f"{path_of(one)} ({type_of(one)})"
            for one in within
            if isinstance(one, GroupBuilder) and type_of(one)
        )
        is_unknown = bool(self._types.why_not(builder))
        what = _described(builder, why) if is_unknown else f"a {type_of(builder) or 'field'} {why}"
        namespace = namespace_of(builder) if is_unknown else None
        path = path_of(builder)
        is_spoiled = not is_unknown and path in self._spoiled
        self.found.append(Unbuildable(path, what, namespace, inside=inside, is_spoiled=is_spoiled))
        for one in (builder, *within):
            self._gone[id(one)] = one
            if self._types.why_not(one) or path_of(one) in self._spoiled:
                # columns of references still lead here: to something that can always be built
                kind = "Container" if isinstance(one, GroupBuilder) else "Data"
                one.attributes[TYPE], one.attributes[NAMESPACE] = kind, "hdmf-common"
        group = builder.parent
        if isinstance(group, GroupBuilder):
            for parts in (group.groups, group.datasets):
                if parts.get(builder.name) is builder:
                    del parts[builder.name]
                    group.obj_type.pop(builder.name, None)
            for key in _LISTS:
                if key in group.attributes:
                    named = [text(name) for name in group.attributes[key]]
                    group.attributes[key] = [name for name in named if name != builder.name]
            self._lost.append((group, builder.name, path_of(builder)))

    def _unlist(self, group: GroupBuilder) -> None:
        """Take what is not there out of the list of a table's columns."""
        if not self._spoiled or "colnames" not in group.attributes:
            return
        stated = [text(name) for name in group.attributes["colnames"]]
        where = {name: f"{path_of(group)}/{name}" for name in stated if name not in group}
        gone = {name: path for name, path in where.items() if path in self._spoiled}
        group.attributes["colnames"] = [name for name in stated if name not in gone]
        self.found += [
            Unbuildable(path, f"a column {self._spoiled[path]}") for path in gone.values()
        ]

    def _follow(self, roots: list[BaseBuilder]) -> bool:
        """Drop what leads to something that is gone, and whoever cannot be without it."""
        for root in roots:
            for holder in list(all_in(root)):
                if id(holder) not in self._gone:
                    self._drop_references(holder)
        again = bool(self._lost)
        while self._lost:
            holder, name, path = self._lost.popleft()
            if holder is roots[0]:
                continue  # without it there is no file: pynwb will say what it lacks
            if id(holder) not in self._gone and self._falls_with(holder, name):
                self._leave_out(holder, f"that needs {path}, which is left out")
        return again

    def _falls_with(self, holder: BaseBuilder, name: str) -> bool:
        """Whether an object goes when a part of it went."""
        if self._types.is_needed(holder, name):
            return True
        # a column that points into no table says nothing; kept where a series cannot be without it
        return (
            isinstance(holder, DatasetBuilder)
            and self._types.is_required(holder, name)
            and not (holder.parent and self._types.is_needed(holder.parent, holder.name))
        )

    def _note_columns(self, roots: list[BaseBuilder]) -> None:
        """Say which columns can be read, by the names of what they lead to, but not written again."""
        for holder in [holder for root in roots for holder in all_in(root)]:
            if id(holder) not in self._gone and (why := self._why_dangling(holder)):
                said = (path_of(holder), f"a {type_of(holder)} {why}")
                self.found.append(Unbuildable(*said, in_copy=False))

    def _why_dangling(self, column: BaseBuilder) -> str:
        """Which objects that are gone a column of references leads to; '' for none."""
        lost = [path_of(one) for one in targets_in(column) if id(one) in self._gone]
        return f"that points to {listed(sorted(lost))}, left out" if lost else ""

    def _drop_references(self, holder: BaseBuilder) -> None:
        for name, value in list(holder.attributes.items()):
            target = target_of(value)
            if target is not None and id(target) in self._gone:
                del holder.attributes[name]
                if isinstance(holder, GroupBuilder):
                    holder.obj_type.pop(name, None)
                self._lost.append((holder, name, path_of(target)))
        if isinstance(holder, GroupBuilder):
            for name, link in list(holder.links.items()):
                if id(link.builder) in self._gone:
                    del holder.links[name]
                    holder.obj_type.pop(name, None)
                    self._lost.append((holder, name, path_of(link.builder)))
        elif isinstance(holder, DatasetBuilder):
            target = target_of(holder.data)
            if target is not None and id(target) in self._gone:
                self._leave_out(holder, f"that points to {path_of(target)}, which is left out")
            elif self._for_copy and self._gone and (why := self._why_dangling(holder)):
                self._leave_out(holder, why)


def _described(builder: BaseBuilder, why: str) -> str:
    """An object of unknown type in words: what it is, why it cannot be built, what to do."""
    namespace = namespace_of(builder)
    of = f" of namespace {namespace}" if namespace is not None else ""
    return f"its type is {type_of(builder)}{of}; {why}: {remedy(namespace)}"

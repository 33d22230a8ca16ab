"""Objects of types that nobody defines: taken out of a file before pynwb builds it, and reported.

pynwb builds a file whole or not at all: one object of an extension that is not at hand stops it.
hdmf first reads the tree of a file ("builders") and then makes objects of it; in between, and only
in memory, the tree is sifted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from hdmf.build import DatasetBuilder, GroupBuilder, TypeMap
from hdmf.build.builders import BaseBuilder
from hdmf.utils import get_docval

from nwbsparse.io.account import listed
from nwbsparse.io.datasets import text
from nwbsparse.io.nwb.builders import (
    NAMESPACE,
    TYPE,
    all_in,
    namespace_of,
    path_of,
    target_of,
    targets_of,
    type_of,
)
from nwbsparse.io.nwb.definitions import load_installed, remedy, why_unknown

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

    def __str__(self) -> str:
        if self.read_as:
            return f"read as {self.read_as}, without what an extension adds: {self.what}"
        within = f", and with it {listed(self.inside, most=20)}" if self.inside else ""
        return f"left out{within}: {self.what}"


def sift(root: GroupBuilder, type_map: TypeMap, broken: dict[str, str]) -> list[Unbuildable]:
    """Take everything out of the tree of a file that cannot be built, and say what it was.

    A group whose type is unknown at a place where NWB itself says what belongs there (/units, the
    tables of intervals, devices, electrode groups, imaging planes, the subject) is built as that
    NWB type: much of a file hangs on these. Series and columns never are: what their type adds
    may change what the numbers mean. All else of unknown type is taken out, and so is what
    cannot be without it; links to it go.

    ``broken`` says why definitions of the file cannot be used, by namespace.
    """
    catalog: Any = type_map.namespace_catalog
    known = {*catalog.namespaces, *broken}
    stated = {namespace_of(one) or "core" for one in all_in(root)}
    for namespace in sorted(stated - known):
        load_installed(namespace, type_map)
    sieve = _Sieve(type_map, broken)
    sieve.sift(root)
    return sieve.found


class _Sieve:
    """One pass through the tree of a file: what was found, and what is no longer there."""

    def __init__(self, type_map: TypeMap, broken: dict[str, str]) -> None:
        self.found: list[Unbuildable] = []
        self._type_map, self._broken = type_map, broken
        self._catalog: Any = type_map.namespace_catalog
        self._why: dict[tuple[str | None, str], str] = {}
        self._seen: set[int] = set()
        self._gone: dict[int, BaseBuilder] = {}  # held, so that no other object gets its id
        # holder, name of the part, its path
        self._lost: deque[tuple[BaseBuilder, str, str]] = deque()

    def sift(self, root: GroupBuilder) -> None:
        if why := self._why_not(root):
            self._retype(root, "NWBFile", "core", why)
        roots: list[BaseBuilder] = [root]
        self._walk(root, namespace_of(root) or "core")
        # links and references may lead to builders outside of the tree: those of another file
        for one in roots:
            for target in [target for holder in all_in(one) for target in targets_of(holder)]:
                if id(target) not in self._seen and id(target) not in self._gone:
                    self._seen.add(id(target))
                    roots.append(target)
                    if why := self._why_not(target):
                        self._leave_out(target, why)
                    elif isinstance(target, GroupBuilder):
                        self._walk(target, namespace_of(target) or "core")
        while self._follow(roots):
            pass  # what goes may take others with it

    def _walk(self, root: GroupBuilder, namespace: str) -> None:
        """Sift a group and all below it, with what NWB says belongs where."""
        waiting = [(root, self._definition(root), namespace)]
        self._seen.add(id(root))
        while waiting:
            group, place, namespace = waiting.pop()
            for child in [*group.groups.values(), *group.datasets.values()]:
                if id(child) in self._seen:
                    continue
                self._seen.add(id(child))
                why = self._why_not(child)
                if why and not self._retyped(child, place, namespace, why):
                    self._leave_out(child, why)
                elif isinstance(child, GroupBuilder):
                    below = self._definition(child)
                    if below is None and place is not None and type_of(child) is None:
                        below = place.get_group(child.name)
                    waiting.append((child, below, namespace_of(child) or namespace))

    def _why_not(self, builder: BaseBuilder) -> str:
        type_name, namespace = type_of(builder), namespace_of(builder)
        if type_name is None:
            return ""
        key = namespace, type_name
        if key not in self._why:
            self._why[key] = why_unknown(*key, self._type_map, self._broken)
        return self._why[key]

    def _definition(self, builder: BaseBuilder) -> Any:
        """What is defined for the type of a builder; None where it has none."""
        type_name, namespace = type_of(builder), namespace_of(builder)
        if type_name is None or namespace is None or self._why_not(builder):
            return None
        return self._catalog.get_spec(namespace, type_name)

    def _retyped(self, child: BaseBuilder, place: Any, namespace: str, why: str) -> bool:
        """Make a group the NWB type that belongs in its place, if one does and the group fits it."""
        if place is None or not isinstance(child, GroupBuilder):
            return False
        named = place.get_group(child.name)
        fitting = [named] if named is not None else [one for one in place.groups if not one.name]
        types = {one.data_type_def or one.data_type_inc for one in fitting}
        if len(types) != 1 or None in types:
            return False
        [base] = types
        spec = self._catalog.get_spec(namespace, base)
        if "TimeSeries" in self._catalog.get_hierarchy(namespace, base) or not _fits(child, spec):
            return False
        self._retype(child, base, namespace, why)
        return True

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
        is_unknown = bool(self._why_not(builder))
        what = _described(builder, why) if is_unknown else f"a {type_of(builder)} {why}"
        namespace = namespace_of(builder) if is_unknown else None
        self.found.append(Unbuildable(path_of(builder), what, namespace, inside=inside))
        for one in (builder, *within):
            self._gone[id(one)] = one
            if self._why_not(one):
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
            if id(holder) not in self._gone and self._is_needed(holder, name):
                self._leave_out(holder, f"that needs {path}, which is left out")
        return again

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

    def _is_needed(self, holder: BaseBuilder, name: str) -> bool:
        """Whether pynwb can make no object of a builder without this part of it."""
        definition = self._definition(holder)
        if definition is None:
            return False
        part = definition.get_attribute(name)
        if part is None and isinstance(holder, GroupBuilder):
            for find in (definition.get_dataset, definition.get_group, definition.get_link):
                part = part if part is not None else find(name)
        if part is None:
            return False
        types: Any = self._type_map
        made = types.get_dt_container_cls(type_of(holder), namespace_of(holder))
        argument = types.get_map(holder).get_const_arg(part)
        stated = {one["name"]: "default" in one for one in get_docval(made.__init__)}
        return not stated.get(argument, True)


def _described(builder: BaseBuilder, why: str) -> str:
    """An object of unknown type in words: what it is, why it cannot be built, what to do."""
    namespace = namespace_of(builder)
    of = f" of namespace {namespace}" if namespace is not None else ""
    return f"its type is {type_of(builder)}{of}; {why}: {remedy(namespace)}"


def _fits(group: GroupBuilder, spec: Any) -> bool:
    """Whether a group holds all that a type must have; false for types that hold nothing at all."""
    if not (spec.attributes or spec.datasets or spec.groups or spec.links):
        return False
    must = [one.name for one in spec.attributes if one.required and one.value is None]
    parts = [*spec.datasets, *spec.groups, *spec.links]
    must += [one.name for one in parts if one.required and one.name]
    return all(name in group for name in must)

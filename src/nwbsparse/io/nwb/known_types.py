"""What NWB and its extensions say about the objects of a file: which can be built, and out of what."""

from __future__ import annotations

from typing import Any

from hdmf.build import GroupBuilder, TypeMap
from hdmf.build.builders import BaseBuilder
from hdmf.utils import get_docval

from nwbsparse.io.nwb.builders import namespace_of, type_of
from nwbsparse.io.nwb.definitions import why_unknown


class KnownTypes:
    """The definitions at hand, asked about objects of a file.

    ``broken`` says why definitions of the file cannot be used, by namespace.
    """

    def __init__(self, type_map: TypeMap, broken: dict[str, str]) -> None:
        self._types: Any = type_map
        self._broken = broken
        self._why: dict[tuple[str | None, str], str] = {}

    def why_not(self, builder: BaseBuilder) -> str:
        """Why an object cannot be built as the type that it states; '' where it can."""
        type_name, namespace = type_of(builder), namespace_of(builder)
        if type_name is None:
            return ""
        key = namespace, type_name
        if key not in self._why:
            self._why[key] = why_unknown(*key, self._types, self._broken)
        return self._why[key]

    def definition(self, builder: BaseBuilder) -> Any:
        """What is defined for the type of an object; None where it has none."""
        type_name, namespace = type_of(builder), namespace_of(builder)
        if type_name is None or namespace is None or self.why_not(builder):
            return None
        return self._types.namespace_catalog.get_spec(namespace, type_name)

    def fitting(self, child: GroupBuilder, place: Any, namespace: str) -> str:
        """The NWB type that belongs where a group lies, if there is one and the group fits it; or ''.

        ``place`` is the definition of what it lies in. Types of series never fit: what an extension
        adds to them may change what their numbers mean.
        """
        if place is None:
            return ""
        catalog = self._types.namespace_catalog
        named = place.get_group(child.name)
        candidates = [named] if named is not None else [one for one in place.groups if not one.name]
        types = {one.data_type_def or one.data_type_inc for one in candidates}
        if len(types) != 1 or None in types:
            return ""
        [base] = types
        is_series = "TimeSeries" in catalog.get_hierarchy(namespace, base)
        return base if not is_series and _fits(child, catalog.get_spec(namespace, base)) else ""

    def is_required(self, holder: BaseBuilder, name: str) -> bool:
        """Whether an object says nothing, as it is defined, without this part of it."""
        part = self._part(holder, name)
        return part is not None and part.required

    def is_needed(self, holder: BaseBuilder, name: str) -> bool:
        """Whether pynwb can make no object of a builder without this part of it."""
        part = self._part(holder, name)
        if part is None:
            return False
        made = self._types.get_dt_container_cls(type_of(holder), namespace_of(holder))
        columns = getattr(made, "__columns__", ())
        if any(one["name"] == name and one.get("required") for one in columns):
            return True
        argument = self._types.get_map(holder).get_const_arg(part)
        stated = {one["name"]: "default" in one for one in get_docval(made.__init__)}
        return not stated.get(argument, True)

    def _part(self, holder: BaseBuilder, name: str) -> Any:
        definition = self.definition(holder)
        if definition is None:
            return None
        part = definition.get_attribute(name)
        if part is None and isinstance(holder, GroupBuilder):
            for find in (definition.get_dataset, definition.get_group, definition.get_link):
                part = part if part is not None else find(name)
        return part


def _fits(group: GroupBuilder, spec: Any) -> bool:
    """Whether a group holds all that a type must have; false for types that hold nothing at all."""
    if not (spec.attributes or spec.datasets or spec.groups or spec.links):
        return False
    must = [one.name for one in spec.attributes if one.required and one.value is None]
    parts = [*spec.datasets, *spec.groups, *spec.links]
    must += [one.name for one in parts if one.required and one.name]
    return all(name in group for name in must)

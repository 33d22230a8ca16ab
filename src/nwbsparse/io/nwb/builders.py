"""The tree of a file as hdmf reads it, before objects are made of it: groups, datasets, references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from hdmf.build import DatasetBuilder, GroupBuilder, ReferenceBuilder
from hdmf.build.builders import BaseBuilder
from hdmf.query import ReferenceResolver

from nwbsparse.io.rules.values import text

TYPE: Final = "neurodata_type"
NAMESPACE: Final = "namespace"


def all_in(builder: BaseBuilder) -> Iterator[BaseBuilder]:
    """A builder and everything that lies in it; not what it refers to."""
    waiting: list[BaseBuilder] = [builder]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, GroupBuilder):
            waiting += [*one.groups.values(), *one.datasets.values()]


def targets_of(holder: BaseBuilder) -> list[BaseBuilder]:
    """Every builder that a builder refers to without holding it."""
    values: list[Any] = list(holder.attributes.values())
    if isinstance(holder, GroupBuilder):
        values += [link.builder for link in holder.links.values()]
    elif isinstance(holder, DatasetBuilder):
        values.append(holder.data)
    return [target for value in values if (target := target_of(value)) is not None]


def targets_in(column: BaseBuilder) -> list[BaseBuilder]:
    """Every builder that the rows of a dataset of references lead to, each once."""
    stored: Any = column.data if isinstance(column, DatasetBuilder) else None
    if not isinstance(stored, ReferenceResolver):
        return []
    data: Any = stored
    try:
        rows = list(data[0 : len(data)])
    except (KeyError, OSError, RuntimeError, TypeError, ValueError):  # of which some lead nowhere
        return []
    cells = [cell for row in rows for cell in ([row] if isinstance(row, BaseBuilder) else row)]
    return list({id(cell): cell for cell in cells if isinstance(cell, BaseBuilder)}.values())


def target_of(value: Any) -> BaseBuilder | None:
    """The builder that an attribute or a single value refers to; None where it is no reference."""
    if isinstance(value, ReferenceBuilder):
        value = value.builder
    return value if isinstance(value, BaseBuilder) else None


def type_of(builder: BaseBuilder) -> str | None:
    """The NWB type that an object of the file says it is of."""
    stated = builder.attributes.get(TYPE)
    return None if stated is None else text(stated)


def namespace_of(builder: BaseBuilder) -> str | None:
    """Where that type is defined: core, or the name of an extension."""
    stated = builder.attributes.get(NAMESPACE)
    return None if stated is None else text(stated)


def path_of(builder: BaseBuilder) -> str:
    """Where an object lies in its file; with the name of the file where that is another one."""
    top: Any = builder
    while top.parent is not None:
        top = top.parent
    if top.name == "root":
        return builder.path.removeprefix("root") or "/"
    return f"{(builder.location or '').rstrip('/')}/{builder.name} of {builder.source}"

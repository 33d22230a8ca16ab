"""Names that work in conditions and as variables, each of them given once."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from dataclasses import replace
from typing import TypeVar

from nwbsparse.session import Events, Series

Named = TypeVar("Named", Series, Events)


def identifier(name: str) -> str:
    """A name that can be used in conditions and as a variable: letters, digits, underscores."""
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "series"
    return f"_{clean}" if clean[0].isdigit() or keyword.iskeyword(clean) else clean


def with_unique_names(found: list[tuple[Named, str]]) -> dict[str, Named]:
    """Things by name; those that share one get the name of their container too, then a number."""
    count = Counter(thing.name for thing, _ in found)
    named: dict[str, Named] = {}
    for thing, container in found:
        stem = thing.name if count[thing.name] == 1 else f"{thing.name}_{container}"
        name, n = stem, 2
        while name in named:
            name, n = f"{stem}_{n}", n + 1
        named[name] = replace(thing, name=name)
    return named


def type_name(thing: object) -> str:
    """What kind of NWB object this is, also where its class was made from the file's own words."""
    return str(getattr(type(thing), "neurodata_type", None) or type(thing).__name__)

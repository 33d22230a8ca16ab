"""What a Zarr store says of its groups and arrays, in format 2 (.zarray, …) or 3 (zarr.json)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput

GROUP_2, ARRAY_2, ATTRIBUTES_2, WHOLE_2 = ".zgroup", ".zarray", ".zattrs", ".zmetadata"
NODE_3 = "zarr.json"
METADATA = (GROUP_2, ARRAY_2, ATTRIBUTES_2, WHOLE_2, NODE_3)
"""Files that hold no data."""

SHARDS = "sharding_indexed"


@dataclass(frozen=True)
class ZarrArray:
    """What the metadata of an array claim."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    """How much of it lies in one file (a shard, where there are shards)."""
    inner: tuple[int, ...]
    """How much of it is packed as one: the chunks of a shard, else the same as ``chunks``."""
    dtype: str
    itemsize: int
    """Bytes of one value; of text, those of what leads to it."""
    codecs: tuple[Any, ...]
    """What decodes it, as the metadata name it."""
    fill_value: Any

    @property
    def n_files(self) -> int:
        """How many files hold it when none is missing."""
        return math.prod(-(-n // size) for n, size in zip(self.shape, self.chunks, strict=True))

    @property
    def chunks_per_file(self) -> int:
        """How many chunks a shard holds; 1 without shards."""
        return math.prod(size // n for size, n in zip(self.chunks, self.inner, strict=True))


def generation(store: Path) -> int | None:
    """The Zarr format of a folder: 2 or 3; None where it is no store.

    Raises:
        BadInput: it says both, so that two readers would find two recordings in it.
    """
    old, new = (store / GROUP_2).is_file(), (store / NODE_3).is_file()
    if old and new:
        raise BadInput(
            f"{store} says of itself that it is Zarr of format 2 ({GROUP_2}) and of format 3 "
            f"({NODE_3}): libraries differ in which they read. Keep one of the two, by exporting "
            "it anew."
        )
    return 2 if old else 3 if new else None


def zarr_json(path: Path) -> dict[str, Any]:
    """The metadata of a Zarr group or array; {} where there are none."""
    try:
        content = json.loads(path.read_bytes()) if path.is_file() else {}
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is damaged ({error}). Copy the store again.") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path} is damaged: it holds no JSON object. Copy the store again.")
    return content


def attributes_of(node: Path) -> dict[str, Any]:
    """The attributes of a group or array, of either format."""
    if not (node / NODE_3).is_file():
        return zarr_json(node / ATTRIBUTES_2)
    return _table(zarr_json(node / NODE_3).get("attributes"))


def arrays_in(store: Path) -> Iterator[tuple[Path, dict[str, Any] | BadInput]]:
    """Every array of a store with its metadata, or with why these cannot be read."""
    for file in sorted((*store.rglob(ARRAY_2), *store.rglob(NODE_3))):
        try:
            content = zarr_json(file)
        except BadInput as error:
            yield file.parent, error
            continue
        if file.name == ARRAY_2 or content.get("node_type") == "array":
            yield file.parent, content


def array_of(content: dict[str, Any]) -> ZarrArray:
    """What the metadata of an array claim, of either format.

    Raises:
        KeyError, TypeError, ValueError, ZeroDivisionError: they are damaged.
    """
    made = _of_format_3(content) if "data_type" in content else _of_format_2(content)
    if min((0, *made.shape)) < 0 or min((1, *made.chunks, *made.inner)) < 1:
        raise ValueError(f"shape {made.shape} in chunks of {made.chunks}")
    if not len(made.shape) == len(made.chunks) == len(made.inner):
        raise ValueError(f"shape {made.shape} in chunks of {made.chunks}")
    return made


def _of_format_2(held: dict[str, Any]) -> ZarrArray:
    shape, chunks = _sizes(held["shape"]), _sizes(held["chunks"])
    codecs = (held.get("compressor"), *(held.get("filters") or []))
    itemsize = _itemsize_2(held["dtype"])
    said = str(held["dtype"])
    return ZarrArray(shape, chunks, chunks, said, itemsize, codecs, held.get("fill_value"))


def _of_format_3(held: dict[str, Any]) -> ZarrArray:
    grid, codecs = held["chunk_grid"], tuple(held["codecs"])
    if grid["name"] != "regular":
        raise ValueError(f"chunks cut as a {grid['name']} grid")
    shape = _sizes(held["shape"])
    chunks = inner = _sizes(grid["configuration"]["chunk_shape"])
    for codec in codecs:
        if isinstance(codec, dict) and codec.get("name") == SHARDS:
            inner = _sizes(codec["configuration"]["chunk_shape"])
    kind = held["data_type"]
    return ZarrArray(
        shape, chunks, inner, _name(kind), _itemsize_3(kind), codecs, held.get("fill_value")
    )


def _sizes(stated: Any = ()) -> tuple[int, ...]:
    return tuple(int(n) for n in stated)


def _itemsize_2(dtype: Any) -> int:
    if isinstance(dtype, str):
        return np.dtype(dtype).itemsize
    # a field may hold an array: its name, its kind, the shape of that
    return sum(_itemsize_2(kind) * math.prod(_sizes(*shape)) for _, kind, *shape in dtype)


def _itemsize_3(kind: Any) -> int:
    if isinstance(kind, str):
        if kind in ("string", "bytes", "variable_length_bytes"):
            return 8
        if kind.startswith("r") and kind[1:].isdecimal():  # raw bits
            return -(-int(kind[1:]) // 8)
        return np.dtype(kind).itemsize
    how = _table(kind.get("configuration"))
    if "fields" in how:
        fields = [one["data_type"] if isinstance(one, dict) else one[1] for one in how["fields"]]
        return sum(map(_itemsize_3, fields))
    if "length_bytes" in how:
        return int(how["length_bytes"])
    name = str(kind["name"])
    return 8 if name.startswith("numpy.") else _itemsize_3(name)  # times of numpy take 8 bytes


def _name(kind: Any) -> str:
    return kind if isinstance(kind, str) else str(kind.get("name"))


def _table(stated: Any) -> dict[str, Any]:
    return stated if isinstance(stated, dict) else {}

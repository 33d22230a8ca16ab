"""Shards of Zarr format 3: many chunks in one file, with an index that says where each lies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nwbsparse.io.zarr.metadata import SHARDS, ZarrArray

_NONE = np.uint64(2**64 - 1)
"""Where a chunk would lie that was never written."""


def n_missing_chunks(array: ZarrArray, files: list[Path]) -> tuple[int, int]:
    """How many chunks of a one-dimensional array are not in its shards, and how many there should be.

    An index that is packed, or of another length than it should be, is left to whoever unpacks it.
    """
    how = next(one["configuration"] for one in array.codecs if _is_sharding(one))
    end = sum(map(_bytes_behind, how.get("index_codecs", ())))
    if len(array.shape) != 1 or not all(map(_is_plain, how.get("index_codecs", ()))):
        return 0, 0
    length = array.chunks_per_file * 2 * _NONE.itemsize
    at_end = how.get("index_location", "end") == "end"
    lost = expected = 0
    for file, n_values in _with_values(array, files):
        # the last shard may have room for more than the array holds
        n_chunks = math.ceil(n_values / array.inner[0])
        with file.open("rb") as held:
            if at_end:
                held.seek(max(0, file.stat().st_size - length - end))
            raw = held.read(length)
        if len(raw) < length:
            lost, expected = lost + n_chunks, expected + n_chunks
            continue
        starts = np.frombuffer(raw, "<u8").reshape(-1, 2)[:n_chunks, 0]
        gone = int((starts == _NONE).sum())
        if gone == 1 and starts[-1] == _NONE and (n_values - 1) % array.inner[0] == 0:
            gone = 0  # a chunk that holds nothing but a time of 0.0 is not written
        lost, expected = lost + gone, expected + n_chunks
    return lost, expected


def _with_values(array: ZarrArray, files: list[Path]) -> Iterator[tuple[Path, int]]:
    """The shards of a one-dimensional array, and how many of its values each holds."""
    for file in files:
        if file.name.isdecimal() and (start := int(file.name) * array.chunks[0]) < array.shape[0]:
            yield file, min(array.chunks[0], array.shape[0] - start)


def _is_sharding(codec: object) -> bool:
    return isinstance(codec, dict) and codec.get("name") == SHARDS


def _is_plain(codec: object) -> bool:
    """Whether an index is readable as it is: little-endian, with at most a checksum behind it."""
    if not isinstance(codec, dict):
        return False
    order = codec.get("configuration", {}).get("endian", "little")
    return codec.get("name") == "crc32c" or (codec.get("name") == "bytes" and order == "little")


def _bytes_behind(codec: object) -> int:
    return 4 if isinstance(codec, dict) and codec.get("name") == "crc32c" else 0

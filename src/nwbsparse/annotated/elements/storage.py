"""How arrays are cut and compressed when they are stored."""

# hdmf makes the signatures of its classes at run time
# pyright: reportCallIssue=false
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hdmf.backends.hdf5.h5_utils import H5DataIO

Pack = Callable[[np.ndarray], Any]
"""Makes an array ready for one kind of file."""

CHUNK_BYTES = 2**18
CHUNKS_PER_BLOCK = 4
"""Neighbouring chunks that share a checksum: few enough that a short window needs little more."""


def packed(array: np.ndarray) -> Any:
    """For HDF5: compressed, in chunks of whole rows (decision 0007: why without Fletcher32)."""
    array = np.ascontiguousarray(array)
    if array.size == 0:
        return array
    chunks = (min(len(array), chunk_rows(array.shape, array.dtype.itemsize)), *array.shape[1:])
    return H5DataIO(array, compression="gzip", compression_opts=4, shuffle=True, chunks=chunks)


def plain(array: np.ndarray) -> Any:
    """For Zarr, which cuts and compresses by itself."""
    return np.ascontiguousarray(array)


def chunk_rows(shape: Sequence[int], itemsize: int) -> int:
    """How many rows make a chunk of about 256 KiB."""
    return max(1, CHUNK_BYTES // max(1, itemsize * math.prod(shape[1:])))

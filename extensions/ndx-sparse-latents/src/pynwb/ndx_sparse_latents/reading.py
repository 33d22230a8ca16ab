"""Read activations of latents, whole or a stretch of time, from dense and sparse storage alike.

The functions look at fields, not at classes, so they also serve the classes that pynwb generates
from the namespace cached in a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def to_dense(activations: Any, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Give the activations of bins `start` to `stop` as an array, bins by latents.

    Only these bins are read from disk. Bins count as in a Python slice.
    """
    start, stop, _ = slice(start, stop).indices(_num_bins(activations))
    stop = max(start, stop)
    if not _is_sparse(activations):
        return _scaled(activations, np.asarray(activations.data[start:stop]))
    values, indices, indptr = _read_rows(activations, start, stop)
    dense = np.zeros((stop - start, int(activations.num_latents)), dtype=values.dtype)
    dense[np.repeat(np.arange(stop - start), np.diff(indptr)), indices] = values
    return dense


def to_scipy(activations: Any) -> csr_array:
    """Give all activations as a SciPy sparse array, bins by latents."""
    try:
        from scipy.sparse import csr_array
    except ImportError as error:
        raise ImportError(
            "to_scipy needs SciPy, which is not installed. "
            "Install it (pip install scipy), or use to_dense, which needs NumPy only."
        ) from error
    if not _is_sparse(activations):
        return csr_array(to_dense(activations))
    num_bins = _num_bins(activations)
    values, indices, indptr = _read_rows(activations, 0, num_bins)
    return csr_array((values, indices, indptr), shape=(num_bins, int(activations.num_latents)))


def bin_times(activations: Any) -> np.ndarray:
    """Give the centre of every bin, in session seconds."""
    # A dense series may store bin starts, as many tools do; here times are centres throughout.
    starts = getattr(activations, "time_reference", None) == "start"
    shift = float(activations.bin_width) / 2 if starts else 0.0
    if activations.timestamps is not None:
        return np.asarray(activations.timestamps[:], dtype=np.float64) + shift
    if activations.rate is None or activations.starting_time is None:
        raise ValueError(
            f"'{activations.name}' has neither timestamps nor starting_time and rate, so its bins "
            "have no times. Read it by bin number with to_dense."
        )
    steps = np.arange(_num_bins(activations)) / float(activations.rate)
    return float(activations.starting_time) + steps + shift


def window(activations: Any, t0: float, t1: float) -> tuple[np.ndarray, np.ndarray]:
    """Give the times and activations of the bins whose centre lies in [t0, t1), in seconds.

    Only these bins' activations are read from disk.
    """
    if not t0 <= t1:
        raise ValueError(f"the window ends ({t1} s) before it starts ({t0} s)")
    times = bin_times(activations)
    start, stop = (int(edge) for edge in np.searchsorted(times, [t0, t1]))
    return times[start:stop], to_dense(activations, start, stop)


def _is_sparse(activations: Any) -> bool:
    """Tell whether the activations are stored as compressed sparse rows."""
    return getattr(activations, "indptr", None) is not None


def _num_bins(activations: Any) -> int:
    """Count the bins without reading activations."""
    return int(activations.num_bins) if _is_sparse(activations) else len(activations.data)


def _read_rows(activations: Any, start: int, stop: int) -> tuple[np.ndarray, ...]:
    """Read values, latents and row edges of some bins, with the edges counted from zero."""
    indptr = np.asarray(activations.indptr[start : stop + 1]).astype(np.int64)
    if len(indptr) != stop - start + 1 or (np.diff(indptr) < 0).any():
        raise ValueError(
            f"'{activations.name}' is damaged: indptr should hold num_bins + 1 increasing numbers."
        )
    first, last = int(indptr[0]), int(indptr[-1])
    values = np.asarray(activations.values[first:last])
    # SciPy knows signed indices only, and would refuse uint16.
    indices = np.asarray(activations.indices[first:last]).astype(np.int64)
    if not len(values) == len(indices) == last - first:
        raise ValueError(
            f"'{activations.name}' is damaged: values and indices end before indptr says."
        )
    if len(indices) and (indices.min() < 0 or indices.max() >= activations.num_latents):
        raise ValueError(
            f"'{activations.name}' is damaged: an index is outside its "
            f"{activations.num_latents} latents."
        )
    return values, indices, indptr - first


def _scaled(series: Any, data: np.ndarray) -> np.ndarray:
    """Apply a TimeSeries' conversion and offset, which are almost always 1 and 0."""
    conversion, offset = float(series.conversion or 1.0), float(series.offset or 0.0)
    if conversion == 1.0 and offset == 0.0:
        return data
    return data * conversion + offset

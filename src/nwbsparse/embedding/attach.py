"""with_embedding(): an embedding of a recording, made elsewhere, beside its counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.embedding.embedder import with_embedder
from nwbsparse.errors import BadInput
from nwbsparse.io.npy import load_npy
from nwbsparse.schema import check, history, with_step

METHOD = "unknown"
SAW = "saw_behaviour"
TRAIN, ALL = "train", "all"
"""Of which bins an embedding has seen the behaviour: all but the test bins, or all."""
EMBEDDING_FILE, EMBEDDER_FILE = "embedding.nc", "embedder.safetensors"
"""What ``nwbsparse embed`` and runs keep of an embedding, in their folders."""
SAME_TIME = 1e-3
"""Share of a bin by which the times of an embedding may differ from those of the bins."""


def with_embedding(
    binned: xr.Dataset,
    values: Any,
    *,
    method: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    saw_behaviour: str | None = None,
) -> xr.Dataset:
    """Put an embedding of the recording beside its counts, for a coder that reads it.

    A coder learns from it with ``Config(reads="embedding")``, and its latents are explained with
    the recording's units and behaviour, which are still there.

    Args:
        binned: Binned dataset, split or not.
        values: (time, dim), one row per bin in the order of the bins: an array, a DataArray (whose
            times, if it has any, must be those of the bins), or the path of an ``.npy`` file, which
            is opened without running anything in it, or of a folder that ``nwbsparse embed`` wrote.
        method: what made it; by default what a DataArray says in ``attrs["method"]``, else "unknown".
        parameters: how it was made, as JSON can hold it; kept with it and in the history.
        saw_behaviour: whether it was made with the behaviour (supervised), and of which bins: "train"
            (all but the test bins), "all", or None for not. What has seen the behaviour of a bin
            cannot be tested on it: :func:`nwbsparse.explain` then assesses test bins only, or none.

    Returns:
        The dataset with ``embedding(time, dim)`` (float32, attributes ``method`` and
        ``parameters``), ``dim`` = 0 … n−1. Rows that are not finite are taken only where no bin
        uses them: in the gaps of a split, or where no unit was observed; they become NaN throughout.

    Raises:
        BadInput: other than two dims, another number of rows than bins (the message says both and
            how the bins were made), other times, values that are not numbers or not finite, or
            parameters that JSON cannot hold.
    """
    check(binned, names.BINNED)
    where = ""
    said: dict[str, Any] = {}
    held: bytes | None = None
    if isinstance(values, str | Path):
        where = f"{values}: "
        values, held = _loaded(Path(values).expanduser())
    if isinstance(values, xr.DataArray):
        said = dict(values.attrs)
        if parameters is None and names.PARAMETERS in said:
            parameters = _parameters(said[names.PARAMETERS])
        _check_times(values, binned)
        values = values.transpose(names.TIME, ..., missing_dims="ignore").values
    table = _table(values, binned, where)
    method = method or str(said.get(names.METHOD, METHOD))
    if saw_behaviour not in (None, TRAIN, ALL):
        raise BadInput(f"saw_behaviour={saw_behaviour!r}: it is 'train', 'all' or None")
    if saw_behaviour is not None:
        parameters = dict(parameters or {}) | {SAW: saw_behaviour}
    try:
        words = json.dumps(dict(parameters or {}), sort_keys=True)
    except (TypeError, ValueError) as error:
        raise BadInput(f"parameters of the embedding must be plain JSON values: {error}") from None
    made = binned.drop_vars([names.EMBEDDING, names.EMBEDDER, names.DIM], errors="ignore")
    embedding = xr.DataArray(
        table,
        dims=(names.TIME, names.DIM),
        attrs={names.METHOD: method, names.PARAMETERS: words},
    )
    made = made.assign({names.EMBEDDING: embedding})
    made = made.assign_coords({names.DIM: np.arange(table.shape[1])})
    step = {names.METHOD: method, names.PARAMETERS: json.loads(words), "dims": table.shape[1]}
    made = with_step(made, "with_embedding", step)
    return made if held is None else with_embedder(made, held)


def embedding_of(binned: xr.Dataset, reads: str) -> xr.DataArray | None:
    """What a coder read of a dataset, to be kept with its results; None for one that reads counts."""
    if reads != names.EMBEDDING:
        return None
    embedding = binned[names.EMBEDDING]
    return embedding.drop_vars([key for key in embedding.coords if key not in embedding.dims])


def saw_behaviour(binned: xr.Dataset) -> str | None:
    """Of which bins the embedding has seen the behaviour: 'train', 'all', None for of none."""
    words = binned[names.EMBEDDING].attrs.get(names.PARAMETERS, "{}")
    seen = json.loads(words).get(SAW)
    return seen if seen in (TRAIN, ALL) else None


def _loaded(path: Path) -> tuple[Any, bytes | None]:
    """The embedding in a file, or in a folder beside what made it.

    Raises:
        BadInput: the folder holds none, or the file is not what ``np.save`` writes.
    """
    if not path.is_dir():
        return load_npy(path), None
    stored, embedder = path / EMBEDDING_FILE, path / EMBEDDER_FILE
    if not stored.is_file():
        raise BadInput(f"{path} holds no {EMBEDDING_FILE}; `nwbsparse embed` writes one")
    with xr.open_dataset(stored, engine="h5netcdf") as opened:
        values = opened[names.EMBEDDING].load()
    return values, embedder.read_bytes() if embedder.is_file() else None


def _parameters(words: Any) -> dict[str, Any]:
    """What an embedding that was with a dataset before says about its making."""
    try:
        found = json.loads(words) if isinstance(words, str) else dict(words)
    except (TypeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise BadInput(
            "attrs['parameters'] of the embedding is no JSON object; give parameters= instead"
        )
    return found


def _table(values: Any, binned: xr.Dataset, where: str) -> np.ndarray:
    """(time, dim) float32, checked against the bins."""
    table = np.asarray(values)
    n_bins = binned.sizes[names.TIME]
    if table.ndim != 2 or 0 in table.shape:
        raise BadInput(
            f"{where}the embedding has shape {table.shape}; (bins, dims) with {n_bins:,} bins is needed"
        )
    if len(table) != n_bins:
        other = " (it may be transposed)" if table.shape[1] == n_bins else ""
        raise BadInput(
            f"{where}the embedding has {len(table):,} rows{other}, the recording {n_bins:,} bins: "
            f"{_bins_said(binned)}. It needs one row per bin: compute it on the counts of "
            f"{_made_by(binned)}, whose 'time' are the centres of the bins"
        )
    if table.dtype.kind not in "fiu":
        raise BadInput(f"{where}the embedding holds {table.dtype}, not real numbers")
    table = table.astype(np.float32)
    there = np.isfinite(table).all(axis=1)
    wrong = ~there & ~_unused(binned)
    if wrong.any():
        raise BadInput(
            f"{where}the embedding is not finite in {int(wrong.sum()):,} of {n_bins:,} bins, the "
            f"first is bin {int(wrong.argmax())} "
            f"({float(binned[names.TIME].values[wrong.argmax()]):.3f} s)"
        )
    table[~there] = np.nan
    return table


def _unused(binned: xr.Dataset) -> np.ndarray:
    """(time,) bool: bins of no part, and those in which nothing was observed."""
    unused = np.zeros(binned.sizes[names.TIME], dtype=bool)
    if names.SPLIT in binned.coords:
        unused |= binned[names.SPLIT].values == names.GAP
    if names.VALID in binned:
        unused |= ~binned[names.VALID].values.any(axis=1)
    return unused


def _check_times(values: xr.DataArray, binned: xr.Dataset) -> None:
    if names.TIME not in values.coords or values.sizes.get(names.TIME) != binned.sizes[names.TIME]:
        return  # without times, or of another length: that is said with the other lengths
    theirs, ours = values[names.TIME].values.astype(np.float64), binned[names.TIME].values
    differs = ~(np.abs(theirs - ours) <= SAME_TIME * float(binned.attrs[names.BIN_WIDTH]))
    if differs.any():
        at = int(differs.argmax())
        raise BadInput(
            f"the embedding is of other times than the bins: row {at} stands at {theirs[at]:.6g} s, "
            f"the centre of bin {at} is {ours[at]:.6g} s"
        )


def _made_by(binned: xr.Dataset) -> str:
    """The call that makes these bins."""
    steps = [one for one in history(binned) if one["step"] == "to_bins"]
    options = steps[0][names.PARAMETERS] if steps else {}
    given = "".join(f", {key}={value!r}" for key, value in options.items())
    return f"nwbsparse.to_bins(nwbsparse.read(FILE){given})"


def _bins_said(binned: xr.Dataset) -> str:
    """How bins were made, in words that are enough to make them again."""
    times, width = binned[names.TIME].values, float(binned.attrs[names.BIN_WIDTH])
    said = f"{width * 1000:g} ms wide, from {times[0] - width / 2:.6g} s to {times[-1] + width / 2:.6g} s"
    n_segments = len(np.unique(binned[names.SEGMENT].values))
    return said + (f" in {n_segments} stretches" if n_segments > 1 else "")

"""The embedding that a model reads ⇄ the series of its model and the table of its dims."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable
from pynwb import TimeSeries

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.annotated.elements.activations import clock
from nwbsparse.annotated.elements.storage import Pack
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.population import dim_names


def embedding_series(stored: StoredResult, pack: Pack) -> Any | None:
    """The embedding of every bin, as a series; None for a model that reads counts.

    How it was made stands in ``description`` in words and in ``comments`` as JSON.
    """
    embedding = stored.embedding
    if embedding is None:
        return None
    method = str(embedding.attrs.get(names.METHOD, ""))
    parameters = json.loads(str(embedding.attrs.get(names.PARAMETERS, "{}")))
    return TimeSeries(
        name=names.EMBEDDING,
        description=(
            f"what the model reads: an embedding of the population ({method}), one row per "
            "bin, one column per dim"
        ),
        comments=json.dumps({names.METHOD: method, names.PARAMETERS: parameters}, sort_keys=True),
        data=pack(np.ascontiguousarray(embedding.values, dtype=np.float32)),
        unit="a.u.",
        **clock(stored.latents, pack),
    )


def embedding_in(model: Any, time: np.ndarray) -> xr.DataArray | None:
    """The embedding that a model in a file reads, on the bins of its activations."""
    series = model.embedding
    if series is None:
        return None
    said = json.loads(series.comments)
    parameters = json.dumps(said[names.PARAMETERS], sort_keys=True)
    values = np.asarray(series.data[:], dtype=np.float32)
    return xr.DataArray(
        values,
        dims=(names.TIME, names.DIM),
        coords={names.TIME: time, names.DIM: np.arange(values.shape[1])},
        attrs={names.METHOD: said[names.METHOD], names.PARAMETERS: parameters},
        name=names.EMBEDDING,
    )


def embedder_fields(stored: StoredResult, pack: Pack) -> dict[str, Any]:
    """The field of a model that holds what made its embedding; none where that is not kept."""
    if stored.embedder is None:
        return {}
    return {names.EMBEDDER: pack(np.frombuffer(stored.embedder, dtype=np.uint8))}


def embedder_in(model: Any) -> bytes | None:
    """What made the embedding that a model in a file reads, where the file holds it."""
    held = getattr(model, names.EMBEDDER, None)  # files of before 0.2.1 know of none
    return None if held is None else np.asarray(held[:], dtype=np.uint8).tobytes()


def dims_table(stored: StoredResult, series: Any, name: str) -> DynamicTable:
    """The dims that a model reads, one row per column of the series."""
    table = ndx.PopulationTable(
        name=name,
        description="the dims of the embedding that the model reads and reconstructs",
        source_series=series,
        source_series_object_id=series.object_id,
    )
    offset, scale = stored.weights["offset"], stored.weights["scale"]
    for dim, said in enumerate(dim_names(len(offset))):
        table.add_row(
            source_row=np.int32(dim),
            source_id=np.int64(dim),
            unit_name=said,
            offset=np.float32(offset[dim]),
            scale=np.float32(scale[dim]),
        )
    return table

"""The activations of a model ⇄ a series: dense for few latents, else only what is not zero."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable, DynamicTableRegion
from scipy import sparse

import ndx_sparse_latents as ndx
from ndx_sparse_latents import bin_times, to_dense
from nwbsparse import names
from nwbsparse.annotated.elements.placed import Placed, there
from nwbsparse.annotated.elements.storage import Pack
from nwbsparse.session import EDGE_TOLERANCE

DENSE = "latent_activation_series"
SPARSE = "sparse_latent_activations"
DENSE_LIMIT = 256
"""Latents up to which activations are stored as a full table, which any NWB viewer shows."""

_HELD = (names.TIME, names.ACTIVATION, names.VALUE, names.LATENT_INDEX, names.INDPTR)


def activations(
    latents: xr.Dataset, table: DynamicTable, pack: Pack, *, dense: bool | None
) -> tuple[dict[str, list[Any]], Placed]:
    """The series of a model, under the name of the field that holds it.

    ``dense``: as a full table; None: up to 256 latents.
    """
    placed = Placed(latents=there(latents, *_HELD))
    if dense is None:
        dense = len(table) <= DENSE_LIMIT
    common = {
        "name": "activations",
        "description": "activation of every latent in every bin of the recording",
        "bin_width": float(latents.attrs[names.BIN_WIDTH]),
        "latents": region("latents", range(len(table)), table),
        **clock(latents, pack),
    }
    if dense:
        data = pack(_filled(latents))
        series = ndx.LatentActivationSeries(
            data=data, unit="a.u.", time_reference="center", **common
        )
        return {DENSE: [series]}, placed
    values, indices, indptr = _rows(latents)
    series = ndx.SparseLatentActivations(
        num_bins=latents.sizes[names.TIME],
        num_latents=latents.sizes[names.LATENT],
        values=pack(values),
        indices=pack(indices),
        indptr=pack(indptr),
        **common,
    )
    return {SPARSE: [series]}, placed


def activations_in(
    model: Any, variables: Mapping[str, Any], first: int = 0, stop: int | None = None
) -> dict[str, Any]:
    """Activations of some neighbouring bins of a model in a file, and their times.

    ``variables``: what the Latents dataset has; its form of activations is the one that is given.
    """
    series = series_of(model)
    stop = n_bins_of(series) if stop is None else stop
    named: dict[str, Any] = {names.TIME: bin_times(series)[first:stop]}
    if names.ACTIVATION in variables:
        return named | {names.ACTIVATION: to_dense(series, first, stop)}
    if getattr(series, "indptr", None) is None:
        table = sparse.csr_matrix(to_dense(series, first, stop))
        found = (table.data, table.indices, table.indptr)
    else:
        edges = np.asarray(series.indptr[first : stop + 1]).astype(np.int64)
        entries = slice(int(edges[0]), int(edges[-1]))
        found = (series.values[entries], series.indices[entries], edges - edges[0])
    return named | dict(zip((names.VALUE, names.LATENT_INDEX, names.INDPTR), found, strict=True))


def series_of(model: Any) -> Any:
    """The series that holds the activations of a model in a file, dense or sparse."""
    dense = getattr(model, DENSE).get("activations")
    return dense if dense is not None else getattr(model, SPARSE)["activations"]


def n_bins_of(series: Any) -> int:
    """How many bins a series of activations has."""
    rows = getattr(series, "indptr", None)
    return int(series.num_bins) if rows is not None else len(series.data)


def region(name: str, rows: range, table: DynamicTable) -> DynamicTableRegion:
    """Some rows of a table, to refer to."""
    return DynamicTableRegion(
        name=name,
        data=np.arange(rows.start, rows.stop, dtype=np.int32),
        description="rows",
        table=table,
    )


def clock(latents: xr.Dataset, pack: Pack) -> dict[str, Any]:
    """When bins are, for a series: a start and a rate, or the time of each where there are gaps."""
    times = latents[names.TIME].values
    width = float(latents.attrs[names.BIN_WIDTH])
    regular = np.abs(times - (times[0] + np.arange(len(times)) * width)).max() < EDGE_TOLERANCE
    if regular:
        return {"starting_time": float(times[0]), "rate": 1.0 / width}
    return {"timestamps": pack(times)}


def _filled(latents: xr.Dataset) -> np.ndarray:
    if names.ACTIVATION in latents:
        return latents[names.ACTIVATION].values.astype(np.float32)
    return _csr(latents).toarray()


def _rows(latents: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if names.ACTIVATION not in latents:
        kept = (latents[key].values for key in (names.VALUE, names.LATENT_INDEX, names.INDPTR))
        values, indices, indptr = kept
        return values.astype(np.float32), indices, indptr.astype(np.uint64)
    table: Any = sparse.csr_matrix(latents[names.ACTIVATION].values.astype(np.float32))
    wide = np.uint16 if table.shape[1] <= 2**16 else np.uint32
    return table.data, table.indices.astype(wide), table.indptr.astype(np.uint64)


def _csr(latents: xr.Dataset) -> Any:
    return sparse.csr_matrix(
        (
            latents[names.VALUE].values.astype(np.float32),
            latents[names.LATENT_INDEX].values.astype(np.int64),
            latents[names.INDPTR].values.astype(np.int64),
        ),
        shape=(latents.sizes[names.TIME], latents.sizes[names.LATENT]),
    )

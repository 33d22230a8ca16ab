"""How good a model is ⇄ a table with a row for each number, and the sizes of its levels."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.annotated.elements.placed import Placed

_LEVELS, _SIZES = "level_r2", "level_size"


def metrics_table(metrics: xr.Dataset) -> tuple[DynamicTable, dict[str, Any], Placed]:
    """How well the model does on held-out bins, and the fields of the model that belong to it."""
    table = ndx.ModelMetricsTable(
        name="metrics", description="how well the model does on held-out bins"
    )
    split = str(metrics.attrs.get(names.SPLIT, "test"))
    mean = {"cosine": "bin_cosine", "l0": "l0", "dead_fraction": "dead"}
    single = {"r2": float(metrics["r2"])} if "r2" in metrics else {}
    single |= {key: float(metrics[of].mean()) for key, of in mean.items() if of in metrics}
    for metric, value in single.items():
        table.add_row(metric=metric, value=value, split=split, matryoshka_level=np.int32(-1))
    placed = {key for key in (_LEVELS, _SIZES) if key in metrics and metrics[key].ndim == 1}
    for level, value in enumerate(metrics[_LEVELS].values if _LEVELS in placed else ()):
        table.add_row(
            metric="r2", value=float(value), split=split, matryoshka_level=np.int32(level)
        )
    sizes = {}
    if _SIZES in placed:
        sizes["matryoshka_sizes"] = np.array(metrics[_SIZES].values, dtype=np.int32)
    if metrics.get("r2") is not None and metrics["r2"].ndim == 0:
        placed.add("r2")
    return table, sizes, Placed(metrics=frozenset(placed))


def metrics_in(model: Any) -> dict[str, Any]:
    """The numbers that a model in a file has of itself as a whole, and of its levels."""
    rows = model.metrics.to_dataframe()
    levels = rows[(rows["metric"] == "r2") & (rows["matryoshka_level"] >= 0)]
    alone = rows[rows["matryoshka_level"] < 0].set_index("metric")["value"]
    named: dict[str, Any] = {_LEVELS: levels["value"].to_numpy()}
    if "r2" in alone:
        named["r2"] = alone["r2"]
    if model.matryoshka_sizes is not None:
        named[_SIZES] = model.matryoshka_sizes[:]
    return named

"""How good the model is, a row a number."""

from __future__ import annotations

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable

import ndx_sparse_latents as ndx
from nwbsparse import names


def metrics_table(metrics: xr.Dataset) -> DynamicTable:
    """How well the model does on held-out bins."""
    table = ndx.ModelMetricsTable(
        name="metrics", description="how well the model does on held-out bins"
    )
    split = str(metrics.attrs.get(names.SPLIT, "test"))
    mean = {"cosine": "bin_cosine", "l0": "l0", "dead_fraction": "dead"}
    single = {"r2": float(metrics["r2"])} if "r2" in metrics else {}
    single |= {key: float(metrics[of].mean()) for key, of in mean.items() if of in metrics}
    for metric, value in single.items():
        table.add_row(metric=metric, value=value, split=split, matryoshka_level=np.int32(-1))
    levels = metrics["level_r2"].values if "level_r2" in metrics else []
    for level, value in enumerate(levels):
        table.add_row(
            metric="r2", value=float(value), split=split, matryoshka_level=np.int32(level)
        )
    return table

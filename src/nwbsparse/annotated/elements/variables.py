"""The variables that latents were compared with, a row each."""

from __future__ import annotations

from typing import Any

import xarray as xr
from hdmf.common import DynamicTable

import ndx_sparse_latents as ndx
from nwbsparse.annotated.stored import target_rows


def variables_table(attribution: xr.Dataset) -> tuple[DynamicTable | None, dict[str, range]]:
    """What latents are compared with, and the range of rows of each group of targets."""
    groups = target_rows(attribution)
    if not groups:
        return None, {}
    table = ndx.VariablesTable(name="variables", description="what latents are compared with")
    extra: dict[str, list[Any]] = {
        key: [] for key in ("role", "centre_x", "centre_y", "test_bins", "train_bins")
    }
    ranges: dict[str, range] = {}
    for group in groups:
        ranges[group.role] = range(len(table), len(table) + len(group))
        for row in range(len(group)):
            table.add_row(
                variable=str(group.variable[row]),
                condition=str(group.condition[row]),
                kind=group.kind[row],
            )
            extra["role"].append(group.role)
            extra["centre_x"].append(group.centre[row, 0])
            extra["centre_y"].append(group.centre[row, 1])
            extra["test_bins"].append(group.bins[row, 0])
            extra["train_bins"].append(group.bins[row, 1])
    described = {
        "role": "what the row stands for: covariate, condition, candidate or tuning bin",
        "centre_x": "centre of the tuning bin on the first axis",
        "centre_y": "centre of the tuning bin on the second axis of a map",
        "test_bins": "number of held-out bins that fall into it",
        "train_bins": "number of training bins that fall into it",
    }
    for key, values in extra.items():
        table.add_column(name=key, description=described[key], data=values)
    return table, ranges

"""How the options of a model were settled → a table of what was tried, and attributes of the model.

The record of the coder holds the same, and is what is read back; these are for other readers.
"""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hdmf.common import DynamicTable, VectorData

import ndx_sparse_latents as ndx
from nwbsparse.annotated.stored import StoredResult

_COLUMNS: dict[str, tuple[str, type]] = {
    "score": ("score", np.float64),
    "chosen": ("chosen", np.bool_),
    "standard_error": ("standard_error", np.float64),
    "smoothing": ("smoothing", np.float64),
    "num_latents": ("n_latents", np.int32),
    "k": ("k", np.float64),
    "penalty_weight": ("penalty_weight", np.float64),
}
"""Column of the extension → what a candidate calls it, and its type."""


def candidates_table(stored: StoredResult) -> dict[str, DynamicTable]:
    """What was tried before the options were settled, a row each; nothing where all were given."""
    tried = stored.words.get("learned", {}).get("candidates", ())
    if not tried:
        return {}
    words = {one["name"]: one["description"] for one in ndx.CandidatesTable.__columns__}
    columns = [
        VectorData(
            name=name,
            description=words[name],
            data=np.array([one[key] for one in tried], dtype=kind),
        )
        for name, (key, kind) in _COLUMNS.items()
    ]
    table = ndx.CandidatesTable(
        name="candidates",
        description="scores are R2 of hidden units on validation bins, means over seeds",
        columns=columns,
        colnames=list(_COLUMNS),
    )
    return {table.name: table}


def choice_attributes(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the input was smoothed with, how much of it was hidden, and the sign of the weights."""
    of = {"smoothing": float, "mask": float, "sign": str}
    return {key: kind(config[key]) for key, kind in of.items() if config.get(key) is not None}

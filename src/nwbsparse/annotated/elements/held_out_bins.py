"""How well each held-out bin is reconstructed ⇄ a series beside the model."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from typing import Any

import numpy as np
from pynwb import TimeSeries

from nwbsparse import names
from nwbsparse.annotated.elements.placed import Placed
from nwbsparse.annotated.elements.storage import Pack
from nwbsparse.annotated.stored import StoredResult

HELD_OUT_BINS = ("l0", "bin_cosine")
"""Metrics with one value per held-out bin, in the order of their columns."""


def held_out_bins(stored: StoredResult, pack: Pack) -> tuple[list[Any], Placed]:
    """The series of what has one number per held-out bin; none where nothing has."""
    metrics = stored.metrics
    found = [key for key in HELD_OUT_BINS if key in metrics and metrics[key].dims == (names.TIME,)]
    if not found or names.TIME not in metrics.coords or not metrics.sizes[names.TIME]:
        return [], Placed()
    columns = [metrics[key].values.astype(np.float32) for key in found]
    series = TimeSeries(
        name=_name(stored.name),
        description=f"quality of the model {stored.name} in each held-out bin: {', '.join(found)}",
        data=pack(np.stack(columns, axis=1)),
        unit="a.u.",
        timestamps=pack(metrics[names.TIME].values),
    )
    return [series], Placed(metrics=frozenset({names.TIME, *found}))


def held_out_bins_in(model: Any) -> dict[str, Any]:
    """What the series beside a model in a file holds, by the names of the metrics."""
    bins = model.parent.data_interfaces.get(_name(model.name))
    if bins is None:
        return {}
    named = {names.TIME: bins.timestamps[:]}
    for column, key in enumerate(bins.description.rpartition(": ")[2].split(", ")):
        named[key] = bins.data[:, column]
    return named


def _name(model: str) -> str:
    return f"{model}_held_out_bins"

"""The tidy table of a reproduction: one row per fit, a column for each fact about it and each score."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse.studies.fits import Fits

WORDS = ("animal", "part", "method", "control", "model_id", "error")
NUMBERS = (
    "dims", "hidden_units", "cebra_rate", "expansion", "n_latents", "learning_rate", "penalty_weight",
    "k", "k_used", "bandwidth", "seed",
)  # fmt: skip
METRICS = (
    "r2", "train_r2", "nonzero_ratio", "train_nonzero_ratio",
    "neuron_paper", "neuron_text", "train_neuron_code",
    "behaviour_paper", "behaviour_per_behaviour", "train_behaviour_code",
    "position_r2", "train_position_r2", "direction_accuracy", "train_direction_accuracy",
    "neuron_paper_null_mean", "neuron_paper_p", "behaviour_paper_null_mean", "behaviour_paper_p",
)  # fmt: skip
FIT = "fit"


def tidy(rows: Sequence[Mapping[str, Any]], attrs: Mapping[str, Any]) -> xr.Dataset:
    """Rows as a dataset over ``fit``; what a row says nothing of is '' or NaN."""
    words = {
        name: (FIT, np.array([str(row.get(name, "")) for row in rows], dtype=object))
        for name in WORDS
    }
    numbers = {name: (FIT, np.array([_number(row.get(name)) for row in rows])) for name in NUMBERS}
    metrics = {name: (FIT, np.array([_number(row.get(name)) for row in rows])) for name in METRICS}
    coords = words | numbers | {FIT: np.arange(len(rows))}
    return xr.Dataset(metrics, coords=coords, attrs={k: _plain(v) for k, v in attrs.items()})


def over_seeds(values: Fits) -> tuple[float, float, float]:
    """Mean, smallest and largest of a score by seed."""
    known = values.to_numpy(dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        return math.nan, math.nan, math.nan
    return float(known.mean()), float(known.min()), float(known.max())


def said(value: float, low: float = math.nan, high: float = math.nan, *, sign: bool = False) -> str:
    """'0.61', '0.61 (0.60 to 0.63)', '+0.02'; '–' where it is not known."""
    if not math.isfinite(value):
        return "–"

    def text(number: float) -> str:
        shown = f"{number:+.3f}" if sign else f"{number:.3f}"
        return shown.replace("-", "−")

    if math.isfinite(low) and text(low) != text(high):
        return f"{text(value)} ({text(low)} to {text(high)})"
    return text(value)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else json.dumps(value, sort_keys=True)

"""What is known of a fit: the numbers that stand in a sweep's table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.decoding.decode import decode
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.analysis.quality.naik_scores import naik_scores
from nwbsparse.models.coder import SparseCoder
from nwbsparse.training.bins import windows_of
from nwbsparse.training.hidden_units import HiddenScore
from nwbsparse.training.hiding import unit_groups
from nwbsparse.training.scores import score

Numbers = dict[str, float | dict[str, float]]
"""name → a number, or a number per target."""
PARTS = ("train", "validation", "test")


def scores_of(coder: SparseCoder, binned: xr.Dataset, metrics: Sequence[str]) -> Numbers:
    """All numbers that were asked for about one coder."""
    found: Numbers = {}
    for one in metrics:
        found |= _METRICS[one](coder, binned)
    return found


def _reconstruction(coder: SparseCoder, binned: xr.Dataset) -> Numbers:
    """R² and active latents per bin in each part; what of the latents is used at all."""
    found: Numbers = {}
    for part in PARTS:
        metrics = evaluate(coder, binned, split=part)
        found[f"{part}_r2"] = float(metrics["r2"])
        found[f"{part}_l0"] = float(metrics["l0"].mean())
        if part == "test":
            found["nonzero_ratio"] = float(metrics["l0"].mean()) / coder.n_latents
            found["dead_fraction"] = float(metrics["dead"].mean())
    return found


def _hidden_units(coder: SparseCoder, binned: xr.Dataset) -> Numbers:
    """How well hidden units are told, of a coder that learned to; as sizes are chosen by it."""
    told = coder.config.mask and coder.config.reads == names.COUNTS
    found: Numbers = {}
    for part in ("validation", "test"):
        one = _told(coder, binned, part) if told else None
        found[f"{part}_hidden_unit_r2"] = np.nan if one is None else one.r2
        found[f"{part}_hidden_unit_r2_se"] = np.nan if one is None else one.standard_error
    return found


def _told(coder: SparseCoder, binned: xr.Dataset, part: str) -> HiddenScore | None:
    if part == "test":  # what is scored while sizes are chosen are validation bins
        parts = binned[names.SPLIT].values
        now = np.where(parts == names.VALIDATION, names.GAP, parts)
        now = np.where(parts == names.TEST, names.VALIDATION, now).astype(parts.dtype)
        binned = binned.assign_coords({names.SPLIT: (names.TIME, now)})
    windows = windows_of(coder.record, binned)
    if not len(windows.validation):
        return None
    group = unit_groups(coder.config.groups, binned)
    return score([coder], windows, windows.validation, group)[0]


def _naik(coder: SparseCoder, binned: xr.Dataset) -> Numbers:
    """The scores of Naik 2025 in their readings; those of an untrained coder and the input beside."""
    found = naik_scores(coder, binned, n_shifts=0)
    numbers: Numbers = {}
    for name in found.data_vars:
        if str(name).endswith(("_null_mean", "_null_std", "_p")):
            continue
        for source, value in zip(found["source"].values, found[name].values, strict=True):
            before = "" if source == "latents" else f"{source}_"
            numbers[f"{before}{name}"] = float(value)
    return numbers


def _decode(coder: SparseCoder, binned: xr.Dataset) -> Numbers:
    """How well each covariate and condition is read from the latents."""
    found = decode(binned, inputs=["latents"], latents=encode(coder, binned))
    targets = [str(one) for one in found["target"].values]
    numbers: Numbers = {}
    for name in ("r2", "accuracy", "balanced_accuracy"):
        values = found[name].values[0]
        numbers[f"decoded_{name}"] = {
            target: float(value) for target, value in zip(targets, values, strict=True)
        }
    return numbers


_METRICS: dict[str, Callable[[Any, Any], Numbers]] = {
    "reconstruction": _reconstruction,
    "hidden_units": _hidden_units,
    "naik": _naik,
    "decode": _decode,
}

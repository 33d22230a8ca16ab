"""Latent ↔ unit: which units a latent stands for, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float

from nwbsparse import names
from nwbsparse.analysis.apply.encode import normalised
from nwbsparse.analysis.statistics.circular_shift import circular_shift
from nwbsparse.analysis.statistics.correlation import Channels, pearson
from nwbsparse.analysis.statistics.observed import observed_together
from nwbsparse.models.coder import SparseCoder
from nwbsparse.training.bins import smoothed_input

TOP = 10
"""Units per latent, by size of decoder weight, whose correlation is set beside its null."""
SINGLE_UNIT = 0.9
"""Correlation with one unit's counts from which on a latent is that unit under another name."""
MAX_BINS = 50_000
"""Bins (evenly spaced) on which correlations are computed when there are more."""
MAX_WINDOWS = 5_000
"""The same for coders that see several bins, which must encode them anew for every unit."""


def unit_attribution(
    coder: SparseCoder, binned: xr.Dataset, bins: np.ndarray, activation: np.ndarray
) -> xr.Dataset:
    """Weights, correlations and conditional z-scores of every latent and unit, on held-out bins.

    - ``weight(latent, unit)``: row of the dictionary, what the latent writes; of several lags the
      largest (``coder.weight`` has them all)
    - ``z(latent, unit)``: mean z-score of the unit while the latent is active (Bhagat 2025, Fig. 4c)
    - ``correlation(latent, unit)``: with the latent recomputed *without that unit*; otherwise even
      random weights on independent units correlate with their inputs
    - ``correlation_p(latent, unit)``: against circular shifts, for the 10 units of largest weight,
      NaN for the rest (uncorrected)
    - ``single_unit(latent)``, ``likeness(latent)``, ``like_unit(latent)``: the one unit whose counts
      resemble the latent most (NaN and −1 for a latent without activity), and whether they are the
      same thing (r ≥ 0.9); counts are smoothed as the coder smooths them

    ``bins`` are the held-out ones and ``activation`` is (bin, latent) there. A unit is judged on
    those in which it was observed. Units that never fire there are NaN, never ranked.
    """
    here = _moving(binned, bins, activation, coder)
    weight = strongest_lag(coder.weight.detach().numpy())
    correlation, p = _correlation_without_unit(coder, binned, bins, here.fires, weight)
    return xr.Dataset(
        _per_unit(weight=weight, z=here.z, correlation=correlation, correlation_p=p)
        | _likest(here.likeness)
    )


def unit_attribution_apart(
    coder: SparseCoder,
    binned: xr.Dataset,
    bins: np.ndarray,
    activation: np.ndarray,
    reading: np.ndarray,
) -> xr.Dataset:
    """The same for a coder that reconstructs other units than it reads.

    ``weight``, ``z``, ``correlation`` and ``correlation_p`` are of the units that it reconstructs,
    ``lag`` bins later if it has a lag; no latent is made from those, so nothing is left out of it.
    ``input_z``, ``input_correlation`` and ``input_correlation_p`` over ``input_unit`` are of the
    units that it reads, the correlation with the latent recomputed without that unit;
    ``likeness``, ``like_unit`` and ``single_unit`` are about them too. ``reading`` (latent, unit)
    is how much it reads each of them: of the ten largest there is a p.
    """
    reading_from = coder.reads(binned)
    read, written = reading_from.data, coder.writes(binned).data
    inputs = _moving(read, bins, activation, coder)
    correlation, p = _correlation_without_unit(coder, binned, bins, inputs.fires, reading)
    later = bins + coder.config.lag
    outputs = _moving(written, later, activation)
    weight = strongest_lag(coder.weight.detach().numpy())
    return xr.Dataset(
        _per_unit(
            weight=weight,
            z=outputs.z,
            correlation=outputs.likeness,
            correlation_p=_shifted(written, later, activation, weight, outputs.likeness),
        )
        | reading_from.named(_per_unit(z=inputs.z, correlation=correlation, correlation_p=p))
        | _likest(inputs.likeness)
    )


def unit_attribution_beside(
    binned: xr.Dataset, bins: np.ndarray, activation: np.ndarray, *, fitting: np.ndarray
) -> xr.Dataset:
    """The same for a coder of an embedding, with the units that were recorded beside it.

    It reads none of them by itself, so nothing can be left out of ``correlation``: what a unit has
    added to the embedding is part of it. ``correlation_p`` stands for the 10 units of largest
    ``fitting`` (latent, unit), which must come from other bins.
    """
    here = _moving(binned, bins, activation)
    p = _shifted(binned, bins, activation, fitting, here.likeness)
    return xr.Dataset(
        _per_unit(z=here.z, correlation=here.likeness, correlation_p=p) | _likest(here.likeness)
    )


def conditional_z(
    binned: xr.Dataset, bins: np.ndarray, activation: np.ndarray
) -> Float[np.ndarray, "latent unit"]:
    """Mean z-score of every unit while each latent is active, 0 where it cannot be said."""
    return np.nan_to_num(_moving(binned, bins, activation).z)


def strongest_lag(by_lag: np.ndarray) -> Float[np.ndarray, "latent unit"]:
    """Of weights (latent, lag, unit) the largest over lags, with its sign."""
    by_lag = by_lag.astype(np.float64)
    strongest = np.abs(by_lag).argmax(axis=1)
    return np.take_along_axis(by_lag, strongest[:, None], axis=1)[:, 0]


@dataclass(frozen=True)
class _Moving:
    """How latents and units move together, each unit in the bins in which it was observed."""

    z: Float[np.ndarray, "latent unit"]
    likeness: Float[np.ndarray, "latent unit"]
    """Pearson r of activation and counts, these smoothed as the coder reads them."""
    fires: Bool[np.ndarray, " unit"]


def _moving(
    binned: xr.Dataset, bins: np.ndarray, activation: np.ndarray, reader: SparseCoder | None = None
) -> _Moving:
    """Each unit beside each latent; ``reader``: the coder that reads these units."""
    counts = binned[names.COUNTS].values[bins].astype(np.float64)
    alike = counts
    if reader is not None and reader.config.smoothing:
        alike = smoothed_input(reader.config, binned)[bins].astype(np.float64)
    fires = np.zeros(counts.shape[1], dtype=bool)
    z = np.full((activation.shape[1], counts.shape[1]), np.nan)
    likeness = z.copy()
    for one in observed_together(binned, bins):
        if one.seen.any():
            here, active_here = counts[one.seen][:, one.units], activation[one.seen]
            fires[one.units] = here.std(axis=0) > 0
            z[:, one.units] = _conditional_z(active_here, here)
            likeness[:, one.units] = pearson(Channels(active_here), alike[one.seen][:, one.units])
    return _Moving(z, likeness, fires)


def _per_unit(**variables: np.ndarray) -> dict[str, Any]:
    return {name: ((names.LATENT, names.UNIT), values) for name, values in variables.items()}


def _likest(likeness: np.ndarray) -> dict[str, Any]:
    """Which unit resembles each latent most, and whether they are the same thing."""
    comparable = np.isfinite(likeness).any(axis=1)
    ranked = np.nan_to_num(likeness, nan=-2.0)
    return {
        "likeness": (names.LATENT, np.where(comparable, ranked.max(axis=1), np.nan)),
        "like_unit": (names.LATENT, np.where(comparable, ranked.argmax(axis=1), -1)),
        "single_unit": (names.LATENT, comparable & (ranked.max(axis=1) >= SINGLE_UNIT)),
    }


def _shifted(
    binned: xr.Dataset,
    bins: np.ndarray,
    activation: np.ndarray,
    weight: np.ndarray,
    correlation: np.ndarray,
) -> Float[np.ndarray, "latent unit"]:
    """How likely such a correlation is by chance, for the ten units of largest weight."""
    width = _spacing(binned, bins)
    p = np.full(weight.shape, np.nan)
    seen = {unit: one.seen for one in observed_together(binned, bins) for unit in one.units}
    ranked = np.argsort(-np.abs(weight), axis=1)[:, :TOP]
    for (latent, _), unit in np.ndenumerate(ranked):
        if np.isfinite(correlation[latent, unit]):
            signal = binned[names.COUNTS].values[bins, unit].astype(np.float64)[seen[unit]]
            active = activation[seen[unit], latent].astype(np.float64)
            p[latent, unit] = circular_shift(active, signal, bin_width=width)[1].p
    return p


def _spacing(binned: xr.Dataset, bins: np.ndarray) -> float:
    """Seconds from one bin to the next of those looked at, which may be every tenth only."""
    apart = float(np.median(np.diff(bins))) if len(bins) > 1 else 1.0
    return float(binned.attrs[names.BIN_WIDTH]) * apart


def _conditional_z(activation: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean z-score (latent, unit) of each unit while each latent is active."""
    spread = counts.std(axis=0)
    fires = spread > 0
    scores = np.full(counts.shape, np.nan)
    scores[:, fires] = (counts[:, fires] - counts[:, fires].mean(axis=0)) / spread[fires]
    active = (activation > 0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (active.T @ scores) / active.sum(axis=0)[:, None]


@torch.no_grad()
def _correlation_without_unit(
    coder: SparseCoder, binned: xr.Dataset, bins: np.ndarray, fires: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    one_bin = coder.window == 1
    most = MAX_BINS if one_bin else MAX_WINDOWS
    step = max(1, -(-len(bins) // most))
    bins = bins[::step]
    read = coder.reads(binned)
    y, binned = normalised(coder, read, bins), read.data
    full = coder.pre_activation(y[:, -1] if one_bin else y)
    ranked = np.argsort(-np.abs(weight), axis=1)[:, :TOP]
    correlation = np.full(weight.shape, np.nan)
    p = np.full(weight.shape, np.nan)
    width = _spacing(binned, bins)
    seen = {unit: one.seen for one in observed_together(binned, bins) for unit in one.units}
    for unit in np.flatnonzero(fires):
        if one_bin:
            own = torch.outer(y[:, -1, unit] - coder.pre_bias[unit], coder.encoder_weight[:, unit])
            without = coder.activate(full - own).numpy()
        else:
            rest = y.clone()
            rest[:, :, unit] = coder.pre_bias[unit]
            without = coder.activate(coder.pre_activation(rest)).numpy()
        without = without[seen[unit]]
        signal = binned[names.COUNTS].values[bins, unit].astype(np.float64)[seen[unit]]
        if not len(signal):
            continue
        correlation[:, unit] = pearson(Channels(without), signal[:, None])[:, 0]
        for latent in np.flatnonzero(
            (ranked == unit).any(axis=1) & np.isfinite(correlation[:, unit])
        ):
            _, null = circular_shift(without[:, latent].astype(np.float64), signal, bin_width=width)
            p[latent, unit] = null.p
    return correlation, p

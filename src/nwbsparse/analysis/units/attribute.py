"""attribute(): what each latent has to do with each unit, brain region and depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.encode import batches
from nwbsparse.analysis.apply.heldout import scored, whole_bins
from nwbsparse.analysis.quality.ablation import Ablation
from nwbsparse.analysis.quality.reconstruction import Reconstruction
from nwbsparse.analysis.units.encoder import encoder_attribution
from nwbsparse.analysis.units.tables import (
    MAX_BINS,
    conditional_z,
    strongest_lag,
    unit_attribution,
    unit_attribution_apart,
    unit_attribution_beside,
)
from nwbsparse.analysis.units.through_embedding import attribution_through
from nwbsparse.binning.split import part
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.encoders import WEIGHT, LinearEncoder
from nwbsparse.population import INPUT, Population, recorded, unit_coords
from nwbsparse.schema import with_step

ENTRIES = 100_000_000
"""Activations held at once for correlations: with many latents fewer bins are looked at."""
REGION, DEPTH = "region", "depth"
UNNAMED = "unknown"


@renamed(data="binned")
def attribute(coder: SparseCoder, binned: xr.Dataset, *, split: str = "test") -> xr.Dataset:
    """Say which units a latent reads, which it writes, and which it moves with, on held-out bins.

    - ``weight``, ``correlation``, ``correlation_p``, ``z``, ``likeness``, ``like_unit``,
      ``single_unit``: as :func:`nwbsparse.analysis.units.tables.unit_attribution` (on at most 50,000
      evenly spaced bins)
    - ``encoder_attribution(latent, unit)``: what the unit adds to the latent's pre-activation, mean
      over the bins in which the latent is active, in the coder's units. ``W ⊙ x`` for linear
      encoders, integrated gradients from the mean population for others (at most 50 bins per
      latent); ``completeness_error(latent)`` is the part that the sum over units misses
    - ``ablation(latent, unit)``: ΔR² of the unit's reconstruction without the latent in the decoder
    - ``assessable(unit)``: whether the unit ever fires in these bins. Where it does not, everything
      but ``weight`` is NaN: it says nothing and is never ranked
    - ``region_share(latent, region)``, ``depth_mean(latent)``, ``depth_spread(latent)`` where the
      units have a region or depth: :func:`by_region`

    Of a coder that reconstructs other units than it encodes, ``unit`` are the units that it
    reconstructs (``lag`` bins later, if it has a lag), and what it reads stands over
    ``input_unit``: ``encoder_attribution``, ``encoder_weight(latent, input_unit)`` of a linear
    encoder (of several lags the largest), ``input_z``, ``input_correlation``, ``input_assessable``,
    ``input_region_share`` …; ``like_unit`` counts in ``input_unit``.

    Of a coder of an embedding, ``weight``, ``encoder_attribution`` and ``ablation`` are over the
    embedding's ``dim`` (``dim_assessable``: it varies in these bins). ``z``, ``correlation``,
    ``likeness`` and the rest are of the recorded units, ``correlation_p`` of the 10 of largest |z|
    on training bins; there are no regions and depths, since no weight leads to a unit. Where what made
    the embedding is kept and has gradients, ``through_embedding(latent, unit)`` is what each unit adds to
    the latent's pre-activation through both stages, and ``through_embedding_error(latent)`` the part that
    the sum over units misses (:func:`nwbsparse.analysis.units.through_embedding.attribution_through`).

    Args:
        coder: a trained coder.
        binned: the split Binned dataset.
        split: which part; what "train" gives is no held-out number.

    Raises:
        BadInput: not split, other units than the coder's, or no bins with whole windows.
    """
    part(binned, split)  # says so when the bins were not split yet
    read, written = coder.reads(binned), coder.writes(binned)
    apart, embedded = coder.record.apart, not read.of_units
    bins = whole_bins(coder, binned, split)
    if not len(bins):
        raise BadInput(f"no {split} bin has a whole window; use longer blocks in split()")
    reconstruction, ablation = Reconstruction(coder, len(bins)), Ablation(coder)
    encoder = encoder_attribution(coder, binned, seed=coder.config.seed)
    for piece in scored(coder, binned, bins):
        for one in (reconstruction, ablation, encoder):
            one.add(piece)
    found = encoder.result()
    some, activation = _some(coder, binned, bins)
    silent = _never_fired(written, bins + (coder.config.lag if apart else 0))
    both = (names.LATENT, names.UNIT)
    made: dict[str, Any] = {
        "completeness_error": (names.LATENT, found.completeness_error),
        "ablation": (both, np.where(silent, np.nan, ablation.per_unit(reconstruction.variance))),
        "assessable": (names.UNIT, ~silent),
    }
    if apart:
        unread = _never_fired(read, bins)
        table = unit_attribution_apart(coder, binned, some, activation, np.nan_to_num(found.score))
        made |= _reading(coder, read, np.where(unread, np.nan, found.score), unread)
    else:
        made["encoder_attribution"] = (both, np.where(silent, np.nan, found.score))
        if embedded:
            table = _beside(coder, binned, some, activation)
            made["weight"] = (both, strongest_lag(coder.weight.detach().numpy()))
            made |= {"dim_assessable": made.pop("assessable")}
            made = written.named(made)
            unheard = _never_fired(recorded(binned), bins)
            made["assessable"] = (names.UNIT, ~unheard)
            through = attribution_through(coder, binned, some, activation, seed=coder.config.seed)
            if through is not None:
                made["through_embedding"] = (both, np.where(unheard, np.nan, through.score))
                made["through_embedding_error"] = (names.LATENT, through.completeness_error)
        else:
            table = unit_attribution(coder, binned, some, activation)
    table = table.assign(made).assign_coords(
        {
            names.LATENT: np.arange(coder.n_latents),
            **written.coords(),
            **(read.coords() if apart else {}),
        }
    )
    if embedded:  # no weight leads from a latent to a unit, nor to where it lies
        table = table.assign_coords(unit_coords(binned))
    else:
        table = table.merge(by_region(table, written.data), join="exact")
    table.attrs = {
        names.CODER_ID: coder.id,
        names.SPLIT: split,
        "n_bins": len(bins),
        "n_bins_correlated": len(some),
        "encoder_method": type(encoder).__name__,
    }
    return with_step(table, "attribute", {"split": split}, since=binned)


def _some(
    coder: SparseCoder, binned: xr.Dataset, bins: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spaced bins, as many as correlations are computed on, and the activations there."""
    most = max(1000, min(MAX_BINS, ENTRIES // coder.n_latents))
    some = bins[:: max(1, -(-len(bins) // most))]
    return some, np.concatenate([one.activation for one in batches(coder, binned, some)])


def _beside(
    coder: SparseCoder, binned: xr.Dataset, bins: np.ndarray, activation: np.ndarray
) -> xr.Dataset:
    """What latents of an embedding have to do with the units, looked for in the training bins."""
    training, active = _some(coder, binned, whole_bins(coder, binned, "train"))
    fitting = conditional_z(binned, training, active)
    return unit_attribution_beside(binned, bins, activation, fitting=fitting)


def _reading(
    coder: SparseCoder, read: Population, score: np.ndarray, unread: np.ndarray
) -> dict[str, Any]:
    """What a coder reads from each unit, and from which regions, where it reconstructs others."""
    per_unit = (names.LATENT, names.INPUT_UNIT)
    made: dict[str, Any] = {"encoder_attribution": (per_unit, score)}
    weight = score
    if isinstance(coder.architecture.encoder, LinearEncoder):
        rows = coder.get_parameter(WEIGHT).detach().numpy()
        weight = strongest_lag(rows.reshape(len(rows), -1, coder.n_units))
        made["encoder_weight"] = (per_unit, weight)
    made["input_assessable"] = (names.INPUT_UNIT, ~unread)
    reading = xr.Dataset(
        {"weight": ((names.LATENT, names.UNIT), weight), "assessable": (names.UNIT, ~unread)}
    )
    where = by_region(reading, read.data)
    where = where.rename({name: f"{INPUT}{name}" for name in where.variables})
    return made | {str(name): (one.dims, one.values) for name, one in where.variables.items()}


def by_region(table: xr.Dataset, binned: xr.Dataset) -> xr.Dataset:
    """Where in the brain each latent writes: shares of its weight per region, and its depth.

    ``table`` has ``weight(latent, unit)`` and, where units can be silent, ``assessable(unit)``.
    ``region_share(latent, region)`` are shares of Σ|weight| (they add up to 1; units without a
    region are 'unknown'), to be read beside ``region_units(region)``, the share of the units:
    equal weights give that. ``depth_mean`` and ``depth_spread`` are the mean and standard deviation
    of the units' depth, weighted by |weight|, in the depth's unit; units without a depth do not
    count. NaN for latents without weights. Empty when the units have neither.
    """
    weight = np.abs(np.nan_to_num(table["weight"].values.astype(np.float64)))
    use = np.ones(weight.shape[1], dtype=bool)
    if "assessable" in table:
        use = table["assessable"].values
    weight = weight * use
    made: dict[str, Any] = {}
    if REGION in binned.coords:
        said = [_region(value) for value in binned[REGION].values]
        regions = sorted(set(said))
        member = np.array(said, dtype=object)[:, None] == np.array(regions, dtype=object)
        share = _weighted(weight, member.astype(np.float64))
        made["region_share"] = ((names.LATENT, REGION), share)
        made["region_units"] = (
            REGION,
            member[use].mean(axis=0) if use.any() else member[0] * np.nan,
        )
        made[REGION] = (REGION, np.array(regions, dtype=object))
    if DEPTH in binned.coords and binned[DEPTH].dtype.kind in "fiu":
        depth = binned[DEPTH].values.astype(np.float64)
        known = np.isfinite(depth)
        depth = np.where(known, depth, 0.0)
        moments = _weighted(weight * known, np.stack([depth, depth**2], axis=1))
        made["depth_mean"] = (names.LATENT, moments[:, 0])
        variance = np.maximum(moments[:, 1] - moments[:, 0] ** 2, 0)
        made["depth_spread"] = (names.LATENT, np.sqrt(variance))
    return xr.Dataset(made)


def _weighted(weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(latent, column): mean of the units' values, weighted; NaN without weight."""
    total = weight.sum(axis=1, keepdims=True)
    out = np.full((len(weight), values.shape[1]), np.nan)
    return np.divide(weight @ values, total, out=out, where=total > 0)


def _region(value: object) -> str:
    text = "" if value is None or value != value else str(value).strip()
    return text or UNNAMED


def _never_fired(population: Population, bins: np.ndarray) -> np.ndarray:
    """(unit,) bool: units without any change in the bins in which they were observed."""
    n_units = len(population)
    low, high = np.full(n_units, np.inf), np.full(n_units, -np.inf)
    for some in np.array_split(bins, max(1, len(bins) // 65_536)):
        if not len(some):
            continue
        counts = population.values(some).astype(np.float64)
        seen = population.observed(some)
        low = np.minimum(low, np.where(seen, counts, np.inf).min(axis=0))
        high = np.maximum(high, np.where(seen, counts, -np.inf).max(axis=0))
    return ~(high > low)

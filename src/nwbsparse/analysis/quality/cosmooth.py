"""cosmooth(): how well latents of some units predict the spikes of others they never saw."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float
from scipy.special import gammaln, xlogy
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor
from sklearn.preprocessing import StandardScaler

from nwbsparse import names
from nwbsparse.analysis.representation import (
    Representation,
    latents_of,
    named_apart,
    recorded_units,
    untrained_latents_of,
)
from nwbsparse.binning.split import part
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput, unknown
from nwbsparse.options.config import Config
from nwbsparse.population import unit_coords
from nwbsparse.progress import Progress, silent
from nwbsparse.schema import with_step
from nwbsparse.training.fit import fit

ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""L2 penalties of the Poisson regressions, chosen on the validation part."""
MOST = 20_000
"""Training bins that are fitted on, evenly spaced over all there are."""
LEAST_RATE = 1e-9
"""Spikes per bin that no predicted rate lies below, as in the Neural Latents Benchmark."""
LARGEST = 20.0
"""Predicted spikes per bin, over the largest count in training, that no rate lies above."""
MIN_SPIKES = 20
"""Spikes in training and in test without which a unit is not held out."""
SOURCES = ("latents", "untrained", "counts")


@renamed(data="binned")
def cosmooth(
    binned: xr.Dataset,
    config: Config | None = None,
    *,
    held_out: float | Sequence[object] = 0.25,
    beside: Sequence[Representation] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> xr.Dataset:
    """Train on some units, predict the others on held-out bins: bits per spike (Pei et al. 2021).

    A coder is trained on the held-in units alone. From its latents a Poisson regression
    (scikit-learn's ``PoissonRegressor``, penalty chosen on the validation part) predicts each
    held-out unit, fitted on the train part. On the test part

    ``bits/spike = (log L(rates) − log L(mean)) / (spikes · log 2)``

    where the mean is the unit's own over these test bins, the null rate of the Neural Latents
    Benchmark; over all held-out units likelihoods and spikes are added up. 0 means no better than
    the mean rate, below 0 worse. A model that saw the same units would be no test: one that copies
    Poisson noise scores 2.4.

    Args:
        binned: the split Binned dataset, counts (not traces).
        config: options of the coder.
        held_out: ids of the held-out units, or a share of the units with 20 spikes or more in both
            train and test, drawn at random (at least one; at least two units stay held in).
        beside: other methods, each made anew from the held-in units (functions, not tables).
        seed: of that draw.
        progress: called during training.

    Returns:
        Dataset over ``source``: "latents", "untrained" (a coder of the same shape before its first
        update), "counts" (the held-in units themselves, no coder) and those beside:
        ``bits_per_spike(source)``,
        ``unit_bits(source, unit)`` and ``penalty(source, unit)`` of the held-out units, with
        ``n_spikes_test(unit)``. Held-out units with fewer than 20 spikes in train or test are NaN
        and do not enter the sum. Bins in which a unit was not observed do not count; neither do bins
        without a whole window.

    Raises:
        BadInput: not split, not counts, unknown unit ids, too few units to hold any out, or
            options that name units to reconstruct.
    """
    if config is not None and (config.target_units or config.target_regions):
        raise BadInput(
            "co-smoothing trains an autoencoder of the held-in units; leave out target_units and "
            "target_regions, and name the units to predict with held_out"
        )
    if config is not None and config.reads == names.EMBEDDING:
        raise BadInput(
            "co-smoothing hides units from the coder, and an embedding was made from all of them; "
            "use reads='counts'"
        )
    counts = binned[names.COUNTS].values
    if counts.dtype.kind == "f" and not (np.mod(counts, 1) == 0).all():
        raise BadInput("co-smoothing predicts spike counts; these are traces")
    beside = named_apart(beside, SOURCES)
    parts = {name: part(binned, name) for name in names.SPLIT_NAMES}
    seen = np.ones(counts.shape, dtype=bool)
    if names.VALID in binned:
        seen = binned[names.VALID].values
    fires = np.all(
        [np.where(seen[parts[name]], counts[parts[name]], 0).sum(axis=0) >= MIN_SPIKES
         for name in ("train", "test")],
        axis=0,
    )  # fmt: skip
    out = _held_out(binned, held_out, fires, np.random.default_rng(seed))
    held_in = binned.isel({names.UNIT: np.flatnonzero(~out)})
    held_in = held_in.assign_coords({names.UNIT: np.arange(held_in.sizes[names.UNIT])})
    coder = fit(held_in, config, progress=progress)
    described = {
        "latents": latents_of(coder).of(held_in),
        "untrained": untrained_latents_of(coder).of(held_in),
        "counts": recorded_units().of(held_in),
        **{one.name: one.unseen(binned, out) for one in beside},
    }
    for one in described.values():
        parts = {name: bins & one.usable for name, bins in parts.items()}
    columns = np.flatnonzero(out)
    shape = (len(described), len(columns))
    bits, penalty = np.full(shape, np.nan), np.full(shape, np.nan)
    gained = np.zeros(len(described))
    n_spikes = np.array([counts[parts["test"] & seen[:, unit], unit].sum() for unit in columns])
    for row, one in enumerate(described.values()):
        scaler = StandardScaler().fit(one.table[parts["train"]])
        scaled = np.asarray(scaler.transform(one.table))
        for at, unit in enumerate(columns):
            if not fires[unit]:
                continue
            bins = {name: one & seen[:, unit] for name, one in parts.items()}
            rate, penalty[row, at] = _predicted(scaled, counts[:, unit], bins)
            gain = _gain(counts[bins["test"], unit], rate)
            gained[row] += gain
            bits[row, at] = gain / (n_spikes[at] * np.log(2))
    total = n_spikes[fires[columns]].sum() * np.log(2)
    made: dict[str, Any] = {
        "bits_per_spike": ("source", gained / total if total else np.full(len(described), np.nan)),
        "unit_bits": (("source", names.UNIT), bits),
        "penalty": (("source", names.UNIT), penalty),
        "n_spikes_test": (names.UNIT, n_spikes),
    }
    found = xr.Dataset(
        made,
        coords={
            "source": np.array(list(described), dtype=object),
            **unit_coords(binned.isel({names.UNIT: columns})),
        },
        attrs={
            names.SPLIT: "test",
            names.CODER_ID: coder.id,
            "n_held_in": int((~out).sum()),
            "n_bins": int(parts["test"].sum()),
        },
    )
    ids = [str(one) for one in binned[names.UNIT_ID].values[columns]]
    return with_step(found, "cosmooth", {"held_out": ids, "seed": seed}, since=binned)


def bits_per_spike(
    counts: Float[np.ndarray, "bin ..."], rate: Float[np.ndarray, "bin ..."]
) -> float:
    """(log L(rate) − log L(mean of the counts)) / (spikes · log 2), of one unit or several.

    ``rate`` is in expected spikes per bin; the null is each unit's own mean over these bins. NaN
    without spikes.
    """
    spikes = counts.sum()
    return float(_gain(counts, rate) / (spikes * np.log(2))) if spikes else np.nan


def _gain(counts: np.ndarray, rate: np.ndarray) -> float:
    counts = counts.astype(np.float64)
    null = np.broadcast_to(counts.mean(axis=0), counts.shape)
    return float((_log_likelihood(counts, rate) - _log_likelihood(counts, null)).sum())


def _log_likelihood(counts: np.ndarray, rate: np.ndarray) -> np.ndarray:
    rate = np.maximum(rate, LEAST_RATE)
    return xlogy(counts, rate) - rate - gammaln(counts + 1)


def _predicted(
    x: Float[np.ndarray, "bin channel"],
    counts: np.ndarray,
    bins: dict[str, Bool[np.ndarray, " bin"]],
) -> tuple[Float[np.ndarray, " test_bin"], float]:
    """Rates of one unit in the test bins, with the penalty that was best on validation bins."""
    train = np.flatnonzero(bins["train"])
    train = train[:: max(1, -(-len(train) // MOST))]
    y = counts[train].astype(np.float64)
    most = LARGEST * max(y.max(), 1.0)
    best: tuple[float, Any, float] | None = None
    for alpha in ALPHAS:
        model = PoissonRegressor(alpha=alpha, solver="newton-cholesky", max_iter=100)
        with warnings.catch_warnings():
            # stopped early is a penalty like the others, and validation bins choose among them
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x[train], y)
        checked = np.minimum(_rate(model, x[bins["validation"]]), most)
        score = _log_likelihood(counts[bins["validation"]].astype(np.float64), checked).sum()
        if best is None or score > best[0]:
            best = (score, model, alpha)
    assert best is not None
    return np.minimum(_rate(best[1], x[bins["test"]]), most), best[2]


def _rate(model: PoissonRegressor, x: np.ndarray) -> np.ndarray:
    """What the regression predicts; far outside of training the exponential may overflow."""
    return np.exp(np.minimum(x @ model.coef_ + model.intercept_, 50.0))


def _held_out(
    binned: xr.Dataset,
    wanted: float | Sequence[object],
    fires: np.ndarray,
    rng: np.random.Generator,
) -> Bool[np.ndarray, " unit"]:
    """Which units are held out."""
    ids = [str(one) for one in binned[names.UNIT_ID].values]
    out = np.zeros(len(ids), dtype=bool)
    if isinstance(wanted, float | int):
        if not 0 < wanted < 1:
            raise BadInput(f"held_out is {wanted}; give unit ids or a share between 0 and 1")
        able = np.flatnonzero(fires)
        n = max(1, round(wanted * len(able)))
        if len(able) - n < 2:
            raise BadInput(
                f"{len(able)} units have {MIN_SPIKES} spikes in train and test; three are needed "
                "to hold one out"
            )
        out[rng.choice(able, n, replace=False)] = True
        return out
    for one in map(str, wanted):
        if one not in ids:
            raise unknown(one, ids, what="unit", where="units to hold out")
        out[ids.index(one)] = True
    if not out.any() or (~out).sum() < 2:
        raise BadInput(f"{out.sum()} of {len(ids)} units are held out; 1 to {len(ids) - 2} can be")
    return out

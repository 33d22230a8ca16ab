"""naik_scores(): the neuron and behaviour scores of Naik 2025, in every reading, beside controls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from nwbsparse import names
from nwbsparse.analysis.representation import (
    Representation,
    input_of,
    latents_of,
    named_apart,
    untrained_latents_of,
)
from nwbsparse.analysis.statistics.circular_shift import MIN_SHIFTS, least_shift
from nwbsparse.analysis.statistics.correlation import Channels, line_r2, pearson
from nwbsparse.binning.sessions.join import is_session
from nwbsparse.binning.split import part
from nwbsparse.binning.variables import conditions_of, covariates_of
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput, unknown
from nwbsparse.models.coder import SparseCoder
from nwbsparse.schema import with_step

TOP_NEURON, TOP_BEHAVIOUR = 10, 3
SOURCES = ("latents", "untrained", "input")


class _Compared:
    """What channels are compared with in one part, and how far it is shifted at least."""

    def __init__(self, values: Float[np.ndarray, "bin column"], bin_width: float) -> None:
        self.values = values
        n = len(values)
        known = np.isfinite(values)
        mean = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        power = np.abs(np.fft.rfft(np.where(known, values - mean, 0.0), axis=0)) ** 2
        varies = np.flatnonzero(power.sum(axis=0) > 0)
        self.least = max(
            (least_shift(power[:, at], n, bin_width) for at in varies),
            default=max(n, 1),
        )
        self.independent = n // self.least

    def shifted(self, rng: np.random.Generator) -> Float[np.ndarray, "bin column"]:
        by = int(rng.integers(self.least, len(self.values) - self.least + 1))
        return np.roll(self.values, by, axis=0)


def _beside(name: str, observed: float, null: np.ndarray) -> dict[str, float]:
    """The null of a score: mean, standard deviation and p."""
    null = null[np.isfinite(null)]
    known = len(null) > 0
    p = (1 + np.count_nonzero(null >= observed)) / (1 + len(null))
    return {
        f"{name}_null_mean": float(null.mean()) if known else np.nan,
        f"{name}_null_std": float(null.std()) if known else np.nan,
        f"{name}_p": p if known and np.isfinite(observed) else np.nan,
    }


@renamed(data="binned")
def naik_scores(
    coder: SparseCoder,
    binned: xr.Dataset,
    *,
    population: xr.Dataset | None = None,
    behaviours: Sequence[str] | None = None,
    beside: Sequence[Representation] = (),
    n_shifts: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    """How far latents resemble units and predict behaviour, as Naik 2025 scores it, with controls.

    Readings (r: Pearson over bins; R²: a line from one latent to one behaviour, fitted on the train
    part and scored on test; everything but ``train_…`` is held out):

    - ``neuron_paper`` (the formula): mean over the 10 best latents of their largest |r| over units
    - ``neuron_text``: per latent the mean of its 10 largest |r|, averaged over latents
    - ``train_neuron_code`` (the published figures): mean of the 10 largest |r| of the whole matrix
    - ``behaviour_paper`` (the formula): mean over the 3 best latents of their largest R²
    - ``behaviour_per_behaviour``: mean over behaviours of the best latent's R²
    - ``train_behaviour_code`` (the published figures): mean of the 3 largest |r| of the whole matrix

    They are maxima over many directions and rise by themselves, so each stands beside an untrained
    coder of the same shape, the un-sparsified input, and circular shifts of the activations against
    all else (each part by itself) by at least 10 s and three autocorrelation times of what they are
    compared with; with fewer than 20 such shifts there is no null (``attrs["null_status"]``).
    Latents that are constant in a part have no r and are left out; constant units and behaviours
    likewise.

    Args:
        coder: a trained autoencoder of one bin or several.
        binned: the split dataset that the coder was trained on, counts or an embedding.
        population: the recording on the same bins, when the coder was trained on an embedding.
        behaviours: names of covariates (angles as sine and cosine, positions axis by axis) and
            conditions (each value as 0 and 1, such as left and right); default: all.
        beside: other methods on the same bins, scored likewise.
        n_shifts: draws of the null.
        seed: of the shifts.

    Returns:
        Dataset over ``source`` ("latents", "untrained", "input", those beside) with the six readings,
        and for each ``…_null_mean``, ``…_null_std`` and ``…_p`` = (1 + b)/(1 + n); ``behaviour`` lists
        the columns.

    Raises:
        BadInput: not split, other units than the coder's, an unknown behaviour, or a population on
            other bins.
    """
    recording = binned if population is None else population
    if recording.sizes[names.TIME] != binned.sizes[names.TIME]:
        raise BadInput(
            f"the population has {recording.sizes[names.TIME]} bins, the coder's data "
            f"{binned.sizes[names.TIME]}; both must be on the same bins"
        )
    which = [part(binned, name) for name in ("train", "test")]
    columns, table = behaviour_columns(recording, behaviours)
    units = recording[names.COUNTS].values.astype(np.float64)
    if names.VALID in recording:
        units = np.where(recording[names.VALID].values, units, np.nan)
    compared = {"neuron": units, "behaviour": table}
    ours = (latents_of(coder), untrained_latents_of(coder), input_of(coder))
    described = {one.name: one.of(binned) for one in (*ours, *named_apart(beside, SOURCES))}
    for one in described.values():
        which = [bins & one.usable for bins in which]
    width = float(binned.attrs[names.BIN_WIDTH])
    made: dict[str, Any] = {}
    status: dict[str, str] = {}
    for family, score in (("neuron", neuron_scores), ("behaviour", behaviour_scores)):
        if not compared[family].shape[1]:
            continue
        fit, held = (_Compared(compared[family][one], width) for one in which)
        independent = min(fit.independent, held.independent)
        enough = independent >= MIN_SHIFTS
        status[family] = "" if enough else f"only {independent} independent shifts"
        for row, one in enumerate(described.values()):
            x, x_new = (Channels(one.table[bins]) for bins in which)
            rng = np.random.default_rng(seed)
            observed = score(x, x_new, fit.values, held.values)
            draws = [
                score(x, x_new, fit.shifted(rng), held.shifted(rng))
                for _ in range(n_shifts if enough else 0)
            ]
            for name, value in observed.items():
                null = np.array([draw[name] for draw in draws])
                for key, told in {name: value, **_beside(name, value, null)}.items():
                    made.setdefault(key, np.full(len(described), np.nan))[row] = told
    found = xr.Dataset(
        {key: ("source", value) for key, value in made.items()},
        coords={
            "source": np.array(list(described), dtype=object),
            "behaviour": np.array(columns, dtype=object),
        },
        attrs={names.SPLIT: "test", names.CODER_ID: coder.id, "null_status": json.dumps(status)},
    )
    parameters = {"n_shifts": n_shifts, "seed": seed, "behaviours": columns}
    return with_step(found, "naik_scores", parameters, since=binned)


def neuron_scores(
    x: Channels,
    x_new: Channels,
    units: Float[np.ndarray, "train_bin unit"],
    new_units: Float[np.ndarray, "test_bin unit"],
) -> dict[str, float]:
    """The readings of one set of channels, its training and its test bins, against units."""
    r = np.abs(pearson(x_new, new_units))
    ranked = np.sort(np.nan_to_num(r, nan=-1.0), axis=1)[:, -TOP_NEURON:]
    with np.errstate(invalid="ignore", divide="ignore"):
        per_latent = np.where(ranked >= 0, ranked, 0).sum(axis=1) / (ranked >= 0).sum(axis=1)
    return {
        "neuron_paper": _top(_largest(r, axis=1), TOP_NEURON),
        "neuron_text": _top(per_latent, len(per_latent)),
        "train_neuron_code": _top(np.abs(pearson(x, units)), TOP_NEURON),
    }


def behaviour_scores(
    x: Channels,
    x_new: Channels,
    behaviour: Float[np.ndarray, "train_bin behaviour"],
    new_behaviour: Float[np.ndarray, "test_bin behaviour"],
) -> dict[str, float]:
    """The same against behaviour."""
    r2 = line_r2(x, behaviour, x_new, new_behaviour)
    return {
        "behaviour_paper": _top(_largest(r2, axis=1), TOP_BEHAVIOUR),
        "behaviour_per_behaviour": _top(_largest(r2, axis=0), r2.shape[1]),
        "train_behaviour_code": _top(np.abs(pearson(x, behaviour)), TOP_BEHAVIOUR),
    }


def behaviour_columns(
    binned: xr.Dataset, wanted: Sequence[str] | None
) -> tuple[list[str], Float[np.ndarray, "bin behaviour"]]:
    """Names and values of the behaviour columns; NaN where they are not known."""
    covariates = covariates_of(binned)
    conditions = [name for name in conditions_of(binned) if not is_session(binned, name)]
    said: list[str] = []
    columns: list[np.ndarray] = []
    for name in covariates + conditions if wanted is None else wanted:
        if name not in covariates + conditions:
            raise unknown(name, covariates + conditions, what="behaviour")
        values = binned[name].values
        if name in conditions:
            for code, label in enumerate(json.loads(binned[name].attrs[names.CATEGORIES])):
                said.append(f"{name} = {label}")
                columns.append(np.where(values >= 0, values == code, np.nan))
        elif binned[name].attrs[names.KIND] == names.CIRCULAR:
            said += [f"cos {name}", f"sin {name}"]
            columns += [np.cos(values), np.sin(values)]
        else:
            axes = values.reshape(len(values), -1).T
            said += [name] if len(axes) == 1 else [f"{name} {axis}" for axis in "xyz"[: len(axes)]]
            columns += list(axes)
    table = np.stack(columns, axis=1) if columns else np.empty((binned.sizes[names.TIME], 0))
    return said, table.astype(np.float64)


def _largest(values: np.ndarray, *, axis: int) -> np.ndarray:
    """Largest along an axis, NaN where none is defined."""
    best = np.where(np.isfinite(values), values, -np.inf).max(axis=axis, initial=-np.inf)
    return np.where(np.isfinite(best), best, np.nan)


def _top(values: np.ndarray, n: int) -> float:
    """Mean of the n largest that are defined (of fewer where there are fewer)."""
    known = np.sort(values[np.isfinite(values)])
    return float(known[-n:].mean()) if len(known) and n else np.nan

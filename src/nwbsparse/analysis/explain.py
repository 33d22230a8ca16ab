"""explain(): which units and which behaviour each latent stands for, and how sure that is."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.association import (
    Candidate,
    Ground,
    Tested,
    associate,
    candidates_of,
    make_ground,
)
from nwbsparse.analysis.coding import Coded, code_variables
from nwbsparse.analysis.conditions import as_conditions, condition_effects
from nwbsparse.analysis.evaluate import unit_names
from nwbsparse.analysis.inference import dense, encode, latent_columns
from nwbsparse.analysis.nulls import false_discovery_rate
from nwbsparse.analysis.raw_units import associate_units, best_units, observed_together
from nwbsparse.analysis.tuning import behaviour_r2, tuning_curves
from nwbsparse.analysis.units import unit_attribution
from nwbsparse.binning.join import is_session
from nwbsparse.binning.split import part
from nwbsparse.binning.variables import covariates_of
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.progress import Progress, silent
from nwbsparse.schema import check, with_step
from nwbsparse.training.start import untrained_control

CONTROLS = ("untrained coder", "raw units")


def explain(
    coder: SparseCoder,
    data: xr.Dataset,
    latents: xr.Dataset | None = None,
    *,
    progress: Progress = silent,
) -> xr.Dataset:
    """Say what each latent stands for, with effect sizes, nulls and q values, on held-out bins.

    Each latent's best variable is chosen on training and validation bins and tested once on test
    bins; q values control the false-discovery rate over latents. The same is done for an untrained
    coder of the same shape and for the raw units, since a maximum over many rectified directions
    finds something by itself. ``coder.config`` sets ``n_shifts``, ``alpha`` and ``seed``.

    Args:
        coder: a trained coder.
        data: the split Binned dataset with its covariates and conditions.
        latents: what :func:`nwbsparse.encode` gave for them; made when absent.
        progress: called after each part.

    Returns:
        Attribution dataset (see ``docs/reference/attribution.md``). A latent about which nothing
        can be said has NaN and a note; it is never ranked.

    Raises:
        BadInput: not split, other units than the coder's, or a coder that reconstructs other units
            than it encodes.
    """
    config = coder.config
    if coder.record.target_ids is not None:
        raise BadInput(
            "this coder reconstructs other units than it encodes; explain takes autoencoders"
        )
    latents = encode(coder, data) if latents is None else latents
    ground = make_ground(data, n_draws=config.n_shifts, seed=config.seed)
    variables = code_variables(data)
    # a whole session is no draw of anything: sessions have effect sizes, but no p value
    candidates = candidates_of([v for v in variables if not is_session(data, v.name)])
    train, test = part(data, "train"), ground.testing
    progress("explain", 0, 5)
    units = unit_attribution(coder, data, test, dense(latents, test))
    progress("explain", 1, 5)
    tested = _associate_all(latents, candidates, ground)
    progress("explain", 2, 5)
    effects = _effects(latents, variables, data, train, test)
    progress("explain", 3, 5)
    controls = {
        "untrained coder": _associate_all(
            encode(untrained_control(coder, data), data), candidates, ground
        )
    }
    progress("explain", 4, 5)
    controls["raw units"] = associate_units(data, candidates, ground)
    claims = _claims(tested, candidates, config.alpha)
    claims |= best_units(tested, candidates, data, ground)
    attribution = xr.merge([units, effects, xr.Dataset(claims)], join="exact").assign_coords(
        {
            names.LATENT: latents[names.LATENT].values,
            names.LEVEL: (names.LATENT, latents[names.LEVEL].values),
            **unit_names(data),
        }
    )
    empty = [dim for dim, size in attribution.sizes.items() if size == 0]
    attribution = attribution.drop_dims(empty)  # without behaviour there is nothing to say about it
    summary = {
        name: summarise(one, candidates, config.alpha)
        for name, one in {"latents": tested, **controls}.items()
    }
    attribution.attrs = {
        names.SCHEMA: names.ATTRIBUTION,
        names.CODER_ID: coder.id,
        names.SPLIT: "test",
        "alpha": config.alpha,
        "n_explained_latents": summary["latents"]["found"],
        "summary": json.dumps(summary),
        "notes": json.dumps(notes(data)),
    }
    progress("explain", 5, 5)
    parameters = {"n_shifts": config.n_shifts, "alpha": config.alpha, "seed": config.seed}
    return check(with_step(attribution, "explain", parameters, since=latents), names.ATTRIBUTION)


def summarise(tested: Tested, candidates: list[Candidate], alpha: float) -> dict[str, Any]:
    """How many channels were assessable, how many associations survive, and with which variable."""
    q = false_discovery_rate(tested.p)
    found = np.flatnonzero(q < alpha)
    by_variable: dict[str, int] = {}
    for channel in found:
        name = candidates[tested.choice[channel]].variable.name
        by_variable[name] = by_variable.get(name, 0) + 1
    return {
        "channels": len(q),
        "assessable": int(np.isfinite(q).sum()),
        "found": len(found),
        "by_variable": dict(sorted(by_variable.items(), key=lambda item: -item[1])),
    }


def notes(data: xr.Dataset) -> list[str]:
    """What a reader of the numbers must know about this recording."""
    said = []
    counts = data[names.COUNTS].values
    if names.VALID in data:
        counts = np.where(data[names.VALID].values, counts, 0)
    spikes, per_bin = (counts.sum(axis=axis, dtype=np.float64) for axis in (0, 1))
    for one in observed_together(data):
        share = spikes[one.units] / max(per_bin[one.seen].sum(), 1.0)
        for unit, its_share in zip(one.units, share, strict=True):
            if its_share > 0.5:
                unit_id = data[names.UNIT_ID].values[unit]
                said.append(f"unit {unit_id} holds {its_share:.0%} of all spikes")
    return said


def _associate_all(latents: xr.Dataset, candidates: list[Candidate], ground: Ground) -> Tested:
    pieces = [associate(columns, candidates, ground) for _, columns in latent_columns(latents)]
    return Tested(
        choice=np.concatenate([piece.choice for piece in pieces]),
        score=np.concatenate([piece.score for piece in pieces], axis=1),
        observed=np.concatenate([piece.observed for piece in pieces]),
        null=tuple(null for piece in pieces for null in piece.null),
    )


def _claims(tested: Tested, candidates: list[Candidate], alpha: float) -> dict[str, Any]:
    p = tested.p
    q = false_discovery_rate(p)
    n_tests = max(int(np.isfinite(p).sum()), 1)
    status = []
    for null, one_q in zip(tested.null, q, strict=True):
        if null.status:
            status.append(f"not assessable: {null.status}")
        elif one_q < alpha:
            status.append("found")
        elif n_tests / (1 + null.n) > alpha and null.p <= 2 / (1 + null.n):
            # the smallest p that these draws can give would not survive the correction alone
            status.append("too few draws")
        else:
            status.append("not found")
    chosen = [None if index < 0 else candidates[index] for index in tested.choice]
    latent = names.LATENT
    return {
        "best_variable": (
            latent,
            np.array([c.variable.name if c else "" for c in chosen], dtype=object),
        ),
        "best_condition": (
            latent,
            np.array([c.condition if c else "" for c in chosen], dtype=object),
        ),
        "association": (latent, tested.observed),
        "association_p": (latent, p),
        "association_q": (latent, q),
        "association_null_mean": (latent, np.array([null.mean for null in tested.null])),
        "association_null_std": (latent, np.array([null.std for null in tested.null])),
        "association_draws": (latent, np.array([null.n for null in tested.null])),
        "association_status": (latent, np.array(status, dtype=object)),
        "train_association": ((latent, "candidate"), tested.score.T),
        "candidate_variable": (
            "candidate",
            np.array([c.variable.name for c in candidates], dtype=object),
        ),
        "candidate_condition": (
            "candidate",
            np.array([c.condition for c in candidates], dtype=object),
        ),
    }


def _effects(
    latents: xr.Dataset,
    variables: list[Coded],
    data: xr.Dataset,
    train: np.ndarray,
    test: np.ndarray,
) -> xr.Dataset:
    conditions = as_conditions(variables)
    coded = {variable.name for variable in variables}
    covariates = [name for name in covariates_of(data) if name in coded]
    held = part(data, "test")
    pieces = []
    for where, columns in latent_columns(latents):
        effect = condition_effects(columns[test], conditions, test)
        made: dict[str, Any] = {
            key: ((names.LATENT, names.CONDITION), getattr(effect, key))
            for key in ("p_in", "p_out", "selectivity", "precision", "auroc")
        }
        made["r2"] = (
            (names.LATENT, names.COVARIATE),
            behaviour_r2(columns, data, covariates, train, held),
        )
        curves = tuning_curves(columns[test], variables, test)
        fitted = np.flatnonzero(train)
        curves = curves.merge(_train_names(tuning_curves(columns[fitted], variables, fitted)))
        piece = xr.Dataset(made).merge(curves)
        pieces.append(piece.assign_coords({names.LATENT: np.arange(where.start, where.stop)}))
        labels = effect.labels
        n_in = effect.n_in
    joined = xr.concat(
        pieces,
        dim=names.LATENT,
        data_vars="minimal",
        join="exact",
        compat="equals",
        coords="minimal",
    )
    return joined.drop_vars(names.LATENT).assign_coords(
        {
            names.COVARIATE: np.array(covariates, dtype=object),
            "condition_variable": (names.CONDITION, np.array([v for v, _ in labels], dtype=object)),
            "condition_name": (names.CONDITION, np.array([c for _, c in labels], dtype=object)),
            "condition_bins": (names.CONDITION, n_in),
        }
    )


def _train_names(curves: xr.Dataset) -> xr.Dataset:
    return curves.rename({name: f"train_{name}" for name in curves.data_vars})

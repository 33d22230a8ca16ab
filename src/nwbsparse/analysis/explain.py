"""explain(): which units and which behaviour each latent stands for, and how sure that is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import entries_of
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.apply.populations import encoded, target_names
from nwbsparse.analysis.behaviour.association import Candidate, Tested, associate, candidates_of
from nwbsparse.analysis.behaviour.comparisons import make_scope
from nwbsparse.analysis.behaviour.components import associate_components
from nwbsparse.analysis.behaviour.confirm import confirm
from nwbsparse.analysis.behaviour.cut import Cut
from nwbsparse.analysis.behaviour.design import make_ground
from nwbsparse.analysis.behaviour.effects import effects
from nwbsparse.analysis.behaviour.labels import labels_in_words
from nwbsparse.analysis.behaviour.pre_activation import pre_activation_auroc
from nwbsparse.analysis.behaviour.raw_units import associate_units, best_units
from nwbsparse.analysis.statistics.nulls import false_discovery_rate
from nwbsparse.analysis.statistics.observed import observed_together
from nwbsparse.analysis.units.attribute import attribute
from nwbsparse.models.coder import SparseCoder
from nwbsparse.progress import Progress, silent
from nwbsparse.schema import check, with_step
from nwbsparse.training.start import untrained_control


def explain(
    coder: SparseCoder,
    data: xr.Dataset,
    latents: xr.Dataset | None = None,
    *,
    covariates: Sequence[str] | None = None,
    conditions: Sequence[str] | Mapping[str, Cut] | None = None,
    nulls: Mapping[str, str] | None = None,
    conjunctions: Sequence[tuple[str, str]] = (),
    stability: xr.Dataset | None = None,
    progress: Progress = silent,
) -> xr.Dataset:
    """Say what each latent stands for, with effect sizes, nulls and q values, on held-out bins.

    Each latent's best variable is chosen on training and validation bins and tested once on test
    bins; q values control the false-discovery rate over latents. The same is done for an untrained
    coder of the same shape, for the raw units and for their principal components, since a maximum
    over many rectified directions finds something by itself. Where a coder reconstructs other units
    than it encodes, these are the units that it encodes. ``coder.config`` sets ``n_shifts``,
    ``alpha`` and ``seed``.

    Args:
        coder: a trained coder.
        data: the split Binned dataset with its covariates and conditions.
        latents: what :func:`nwbsparse.encode` gave for them; made when absent.
        covariates: names of the covariates to compare with; all when None.
        conditions: names of the categorical variables, events and covariates whose conditions make
            the latent × condition matrix; all when None. As ``{name: cut}`` it says how a covariate
            becomes conditions: a number of quantiles, or edges (two lists for a position in the
            plane), None for the automatic cut.
        nulls: ``{variable: null}`` in place of the one that fits its kind: 'shift', or the name of
            the interval table ('trials') among whose rows its labels are exchanged.
        conjunctions: pairs of conditions or covariates whose conditions are looked at together.
        stability: what :func:`nwbsparse.stability` gave with this coder first: needed to confirm.
        progress: called after each part.

    Returns:
        Attribution dataset (see ``docs/reference/attribution.md``). A latent about which nothing
        can be said has NaN and a note; it is never ranked.

    Raises:
        BadInput: not split, other units than the coder's, a name that is not in the data (the
            nearest is suggested), or a null that does not fit.
    """
    config = coder.config
    ground = make_ground(data, n_draws=config.n_shifts, seed=config.seed)
    scope = make_scope(
        data, covariates=covariates, conditions=conditions, nulls=nulls, conjunctions=conjunctions
    )
    latents = encode(coder, data) if latents is None else latents
    entries = entries_of(latents)
    candidates = candidates_of(scope.tested)
    progress("explain", 0, 5)
    units = attribute(coder, data)
    progress("explain", 1, 5)
    tested = associate(entries, candidates, ground)
    progress("explain", 2, 5)
    matrix, how = effects(entries, scope, data, ground)
    alone = pre_activation_auroc(coder, data, scope.conditions)
    alone = np.where(np.isfinite(matrix["auroc"].values), alone, np.nan)
    matrix["pre_activation_auroc"] = ((names.LATENT, names.CONDITION), alone)
    progress("explain", 3, 5)
    control = encode(untrained_control(coder, data), data)
    controls = {"untrained coder": associate(entries_of(control), candidates, ground)}
    progress("explain", 4, 5)
    read = encoded(coder, data)
    controls["raw units"] = associate_units(read, candidates, ground)
    controls["principal components"] = associate_components(
        read, candidates, ground, most=coder.n_latents
    )
    claims = _claims(tested, candidates, config.alpha)
    claims |= best_units(tested, candidates, read, ground)
    attribution = xr.merge([units, matrix, xr.Dataset(claims)], join="exact").assign_coords(
        {
            names.LATENT: latents[names.LATENT].values,
            names.LEVEL: (names.LATENT, latents[names.LEVEL].values),
            **target_names(coder, data),
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
        names.SOURCE_SHA256: str(data.attrs.get(names.SOURCE_SHA256, "")),
        names.SPLIT: "test",
        "alpha": config.alpha,
        "n_explained_latents": summary["latents"]["found"],
        "summary": json.dumps(summary),
        "nulls": json.dumps(how),
        "notes": json.dumps(notes(data) + _of_embedding(coder, data)),
    }
    attribution = labels_in_words(confirm(attribution, stability), data, latents)
    progress("explain", 5, 5)
    parameters = {"n_shifts": config.n_shifts, "alpha": config.alpha, "seed": config.seed}
    asked = {"covariates": covariates, "conditions": conditions, "nulls": nulls}
    parameters |= {key: _plain(value) for key, value in asked.items() if value is not None}
    parameters |= {"conjunctions": _plain(conjunctions)} if conjunctions else {}
    return check(with_step(attribution, "explain", parameters, since=latents), names.ATTRIBUTION)


def _plain(value: Any) -> Any:
    """What was asked for, as JSON keeps it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


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


def _of_embedding(coder: SparseCoder, data: xr.Dataset) -> list[str]:
    """What held-out bins are worth when something else was learned from the recording before."""
    if coder.config.reads != names.EMBEDDING:
        return []
    method = data[names.EMBEDDING].attrs.get(names.METHOD, "")
    return [
        f"the coder reads an embedding ({method}): its test bins are held out from the coder, and "
        "from the embedding only if that was not fitted on them or on the behaviour"
    ]


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
        "association_half_1": (latent, tested.halves[:, 0]),
        "association_half_2": (latent, tested.halves[:, 1]),
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


def explained_said(attribution: xr.Dataset) -> str:
    """What was found and what controls find, in one line; or why nothing could be assessed."""
    counts = json.loads(attribution.attrs["summary"])
    if not any(one["assessable"] for one in counts.values()):
        why = usual_reason(attribution)
        return "no association with behaviour could be assessed" + (f": {why}" if why else "")
    said = [f"{one['found']} of {one['assessable']} {name}" for name, one in counts.items()]
    return (
        f"associations that survive on held-out bins (q < {attribution.attrs['alpha']:g}): "
        + ", ".join(said)
    )


def usual_reason(attribution: xr.Dataset) -> str:
    """The reason that most of the latents that are not assessable share; '' where all are."""
    kinds = [str(status).partition(": ") for status in attribution["association_status"].values]
    reasons = Counter(why for kind, _, why in kinds if kind == "not assessable" and why)
    return reasons.most_common(1)[0][0] if reasons else ""

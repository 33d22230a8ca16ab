"""explain(): which units and which behaviour each latent stands for, and how sure that is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from nwbsparse import names
from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.association.associate import associate
from nwbsparse.analysis.association.design import detrended, make_design
from nwbsparse.analysis.behaviour.against_units import against_units
from nwbsparse.analysis.behaviour.apart import told_apart
from nwbsparse.analysis.behaviour.claims import claims
from nwbsparse.analysis.behaviour.columns import claim_columns, variable_columns
from nwbsparse.analysis.behaviour.comparisons import make_scope
from nwbsparse.analysis.behaviour.confirm import confirm
from nwbsparse.analysis.behaviour.controls import (
    fit_units,
    observed_units,
    own_units,
    untrained_latents,
)
from nwbsparse.analysis.behaviour.cut import Cut
from nwbsparse.analysis.behaviour.effects import effects
from nwbsparse.analysis.behaviour.labels_in_words import labels_in_words
from nwbsparse.analysis.behaviour.notes import assessed_bins, embedding_notes, notes
from nwbsparse.analysis.behaviour.pre_activation import pre_activation_auroc
from nwbsparse.analysis.behaviour.summary import summarise
from nwbsparse.analysis.behaviour.together import SETS, decode_together
from nwbsparse.analysis.representation import Representation, named_apart
from nwbsparse.analysis.units.attribute import attribute
from nwbsparse.deprecated import renamed
from nwbsparse.models.coder import SparseCoder
from nwbsparse.progress import Progress, silent
from nwbsparse.schema import check, with_step

PARTS = 6


@renamed(data="binned")
def explain(
    coder: SparseCoder,
    binned: xr.Dataset,
    latents: xr.Dataset | None = None,
    *,
    covariates: Sequence[str] | None = None,
    conditions: Sequence[str] | Mapping[str, Cut] | None = None,
    nulls: Mapping[str, str] | None = None,
    conjunctions: Sequence[tuple[str, str]] = (),
    stability: xr.Dataset | None = None,
    beside: Sequence[Representation] = (),
    progress: Progress = silent,
) -> xr.Dataset:
    """Say what each latent stands for, with effect sizes, intervals, nulls and q values.

    The coder never saw the behaviour, so all bins count: each latent is correlated with what every
    variable predicts of it, curves fitted on other folds, against shifts of the variable (or
    exchanges of the labels of trials) with curves fitted anew. One p per latent over all variables,
    q over latents. Where what the coder reads has seen the behaviour, only bins held out from that
    are assessed. Beside the latents stand single units (each, and those that make a latent up), and,
    for what all latents tell of a variable together, as many units, principal components and
    untrained latents. What is too short to be tested says how much longer would do.
    ``coder.config`` sets ``n_shifts``, ``alpha`` and ``seed``.

    Args:
        coder: a trained coder.
        binned: the split Binned dataset with its covariates and conditions.
        latents: what :func:`nwbsparse.encode` gave for them; made when absent.
        covariates: names of the covariates to compare with; all when None.
        conditions: names of the categorical variables, events and covariates whose conditions make
            the latent × condition matrix; all when None. As ``{name: cut}`` it says how a covariate
            becomes conditions: a number of quantiles, or edges (two lists for a position in the
            plane), None for the automatic cut.
        nulls: ``{variable: null}`` in place of the one that fits its kind: 'shift', the name of the
            interval table ('trials') among whose rows its labels are exchanged, or of a null that
            was registered (``docs/extending/null.md``).
        conjunctions: pairs of conditions or covariates whose conditions are looked at together.
        stability: what :func:`nwbsparse.stability` gave with this coder first: needed to confirm.
        beside: other methods (:class:`~nwbsparse.Representation`): what as many of their channels tell
            of each variable stands beside what the latents tell together.
        progress: called after each part.

    Returns:
        Attribution dataset (see ``docs/reference/attribution.md``). A latent about which nothing
        can be said has NaN and a note; it is never ranked.

    Raises:
        BadInput: not split, other units than the coder's, a name that is not in the data (the
            nearest is suggested), or a null that does not fit.
    """
    config = coder.config
    design = make_design(
        binned, n_draws=config.n_shifts, seed=config.seed, bins=assessed_bins(coder, binned)
    )
    scope = make_scope(
        binned, covariates=covariates, conditions=conditions, nulls=nulls, conjunctions=conjunctions
    )
    latents = encode(coder, binned) if latents is None else latents
    activity = activity_of(latents)
    flat = detrended(activity, design)
    progress("explain", 0, PARTS)
    units = attribute(coder, binned)
    progress("explain", 1, PARTS)
    associations = [
        associate(flat, variable, design, number=number)
        for number, variable in enumerate(scope.tested)
    ]
    claimed = claims(associations, flat.n_channels, config.alpha)
    progress("explain", 2, PARTS)
    matrix, how = effects(activity, scope, binned, design)
    alone = pre_activation_auroc(coder, binned, scope.conditions)
    alone = np.where(np.isfinite(matrix["auroc"].values), alone, np.nan)
    matrix["pre_activation_auroc"] = ((names.LATENT, names.CONDITION), alone)
    progress("explain", 3, PARTS)
    groups, random = observed_units(coder, binned), untrained_latents(coder, binned)
    others = {"untrained": random}
    for one in named_apart(beside, SETS):
        described = one.of(binned)
        others[one.name] = activity_of(np.where(described.usable[:, None], described.table, 0))
    followed = [scope.tested[at] for at in np.unique(claimed.choice[claimed.choice >= 0])]
    fitted = fit_units(groups, followed, design)
    made = claim_columns(associations, claimed)
    # thousands of small regressions: threads that wait for one another take ten times as long
    with threadpool_limits(limits=1, user_api="blas"):
        made |= told_apart(flat, associations, claimed, design)
        made |= against_units(flat, claimed.choice, scope.tested, fitted, own_units(units), design)
        progress("explain", 4, PARTS)
        together = decode_together(activity, others, groups, scope.tested, design)
    summary = summarise(associations, claimed, together, fitted, detrended(random, design), design)
    progress("explain", 5, PARTS)
    made |= variable_columns(associations, flat.n_channels)
    attribution = xr.merge([units, matrix, xr.Dataset(made)], join="exact").assign_coords(
        {
            names.LATENT: latents[names.LATENT].values,
            names.LEVEL: (names.LATENT, latents[names.LEVEL].values),
            **coder.writes(binned).coords(),
        }
    )
    empty = [dim for dim, size in attribution.sizes.items() if size == 0]
    attribution = attribution.drop_dims(empty)  # without behaviour there is nothing to say about it
    attribution.attrs = {
        names.SCHEMA: names.ATTRIBUTION,
        names.CODER_ID: coder.id,
        names.SOURCE_SHA256: str(binned.attrs.get(names.SOURCE_SHA256, "")),
        names.SPLIT: "all" if len(design.bins) == binned.sizes[names.TIME] else "test",
        "alpha": config.alpha,
        "n_explained_latents": summary["latents"]["found"],
        "summary": json.dumps(summary),
        "nulls": json.dumps(how),
        "notes": json.dumps(notes(binned) + embedding_notes(coder, binned)),
    }
    named = {variable.name: variable for variable in scope.tested}
    attribution = labels_in_words(attribution, flat.kept, named, design)
    attribution = confirm(attribution, stability)
    progress("explain", PARTS, PARTS)
    parameters = {"n_shifts": config.n_shifts, "alpha": config.alpha, "seed": config.seed}
    asked = {"covariates": covariates, "conditions": conditions, "nulls": nulls}
    parameters |= {key: _plain(value) for key, value in asked.items() if value is not None}
    parameters |= {"beside": [one.name for one in beside]} if beside else {}
    parameters |= {"conjunctions": _plain(conjunctions)} if conjunctions else {}
    return check(with_step(attribution, "explain", parameters, since=latents), names.ATTRIBUTION)


def _plain(value: Any) -> Any:
    """What was asked for, as JSON keeps it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value

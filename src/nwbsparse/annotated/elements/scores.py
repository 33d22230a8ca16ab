"""What latents mean ⇄ one LatentAttribution per family of scores."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.annotated.elements.activations import region
from nwbsparse.annotated.elements.placed import Placed
from nwbsparse.annotated.elements.storage import Pack
from nwbsparse.annotated.elements.variables import TUNINGS, covariate_of, is_curve

_METRIC_NAMES = {
    "weight": "decoder_weight",
    "z": "conditional_z",
    "correlation": "pearson_r",
    "input_z": "conditional_z",
    "input_correlation": "pearson_r",
    "train_association": "cross_validated_r",
    "r": "cross_fitted_r",
}


def scores(
    attribution: xr.Dataset,
    latents: DynamicTable,
    populations: Mapping[str, DynamicTable],
    variables: DynamicTable | None,
    rows: Mapping[str, range],
    pack: Pack,
) -> tuple[list[Any], Placed]:
    """Scores of latents and units, variables, and conditions; p values stand beside them.

    ``populations``: dimension of units → the table of these units. ``rows``: those of the table of
    variables that belong to each group of targets.
    """
    made = _of_units(attribution, latents, populations, pack)
    made |= _of_variables(attribution, latents, variables, rows, pack)
    placed = Placed(attribution=frozenset(made))
    return [one for one in made.values() if one is not None], placed


def scores_in(model: Any) -> dict[str, Any]:
    """All scores of a model in a file, by the names of their variables."""
    named: dict[str, Any] = {}
    for name, one in model.latent_attributions.items():
        named[name] = one.scores[:]
        if one.p_values is not None:
            named[f"{name}_p"] = one.p_values[:]
    return named


def _of_units(
    attribution: xr.Dataset,
    latents: DynamicTable,
    populations: Mapping[str, DynamicTable],
    pack: Pack,
) -> dict[str, Any]:
    """Of latents and units, by the names of their variables; None for those that stand beside one."""
    of_units = {
        str(key): variable
        for key, variable in attribution.data_vars.items()
        if variable.dims[:1] == (names.LATENT,)
        and variable.dims[1:] in [(dim,) for dim in populations]
        and _fits(variable)
    }
    made: dict[str, Any] = {}
    for key, variable in of_units.items():
        if key.removesuffix("_p") in of_units and key.endswith("_p"):
            made[key] = None
            continue
        p_values = of_units.get(f"{key}_p")
        population = populations[str(variable.dims[1])]
        rows = range(len(population))
        made[key] = _scores(key, variable, latents, population, rows, pack, p_values=p_values)
    return made


def _of_variables(
    attribution: xr.Dataset,
    latents: DynamicTable,
    variables: DynamicTable | None,
    rows: Mapping[str, range],
    pack: Pack,
) -> dict[str, Any]:
    """Of latents and covariates, conditions, candidates or tuning bins."""
    made: dict[str, Any] = {}
    for key, variable in attribution.data_vars.items():
        name = str(key)
        curve = name.startswith(TUNINGS)
        role = f"tuning.{covariate_of(name)}" if curve else str(("", *variable.dims)[-1])
        if variables is None or role not in rows or not _fits(variable):
            continue
        if is_curve(attribution, name) if curve else variable.dims == (names.LATENT, role):
            if _stands_beside(attribution, name):
                made[name] = None
                continue
            beside = attribution.get(f"{name}_p")
            p_values = beside if beside is not None and beside.dims == variable.dims else None
            made[name] = _scores(
                name, variable, latents, variables, rows[role], pack,
                split=_split_of(attribution, name), p_values=p_values,
            )  # fmt: skip
    return made


def _stands_beside(attribution: xr.Dataset, name: str) -> bool:
    """Whether these are the p values of other scores, which are kept with them."""
    scores = attribution.get(name.removesuffix("_p")) if name.endswith("_p") else None
    return scores is not None and scores.dims == attribution[name].dims


def _split_of(attribution: xr.Dataset, name: str) -> str:
    """Which bins scores are of: of versions before 0.2 they are of test bins, or of training bins."""
    if name.startswith("train_"):
        return "train"
    return "test" if name == "r2" else str(attribution.attrs.get(names.SPLIT, "test"))


def _fits(variable: xr.DataArray) -> bool:
    """Whether scores, which are float32, hold its numbers to the last digit that matters."""
    if variable.dtype.kind != "f" or not variable.size:
        return False
    largest = np.abs(variable.values[np.isfinite(variable.values)]).max(initial=0)
    return bool(largest < 1e38)


def _scores(
    name: str,
    variable: xr.DataArray,
    latents: DynamicTable,
    targets: DynamicTable,
    rows: range,
    pack: Pack,
    *,
    split: str = "test",
    p_values: xr.DataArray | None = None,
) -> Any:
    more = {} if p_values is None else {"p_values": pack(p_values.values.astype(np.float32))}
    metric = "mean_activation" if name.startswith(TUNINGS) else _METRIC_NAMES.get(name, name)
    return ndx.LatentAttribution(
        name=name,
        description=f"{metric.replace('_', ' ')} of every latent and target",
        metric=metric,
        split=split,
        scores=pack(variable.values.reshape(len(variable), -1).astype(np.float32)),
        latents=region("latents", range(len(latents)), latents),
        targets=region("targets", rows, targets),
        **more,
    )

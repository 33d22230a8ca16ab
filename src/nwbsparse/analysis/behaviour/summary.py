"""What was found, variable by variable, beside units and untrained latents: the numbers of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nwbsparse.analysis.association.associate import Association, fit_alone
from nwbsparse.analysis.association.design import Design, Detrended
from nwbsparse.analysis.behaviour.claims import FOUND, Claims
from nwbsparse.analysis.behaviour.controls import UnitFit
from nwbsparse.analysis.behaviour.preferred import n_different, preferred
from nwbsparse.analysis.behaviour.together import Together, as_json


def summarise(
    associations: Sequence[Association],
    claimed: Claims,
    together: Sequence[Together],
    units: Mapping[str, Sequence[UnitFit]],
    untrained: Detrended,
    design: Design,
) -> dict[str, Any]:
    """The summary of an attribution (JSON), as ``docs/reference/attribution.md`` lists it."""
    found = claimed.status == FOUND
    decoded = {one.variable: as_json(one) for one in together}
    variables = {}
    for index, one in enumerate(associations):
        mine = found & (claimed.choice == index)
        told: dict[str, Any] = {
            "kind": one.kind,
            "amount": one.amount,
            "testable": int((one.hindrance == "").sum()),
            "found": int(mine.sum()),
            **_strongest(one, mine),
        }
        if not told["testable"]:
            told["hindrance"] = _usual(one.hindrance)
        if mine.any() and one.fit is not None:
            told["different"] = _different(one, mine, units[one.variable.name], untrained, design)
        if one.variable.name in decoded:
            told["together"] = decoded[one.variable.name]
        variables[one.variable.name] = told
    by_variable = {name: told["found"] for name, told in variables.items() if told["found"]}
    return {
        "latents": {
            "channels": len(found),
            "assessable": int(np.isfinite(claimed.p).sum()),
            "found": int(found.sum()),
            "by_variable": dict(sorted(by_variable.items(), key=lambda item: -item[1])),
        },
        "variables": variables,
    }


def _strongest(one: Association, mine: np.ndarray) -> dict[str, Any]:
    """The latent of largest r among those found, or among all where none is."""
    r = np.where(mine, one.r, np.nan) if mine.any() else one.r
    if one.fit is None or not np.isfinite(r).any():
        return {}
    latent = int(np.nanargmax(r))
    low, high = (ends[latent] for ends in one.fit.interval())
    numbers = {"r": r[latent], "low": low, "high": high, "by_chance": one.chance.mean[latent]}
    rounded = {key: round(float(value), 4) for key, value in numbers.items() if value == value}
    return {"strongest": {"latent": latent, **rounded}}


def _different(
    one: Association,
    mine: np.ndarray,
    units: Sequence[UnitFit],
    untrained: Detrended,
    design: Design,
) -> dict[str, int]:
    """Different preferred values of the found latents, of as many best units and untrained latents."""
    assert one.fit is not None
    n, variable = int(mine.sum()), one.variable
    made = {"latents": n_different(preferred(one.fit, variable)[mine], variable)}
    fits = [of_unit.fit for of_unit in units]
    random = fit_alone(untrained, variable, design)
    for name, some in (("units", fits), ("untrained", [random] if random else [])):
        if not some:
            continue
        r = np.concatenate([fit.r for fit in some])
        codes = np.concatenate([preferred(fit, variable) for fit in some])
        best = np.argsort(-np.nan_to_num(r, nan=-1.0), kind="stable")[:n]
        made[name] = n_different(codes[best], variable)
    return made


def _usual(hindrance: np.ndarray) -> str:
    """What hinders most latents."""
    said, n = np.unique(hindrance.astype(str), return_counts=True)
    return str(said[n.argmax()])


def listed(summary: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Variables in the order in which they are told: most found, then strongest r."""
    return sorted(
        summary.get("variables", {}).items(),
        key=lambda one: (-one[1]["found"], -one[1].get("strongest", {}).get("r", -1.0)),
    )

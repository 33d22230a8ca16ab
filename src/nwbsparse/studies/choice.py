"""Which options of a sweep would be taken, by a rule that can be said in a sentence."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse.studies.table import FIT, STATUS

GOOD = 0.95
"""Share of the best score from which a smaller, or sparser, coder will do (recipe, 5)."""
HIDDEN, R2, L0 = "validation_hidden_unit_r2", "validation_r2", "validation_l0"
SEED = "seed"


@dataclass(frozen=True)
class Choice:
    """A combination of options: its fits, and why it was taken."""

    fits: tuple[int, ...]
    """Of all seeds and recordings."""
    because: str


def choose(table: xr.Dataset) -> Choice | None:
    """The smallest coder that tells hidden units nearly as well as any, or the sparsest that reconstructs.

    Scores are those of validation bins, means over seeds and recordings; test bins take no part. None
    where no fit has a score.
    """
    combinations = _combinations(table)
    told = HIDDEN in table and bool(np.isfinite(table[HIDDEN].values).any())
    score, cost = (HIDDEN, "n_latents_used") if told else (R2, L0)
    if score not in table:
        return None
    scored = [(fits, _mean(table, score, fits), _mean(table, cost, fits)) for fits in combinations]
    scored = [one for one in scored if np.isfinite(one[1])]
    if not scored:
        return None
    best = max(one[1] for one in scored)
    enough = [one for one in scored if one[1] >= (GOOD * best if best > 0 else best)]
    least = min(one[2] for one in enough)
    fits, value, _ = max((one for one in enough if one[2] == least), key=lambda one: one[1])
    what = (
        f"the smallest ({least:.0f} latents) that tells hidden units"
        if told
        else f"the sparsest ({least:.3g} latents active per bin) that reconstructs"
    )
    tests = _mean(table, score.replace("validation", "test"), fits)
    return Choice(
        tuple(fits),
        f"{_said(table, fits[0])}: {what} with {100 * GOOD:.0f} % or more of the best R² on validation "
        f"bins ({value:.3f} of {best:.3f}{_seeds(fits)}); on test bins {tests:.3f}",
    )


def front_of(table: xr.Dataset) -> list[int]:
    """Fits that no other beats in both: none is as sparse and reconstructs better (validation bins)."""
    cost, score = table[L0].values, table[R2].values
    order = [at for at in np.lexsort((-score, cost)) if np.isfinite(score[at])]
    front: list[int] = []
    for at in order:
        if not front or score[at] > score[front[-1]]:
            front.append(int(at))
    return front


def _combinations(table: xr.Dataset) -> list[list[int]]:
    """Fits that differ in seed and recording alone."""
    varying = [one for one in json.loads(table.attrs["varying"]) if one != SEED]
    groups: dict[tuple[str, ...], list[int]] = {}
    for at in range(table.sizes[FIT]):
        key = tuple(str(table[name].values[at]) for name in varying)
        if table[STATUS].values[at] == "ok":
            groups.setdefault(key, []).append(at)
    return list(groups.values())


def _mean(table: xr.Dataset, name: str, fits: list[int]) -> float:
    values = table[name].values[fits].astype(np.float64)
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _said(table: xr.Dataset, at: int) -> str:
    """'n_latents=16, k=2'."""
    varying = [one for one in json.loads(table.attrs["varying"]) if one != SEED]
    return (
        ", ".join(f"{one}={_short(table[one].values[at])}" for one in varying) or "the one there is"
    )


def _short(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "chosen" if np.isnan(value) else f"{value:g}"
    return str(value) or "chosen"


def _seeds(fits: list[int]) -> str:
    return f", mean of {len(fits)} fits" if len(fits) > 1 else ""

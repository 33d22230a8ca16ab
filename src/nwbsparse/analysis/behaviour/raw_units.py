"""Single units as a yardstick for latents, each judged on the bins in which it was observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import entries_of
from nwbsparse.analysis.behaviour.association import (
    Candidate,
    Tested,
    associate,
    class_sums,
    fitting_scores,
    held_out,
    held_out_bins,
    joined,
    prediction,
)
from nwbsparse.analysis.behaviour.design import Ground
from nwbsparse.analysis.statistics.nulls import Null
from nwbsparse.analysis.statistics.observed import observed_together


@dataclass(frozen=True)
class _Judged:
    """A group of units with what it can be compared with."""

    units: np.ndarray
    counts: np.ndarray
    """(time, unit): at their mean where they were not observed."""
    candidates: Sequence[Candidate]
    """Not known where these units were not observed."""


def associate_units(data: xr.Dataset, candidates: Sequence[Candidate], ground: Ground) -> Tested:
    """:func:`associate` for the counts of every unit, in the bins in which it was observed."""
    n = data.sizes[names.UNIT]
    choice, observed, halves = np.full(n, -1), np.full(n, np.nan), np.full((n, 2), np.nan)
    score = np.full((len(candidates), n), np.nan)
    null: list[Null] = [Null(np.nan, np.nan, np.nan, 0, "never observed")] * n
    for one in _judged(data, candidates):
        tested = associate(one.counts, one.candidates, ground)
        choice[one.units], observed[one.units] = tested.choice, tested.observed
        score[:, one.units], halves[one.units] = tested.score, tested.halves
        for unit, its_null in zip(one.units, tested.null, strict=True):
            null[unit] = its_null
    return Tested(choice, score, observed, halves, tuple(null))


def best_units(
    tested: Tested, candidates: Sequence[Candidate], data: xr.Dataset, ground: Ground
) -> dict[str, Any]:
    """For each latent: the unit that follows the same thing best in training, and its test score."""
    best_unit = np.full(len(tested.choice), -1)
    association = np.full(len(tested.choice), np.nan)
    groups = _judged(data, candidates)
    scores = np.full((len(candidates), data.sizes[names.UNIT]), np.nan)
    fitted = [class_sums(entries_of(one.counts), one.candidates, ground) for one in groups]
    for one, sums in zip(groups, fitted, strict=True):
        scores[:, one.units] = fitting_scores(sums, one.candidates, len(one.units), ground)
    for index in np.unique(tested.choice[tested.choice >= 0]):
        if not np.isfinite(scores[index]).any():
            continue
        unit = int(np.nanargmax(scores[index]))
        group = next(at for at, one in enumerate(groups) if unit in one.units)
        one, column = groups[group], int(np.flatnonzero(groups[group].units == unit)[0])
        counts = one.counts[:, [column]]
        candidate = one.candidates[index]
        of_unit = joined(fitted[group][candidate.variable.name], column)
        curve = prediction(candidate, of_unit, ground.bin_width)[:, 0]
        residual = ground.residual(counts, ground.testing)[:, 0]
        bins = held_out_bins(candidate, ground)
        active = np.flatnonzero(counts[ground.testing, 0] > 0)
        said = held_out(active, residual, bins, curve, ground)
        here = tested.choice == index
        best_unit[here], association[here] = unit, said.observed
    return {
        "best_unit": (names.LATENT, best_unit),
        "best_unit_association": (names.LATENT, association),
    }


def _judged(data: xr.Dataset, candidates: Sequence[Candidate]) -> list[_Judged]:
    counts = data[names.COUNTS].values
    groups = []
    for together in observed_together(data):
        seen = together.seen
        if seen.all():
            groups.append(_Judged(together.units, counts[:, together.units], candidates))
        elif seen.any():
            mean = counts[seen][:, together.units].mean(axis=0, dtype=np.float64)
            filled = np.where(seen[:, None], counts[:, together.units], mean.astype(np.float32))
            codes = {
                c.variable.name: np.where(seen, c.variable.codes, np.int32(-1)) for c in candidates
            }
            known = [
                replace(c, variable=replace(c.variable, codes=codes[c.variable.name]))
                for c in candidates
            ]
            groups.append(_Judged(together.units, filled, known))
    return groups

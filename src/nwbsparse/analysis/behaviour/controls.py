"""What latents are compared with: units as the coder sees them, untrained latents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Activity, activity_of
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.apply.populations import explained_units
from nwbsparse.analysis.association.associate import fit_alone
from nwbsparse.analysis.association.cross_fit import CrossFit
from nwbsparse.analysis.association.design import Design, detrended
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.statistics.observed import observed_together
from nwbsparse.models.coder import SparseCoder
from nwbsparse.training.bins import smoothed_input
from nwbsparse.training.start import untrained_control

AT_ONCE = 20_000_000
"""Values of units that are held sparse at once."""


@dataclass(frozen=True)
class UnitGroup:
    """Units that were observed in the same bins, smoothed as the coder smooths them."""

    units: np.ndarray
    """Their columns."""
    table: np.ndarray
    """(time, unit) at their mean where they were not observed."""
    seen: np.ndarray
    """(time,) bool."""

    def known(self, variable: Coded) -> Coded:
        """The variable, not known where these units were not observed."""
        if self.seen.all():
            return variable
        return replace(variable, codes=np.where(self.seen, variable.codes, np.int32(-1)))

    def fits(self, variable: Coded, design: Design) -> list[tuple[np.ndarray, CrossFit]]:
        """(units, fit) of a variable, some units at a time; empty where nothing can be said."""
        made = []
        n_pieces = max(1, -(-self.table.size // AT_ONCE))
        for columns in np.array_split(np.arange(len(self.units)), n_pieces):
            activity = detrended(self.table[:, columns], design)
            fit = fit_alone(activity, self.known(variable), design)
            if fit is not None:
                made.append((self.units[columns], fit))
        return made


@dataclass(frozen=True)
class UnitFit:
    """Some units of a group, and how they follow one variable."""

    group: UnitGroup
    units: np.ndarray
    """Their columns."""
    fit: CrossFit


def observed_units(coder: SparseCoder, binned: xr.Dataset) -> list[UnitGroup]:
    """The units that a coder reads (of an embedding, all that were recorded), by when they were seen."""
    read = explained_units(coder, binned)
    counts = smoothed_input(coder.config, read)
    groups = []
    for together in observed_together(read):
        seen = together.seen
        if not seen.any():
            continue
        table = counts[:, together.units]
        if not seen.all():
            mean = table[seen].mean(axis=0, dtype=np.float64).astype(np.float32)
            table = np.where(seen[:, None], table, mean)
        groups.append(UnitGroup(together.units, table, seen))
    return groups


def fit_units(
    groups: Sequence[UnitGroup], variables: Iterable[Coded], design: Design
) -> dict[str, list[UnitFit]]:
    """Every unit's fit with some variables, by the name of the variable."""
    return {
        variable.name: [
            UnitFit(group, units, fit)
            for group in groups
            for units, fit in group.fits(variable, design)
        ]
        for variable in variables
    }


def untrained_latents(coder: SparseCoder, binned: xr.Dataset) -> Activity:
    """Latents of a coder of the same shape that never learned: what any rectified directions tell."""
    return activity_of(encode(untrained_control(coder, binned), binned))


def own_units(attribution: xr.Dataset) -> list[np.ndarray]:
    """For each latent the units that make it up: the 1/Σw⁴ of largest weight, w of unit length.

    Of a coder that reads other units than it reconstructs, by what each adds to the latent; of a
    coder of an embedding none, since no weight leads to a unit.
    """
    apart = names.INPUT_UNIT in attribution.dims
    key = "encoder_attribution" if apart else "weight"
    if key not in attribution or names.DIM in attribution[key].dims:
        return [np.zeros(0, dtype=np.int64)] * attribution.sizes[names.LATENT]
    weight = np.abs(np.nan_to_num(attribution[key].values.astype(np.float64)))
    length = np.linalg.norm(weight, axis=1, keepdims=True)
    weight = np.divide(weight, length, out=np.zeros_like(weight), where=length > 0)
    concentration = (weight**4).sum(axis=1)
    n = np.round(np.divide(1, concentration, out=np.zeros(len(weight)), where=concentration > 0))
    order = np.argsort(-weight, axis=1, kind="stable")
    return [row[: int(size)] for row, size in zip(order, n, strict=True)]

"""Is a latent more than single units? Paired differences, unit by unit, by leaving out blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from nwbsparse import names
from nwbsparse.analysis.association.associate import fit_alone
from nwbsparse.analysis.association.cross_fit import CrossFit, fisher, jackknife_error
from nwbsparse.analysis.association.design import Design, Detrended
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.controls import UnitFit


def against_units(
    activity: Detrended,
    choice: np.ndarray,
    variables: Sequence[Coded],
    units: Mapping[str, Sequence[UnitFit]],
    own: Sequence[np.ndarray],
    design: Design,
) -> dict[str, Any]:
    """Compare each latent with every unit, on the variable that it follows.

    ``beats_units_p`` is the largest p over all units of the paired jackknife test of atanh r
    (latent less unit): below .05, the latent follows the variable more closely than any unit. (To
    choose the best unit on other folds is liberal where units are graded.) ``beats_own_units_p``
    is the same over the units that make the latent up. Units see the smoothing that latents see.

    Args:
        activity: the latents.
        choice: (latent,) which variable each is compared on; −1 for none.
        variables: what they are chosen from.
        units: all units' fits with these variables (:func:`fit_units`), by name.
        own: for each latent the columns of its own units.
        design: the assessed bins.
    """
    n = activity.n_channels
    best, best_r = np.full(n, -1), np.full(n, np.nan)
    p, p_own, own_r = (np.full(n, np.nan) for _ in range(3))
    for index in np.unique(choice[choice >= 0]).tolist():
        here = np.flatnonzero(choice == index)
        variable = variables[index]
        for one in units[variable.name]:
            fit, latents = one.fit, fit_alone(activity, one.group.known(variable), design)
            assert latents is not None, "where units have a fit, latents have one"
            for latent in here.tolist():
                of_unit = _larger_than(latents, latent, fit)
                p[latent] = _largest(p[latent], of_unit)
                mine = np.isin(one.units, own[latent])
                if mine.any():
                    p_own[latent] = _largest(p_own[latent], of_unit[mine])
                    own_r[latent] = _largest(own_r[latent], fit.r[mine])
            if np.isfinite(fit.r).any():
                at = int(np.nanargmax(fit.r))
                better = here[~(best_r[here] >= fit.r[at])]
                best[better], best_r[better] = one.units[at], fit.r[at]
    latent_dim = names.LATENT
    return {
        "best_unit": (latent_dim, best),
        "best_unit_association": (latent_dim, best_r),
        "beats_units_p": (latent_dim, p),
        "own_units_association": (latent_dim, own_r),
        "beats_own_units_p": (latent_dim, p_own),
    }


def _larger_than(latents: CrossFit, latent: int, units: CrossFit) -> np.ndarray:
    """(unit,) one-sided p that a latent's r is larger than a unit's."""
    difference = fisher(latents.r[[latent]]) - fisher(units.r)
    without = fisher(latents.left_out[:, [latent]]) - fisher(units.left_out)
    error = np.maximum(jackknife_error(without), 1e-9)
    return stats.t.sf(difference / error, len(without) - 1)


def _largest(known: float, more: np.ndarray) -> float:
    both = np.append(more[np.isfinite(more)], known)
    return float(np.nanmax(both)) if np.isfinite(both).any() else np.nan

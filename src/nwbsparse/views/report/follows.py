"""What the data say of one latent: where a variable makes it more active, in units of measure."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.tuning import discounted
from nwbsparse.results.results import Results
from nwbsparse.views.words import measure, number, percent


def follows(results: Results, binned: xr.Dataset, latent: int) -> str:
    """'More active around x = 320, y = 210 pixels': what the data say, with units of measure."""
    a = results.attribution
    variable = str(a["best_variable"].values[latent])
    condition = str(a["best_condition"].values[latent])
    if condition:
        at = np.flatnonzero(
            (a["condition_variable"].values == variable) & (a["condition_name"].values == condition)
        )
        if not len(at):
            return f"More active when {variable} = {condition}."
        p_in, p_out = (a[name].values[latent, at[0]] for name in ("p_in", "p_out"))
        auroc = a["auroc"].values[latent, at[0]]
        return (
            f"More active when {variable} = {condition}: in {percent(p_in)} of those bins, and in "
            f"{percent(p_out)} of the others (AUROC {number(auroc)})."
        )
    if f"tuning.{variable}" not in a:
        return f"Varies with {variable}."
    curve = a[f"tuning.{variable}"].isel({names.LATENT: latent})
    n = a[f"occupancy.{variable}"].values
    weighted = discounted(curve.values, n, float(binned.attrs[names.BIN_WIDTH]))
    peak = np.unravel_index(int(weighted.argmax()), weighted.shape)
    where = [_place(curve[dim].values, int(i)) for dim, i in zip(curve.dims, peak, strict=True)]
    unit = unit_of(binned, variable)
    if len(where) == 2:
        place = f"around x = {where[1]}, y = {where[0]} {unit}".rstrip()
    elif variable in binned and binned[variable].attrs.get(names.KIND) == names.CIRCULAR:
        degrees = np.degrees(curve[curve.dims[0]].values[peak[0]])
        place = f"around {where[0]} radians ({number(degrees, 0)}°)"
    else:
        place = f"around {where[0]} {unit}".rstrip()
    return f"Varies with {variable}: it is most active {place}."


def _place(centres: np.ndarray, at: int) -> str:
    """The centre of a tuning bin, as finely as the bins are there."""
    near = np.diff(centres[max(at - 1, 0) : at + 2])
    return measure(centres[at], step=float(np.abs(near).min()) if len(near) else 0.0)


def unit_of(binned: xr.Dataset, variable: str) -> str:
    """The unit of measure of a variable; '' for none."""
    return str(binned[variable].attrs.get(names.UNITS_OF_MEASURE, "")) if variable in binned else ""

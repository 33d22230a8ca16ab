"""What the data say of one latent: where a variable makes it more active, in units of measure."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.tuning import discounted
from nwbsparse.results.results import Results
from nwbsparse.views.words import measure, number, percent

APART = 0.5
"""Share of the larger of two halves below which the smaller is said to differ from it at the peak."""


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


def how_sure(attribution: xr.Dataset, latent: int) -> str:
    """What speaks against the r of a latent that was found; '' where nothing does.

    Its interval may hold 0 although chance does as well too rarely for that, and the two halves of its
    curve may differ where it is highest: few moments stand behind it.
    """
    said = []
    if "association_low" in attribution and attribution["association_low"].values[latent] <= 0:
        said.append(
            "Its interval holds 0: that it follows this is more than chance, how closely is not known."
        )
    variable = str(attribution["best_variable"].values[latent])
    keys = [f"{half}.{variable}" for half in ("tuning_half_1", "tuning_half_2")]
    if all(key in attribution for key in keys):
        first, second = (attribution[key].values[latent].ravel().astype(np.float64) for key in keys)
        n = np.broadcast_to(attribution[f"occupancy.{variable}"].values.ravel(), first.shape)
        known = np.where(n > 0, attribution[f"tuning.{variable}"].values[latent].ravel(), np.nan)
        if np.isfinite(known).any():
            at = int(np.nanargmax(known))
            low, high = sorted(np.nan_to_num([first[at], second[at]]))
            if low < APART * high:
                said.append(
                    "Where it is most active the two halves of the recording differ: mean activation "
                    f"{measure(first[at])} in the even and {measure(second[at])} in the odd blocks."
                )
    return " ".join(said)


def _place(centres: np.ndarray, at: int) -> str:
    """The centre of a tuning bin, as finely as the bins are there."""
    near = np.diff(centres[max(at - 1, 0) : at + 2])
    return measure(centres[at], step=float(np.abs(near).min()) if len(near) else 0.0)


def unit_of(binned: xr.Dataset, variable: str) -> str:
    """The unit of measure of a variable; '' for none."""
    return str(binned[variable].attrs.get(names.UNITS_OF_MEASURE, "")) if variable in binned else ""

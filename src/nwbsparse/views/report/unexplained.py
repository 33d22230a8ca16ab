"""Latents that come back in other seeds and follow nothing known: they may be the discovery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import activation_of
from nwbsparse.analysis.apply.populations import read_ids
from nwbsparse.analysis.behaviour.claims import FEW_DRAWS, NOT_FOUND
from nwbsparse.results.results import Results
from nwbsparse.views import plots
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.plots.moments import UNITS
from nwbsparse.views.plots.rhythm import draw_rhythm, rhythm_of
from nwbsparse.views.plots.units import carrying_units
from nwbsparse.views.report.one_cell import one_group
from nwbsparse.views.words import duration, listing, number, percent, several

MOST = 4


@dataclass(frozen=True)
class Unexplained:
    """One latent that comes back and follows nothing that the recording knows."""

    latent: int
    badges: tuple[str, ...]
    """That it is a unit under another name, or one cell, perhaps."""
    sentences: tuple[str, ...]
    units_image: str
    rhythm_image: str
    moments_image: str


@dataclass(frozen=True)
class ComeBack:
    """All of them, and those that are shown."""

    said: str
    shown: tuple[Unexplained, ...]


def unexplained(results: Results, binned: xr.Dataset) -> ComeBack:
    """Latents that come back and follow nothing: their units, their rhythm, moments to look at."""
    latents = coming_back(results)
    if not len(latents):
        return ComeBack("", ())
    told = "hidden_gain" in results.metrics
    said = how_many_said(len(latents), int(_single(results)[latents].sum()), hidden_told=told)
    return ComeBack(said, tuple(_shown(results, binned, int(i)) for i in latents[:MOST]))


def comes_back_said(results: Results) -> str:
    """What it means here that a latent comes back."""
    if results.stability is None:
        return "Not known here, as training began once: a latent comes back if other seeds have it too."
    n = int(results.stability.attrs["n_seeds"])
    if "chance_match" in results.stability.attrs:
        return (
            f"Training began {n} times from other weights: a latent comes back if most of the other times "
            "have it too, better than chance."
        )
    if "again" not in results.stability:
        return f"Training began {n} times from other weights: a latent comes back if 80 % of them have it."
    return (
        f"Training began {n} times from other weights, and again {n} times: a latent comes back if the "
        "others have it too."
    )


def how_many_said(n: int, n_single: int, *, hidden_told: bool) -> str:
    """How many there are, what they may be, and which are shown."""
    known = "found to follow anything that the recording knows"
    if n == 1:
        what = (
            "It is a unit under another name: what is to be explained is that unit."
            if n_single
            else "It may be noise of the recording, or the discovery: look."
        )
        return f"One latent comes back when training begins anew and was not {known}. {what}"
    said = f"{n} latents come back when training begins anew and were not {known}. "
    units = "is a unit under another name" if n_single == 1 else "are units under other names"
    if n_single == n:
        said += "All are units under other names: what is to be explained are these units."
    elif n_single:
        others = "The other may" if n - n_single == 1 else "The others may"
        said += f"{n_single} of them {units}. {others} be noise of the recording, or the discovery: look."
    else:
        said += "They may be noise of the recording, or the discovery: look."
    if n > MOST:
        first = ", those that are no single unit first" if 0 < n_single < n else ""
        most = "that tell most of hidden units" if hidden_told else "that are active most often"
        said += f" Shown: the {MOST} {most}{first}."
    return said


def _single(results: Results) -> np.ndarray:
    """(latent,) whether it is one unit under another name."""
    return results.attribution["single_unit"].values.astype(bool)


def coming_back(results: Results) -> np.ndarray:
    """The stable latents that follow nothing: single units last, what tells most of hidden units first."""
    if results.stability is None:
        return np.zeros(0, dtype=np.int64)
    stable = results.stability["stable"].values.astype(bool)
    found = results.attribution["association_status"].values == "found"
    ever = results.metrics["density"].values > 0
    latents = np.flatnonzero(stable & ~found & ever)
    by = "hidden_gain" if "hidden_gain" in results.metrics else "density"
    tells = -np.nan_to_num(results.metrics[by].values[latents])
    return latents[np.lexsort((tells, _single(results)[latents]))]


def _shown(results: Results, binned: xr.Dataset, latent: int) -> Unexplained:
    rhythm = rhythm_of(results.latents, binned, latent)
    return Unexplained(
        latent=latent,
        badges=tuple(_badges(results, binned, latent)),
        sentences=tuple(_sentences(results, binned, latent, rhythm.period)),
        units_image=data_uri(
            plots.top_units(
                results.attribution,
                latent,
                units=carrying_units(results.attribution, latent, UNITS),
            )
        ),
        rhythm_image=data_uri(draw_rhythm(rhythm)),
        moments_image=data_uri(plots.moments(results.latents, binned, results.attribution, latent)),
    )


def _badges(results: Results, binned: xr.Dataset, latent: int) -> list[str]:
    a = results.attribution
    said = [one_group(a, binned, latent)]
    if _single(results)[latent]:
        unit = read_ids(a)[int(a["like_unit"].values[latent])]
        said.append(f"is unit {unit} under another name")
    return [one for one in said if one]


def _sentences(results: Results, binned: xr.Dataset, latent: int, period: float) -> list[str]:
    a = results.attribution
    width = float(binned.attrs[names.BIN_WIDTH])
    active = activation_of(results.latents, latent) > 0
    stretches = n_stretches(active, binned[names.SEGMENT].values)
    n_bins = int(active.sum())
    ids = [str(one) for one in read_ids(a)[carrying_units(a, latent, 5)]]
    said = []
    if ids:
        one = len(ids) == 1
        said.append(
            f"{'Unit' if one else 'Units'} {listing(ids)} {'carries' if one else 'carry'} it most."
        )
    said.append(
        f"Active in {percent(n_bins / binned.sizes[names.TIME])} of all bins: "
        f"{several(stretches, 'stretch', 'stretches')} of {_short(n_bins * width / max(stretches, 1))}"
        f"{' on average' if stretches > 1 else ''}."
    )
    if np.isfinite(period):
        said.append(f"It tends to be active again after {_short(period)}.")
    status = str(a["association_status"].values[latent])
    strongest, r = str(a["best_variable"].values[latent]), a["association"].values[latent]
    why = {
        NOT_FOUND: "which is not beyond chance",
        FEW_DRAWS: "with too few draws to tell that from chance",
    }
    if status in why and strongest:
        said.append(f"Closest to {strongest} (r {number(r)}), {why[status]}.")
    elif status:
        said.append(f"{status[0].upper()}{status[1:]}.")
    return said


def n_stretches(active: np.ndarray, segment: np.ndarray) -> int:
    """How many stretches of active bins there are; none goes on beyond a pause of the recording."""
    bins = np.flatnonzero(active)
    if not len(bins):
        return 0
    return int(((np.diff(bins) > 1) | (np.diff(segment[bins]) != 0)).sum()) + 1


def _short(seconds: float) -> str:
    return (
        f"{seconds * 1000:.0f} ms"
        if seconds < 1
        else f"{seconds:.1f} s"
        if seconds < 120
        else duration(seconds)
    )

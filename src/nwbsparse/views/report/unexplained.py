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
from nwbsparse.views.words import duration, listing, number, percent, several

MOST = 4


@dataclass(frozen=True)
class Unexplained:
    """One latent that comes back and follows nothing that the recording knows."""

    latent: int
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
    n = len(latents)
    known = "found to follow anything that the recording knows"
    said = (
        f"One latent comes back when training begins anew and was not {known}. It may be noise of "
        "the recording, or the discovery: look."
        if n == 1
        else f"{n} latents come back when training begins anew and were not {known}. They may be "
        "noise of the recording, or the discovery: look."
    )
    more = f" Shown: the {MOST} that tell most of hidden units." if n > MOST else ""
    return ComeBack(said + more, tuple(_shown(results, binned, int(i)) for i in latents[:MOST]))


def coming_back(results: Results) -> np.ndarray:
    """The stable latents that follow nothing: those that tell most of hidden units first."""
    if results.stability is None:
        return np.zeros(0, dtype=np.int64)
    stable = results.stability["stable"].values.astype(bool)
    found = results.attribution["association_status"].values == "found"
    ever = results.metrics["density"].values > 0
    latents = np.flatnonzero(stable & ~found & ever)
    by = "hidden_gain" if "hidden_gain" in results.metrics else "density"
    return latents[np.argsort(-np.nan_to_num(results.metrics[by].values[latents]), kind="stable")]


def _shown(results: Results, binned: xr.Dataset, latent: int) -> Unexplained:
    rhythm = rhythm_of(results.latents, binned, latent)
    return Unexplained(
        latent=latent,
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


def _sentences(results: Results, binned: xr.Dataset, latent: int, period: float) -> list[str]:
    a = results.attribution
    width = float(binned.attrs[names.BIN_WIDTH])
    bins = np.flatnonzero(activation_of(results.latents, latent))
    stretches = int((np.diff(bins) > 1).sum()) + 1
    long = len(bins) * width / stretches
    ids = [str(one) for one in read_ids(a)[carrying_units(a, latent, 5)]]
    called = "Unit" if len(ids) == 1 else "Units"
    said = [
        f"{called} {listing(ids)} carry it most." if len(ids) != 1 else f"Unit {ids[0]} carries it."
    ]
    said.append(
        f"Active in {percent(len(bins) / binned.sizes[names.TIME])} of the bins: "
        f"{several(stretches, 'stretch', 'stretches')} of {_short(long)} on average."
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


def _short(seconds: float) -> str:
    return (
        f"{seconds * 1000:.0f} ms"
        if seconds < 1
        else f"{seconds:.1f} s"
        if seconds < 120
        else duration(seconds)
    )

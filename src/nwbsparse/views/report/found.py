"""What was found, one variable after another: how strongly, how surely, beside what, which latents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.sentences import told_of
from nwbsparse.results.results import Results
from nwbsparse.views import plots
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.report.cards import Card, make_card
from nwbsparse.views.report.follows import unit_of
from nwbsparse.views.words import listing, several

IN_FULL = 6
"""Variables that have a part of their own."""
BRIEFLY = 5
"""Others that are shown unfolded."""
LATENTS = 3
"""Latents of each that have a card."""


FEWEST_ROWS, FEWEST_PLACES = 2, 3
"""Latents from which on a figure of all of them says more than their cards: as rows, on a map."""


@dataclass(frozen=True)
class Followed:
    """One variable that latents follow."""

    name: str
    n: int
    """Latents that follow it."""
    n_confirmed: int | None
    """Those of them that are confirmed; None where that is not known."""
    sentences: tuple[str, ...]
    bars: str
    """What all latents tell of it beside units, components and untrained latents; '' if not known."""
    covered: str
    """The values that the found latents cover; '' where they have no curve over it."""
    covered_said: str
    cards: tuple[Card, ...]
    others: str
    """The found latents that have no card; '' where all have one."""

    @property
    def confirmed(self) -> str:
        """' (3 confirmed)' of 5, for behind their number; '' where it is not known."""
        if self.n_confirmed is None:
            return ""
        if self.n == 1:
            return f" ({'confirmed' if self.n_confirmed else 'not confirmed'})"
        if self.n_confirmed == self.n:
            return " (both confirmed)" if self.n == 2 else " (all confirmed)"
        return f" ({self.n_confirmed or 'none'} confirmed)"


@dataclass(frozen=True)
class Found:
    """All variables that were compared."""

    followed: tuple[Followed, ...]
    briefly: tuple[str, ...]
    """A sentence or two of each of the others: of the first few."""
    folded: tuple[str, ...]
    """Of those after them."""
    folded_said: str


def found(results: Results, binned: xr.Dataset) -> Found:
    """A part of the page for each variable that latents follow, a line for each of the others."""
    told = told_of(results.attribution)
    if told is None:
        return Found((), (), (), "")
    summary = json.loads(results.attribution.attrs["summary"])
    followed, briefly = [], []
    for name, sentences in told.variables:
        latents = following(results.attribution, name)
        if len(latents) and len(followed) < IN_FULL:
            followed.append(_followed(results, binned, name, sentences, latents, summary))
        elif sentences:
            briefly.append(" ".join(sentences))
    folded = briefly[BRIEFLY:]
    more = several(len(folded), "more variable")
    return Found(
        followed=tuple(followed),
        briefly=tuple(briefly[:BRIEFLY]),
        folded=tuple(folded),
        folded_said=more if folded else "",
    )


def following(attribution: xr.Dataset, variable: str) -> np.ndarray:
    """The latents found to follow a variable: those that are confirmed first, then by r."""
    mine = attribution["best_variable"].values == variable
    latents = np.flatnonzero(mine & (attribution["association_status"].values == "found"))
    r = attribution["association"].values[latents]
    confirmed = (
        attribution["confirmed"].values[latents].astype(bool)
        if "confirmed" in attribution
        else np.zeros(len(latents), dtype=bool)
    )
    return latents[np.lexsort((-r, ~confirmed))]


def _followed(
    results: Results,
    binned: xr.Dataset,
    name: str,
    sentences: tuple[str, ...],
    latents: np.ndarray,
    summary: Mapping[str, Any],
) -> Followed:
    a = results.attribution
    curved = f"tuning.{name}" in a or name in a["condition_variable"].values
    unit = unit_of(binned, name)
    width = float(binned.attrs[names.BIN_WIDTH])
    beyond = [str(one) for one in latents[LATENTS:]]
    return Followed(
        name=name,
        n=len(latents),
        n_confirmed=int(a["confirmed"].values[latents].sum())
        if "n_confirmed_latents" in a.attrs
        else None,
        sentences=sentences,
        bars=data_uri(plots.comparison_bars(summary, name))
        if "together" in summary["variables"][name]
        else "",
        covered=data_uri(plots.values_covered(a, name, latents, bin_width=width, unit=unit))
        if curved and len(latents) >= (FEWEST_PLACES if _in_plane(a, name) else FEWEST_ROWS)
        else "",
        covered_said=_covered_said(a, name, len(latents)),
        cards=tuple(make_card(results, binned, int(latent)) for latent in latents[:LATENTS]),
        others=f"{several(len(beyond), 'more latent')}: {listing(beyond, most=40)}."
        if beyond
        else "",
    )


def _covered_said(attribution: xr.Dataset, name: str, n: int) -> str:
    if _in_plane(attribution, name):
        return f"Where each of the {n} is most active. Light grey was never visited."
    curve = f"tuning.{name}" in attribution
    kind = "activity" if curve else "share of bins in which it is active"
    left_out = (
        " Values that never occurred are left out." if curve and _gaps(attribution, name) else ""
    )
    return f"The {n} latents found, one a row: {kind} by value, each from its least to its most.{left_out}"


def _in_plane(attribution: xr.Dataset, name: str) -> bool:
    return f"tuning.{name}" in attribution and attribution[f"tuning.{name}"].ndim == 3


def _gaps(attribution: xr.Dataset, name: str) -> bool:
    return bool((attribution[f"occupancy.{name}"].values == 0).any())

"""Latents one by one, a card each: what they follow, how sure that is, which units; and all in a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nwbsparse import names
from nwbsparse.analysis.apply.populations import read_ids
from nwbsparse.results.results import Results
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.plots import condition_bars, read_units, spatial_map, top_units, tuning_curve
from nwbsparse.views.report.embedded import to_units
from nwbsparse.views.report.follows import follows, how_sure, unit_of
from nwbsparse.views.report.one_cell import one_group
from nwbsparse.views.report.populations import reads_and_reconstructs
from nwbsparse.views.words import number, p_value, percent

MOST = 3
"""Candidates that are shown where no latent is found."""
ROWS = 5000
"""Latents in the table of all; the annotated file holds every one."""


@dataclass(frozen=True)
class Row:
    """One latent in the table of all."""

    latent: int
    variable: str
    condition: str
    r: str
    q: str
    status: str
    density: str
    best_unit: str
    best_unit_r: str
    back: str
    """Whether it comes back in other seeds: 'yes', 'no', '–' where that is not known."""
    single_unit: str
    """The unit that it is under another name, else ''."""


@dataclass(frozen=True)
class Card:
    """One latent in full."""

    row: Row
    found: bool
    confirmed: bool
    label: str
    """Its name, given by a person or by the rule; '' for none."""
    verdict: str
    """A person's: 'accepted', 'rejected' or ''."""
    interval: str
    """Of r; '' for results of versions before 0.2."""
    follows: str
    how_sure: str
    """Why its r, though found, is not to be taken at its word; '' where nothing speaks against it."""
    halves: str
    """r in the even and in the odd blocks."""
    one_group: str
    """The units that share spikes of which it mostly consists: one cell, perhaps; else ''."""
    populations: str
    """Which units it reads and which it reconstructs, where these are others; else ''."""
    null: str
    p: str
    draws: str
    tuning_image: str
    tuning_alt: str
    reads_image: str
    """'' where it reads the units that it reconstructs."""
    units_image: str
    units_alt: str


def ranked(attribution: xr.Dataset) -> np.ndarray:
    """Latents with a tested association: found ones first, lowest q, then largest effect."""
    q = attribution["association_q"].values
    effect = attribution["association"].values - attribution["association_null_mean"].values
    found = attribution["association_status"].values == "found"
    tested = np.flatnonzero(np.isfinite(q) & np.isfinite(effect))
    order = np.lexsort((-effect[tested], q[tested], ~found[tested]))
    return tested[order]


def candidates(results: Results, binned: xr.Dataset) -> list[Card]:
    """The cards of the strongest latents where none is found: no findings, but what came nearest."""
    if (results.attribution["association_status"].values == "found").any():
        return []
    return [
        make_card(results, binned, int(latent)) for latent in ranked(results.attribution)[:MOST]
    ]


def rows(results: Results) -> list[Row]:
    """All latents, best first, those about which nothing can be said last."""
    order = ranked(results.attribution)
    rest = np.setdiff1d(np.arange(results.coder.n_latents), order)
    return [_row(results, int(latent)) for latent in [*order, *rest][:ROWS]]


def _row(results: Results, latent: int) -> Row:
    a = results.attribution
    unit_id = read_ids(a)
    best = int(a["best_unit"].values[latent])
    single = bool(a["single_unit"].values[latent])
    status = str(a["association_status"].values[latent])
    density = float(results.metrics["density"].values[latent])
    if density == 0:
        status = "not assessable: never active on held-out bins"
    return Row(
        latent=latent,
        variable=str(a["best_variable"].values[latent]),
        condition=str(a["best_condition"].values[latent]),
        r=number(a["association"].values[latent]),
        q=p_value(a["association_q"].values[latent]),
        status=status,
        back=_back(results, latent),
        density=percent(density),
        best_unit=str(unit_id[best]) if best >= 0 else "",
        best_unit_r=number(a["best_unit_association"].values[latent]) if best >= 0 else "–",
        single_unit=str(unit_id[int(a["like_unit"].values[latent])]) if single else "",
    )


def _back(results: Results, latent: int) -> str:
    if results.stability is None:
        return "–"
    return "yes" if results.stability["stable"].values[latent] else "no"


def make_card(results: Results, binned: xr.Dataset, latent: int) -> Card:
    """One latent in full, its figures drawn."""
    a = results.attribution
    row = _row(results, latent)
    drawn = tuning_figure(results, binned, latent)
    mean, spread = (
        a["association_null_mean"].values[latent],
        a["association_null_std"].values[latent],
    )
    what = row.variable + (f" = {row.condition}" if row.condition else "")
    return Card(
        row=row,
        found=row.status == "found",
        confirmed=bool(a["confirmed"].values[latent]) if "confirmed" in a else False,
        label=str(a["label"].values[latent]) if "label" in a else "",
        verdict=str(a["verdict"].values[latent]) if "verdict" in a else "",
        interval=_interval(a, latent),
        follows=follows(results, binned, latent),
        how_sure=how_sure(a, latent) if row.status == "found" else "",
        halves=_halves(a, latent),
        one_group=one_group(a, binned, latent),
        populations=(populations := reads_and_reconstructs(a, binned, latent)),
        null=f"{number(mean)} ± {number(spread)}",
        p=p_value(a["association_p"].values[latent]),
        draws=f"{int(a['association_draws'].values[latent]):,}",
        tuning_image="" if drawn is None else data_uri(drawn),
        tuning_alt=f"Activation of latent {latent} against {what}, in both halves of the recording",
        reads_image=data_uri(read_units(a, latent)) if populations else "",
        units_image=data_uri(top_units(a, latent)),
        units_alt=f"{to_units(a, latent)[1].capitalize()} of each unit of latent {latent}",
    )


def _interval(a: xr.Dataset, latent: int) -> str:
    if "association_low" not in a:
        return ""
    low, high = (a[f"association_{end}"].values[latent] for end in ("low", "high"))
    return f"{number(low)} to {number(high)}" if np.isfinite(low) else ""


def _halves(a: xr.Dataset, latent: int) -> str:
    if "association_half_1" not in a:
        return ""
    both = [a[f"association_half_{at}"].values[latent] for at in (1, 2)]
    return f"{number(both[0])}, {number(both[1])}"


def tuning_figure(results: Results, binned: xr.Dataset, latent: int) -> Axes | None:
    """The figure that fits what a latent follows: map, curve or condition bars."""
    a = results.attribution
    variable = str(a["best_variable"].values[latent])
    condition = str(a["best_condition"].values[latent])
    if condition and variable in a.get("condition_variable", np.zeros(0)):
        return condition_bars(a, latent, variable, condition=condition)
    if f"tuning.{variable}" not in a:
        return None
    unit = unit_of(binned, variable)
    if a[f"tuning.{variable}"].ndim == 3:
        return spatial_map(a, latent, variable, unit=unit)
    circular = variable in binned and binned[variable].attrs.get(names.KIND) == names.CIRCULAR
    width = float(binned.attrs[names.BIN_WIDTH])
    return tuning_curve(a, latent, variable, bin_width=width, unit=unit, circular=circular)

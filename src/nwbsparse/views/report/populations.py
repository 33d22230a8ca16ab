"""Coders that reconstruct other units than they read, in words: which units, where, how many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.units.attribute import REGION, UNNAMED
from nwbsparse.results.results import Results
from nwbsparse.views.plots.populations import most_read
from nwbsparse.views.plots.units import carrying_units
from nwbsparse.views.words import listing, number, several, width

NAMED = 3
"""Units of each population that are named."""


def learned_apart(results: Results, binned: xr.Dataset) -> str:
    """What was learned, for a reader new to it: 'from 12 units (CA3) … 8 others (CA1)'."""
    coder = results.coder
    read, made = coder.reads(binned).data, coder.writes(binned).data
    lag = results.config.lag
    when = ""
    if lag:
        side = "later" if lag > 0 else "earlier"
        when = f", {several(abs(lag), 'bin')} {side}"
    return (
        f"nwbsparse learned {several(results.coder.n_latents, 'latent')} that read "
        f"{_counted(read)} and reconstruct from them alone {_counted(made, 'other unit')}{when}, "
        "without seeing the behaviour. A latent is a recurring pattern of the units it reads that "
        "tells what the others do; it is active when its pattern is there. In any one held-out bin of "
        f"{width(results.coder.record.bin_width)} about "
        f"{number(float(results.metrics['l0'].mean()), 1)} of them are active."
    )


def reads_and_reconstructs(attribution: xr.Dataset, binned: xr.Dataset, latent: int) -> str:
    """'Reads CA3 100, 101 and 102; reconstructs CA1 300 and 301.': its three strongest units of each.

    '' for a coder that reconstructs the units it reads. Read are the units that fire with the
    latent and add most to it, reconstructed those that fire with it, by its weight; only what is
    positive.
    """
    if names.INPUT_UNIT not in attribution.dims:
        return ""
    read = most_read(attribution, latent, attribution.sizes[names.INPUT_UNIT])
    added, z = (
        attribution[name].values[latent, read] for name in ("encoder_attribution", "input_z")
    )
    read = read[(added > 0) & (z > 0)][:NAMED]
    made = carrying_units(attribution, latent, attribution.sizes[names.UNIT])
    weight, z = (attribution[name].values[latent, made] for name in ("weight", "z"))
    made = made[(weight > 0) & (z > 0)][:NAMED]
    regions = _region_of(binned)
    said = []
    for verb, coordinate, units in (
        ("reads", names.INPUT_UNIT_ID, read),
        ("reconstructs", names.UNIT_ID, made),
    ):
        ids = [str(one) for one in attribution[coordinate].values[units]]
        said.append(f"{verb} {_by_region(ids, regions)}" if ids else f"{verb} no unit above others")
    both = "; ".join(said)
    return both[:1].upper() + both[1:] + "."


def _counted(data: xr.Dataset, noun: str = "unit") -> str:
    """'12 units (CA3)'."""
    said = several(data.sizes[names.UNIT], noun)
    regions = list(dict.fromkeys(_region_of(data).values()))
    return f"{said} ({listing(regions, most=4)})" if regions else said


def _by_region(ids: Sequence[str], regions: dict[str, str]) -> str:
    """'CA3 100 and 101, DG 7'."""
    groups: dict[str, list[str]] = {}
    for unit in ids:
        groups.setdefault(regions.get(unit, ""), []).append(unit)
    return ", ".join(
        f"{region or several(len(units), 'unit').partition(' ')[2]} {listing(units)}"
        for region, units in groups.items()
    )


def _region_of(data: xr.Dataset) -> dict[str, str]:
    """Unit id → its region; empty where no unit has one."""
    if REGION not in data.coords:
        return {}
    found: dict[str, Any] = dict(
        zip(map(str, data[names.UNIT_ID].values), map(str, data[REGION].values), strict=True)
    )
    return (
        {unit: region or UNNAMED for unit, region in found.items()} if any(found.values()) else {}
    )

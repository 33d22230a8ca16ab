"""What was found, in sentences that a person reads first; never a count of significant channels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import xarray as xr

from nwbsparse.analysis.association.shifts import SHIFTS
from nwbsparse.analysis.behaviour.summary import listed

MOST = 3
"""Variables that are told in full."""
WORTH = 0.05
"""Share beyond chance from which on it is said what latents tell of a variable that none follows."""


def sentences(attribution: xr.Dataset) -> list[str]:
    """What latents follow, how sure that is, and whether it is more than units and chance.

    In this order: how many latents come back in other seeds and follow something; by variable the
    strongest r with its interval, how many different values are preferred, and what all latents
    tell together, each beside units, untrained latents and chance; whether any latent follows it
    more closely than every unit. Of what is too short: r all the same, and how much longer would do.
    """
    summary = json.loads(attribution.attrs["summary"])
    if not summary.get("variables"):
        return []
    said = [_first(attribution, summary["latents"])]
    told = listed(summary)
    for name, one in told[:MOST]:
        said += [*_strongest(name, one), *_together(name, one)]
    if len(told) > MOST:
        rest = [name for name, one in told[MOST:] if one["found"]]
        more = f", of which {len(rest)} are followed by a latent" if rest else ""
        said.append(f"{len(told) - MOST} more variables were compared{more}.")
    said += _against_units(attribution)
    return said


def _first(attribution: xr.Dataset, latents: Mapping[str, Any]) -> str:
    n, found = latents["channels"], latents["found"]
    confirmed = attribution.attrs.get("n_confirmed_latents")
    if not latents["assessable"]:
        return f"None of {n} latents could be tested against the behaviour."
    if confirmed is None:
        follow = "follow" if found != 1 else "follows"
        return (
            f"{found} of {n} latents {follow} something (q < {attribution.attrs['alpha']:g}); "
            "whether they come back in other seeds is not known (one seed)."
        )
    come = "come" if confirmed != 1 else "comes"
    follow = "follow" if confirmed != 1 else "follows"
    said = f"{confirmed} of {n} latents {come} back in other seeds and {follow} something"
    return said + (
        f" ({found} follow something, whether they come back or not)."
        if found != confirmed
        else "."
    )


def _strongest(name: str, one: Mapping[str, Any]) -> list[str]:
    strongest = one.get("strongest")
    if strongest is None:
        return [f"{name}: {one['hindrance']}."] if "hindrance" in one else []
    said = f"{name}: strongest r {_r(strongest['r'])}"
    if "low" in strongest:
        said += f" [{_r(strongest['low'])} to {_r(strongest['high'])}]"
    if "by_chance" in strongest:
        said += f" (by chance {_r(strongest['by_chance'])})"
    if not one["testable"]:
        return [f"{said}; not testable: {one['hindrance']}."]
    if not one["found"]:
        return [f"{said}; no latent follows it beyond chance."]
    different = one.get("different", {})
    if different:
        n = different["latents"]
        values = "value" if n == 1 else "different values"
        said += f", {n} {values} preferred among the {one['found']} found"
        others = [
            f"{label} {different[key]}"
            for key, label in (("units", "as many best units"), ("untrained", "untrained latents"))
            if key in different
        ]
        said += f" ({', '.join(others)})" if others else ""
    return [said + "."]


def _together(name: str, one: Mapping[str, Any]) -> list[str]:
    told = one.get("together")
    if not told or not one["testable"]:
        return []
    share, n, chance = told["share"], told["n"], told["chance"]
    if not one["found"] and share["latents"] < chance + WORTH:
        return []
    of = "time" if one["kind"] == SHIFTS else "trials"
    many = n != 1
    others = (
        (f"the {n} best units" if many else "the best unit", share["units"]),
        (f"{n} units picked for what they add" if many else "", share["forward"]),
        (f"{n} principal components" if many else "the first principal component", share["components"]),
        (f"{n} untrained latents" if many else "an untrained latent", share["untrained"]),
        ("all units", share["all_units"]),
        ("chance", chance),
    )  # fmt: skip
    beside = ", ".join(f"{label} {_percent(value)}" for label, value in others if label)
    who = f"Together the {n} latents tell" if many else "By itself it tells"
    return [
        f"{who} {name} in {_percent(share['latents'])} of the {of}; {beside}."
        f"{_surely(share, told['p'])}"
    ]


def _surely(share: Mapping[str, float], p: Mapping[str, float]) -> str:
    """What the latents tell more or less than, where leaving out blocks leaves no doubt."""
    called = {
        "units": "the best units",
        "components": "components",
        "untrained": "untrained latents",
    }
    said = []
    for word, sign in (("more", 1), ("less", -1)):
        mine = [
            label for key, label in called.items()
            if p[key] < 0.05 and sign * (share["latents"] - share[key]) > 0
        ]  # fmt: skip
        said += [f"{word} than {' and '.join(mine)}"] if mine else []
    return f" Surely {', '.join(said)} (p < .05)." if said else ""


def _against_units(attribution: xr.Dataset) -> list[str]:
    if "beats_units_p" not in attribution:
        return []
    found = attribution["association_status"].values == "found"
    if not found.any():
        return []
    better = found & (attribution["beats_units_p"].values < 0.05)
    if better.any():
        n = int(better.sum())
        return [
            f"{n} {'latent follows' if n == 1 else 'latents follow'} it more closely than every unit."
        ]
    r, units = (attribution[key].values[found] for key in ("association", "best_unit_association"))
    at = int(r.argmax())
    if units[at] != units[at]:
        return []
    return [
        f"No single latent beats every unit (strongest {_r(r[at])}, the best unit there {_r(units[at])})."
    ]


def _r(value: float) -> str:
    """'.67', '−.05'."""
    said = f"{abs(value):.2f}".removeprefix("0")
    return f"−{said}" if round(value, 2) < 0 else said


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")

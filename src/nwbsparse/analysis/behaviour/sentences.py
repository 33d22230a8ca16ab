"""What was found, in sentences that a person reads first; never a count of significant channels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse.analysis.apply.populations import read_ids
from nwbsparse.analysis.behaviour.claims import FEW_DRAWS, FOUND, NAMED
from nwbsparse.analysis.behaviour.set_decoding import together_said
from nwbsparse.analysis.behaviour.summary import listed

MOST = 3
"""Variables that are told in full."""
CONFIRMED = "come back in other seeds and follow something, in both halves of the recording"
CONFIRMED_ONE = "comes back in other seeds and follows something, in both halves of the recording"
NOT_CONFIRMED_ONE = (
    "it does not come back in other seeds, or does not follow it in both halves of the recording"
)
"""What confirmed means, of several and of one; and what it means of one that it is not."""


@dataclass(frozen=True)
class Told:
    """What is said of the behaviour, in the order in which it is read."""

    lead: str
    """How many latents are confirmed, and how many follow something."""
    variables: tuple[tuple[str, tuple[str, ...]], ...]
    """(name, sentences), most found first; without sentences where nothing is known."""
    units: str
    """Whether any latent follows something more closely than every unit; '' where none is found."""


def told_of(attribution: xr.Dataset) -> Told | None:
    """What latents follow, how sure that is, and whether it is more than units and chance.

    Of each variable: the strongest r with its interval, how many different values are preferred, and
    what all latents tell together, each beside units, untrained latents and chance. Of what is too
    short: r all the same, and how much longer would do. None where nothing was compared.
    """
    summary = json.loads(attribution.attrs["summary"])
    if not summary.get("variables"):
        return None
    return Told(
        lead=_lead(attribution, summary["latents"]),
        variables=tuple(
            (name, tuple(_of_variable(name, one, attribution))) for name, one in listed(summary)
        ),
        units=_against_units(attribution),
    )


def sentences(attribution: xr.Dataset) -> list[str]:
    """:func:`told_of` in one piece, with three variables in full and the others counted."""
    told = told_of(attribution)
    if told is None:
        return []
    said = [told.lead]
    for _, some in told.variables[:MOST]:
        said += some
    said += [_others([name for name, _ in told.variables[MOST:]], attribution), told.units]
    return [sentence for sentence in said if sentence]


def _of_variable(name: str, one: Mapping[str, Any], attribution: xr.Dataset) -> list[str]:
    together = together_said(name, one)
    return [*_strongest(name, one, attribution), *([together] if together else [])]


def _others(rest: list[str], attribution: xr.Dataset) -> str:
    if not rest:
        return ""
    variables = json.loads(attribution.attrs["summary"])["variables"]
    followed = sum(bool(variables[name]["found"]) for name in rest)
    compared = "1 more variable was" if len(rest) == 1 else f"{len(rest)} more variables were"
    if not followed:
        return f"{compared} compared; no latent was found to follow {'it' if len(rest) == 1 else 'them'}."
    if len(rest) == 1:
        return f"{compared} compared; a latent follows it."
    return f"{compared} compared, {followed} of which {_s('is', followed)} followed by a latent."


def _lead(attribution: xr.Dataset, latents: Mapping[str, Any]) -> str:
    n, found = latents["channels"], latents["found"]
    confirmed = attribution.attrs.get("n_confirmed_latents")
    none = "The one latent" if n == 1 else f"None of {n} latents"
    if not latents["assessable"]:
        return f"{none} could {'not ' if n == 1 else ''}be tested against the behaviour."
    alpha = f"(q < {attribution.attrs['alpha']:g})"
    if not found:
        was = "was not" if n == 1 else "was"
        return f"{none} {was} found to follow anything that the recording knows {alpha}."
    some = "The one latent" if n == 1 else f"{found} of {n} latents"
    if confirmed is None:
        they = "it comes" if found == 1 else "they come"
        return (
            f"{some} {_s('follow', found)} something {alpha}; whether {they} back in other seeds is "
            "not known (one seed)."
        )
    if n == 1:
        if confirmed:
            return f"{some} is confirmed: it {CONFIRMED_ONE}."
        return f"{some} follows something {alpha}, but is not confirmed: {NOT_CONFIRMED_ONE}."
    if found == confirmed:
        what = CONFIRMED_ONE if found == 1 else CONFIRMED
        return f"{some} {_s('is', found)} confirmed: {'it' if found == 1 else 'they'} {what}."
    follow = f"{found} {_s('follow', found)} something, confirmed or not"
    if not confirmed:
        return f"{none} is confirmed, which would be one that {CONFIRMED_ONE}; {follow}."
    what = f"it {CONFIRMED_ONE}" if confirmed == 1 else f"they {CONFIRMED}"
    return f"{confirmed} of {n} latents {_s('is', confirmed)} confirmed: {what}; {follow}."


def _s(verb: str, n: int) -> str:
    """A verb for so many: 'follows' for one and for none of them."""
    if verb == "is":
        return "is" if n == 1 else "are"
    return verb if n > 1 else f"{verb}s"


def _strongest(name: str, one: Mapping[str, Any], attribution: xr.Dataset) -> list[str]:
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
        return [f"{said}; {_not_found(name, attribution)}{_best_unit(name, attribution)}."]
    return [f"{said}{_different(one)}."]


def _not_found(name: str, attribution: xr.Dataset) -> str:
    """Whether chance does as well, or whether that cannot be told from so few draws."""
    few = attribution["association_status"].values == FEW_DRAWS
    n = int((few & (attribution["best_variable"].values == name)).sum())
    if not n:
        n = _also(name, attribution)
        if n:
            that = "follows something else more" if n == 1 else "follow something else more"
            it = "one latent goes" if n == 1 else f"{n} latents go"
            return f"{it} with it (p ≤ {NAMED:g}), but {that}"
        return "no latent follows it beyond chance"
    which = (
        "the one latent follows" if len(few) == 1 else f"{n} {'latent' if n == 1 else 'latents'}"
    )
    if len(few) > 1:
        which += f" {_s('follow', n)}"
    return f"whether {which} it cannot be told from so few draws of chance"


def _also(name: str, attribution: xr.Dataset) -> int:
    """Latents that were found to follow something else, and go with this variable too."""
    if "r_p" not in attribution:
        return 0
    found = attribution["association_status"].values == FOUND
    here = attribution["candidate_variable"].values == name
    return int((found & (attribution["r_p"].values[:, here] <= NAMED).any(axis=1)).sum())


def _best_unit(name: str, attribution: xr.Dataset) -> str:
    """'; unit 29 goes with it more closely (r .62), which is not tested', where one does."""
    here = np.flatnonzero(attribution["best_variable"].values == name)
    if "best_unit" not in attribution or not len(here):
        return ""
    unit, r = (attribution[key].values[here[0]] for key in ("best_unit", "best_unit_association"))
    if unit < 0 or not r > attribution["association"].values[here].max():
        return ""
    called = read_ids(attribution)[int(unit)]
    return f"; unit {called} goes with it more closely (r {_r(float(r))}), which is not tested"


def _different(one: Mapping[str, Any]) -> str:
    different = one.get("different", {})
    if not different:
        return ""
    n, found = different["latents"], one["found"]
    values = f"{n} {'value' if n == 1 else 'different values'}" if n else "no value surely"
    among = "by the one latent found" if found == 1 else f"among the {found} found"
    best = "the best unit" if found == 1 else f"the {found} best units"
    random = "the best untrained latent" if found == 1 else f"the {found} best untrained latents"
    others = [
        f"{label}: {different[key]}"
        for key, label in (("units", best), ("untrained", random))
        if key in different
    ]
    return f", {values} preferred {among}" + (f" ({', '.join(others)})" if others else "")


def _against_units(attribution: xr.Dataset) -> str:
    found = attribution["association_status"].values == "found"
    if "beats_units_p" not in attribution or not found.any():
        return ""
    n = int((attribution["beats_units_p"].values[found] < 0.05).sum())
    if n:
        latents, it = ("latent", "it follows") if n == 1 else ("latents", "they follow")
        return f"{n} {latents} {_s('follow', n)} what {it} more closely than every unit."
    r, units = (attribution[key].values[found] for key in ("association", "best_unit_association"))
    at = int(r.argmax())
    if units[at] != units[at]:
        return ""
    best = f"strongest {_r(r[at])}, the best unit there {_r(units[at])}"
    return f"No single latent is surely better than every unit ({best})."


def _r(value: float) -> str:
    """'0.67', '−0.05'."""
    said = f"{abs(value):.2f}"
    return f"−{said}" if round(value, 2) < 0 else said

"""What was found, in sentences that a person reads first; never a count of significant channels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from nwbsparse.analysis.association.label_draws import OF_TRIALS, SEQUENCE, TRIALS
from nwbsparse.analysis.behaviour.summary import listed
from nwbsparse.analysis.behaviour.together import SETS

MOST = 3
"""Variables that are told in full."""
WORTH = 0.05
"""Share beyond chance from which on it is said what latents tell of a variable that none follows."""


@dataclass(frozen=True)
class Told:
    """What is said of the behaviour, in the order in which it is read."""

    lead: str
    """How many latents come back and follow something."""
    variables: tuple[tuple[str, tuple[str, ...]], ...]
    """(name, sentences), most found first; without sentences where nothing is known."""
    together: str
    """What all latents tell of the first variable, beside what; '' where no latent follows it."""
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
    first, one = listed(summary)[0]
    return Told(
        together=" ".join(_together(first, one)) if one["found"] else "",
        lead=_lead(attribution, summary["latents"]),
        variables=tuple(
            (name, (*_strongest(name, one), *_together(name, one))) for name, one in listed(summary)
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


def _others(rest: list[str], attribution: xr.Dataset) -> str:
    if not rest:
        return ""
    variables = json.loads(attribution.attrs["summary"])["variables"]
    followed = sum(bool(variables[name]["found"]) for name in rest)
    compared = "1 more variable was" if len(rest) == 1 else f"{len(rest)} more variables were"
    if not followed:
        return f"{compared} compared; no latent follows {'it' if len(rest) == 1 else 'them'}."
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
    they = "it comes" if found == 1 else "they come"
    if confirmed is None:
        return (
            f"{some} {_s('follow', found)} something {alpha}; whether {they} back in other seeds is "
            "not known (one seed)."
        )
    if n == 1 and not confirmed:
        return f"{some} follows something {alpha}, but does not come back alike in other seeds."
    some = f"{confirmed} of {n} latents" if confirmed and n > 1 else some if confirmed else none
    said = f"{some} {_s('come', confirmed)} back in other seeds and "
    said += f"{_s('follow', confirmed)} something"
    if found == confirmed:
        return f"{said}."
    return f"{said} ({found} {_s('follow', found)} something, whether {they} back or not)."


def _s(verb: str, n: int) -> str:
    """A verb for so many: 'follows' for one and for none of them."""
    if verb == "is":
        return "is" if n == 1 else "are"
    return verb if n > 1 else f"{verb}s"


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
    return [f"{said}{_different(one)}."]


def _different(one: Mapping[str, Any]) -> str:
    different = one.get("different", {})
    if not different:
        return ""
    n, found = different["latents"], one["found"]
    values = f"{n} {'value' if n == 1 else 'different values'}" if n else "no value surely"
    among = "by the one latent found" if found == 1 else f"among the {found} found"
    best = "the best unit" if found == 1 else "as many best units"
    random = "the best untrained latent" if found == 1 else "untrained latents"
    others = [
        f"{label} {different[key]}"
        for key, label in (("units", best), ("untrained", random))
        if key in different
    ]
    return f", {values} preferred {among}" + (f" ({', '.join(others)})" if others else "")


def _together(name: str, one: Mapping[str, Any]) -> list[str]:
    told = one.get("together")
    if not told or not one["testable"]:
        return []
    share, n, chance = told["share"], told["n"], told["chance"]
    if not one["found"] and share["latents"] < chance + WORTH:
        return []
    of_trials = one["kind"] in (TRIALS, SEQUENCE) or one["kind"].endswith(OF_TRIALS)
    of = "trials" if of_trials else "time"
    many = n != 1
    others = (
        (f"the {n} best units" if many else "the best unit", share["units"]),
        (f"{n} units picked for what they add" if many else "", share["forward"]),
        (f"{n} principal components" if many else "the first principal component", share["components"]),
        (f"{n} untrained latents" if many else "an untrained latent", share["untrained"]),
        *((f"{n} channels of {key}" if many else f"a channel of {key}", share[key])
          for key in share if key not in SETS),
        ("all units", share["all_units"]),
        ("chance", chance),
    )  # fmt: skip
    beside = ", ".join(f"{label} {_percent(value)}" for label, value in others if label)
    who = f"Together the {n} latents tell" if many else "By itself it tells"
    verdict = _beside(share, told["p"]) if share["latents"] > chance else ""
    return [f"{who} {name} in {_percent(share['latents'])} of the {of}; {beside}.{verdict}"]


def _beside(share: Mapping[str, float], p: Mapping[str, float]) -> str:
    """What latents tell more than, less than, or as much as, as far as leaving out blocks can say."""
    called = {
        "units": "the best units",
        "components": "components",
        "untrained": "untrained latents",
        **{key: key for key in share if key not in SETS},
    }
    kinds: dict[str, list[str]] = {"more than": [], "as much as": [], "less than": []}
    for key, label in called.items():
        more = share["latents"] > share[key]
        kind = "as much as" if not p[key] < 0.05 else "more than" if more else "less than"
        kinds[kind].append(label)
    said = [f"{kind} {' and '.join(labels)}" for kind, labels in kinds.items() if labels]
    return f" That is {', '.join(said)} (p < .05 where it is more or less)."


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
    """'.67', '−.05'."""
    said = f"{abs(value):.2f}".removeprefix("0")
    return f"−{said}" if round(value, 2) < 0 else said


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")

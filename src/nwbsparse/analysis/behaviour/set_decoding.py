"""What all latents tell of a variable together, in words: beside units, components, untrained, chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nwbsparse.analysis.association.label_draws import OF_TRIALS, SEQUENCE, TRIALS
from nwbsparse.analysis.behaviour.together import (
    ALL_UNITS,
    COMPONENTS,
    FORWARD,
    LATENTS,
    SETS,
    UNITS,
    UNTRAINED,
)

WORTH = 0.05
"""Share beyond chance from which on it is said what latents tell of a variable that none follows."""
SURE = 0.05
"""p of a difference below which one set is said to tell more than another."""
MORE, ALIKE, LESS = "more than", "as much as", "less than"


def sets_called(told: Mapping[str, Any]) -> dict[str, str]:
    """What each set that latents are compared with is called: 'the 32 best units', 'all units'.

    In the order in which they are read: single units first, other methods last.
    """
    n = told["n"]
    called = {
        UNITS: f"the {n} best units" if n != 1 else "the best unit",
        FORWARD: f"{n} units picked for what they add" if n != 1 else "",
        ALL_UNITS: "all units",
        COMPONENTS: f"{n} principal components" if n != 1 else "the first principal component",
        UNTRAINED: f"{n} untrained latents" if n != 1 else "an untrained latent",
    }
    called |= {
        key: f"{n} channels of {key}" if n != 1 else f"a channel of {key}"
        for key in told["share"]
        if key not in SETS
    }
    return {key: label for key, label in called.items() if label and key in told["share"]}


def beside(told: Mapping[str, Any]) -> dict[str, list[str]]:
    """Which sets the latents tell more than, as much as and less than, by leaving out blocks.

    A set that tells no more than chance is none of these: to tell more than nothing is no merit.
    """
    share, kinds = told["share"], {MORE: [], ALIKE: [], LESS: []}
    for key in sets_called(told):
        if share[key] <= told["chance"]:
            continue
        more = share[LATENTS] > share[key]
        sure = told["p"][key] < SURE and share[LATENTS] != share[key]
        kinds[ALIKE if not sure else MORE if more else LESS].append(key)
    return kinds


def beyond_chance(told: Mapping[str, Any], *, by: float = 0.0) -> bool:
    """Whether latents tell more than chance, by so much at the least."""
    return bool(told["share"][LATENTS] > told["chance"] + by)


def together_said(name: str, one: Mapping[str, Any]) -> str:
    """What latents tell of a variable, beside what; '' where there is nothing to tell of it.

    Of a variable that no latent follows it is said only where they tell much more than chance, and
    that it was not tested.
    """
    told = one.get("together")
    if not told or not one["testable"]:
        return ""
    if not one["found"] and not beyond_chance(told, by=WORTH):
        return ""
    share = told["share"]
    others = [f"{label} {percent(share[key])}" for key, label in sets_called(told).items()]
    numbers = ", ".join([*others, f"chance {percent(told['chance'])}"])
    who = f"Together the {told['n']} latents tell" if told["n"] != 1 else "By itself it tells"
    what = f"{name} {how_often(share[LATENTS], one)}"
    if not one["found"]:
        return f"{who} {what}, which is not tested against chance; {numbers}."
    return f"{who} {what}; {numbers}.{_verdict(told)}"


def how_often(share: float, one: Mapping[str, Any]) -> str:
    """'75 % of the time', 'in 60 % of the trials'."""
    of_trials = one["kind"] in (TRIALS, SEQUENCE) or one["kind"].endswith(OF_TRIALS)
    return f"in {percent(share)} of the trials" if of_trials else f"{percent(share)} of the time"


def _verdict(told: Mapping[str, Any]) -> str:
    if not beyond_chance(told):
        return " That is no more than chance."
    called, kinds = sets_called(told), beside(told)
    said = [
        f"{kind} {listed([called[key] for key in keys])}" for kind, keys in kinds.items() if keys
    ]
    nothing = no_more_than_chance(told)
    if not said:
        return f" {nothing[:1].upper()}{nothing[1:]}."
    tested = " (p < 0.05 where it is more or less)" if kinds[MORE] or kinds[LESS] else ""
    return f" That is {', '.join(said)}{tested}{f'; {nothing}' if nothing else ''}."


def no_more_than_chance(told: Mapping[str, Any], *, numbers: bool = False) -> str:
    """'the best unit tells no more than chance': of the sets of which that is so; '' of none."""
    share = told["share"]
    keys = [key for key in sets_called(told) if share[key] <= told["chance"]]
    if not keys:
        return ""
    labels = [
        f"{sets_called(told)[key]} ({percent(share[key])})" if numbers else sets_called(told)[key]
        for key in keys
    ]
    several = len(keys) > 1 or told["n"] != 1 or keys == [ALL_UNITS]
    chance = f" ({percent(told['chance'])})" if numbers else ""
    return f"{listed(labels)} tell{'' if several else 's'} no more than chance{chance}"


def listed(items: list[str]) -> str:
    """'a, b and c'."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def percent(share: float) -> str:
    """'64 %'."""
    return f"{share:.0%}".replace("%", " %")


def p_said(p: float) -> str:
    """'p 0.07', 'p < 0.001'."""
    if p < 0.001:
        return "p < 0.001"
    digits = 3 if p < 0.0095 or 0.045 <= p < 0.055 else 2
    return f"p {min(p, 1.0):.{digits}f}"

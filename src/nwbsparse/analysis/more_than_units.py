"""Is it more than single units? One sentence, from what latents tell of behaviour, else of hidden units."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse.analysis.behaviour.set_decoding import (
    ALIKE,
    LESS,
    MORE,
    SURE,
    beside,
    beyond_chance,
    how_often,
    listed,
    no_more_than_chance,
    p_said,
    percent,
    sets_called,
)
from nwbsparse.analysis.behaviour.summary import listed as in_order
from nwbsparse.analysis.behaviour.together import FORWARD, LATENTS, UNITS, UNTRAINED
from nwbsparse.analysis.quality.hidden_said import (
    ALL_OTHERS,
    NOTHING,
    SHARES,
    SOMETHING,
    apart,
    is_nothing,
    shares,
    simpler_models,
    with_error,
)

QUESTION = "More than single units?"
YES, AS_GOOD, NO, UNKNOWN = "Yes", "As good as single units, no more", "No", "Cannot be said"
UNTAUGHT = "Yes, but no more than latents that learned nothing"
"""What latents tell comes from what they read (an embedding, a window), not from what they learned."""
NAMED = 3
"""Other variables that are named at most."""
WORDS = {MORE: "more than", ALIKE: "not surely more or less than", LESS: "less than"}


def more_than_units(attribution: xr.Dataset, metrics: xr.Dataset) -> str:
    """Whether latents are more than single units: yes, as good as, no, or it cannot be said.

    From the variable that most latents follow: *yes* where together they tell surely more of it than
    as many best units, than as many units picked for what they add, and than untrained latents; *yes,
    but* where all of that holds save the last; *no* where either units tell surely more; else they
    are *as good as* units. Of further variables that
    are followed only the answer is given. Where no latent follows anything: from hidden units, that
    the others' patterns and a regression on all others tell. '' where neither is known.

    Args:
        attribution: what :func:`nwbsparse.explain` gave.
        metrics: what :func:`nwbsparse.evaluate` gave; with ``detail="all"`` it knows hidden units.
    """
    summary = json.loads(attribution.attrs["summary"])
    variables = summary.get("variables", {})
    followed = [
        (name, one) for name, one in in_order(summary) if one["found"] and one.get("together")
    ]
    if followed:
        (name, first), *others = followed
        return f"{QUESTION} {_of_behaviour(name, first)}{_of_others(verdict(first), others)}."
    if not variables and any(attribution.sizes.get(dim, 0) for dim in ("covariate", "condition")):
        return ""  # of a version that compared no sets
    said = _of_hidden_units(metrics)
    return f"{QUESTION} {said}; {_why_not_behaviour(summary)}." if said else ""


def verdict(one: Mapping[str, Any]) -> str:
    """The answer from one variable of the summary."""
    told = one["together"]
    share = told["share"]
    if not beyond_chance(told):
        return UNKNOWN
    units = [key for key in (UNITS, FORWARD) if key in sets_called(told)]
    if any(key in beside(told)[LESS] for key in units):
        return NO
    if all(_surely_more(told, key) for key in units):
        taught = UNTRAINED not in share or _surely_more(told, UNTRAINED)
        return YES if taught else UNTAUGHT
    if all(share[key] <= told["chance"] for key in units):
        return UNKNOWN  # as good as what tells nothing is no praise
    return AS_GOOD


def _surely_more(told: Mapping[str, Any], key: str) -> bool:
    return bool(told["share"][LATENTS] > told["share"][key] and told["p"][key] < SURE)


def _of_behaviour(name: str, one: Mapping[str, Any]) -> str:
    told = one["together"]
    n, share, called = told["n"], told["share"], sets_called(told)
    who = f"together the {n} latents tell" if n != 1 else "the one latent tells"
    what = f"{verdict(one)}: {who} {name} {how_often(share[LATENTS], one)}"
    if not beyond_chance(told):
        return f"{what}, no more than chance ({percent(told['chance'])})"
    kinds = [
        f"{WORDS[kind]} {listed([f'{called[key]} ({_numbers(told, key)})' for key in keys])}"
        for kind, keys in beside(told).items()
        if keys
    ]
    nothing = no_more_than_chance(told, numbers=True)
    more = f"; {nothing}" if nothing else ""
    return f"{what}, {', '.join(kinds)}{more}" if kinds else f"{what}{more}"


def _numbers(told: Mapping[str, Any], key: str) -> str:
    """'58 %, difference 17 ± 3', in points, one standard error; of older results '58 %, p .01'."""
    share, error = told["share"], told.get("error", {}).get(key)
    if error is None:
        return f"{percent(share[key])}, {p_said(told['p'][key])}"
    difference = f"{round(100 * (share[LATENTS] - share[key])):d}".replace("-", "−")
    return f"{percent(share[key])}, difference {difference} ± {100 * error:.0f} points"


def _of_others(first: str, others: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """The answers from further variables: '; of speed the same', '; of speed: no'."""
    answers: dict[str, list[str]] = {}
    for name, one in others:
        answers.setdefault(verdict(one), []).append(name)
    said = []
    for answer, names_of in answers.items():
        shown = names_of[:NAMED]
        if len(names_of) > NAMED:
            shown = [*shown, f"{len(names_of) - NAMED} more"]
        same = " the same" if answer == first else f": {answer[:1].lower()}{answer[1:]}"
        said.append(f"; of {listed(shown)}{same}")
    return "".join(said)


def _why_not_behaviour(summary: Mapping[str, Any]) -> str:
    """Why behaviour says nothing about it."""
    if not summary.get("variables"):
        return "this is of hidden units, as there is no behaviour"
    n = summary["latents"]["channels"]
    if not summary["latents"]["assessable"]:
        return "this is of hidden units, as nothing could be tested against the behaviour"
    which = "the one latent was not" if n == 1 else "no latent was"
    if summary["latents"]["found"]:
        return (
            "this is of hidden units, as sets of latents and units were not compared on behaviour"
        )
    return f"this is of hidden units, as {which} found to follow the behaviour"


def _of_hidden_units(metrics: xr.Dataset) -> str:
    if "hidden_unit_r2" not in metrics or not np.isfinite(float(metrics["hidden_unit_r2"])):
        return ""
    mine = float(metrics["hidden_unit_r2"]), float(metrics["hidden_unit_r2_se"])
    others = simpler_models(metrics).get(ALL_OTHERS, (np.nan, np.nan))
    who = (
        "the others' patterns tell" if metrics.sizes["latent"] > 1 else "the others' pattern tells"
    )
    told = f"{who} {_amount(*mine)} of a hidden unit's fluctuations"
    beside_it = f"a regression on all other units {_amount(*others)}"
    if not np.isfinite(others[0]):
        return f"{UNKNOWN}: {told}, and a regression on all other units could not be made"
    if metrics.attrs[SHARES] == NOTHING:
        if is_nothing(*mine) and is_nothing(*others):
            return f"{NO}: these units share almost nothing ({told}, {beside_it})"
        if apart(others, mine) and not is_nothing(*others):
            return f"{NO}: {told}, {beside_it}, which is more"
        if shares(*others) == SOMETHING:
            return f"{UNKNOWN}: {told}, {beside_it}, and the difference is not sure"
        return f"{UNKNOWN}: {told}, {beside_it}, and neither is surely more than nothing"
    if apart(mine, others):
        return f"{YES}: {told}, more than {beside_it}"
    if apart(others, mine):
        return f"{NO}: {told}, less than {beside_it}"
    return f"{AS_GOOD}: {told}, {beside_it}"


def _amount(r2: float, error: float) -> str:
    said = with_error(r2, error)
    return "nothing" if said == "none" else said

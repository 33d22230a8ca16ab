"""One sentence answers whether latents are more than single units, by the numbers and only by them."""

import json
import re

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbsparse.analysis.more_than_units import QUESTION, more_than_units, verdict

SETS = ("units", "forward", "all_units", "components", "untrained")
ANSWERS = (
    "Yes",
    "Yes, but no more than latents that learned nothing",
    "As good as single units, no more",
    "No",
    "Cannot be said",
)


def decoded(latents, units, *, p=0.2, chance=0.1, n=10, found=3, error=None, **others):
    """A variable of a summary: what latents tell of it, and each other set, with one p for all."""
    share = {"latents": latents} | dict.fromkeys(SETS, units) | others
    told = {"n": n, "share": share, "chance": chance, "p": dict.fromkeys(SETS, p)}
    if error is not None:
        told["error"] = dict.fromkeys(SETS, error)
    return {"kind": "shifts", "found": found, "testable": n, "together": told}


def attribution_of(variables, *, channels=10, assessable=None):
    found = sum(one["found"] for one in variables.values())
    latents = {
        "channels": channels,
        "found": found,
        "assessable": channels if assessable is None else 0,
    }
    summary = {"latents": latents, "variables": variables}
    return xr.Dataset(attrs={"summary": json.dumps(summary)})


def metrics_of(latents, others, *, shares="something"):
    """Metrics with (R², error) of the latents and of a regression on all others."""
    made = {
        "hidden_unit_r2": latents[0], "hidden_unit_r2_se": latents[1],
        "hidden_baseline_r2": ("baseline", [0.0, others[0]]),
        "hidden_baseline_r2_se": ("baseline", [0.0, others[1]]),
    }  # fmt: skip
    return xr.Dataset(
        made, coords={"baseline": ["pca", "ridge"], "latent": range(10)}, attrs={"shares": shares}
    )


NO_METRICS = xr.Dataset()


@pytest.mark.parametrize(
    ("one", "answer"),
    [
        (decoded(0.7, 0.5, p=0.01), "Yes"),
        (decoded(0.7, 0.5, p=0.2), "As good as single units, no more"),
        (decoded(0.5, 0.7, p=0.2), "As good as single units, no more"),
        (decoded(0.5, 0.7, p=0.01), "No"),
        # more than the best units, and no more than those picked for what they add
        (decoded(0.7, 0.5, p=0.01, forward=0.8), "No"),
        # one unit is picked as it is: there are no units that add
        (decoded(0.7, 0.5, p=0.01, n=1, forward=0.9), "Yes"),
        # untrained latents tell as much: it is not what was learned
        (
            decoded(0.7, 0.5, p=0.01, untrained=0.7),
            "Yes, but no more than latents that learned nothing",
        ),
        (decoded(0.1, 0.05, p=0.01), "Cannot be said"),
        (decoded(0.2, 0.05, p=0.3), "Cannot be said"),
        (decoded(0.7, 0.05, p=0.01), "Yes"),
    ],
)
def test_the_answer_is_that_of_the_numbers(one, answer):
    assert verdict(one) == answer
    said = more_than_units(attribution_of({"place": one}), NO_METRICS)
    assert said.startswith(f"{QUESTION} {answer}: ")


def test_the_sentence_has_every_set_with_its_error():
    one = decoded(0.7, 0.55, p=0.01, error=0.031, forward=0.75, all_units=0.8, untrained=0.1)
    said = more_than_units(attribution_of({"place": one}), NO_METRICS)
    assert said == (
        "More than single units? No: together the 10 latents tell place 70 % of the time, more than the "
        "10 best units (55 %, difference 15 ± 3 points) and 10 principal components (55 %, difference "
        "15 ± 3 points), less than 10 units picked for what they add (75 %, difference −5 ± 3 points) "
        "and all units (80 %, difference −10 ± 3 points); 10 untrained latents (10 %) tell no more than "
        "chance (10 %)."
    )
    older = decoded(0.7, 0.55, p=0.0004)
    said = more_than_units(attribution_of({"place": older}), NO_METRICS)
    assert "the 10 best units (55 %, p < 0.001)" in said


def test_further_variables_are_answered_after_it():
    variables = {
        "a": decoded(0.7, 0.5, p=0.01, found=9), "b": decoded(0.7, 0.5, p=0.01, found=8),
        "c": decoded(0.5, 0.7, p=0.01, found=7), "d": decoded(0.7, 0.5, p=0.01, found=0),
    }  # fmt: skip
    said = more_than_units(attribution_of(variables), NO_METRICS)
    assert said.startswith("More than single units? Yes: ")
    assert said.endswith("; of b the same; of c: no.")
    many = {f"v{at}": decoded(0.7, 0.5, p=0.01, found=9 - at) for at in range(6)}
    said = more_than_units(attribution_of(many), NO_METRICS)
    assert said.endswith("; of v1, v2, v3 and 2 more the same.")


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=6, max_size=6), st.floats(0, 1), st.floats(0, 0.5),
    st.integers(1, 3), st.none() | st.floats(0, 0.2),
)  # fmt: skip
def test_it_is_one_true_sentence_of_one_and_many(share, p, chance, n, error):
    latents, *others = share
    one = decoded(latents, 0.5, p=p, chance=chance, n=n, error=error)
    one["together"]["share"] |= dict(zip(SETS, others, strict=True))
    said = more_than_units(attribution_of({"place": one}), NO_METRICS)
    assert any(said.startswith(f"{QUESTION} {answer}: ") for answer in ANSWERS)
    assert said.endswith(".") and ". " not in said and "nan" not in said
    assert not re.search(r"\b1 (latents|units|principal|untrained)\b", said)
    units = others[:1] if n == 1 else others[:2]
    if "Yes" in said:
        assert latents > max(*units, chance) and p < 0.05
    if said.startswith(f"{QUESTION} No"):
        assert latents < max(units) and p < 0.05


@pytest.mark.parametrize(
    ("latents", "others", "shares", "answer"),
    [
        ((0.3, 0.02), (0.2, 0.02), "something", "Yes"),
        ((0.25, 0.03), (0.252, 0.03), "something", "As good as single units, no more"),
        ((0.1, 0.01), (0.2, 0.02), "something", "No"),
        ((0.0015, 0.0015), (0.0006, 0.0018), "almost nothing", "No"),
        ((-0.01, 0.01), (0.048, 0.009), "almost nothing", "No"),
        ((0.02, 0.014), (0.027, 0.009), "almost nothing", "Cannot be said"),
        ((0.02, 0.014), (0.001, 0.009), "almost nothing", "Cannot be said"),
        ((0.3, 0.02), (np.nan, np.nan), "something", "Cannot be said"),
    ],
)
def test_without_behaviour_hidden_units_answer(latents, others, shares, answer):
    said = more_than_units(attribution_of({}), metrics_of(latents, others, shares=shares))
    assert said.startswith(f"{QUESTION} {answer}: ")
    assert said.endswith("; this is of hidden units, as there is no behaviour.")


@pytest.mark.parametrize(
    ("channels", "assessable", "why"),
    [
        (10, None, "as no latent was found to follow the behaviour."),
        (1, None, "as the one latent was not found to follow the behaviour."),
        (10, 0, "as nothing could be tested against the behaviour."),
    ],
)
def test_why_behaviour_does_not_answer_is_said(channels, assessable, why):
    none = {"place": decoded(0.3, 0.2, found=0)}
    attribution = attribution_of(none, channels=channels, assessable=assessable)
    assert more_than_units(attribution, metrics_of((0.3, 0.02), (0.2, 0.02))).endswith(why)
    assert more_than_units(attribution, NO_METRICS) == ""

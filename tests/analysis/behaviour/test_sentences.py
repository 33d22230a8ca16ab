"""What a person reads first: in order, beside units and chance, never a count of channels alone."""

import json
import re

import numpy as np
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbsparse.analysis.behaviour.sentences import sentences

PLACE = {
    "kind": "shifts", "amount": 600.0, "testable": 32, "found": 12,
    "strongest": {"latent": 3, "r": 0.67, "low": 0.62, "high": 0.71, "by_chance": -0.01},
    "different": {"latents": 7, "units": 5, "untrained": 1},
    "together": {
        "n": 32, "chance": 0.15,
        "share": {"latents": 0.75, "units": 0.58, "forward": 0.6, "components": 0.63,
                  "untrained": 0.32, "all_units": 0.65},
        "p": {"units": 0.01, "forward": 0.2, "components": 0.2, "untrained": 0.001, "all_units": 0.3},
    },
}  # fmt: skip
SHORT = {
    "kind": "shifts", "amount": 60.0, "testable": 0, "found": 0,
    "strongest": {"latent": 1, "r": 0.31, "low": 0.1, "high": 0.5, "by_chance": 0.08},
    "hindrance": "3 independent stretches, 5 are needed (15 × its memory of 8 s); 2 minutes or more "
    "would do",
}  # fmt: skip


def told(variables, *, confirmed=12, found=12, beats=0.4, channels=32, assessable=None):
    summary = {
        "latents": {
            "channels": channels,
            "assessable": (channels if found else 0) if assessable is None else assessable,
            "found": found,
            "by_variable": {},
        },
        "variables": variables,
    }
    status = np.array(["found"] * found + ["not found"] * (channels - found), dtype=object)
    n = len(status)
    attrs = {"alpha": 0.05, "summary": json.dumps(summary)}
    attrs |= {} if confirmed is None else {"n_confirmed_latents": confirmed}
    columns = {
        "association_status": status,
        "association": np.linspace(0.67, 0.1, n),
        "best_unit_association": np.full(n, 0.61),
        "beats_units_p": np.full(n, beats),
    }
    return sentences(xr.Dataset({k: ("latent", v) for k, v in columns.items()}, attrs=attrs))


@st.composite
def counts(draw):
    """How many latents there are, follow something, and come back; and the same of variables."""
    channels = draw(st.integers(1, 4))
    found = draw(st.integers(0, channels))
    confirmed = draw(st.none() | st.integers(0, found))
    variables = {}
    for at in range(draw(st.integers(1, 5))):
        mine = draw(st.integers(0, found))
        made = {number: draw(st.integers(0, max(mine, 1))) for number in PLACE["different"]}
        together = {**PLACE["together"], "n": channels}
        variables[f"v{at}"] = {**PLACE, "found": mine, "different": made, "together": together}
    return channels, found, confirmed, variables


@settings(deadline=None)
@given(counts(), st.sampled_from([0.01, 0.4]))
def test_every_sentence_is_true_of_none_one_and_many(drawn, beats):
    channels, found, confirmed, variables = drawn
    said = told(
        variables, confirmed=confirmed, found=found, beats=beats, channels=channels,
        assessable=channels,
    )  # fmt: skip
    whole = " ".join(said)
    plurals = "latents|values|different values|variables|more variables|best units|found|components"
    assert not re.search(rf"\b1 ({plurals})\b", whole)
    assert not re.search(r"\b0 (of|latents|different|value|more)\b", whole)
    assert not re.search(r"\b(1 of \d+|None of \d+) latents? (come|follow) ", whole)
    assert not re.search(r"\b[2-9]\d* of \d+ latents (comes|follows) ", whole)
    assert all(re.fullmatch(r"\S.*\S\.( That is .*\.)?", one) for one in said)
    counted = confirmed or 0 if confirmed is not None and found else found
    start = "The one latent" if channels == 1 else f"{counted or 'None'} of {channels} latents"
    assert said[0].startswith(start)
    assert ("back" in said[0]) == (found > 0)


def test_the_order_is_that_of_what_matters():
    said = told({"position": PLACE})
    assert said[0] == "12 of 32 latents come back in other seeds and follow something."
    assert said[1] == (
        "position: strongest r .67 [.62 to .71] (by chance −.01), 7 different values preferred among "
        "the 12 found (as many best units 5, untrained latents 1)."
    )
    assert said[2].startswith(
        "Together the 32 latents tell position in 75 % of the time; the 32 best units 58 %"
    )
    assert "chance 15 %" in said[2]
    assert said[2].endswith(
        "That is more than the best units and untrained latents, as much as components (p < .05 where it "
        "is more or less)."
    )
    assert said[3] == (
        "No single latent is surely better than every unit (strongest .67, the best unit there .61)."
    )


def test_one_seed_and_latents_that_beat_units_are_said():
    said = told({"position": PLACE}, confirmed=None, beats=0.01)
    assert "whether they come back in other seeds is not known (one seed)" in said[0]
    assert said[-1] == "12 latents follow what they follow more closely than every unit."


def test_too_short_is_never_nothing():
    said = told({"position": SHORT}, confirmed=0, found=0)
    assert said[0] == "None of 32 latents could be tested against the behaviour."
    assert said[1] == (
        "position: strongest r .31 [.10 to .50] (by chance .08); not testable: 3 independent stretches, "
        "5 are needed (15 × its memory of 8 s); 2 minutes or more would do."
    )


def test_of_many_variables_the_rest_is_counted():
    variables = {f"v{at}": {**PLACE, "found": 9 - at} for at in range(6)}
    said = told(variables)
    assert any(
        one.startswith("3 more variables were compared, 3 of which are followed") for one in said
    )
    assert [one for one in said if one.startswith("v0")] and not [
        one for one in said if one.startswith("v4")
    ]


def test_without_behaviour_nothing_is_printed():
    assert told({}) == []

"""What a person reads first: in order, beside units and chance, never a count of channels alone."""

import json
import re

import numpy as np
import pytest
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


def attribution_of(
    variables, *, confirmed=12, found=12, beats=0.4, channels=32, assessable=None, **columns
):
    """An attribution of so many latents; of those found the first follow most."""
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
        "best_variable": np.full(n, next(iter(variables), ""), dtype=object),
        "best_unit_association": np.full(n, 0.61),
        "beats_units_p": np.full(n, beats),
    } | columns
    made = {
        name: values if isinstance(values, tuple) else ("latent", values)
        for name, values in columns.items()
    }
    return xr.Dataset(made, attrs=attrs)


def told(variables, **more):
    return sentences(attribution_of(variables, **more))


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
    # what is counted as confirmed is called so: more latents than these come back
    assert ("confirmed" in said[0]) == (found > 0 and confirmed is not None)


def test_the_order_is_that_of_what_matters():
    said = told({"position": PLACE})
    assert said[0] == (
        "12 of 32 latents are confirmed: they come back in other seeds and follow something, in both "
        "halves of the recording."
    )
    assert said[1] == (
        "position: strongest r 0.67 [0.62 to 0.71] (by chance −0.01), 7 different values preferred among "
        "the 12 found (the 12 best units: 5, the 12 best untrained latents: 1)."
    )
    assert said[2].startswith(
        "Together the 32 latents tell position 75 % of the time; the 32 best units 58 %"
    )
    assert "chance 15 %" in said[2]
    assert said[2].endswith(
        "That is more than the 32 best units and 32 untrained latents, as much as 32 units picked for "
        "what they add, all units and 32 principal components (p < 0.05 where it is more or less)."
    )
    assert said[3] == (
        "No single latent is surely better than every unit (strongest 0.67, the best unit there 0.61)."
    )


@pytest.mark.parametrize(
    ("channels", "found", "confirmed", "said"),
    [
        (1, 1, 1, "The one latent is confirmed: it comes back"),
        (1, 1, 0, "The one latent follows something (q < 0.05), but is not confirmed: it does not"),
        (
            4,
            3,
            0,
            "None of 4 latents is confirmed, which would be one that comes back in other seeds",
        ),
        (4, 1, 1, "1 of 4 latents is confirmed: it comes back"),
        (4, 3, 1, "1 of 4 latents is confirmed: it comes back"),
        (4, 3, 2, "2 of 4 latents are confirmed: they come back"),
    ],
)
def test_who_is_confirmed_is_not_who_comes_back(channels, found, confirmed, said):
    """The kind: a count of one thing under the name of another (those that come back)."""
    lead = told({"position": PLACE}, channels=channels, found=found, confirmed=confirmed)[0]
    assert lead.startswith(said)
    more = f"{found} follow{'s' if found == 1 else ''} something, confirmed or not."
    assert lead.endswith(more) == (channels > 1 and confirmed < found)


NOT_FOUND = {**PLACE, "found": 0, "different": {}}


def test_few_draws_are_not_called_chance():
    """The kind: two sentences of one latent that contradict each other."""
    status = np.array(["too few draws", "not found", "not found"], dtype=object)
    said = told({"a": NOT_FOUND}, channels=3, found=0, assessable=3, association_status=status)
    assert "whether 1 latent follows it cannot be told from so few draws of chance" in said[1]
    assert "beyond chance" not in said[1]
    alone = told({"a": NOT_FOUND}, channels=1, found=0, assessable=1, association_status=status[:1])
    assert "whether the one latent follows it cannot be told" in alone[1]
    two = np.array(["too few draws", "too few draws", "not found"], dtype=object)
    said = told({"a": NOT_FOUND}, channels=3, found=0, assessable=3, association_status=two)
    assert "whether 2 latents follow it cannot be told" in said[1]


def test_what_goes_along_is_not_called_chance():
    r_p = (("latent", "candidate"), np.array([[0.9, 0.01], [0.9, 0.04], [0.9, 0.3]]))
    names = ("candidate", np.array(["a", "b"], dtype=object))
    both = {"a": {**PLACE, "found": 2}, "b": {**NOT_FOUND, "strongest": {"latent": 0, "r": 0.6}}}
    status = np.array(["found", "found", "not found"], dtype=object)
    more = {"r_p": r_p, "candidate_variable": names, "association_status": status}
    said = told(both, channels=3, found=2, confirmed=2, assessable=3, **more)
    [of_b] = [one for one in said if one.startswith("b:")]
    assert of_b.endswith("2 latents go with it (p ≤ 0.05), but follow something else more.")


def test_the_unit_that_goes_with_it_more_closely_is_named():
    unit = {
        "best_unit": np.full(1, 1), "best_unit_association": np.full(1, 0.62),
        "unit_id": ("unit", np.array([7, 29])), "association": np.full(1, 0.2),
    }  # fmt: skip
    said = told({"a": NOT_FOUND}, channels=1, found=0, assessable=1, **unit)
    assert said[1].endswith("; unit 29 goes with it more closely (r 0.62), which is not tested.")
    less = told(
        {"a": NOT_FOUND}, channels=1, found=0, assessable=1, **unit | {"association": [0.7]}
    )
    assert "unit 29" not in " ".join(less)


def test_to_tell_more_than_nothing_is_no_merit():
    """A set at chance or below is said to be there, and is neither less nor as much."""
    share = {**PLACE["together"]["share"], "units": 0.15, "untrained": 0.1}
    below = {**PLACE, "together": {**PLACE["together"], "share": share}}
    said = told({"position": below})[2]
    assert said.endswith("the 32 best units and 32 untrained latents tell no more than chance.")
    assert "more than the 32 best units" not in said and "more than 32 untrained" not in said
    none = {**PLACE, "together": {**PLACE["together"], "chance": 0.8}}
    assert told({"position": none})[2].endswith(" That is no more than chance.")


def test_what_none_follows_is_told_as_not_tested():
    said = told({"a": NOT_FOUND}, channels=32, found=0, assessable=32)
    assert "which is not tested against chance" in said[2]
    assert "That is" not in said[2]


def test_one_seed_and_latents_that_beat_units_are_said():
    said = told({"position": PLACE}, confirmed=None, beats=0.01)
    assert "whether they come back in other seeds is not known (one seed)" in said[0]
    assert said[-1] == "12 latents follow what they follow more closely than every unit."


def test_too_short_is_never_nothing():
    said = told({"position": SHORT}, confirmed=0, found=0)
    assert said[0] == "None of 32 latents could be tested against the behaviour."
    assert said[1] == (
        "position: strongest r 0.31 [0.10 to 0.50] (by chance 0.08); not testable: 3 independent "
        "stretches, 5 are needed (15 × its memory of 8 s); 2 minutes or more would do."
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

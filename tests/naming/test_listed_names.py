"""Names in one text with commas, some of which hold commas themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nwbsparse.naming.listed_names import (
    joined_names,
    listed_names,
    name_and_rest,
    names_in,
    quoted,
)

V1 = "Primary visual area, layer 4"


@pytest.mark.parametrize(
    ("text", "known", "found"),
    [
        ("CA1, CA3", ["CA1"], ["CA1", "CA3"]),
        (V1, [V1, "layer 4"], [V1]),
        (f"Field CA1,{V1} , X", [V1], ["Field CA1", V1, "X"]),
        ("Primary visual area,layer 4", [V1], [V1]),
        ("'Primary visual area', \"layer 4\"", [V1, "layer 4"], ["Primary visual area", "layer 4"]),
        ("Broca's area, Wernicke's", [], ["Broca's area", "Wernicke's"]),
        ("'half", [], ["'half"]),
        ("", [], [""]),
    ],
)
def test_names_are_found(text, known, found):
    assert names_in(text, known) == found


NAMES = st.lists(st.text('ab, "', min_size=1).map(str.strip).filter(bool), min_size=1)


@given(NAMES)
def test_what_is_listed_can_be_typed(names):
    """A list that a message shows is read as the names that it lists, even where none is known."""
    assert names_in(listed_names(names)) == names
    assert names_in(joined_names(names)) == names


@given(st.text('ab=, "', min_size=1).map(str.strip).filter(bool), st.sampled_from("=,"))
def test_a_known_name_and_one_in_quotes_are_taken_whole_before_a_sign(name, sign):
    assert name_and_rest(f"{name}{sign}4", sign, [name]) == (name, "4")
    assert name_and_rest(name, sign, [name]) == (name, None)
    if not {"'", '"'} <= set(name):
        written = quoted(name, "=,")
        assert name_and_rest(f"{written}{sign} 4", sign) == (name, "4")

"""Conditions in words: what they select, and that they can do nothing else."""

import operator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nwbsparse.errors import BadInput
from nwbsparse.query import select, spelled

COLUMNS = {
    "speed": np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan]),
    "depth": np.array([10, 20, 30, 40, 50, 60]),
    "quality": np.array(["good", "mua", "good", "noise", "", "good"]),
    "side": np.array(["left", "right", None, "left", "", "right"], dtype=object),
    "trials.outcome": np.array(["hit", "miss", "hit", "miss", "hit", "hit"]),
    "is_sorted": np.array([True, False, True, True, False, False]),
}
N = 6


def rows(query):
    mask = select(query, COLUMNS, what="where")
    assert mask.dtype == bool
    assert mask.shape == (N,)
    return np.flatnonzero(mask).tolist()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("speed > 2", [3, 4]),
        ("speed >= 2", [2, 3, 4]),
        ("speed < 1", [0]),
        ("speed <= 1", [0, 1]),
        ("depth == 30", [2]),
        ("depth != 30", [0, 1, 3, 4, 5]),
        ("speed > -1", [0, 1, 2, 3, 4]),
        ("2 < speed", [3, 4]),
        ("1 < speed <= 3", [2, 3]),
        ("10 < depth < 50 > speed", [1, 2, 3]),
        ("quality == 'good'", [0, 2, 5]),
        ('quality == "good" and depth > 10', [2, 5]),
        ("quality == 'mua' or depth > 40", [1, 4, 5]),
        ("not quality == 'good'", [1, 3, 4]),
        ("not (quality == 'good' or depth == 20)", [3, 4]),
        ("quality == 'mua' or quality == 'good' and depth > 10", [1, 2, 5]),
        ("(quality == 'mua' or quality == 'good') and depth > 10", [1, 2, 5]),
        ("quality in ['good', 'mua']", [0, 1, 2, 5]),
        ("quality in ('noise',)", [3]),
        ("quality not in ['good', 'mua']", [3, 4]),
        ("depth in [10, 60]", [0, 5]),
        ("side == 'left'", [0, 3]),
        ("trials.outcome == 'miss'", [1, 3]),
        ("trials.outcome == 'hit' and speed > 1", [2, 4]),
        ("speed == speed", [0, 1, 2, 3, 4]),
        ("depth > 10.5e0", [1, 2, 3, 4, 5]),
        ("is_sorted == True", [0, 2, 3]),
    ],
)
def test_a_condition_selects_its_rows(query, expected):
    assert rows(query) == expected


def test_nan_satisfies_nothing_but_unequal():
    nan_row = 5
    for comparison in ("> 0", "< 99", ">= 0", "<= 99", "== 0", "in [0, 1, 2]"):
        assert nan_row not in rows(f"speed {comparison}")
    assert nan_row in rows("speed != 0")


@pytest.mark.parametrize(
    "query",
    [
        "__import__('os')",
        "__import__('os').system('true') == 0",
        "open('/etc/passwd') == 1",
        "speed.__class__ == 1",
        "speed.__class__.__mro__ == 1",
        "().__class__.__bases__[0] == 1",
        "(lambda: 1)() == 1",
        "lambda: 1",
        "[x for x in speed] == 1",
        "{'a': 1} == 1",
        "speed[0] > 1",
        "(y := speed) > 1",
        "f'{speed}' == 'a'",
        "speed + 1 > 2",
        "-speed > 2",
        "speed ** 9999999 > 1",
        "1 if speed > 1 else 0",
        "speed",
        "True",
        "print(speed) or speed > 1",
        "quality == b'good'",
        "speed is 1",
        "speed is not None",
        "*speed",
        "await speed",
        "speed > 1; depth > 2",
        "import os",
        "speed = 1",
        "speed >",
        "",
        "   ",
    ],
)
def test_anything_but_a_comparison_is_refused(query):
    with pytest.raises(BadInput, match="where"):
        select(query, COLUMNS, what="where")


def test_an_unknown_column_is_answered_with_the_nearest_and_the_list():
    with pytest.raises(BadInput) as caught:
        select("sped > 3", COLUMNS, what="where")
    assert "there is no 'sped'; did you mean 'speed'?" in str(caught.value)
    assert "trials.outcome" in str(caught.value)
    with pytest.raises(BadInput, match=r"did you mean 'trials\.outcome'"):
        select("trial.outcome == 'hit'", COLUMNS, what="where")
    with pytest.raises(BadInput, match="there are: none"):
        select("x > 1", {}, what="units")


@pytest.mark.parametrize("query", ["quality > 3", "speed < 'good'", "side > 3"])
def test_ordering_numbers_and_text_is_refused(query):
    with pytest.raises(BadInput, match="numbers with text"):
        select(query, COLUMNS, what="where")


def test_the_columns_are_left_as_they_are():
    before = {name: values.copy() for name, values in COLUMNS.items()}
    select("not (speed > 1 and quality in ['good'])", COLUMNS, what="where")
    for name, values in before.items():
        np.testing.assert_array_equal(COLUMNS[name], values)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("1 < 2", list(range(N))),
        ("2 < 1", []),
        ("1 < 2 and speed > 2", [3, 4]),
        ("not 1 < 2 or speed > 2", [3, 4]),
    ],
)
def test_a_condition_without_columns_holds_for_every_row_or_none(query, expected):
    assert rows(query) == expected


@pytest.mark.parametrize("query", ["depth == [10, 20]", "depth < (1, 2, 3)", "'good' in quality"])
def test_lists_where_they_make_no_sense_are_refused(query):
    with pytest.raises(BadInput, match="where"):
        select(query, COLUMNS, what="where")


OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
             "==": operator.eq, "!=": operator.ne}  # fmt: skip
NUMBERS = st.one_of(st.integers(-5, 5), st.sampled_from([0.5, -0.5, 1e-7, 1e300]))


@st.composite
def conditions(draw):
    """A query over columns a and b and the same thing computed by numpy."""

    def leaf():
        name, sign, number = (
            draw(st.sampled_from("ab")),
            draw(st.sampled_from([*OPERATORS])),
            draw(NUMBERS),
        )
        return f"{name} {sign} {number}", lambda c: OPERATORS[sign](c[name], number)

    def node(depth):
        kind = draw(st.sampled_from(["leaf", "and", "or", "not", "in"])) if depth else "leaf"
        if kind == "leaf":
            return leaf()
        if kind == "in":
            name, values = (
                draw(st.sampled_from("ab")),
                draw(st.lists(NUMBERS, min_size=1, max_size=3)),
            )
            return f"{name} in {values}", lambda c: np.any([c[name] == v for v in values], axis=0)
        text, value = node(depth - 1)
        if kind == "not":
            return f"not ({text})", lambda c: ~value(c)
        other, other_value = node(depth - 1)
        join = np.logical_and if kind == "and" else np.logical_or
        return f"({text}) {kind} ({other})", lambda c: join(value(c), other_value(c))

    return node(3)


@settings(deadline=None)
@given(
    condition=conditions(),
    a=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 5.0, np.nan, np.inf]), min_size=4, max_size=4),
    b=st.lists(st.integers(-5, 5), min_size=4, max_size=4),
)
def test_a_query_means_what_numpy_says(condition, a, b):
    text, expected = condition
    columns = {"a": np.array(a), "b": np.array(b)}
    np.testing.assert_array_equal(select(text, columns, what="where"), expected(columns))


@settings(deadline=None)
@example("\ud800 > 1")
@example("speed > 1\0")
@example("not " * 5000 + "speed > 1")
@example("speed > 1" + "0" * 400)
@example("speed == '\\d'")
@given(st.text(st.sampled_from(list("speed dpth<>=!()[]'\",.01-+*and or not in")), max_size=30))
def test_any_text_is_either_a_condition_or_refused(query):
    try:
        mask = select(query, COLUMNS, what="where")
    except BadInput:
        return
    assert mask.shape == (N,)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("depth == '30'", [2]),
        ("depth in ['30', 60]", [2, 5]),
        ("is_sorted != False", [0, 2, 3]),
        ("is_sorted == 1", [0, 2, 3]),
    ],
)
def test_numbers_are_compared_as_numbers(query, expected):
    assert rows(query) == expected


@pytest.mark.parametrize(
    "query",
    ["quality == 1", "quality != 1", "side in ['left', 2]", "depth == 'deep'", "quality == depth",
     "depth not in ['deep']", "1 == 'one'"],
)  # fmt: skip
def test_text_is_not_compared_with_numbers(query):
    """To numpy 1 is not '1': every row would differ, and no row be the same, without a word."""
    with pytest.raises(BadInput, match="numbers with text"):
        select(query, COLUMNS, what="where")


def test_what_is_text_is_said():
    with pytest.raises(BadInput, match=r"holds text: 'good', 'mua', 'noise' …; write '1'"):
        select("quality == 1", COLUMNS, what="where")


ODD = {
    "trials.stim side": np.array(["left", "right"]),
    "trials.class": np.array(["a", "b"]),
    "my trials.n": np.array([1, 2]),
    "brain area": np.array(["CA1", "CA3"]),
    "max-amp": np.array([1.0, 2.0]),
    "it's": np.array([1.0, 2.0]),
}


@pytest.mark.parametrize("name", ODD)
def test_a_column_of_any_name_can_be_named_as_the_message_spells_it(name):
    """What a message suggests works when it is typed, in double quotes of a shell too."""
    for spelling in {spelled(name), f"column[{name!r}]"}:
        value = ODD[name][1].item()
        found = select(f"{spelling} == {value!r}", ODD, what="where")
        assert found.tolist() == [False, True]
        assert "`" not in spelling and "$" not in spelling
    with pytest.raises(BadInput) as caught:
        select(f"nothing == {value!r}", ODD, what="where")
    assert spelled(name) in str(caught.value)


@pytest.mark.parametrize(
    "query",
    ["trials.stim side == 'left'", "trials.class == 'a'", "brain area == 'CA1'", "max-amp > 1"],
)
def test_a_name_that_cannot_be_read_is_answered_with_one_that_can(query):
    with pytest.raises(BadInput, match=r"write \w+\['[\w\s-]+'\] for that column"):
        select(query, ODD, what="where")


def test_units_are_in_brackets_by_their_table():
    assert select("units['brain area'] == 'CA1'", ODD, what="units").tolist() == [True, False]
    assert spelled("trials.outcome") == "trials.outcome"

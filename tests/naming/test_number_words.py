"""Numbers as names: no two of them become one word, and rounding makes no second one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nwbsparse.naming.number_words import number_of, number_word


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (1.0, "1"), (0.5, "0.5"), (1e6, "1e+06"), (1234567.0, "1234567"), (440.0001, "440.0001"),
        (np.float32(0.1), "0.1"), (np.float32(440.0001), "440.0001"), (0.1 + 0.2, "0.3"), (-0.0, "0"),
        (np.int64(1234567), "1234567"), (np.True_, "True"), (np.nan, "nan"),
    ],
)  # fmt: skip
def test_a_number_has_a_word(number, word):
    assert number_word(number) == word


@given(st.integers(-(2**53) + 1, 2**53 - 1), st.integers(1, 1000))
def test_whole_numbers_never_share_a_word(number, more):
    one, other = float(number), float(min(number + more, 2**53 - 1))
    assert (number_word(one) == number_word(other)) == (one == other)
    assert number_of(number_word(one)) == one


@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "1_000", "", "a", "1 2"])
def test_what_python_takes_for_a_number_and_no_one_else_is_a_word(word):
    assert number_of(word) is None

"""How many units must be active at once to be more than chance."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbsparse.analysis.data_check.at_once import NEARLY_ALL, TOGETHER, units_needed


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.001, 0.9), min_size=1, max_size=30),
    st.integers(1, 10_000_000),
)
def test_more_units_are_needed_where_more_moments_are_looked_at(rates, n):
    rates = np.array(rates)
    few, many = units_needed(rates, float(n)), units_needed(rates, 10.0 * n)
    assert few <= many
    assert few >= NEARLY_ALL * len(rates)
    if (rates * TOGETHER >= 1).all():
        assert few == np.inf, "where all may be active at any moment nothing can be told"

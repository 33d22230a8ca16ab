"""Recorded time: a clock that stands still in pauses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbsparse.analysis.data_check.recording import covered, elapsed, inside


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), min_size=1, max_size=5),
       st.lists(st.floats(0, 500), max_size=30))  # fmt: skip
def test_the_clock_of_recorded_time_stands_still_in_pauses(pieces, times):
    edges = np.cumsum([one for pair in pieces for one in (pair[0] + 1, pair[1])]).reshape(-1, 2)
    edges, times = edges.astype(float), np.sort(np.array(times))
    there = inside(times, edges)
    expected = np.array([any(a <= t <= b for a, b in edges) for t in times], dtype=bool)
    np.testing.assert_array_equal(there, expected)
    clock = elapsed(times, edges)
    assert (np.diff(clock) >= 0).all()
    total = (edges[:, 1] - edges[:, 0]).sum()
    assert ((clock >= 0) & (clock <= total)).all()
    for t, c in zip(times[there], clock[there], strict=True):
        assert c == pytest.approx(covered(np.array([[edges[0, 0], t]]), edges), abs=1e-9)

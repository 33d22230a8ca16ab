"""Dense, sparse and lazy counts are the same counts, whatever the blocks, gaps and overflow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make.sessions import make_session
from nwbsparse.binning import counts as counting
from nwbsparse.binning.counts import (
    count_spikes,
    count_spikes_lazily,
    count_spikes_sparse,
    count_window,
)
from nwbsparse.binning.grid import Grid


def reference(session, grid, rows):
    """One spike at a time, by the rule of the grid."""
    out = np.zeros((grid.size, len(rows)), dtype=np.int64)
    for column, row in enumerate(rows):
        for bin_index in grid.index(session.spikes_of(row)):
            if bin_index >= 0:
                out[bin_index, column] += 1
    return out


@st.composite
def recordings(draw):
    """Edge-biased spikes of three units over two stretches with a gap."""
    width = draw(st.sampled_from([0.001, 0.01, 0.02, 0.1, 0.25]))
    start = draw(st.sampled_from([0.0, -3.7, 1499.0, 86_400.5]))
    n_bins = draw(st.lists(st.integers(1, 60), min_size=2, max_size=2))
    gap = draw(st.sampled_from([0.0, 0.5 * width, 7.3]))
    starts = np.array([start, start + n_bins[0] * width + gap])
    nudge = st.sampled_from([0.0, 1e-9, -1e-9, 5e-8, -5e-8, 0.4])
    spikes = {}
    for unit in range(3):
        edges = draw(st.lists(st.tuples(st.integers(-3, 130), nudge), max_size=60))
        spikes[unit] = np.sort([start + (k + push) * width for k, push in edges])
    return spikes, (starts, np.array(n_bins), width)


@settings(max_examples=150, deadline=None)
@given(recordings())
def test_all_forms_equal_the_rule_applied_to_one_spike_at_a_time(made):
    spikes, of_grid = made
    session, grid = make_session(spikes), Grid(*of_grid)
    rows = np.array([2, 0, 1])
    wanted = reference(session, grid, rows)
    counts, dropped = count_spikes(session, grid, rows)
    assert (counts == wanted).all()
    total = np.diff(session.spike_index)[rows]
    assert (wanted.sum(axis=0) + dropped == total).all()
    assert (count_spikes_sparse(session, grid, rows).toarray() == wanted).all()
    lazy, lazily_dropped = count_spikes_lazily(session, grid, rows)
    assert (lazy.compute() == wanted).all()
    assert (lazily_dropped == dropped).all()


@pytest.mark.parametrize("n", [255, 256, 300, 65_535, 65_536])
@pytest.mark.fault(47)
def test_counts_take_the_smallest_type_that_holds_them(n):
    session = make_session({0: np.full(n, 0.5), 1: np.array([1.5])})
    grid = Grid(np.array([0.0]), np.array([4]), 1.0)
    rows = np.arange(2)
    kind = np.min_scalar_type(n)
    lazy, _ = count_spikes_lazily(session, grid, rows)
    sparse = count_spikes_sparse(session, grid, rows)
    for counts in (count_spikes(session, grid, rows)[0], lazy.compute(), sparse.toarray()):
        assert counts.dtype == kind
        assert counts.tolist() == [[n, 0], [0, 1], [0, 0], [0, 0]]


def test_lazy_blocks_hold_a_bounded_number_of_bins(monkeypatch):
    monkeypatch.setattr(counting, "LAZY_BYTES", 20)
    rng = np.random.default_rng(0)
    session = make_session(
        {0: np.sort(rng.uniform(0, 10, 500)), 1: np.sort(rng.uniform(0, 10, 50))}
    )
    grid = Grid(np.array([0.0, 5.05]), np.array([50, 40]), 0.1)
    lazy, _ = count_spikes_lazily(session, grid, np.arange(2))
    assert max(lazy.chunks[0]) == 10
    assert (lazy.compute() == count_spikes(session, grid, np.arange(2))[0]).all()
    assert (lazy[37:61].compute() == count_spikes(session, grid, np.arange(2))[0][37:61]).all()


def test_a_window_may_begin_anywhere():
    session = make_session({0: np.array([0.95, 1.0, 1.049, 1.05, 2.0])})
    assert count_window(session, np.array([0]), 0.95, 2, 0.05).tolist() == [[1], [2]]


def test_no_spikes_at_all_are_no_counts():
    session = make_session({0: np.array([]), 1: np.array([])})
    grid = Grid(np.array([0.0]), np.array([3]), 1.0)
    assert count_spikes_sparse(session, grid, np.arange(2)).nnz == 0
    assert not count_spikes(session, grid, np.arange(2))[0].any()

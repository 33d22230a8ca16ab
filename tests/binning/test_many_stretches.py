"""Many observed stretches: what a slow look at each of them says, at hardly the cost of one.

The kind of fault: work for every pair of stretch and bin (or of stretch and stretch, row and stretch).
Files of trials have one obs_interval per trial and unit; all steps must be linear in what there is.
"""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nwbsparse as ns
from make.sessions import make_session
from nwbsparse.analysis.data_check.check import check
from nwbsparse.binning.counts import observed_bins
from nwbsparse.binning.grid import make_grid
from nwbsparse.binning.observed import observed
from nwbsparse.binning.stretches import intersection, union, without

some_stretches = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 9)).map(lambda one: (one[0], sum(one))),
    max_size=8,
).map(lambda rows: np.array(rows, dtype=np.float64).reshape(-1, 2))


def covers(stretches, moment):
    return bool(np.any((stretches[:, 0] <= moment) & (moment < stretches[:, 1])))


@settings(deadline=None, max_examples=200)
@given(some_stretches, some_stretches)
def test_each_moment_is_where_it_is_by_a_slow_look(one, other):
    both, left = intersection(one, other), without(union(one), other)
    for made in (both, left):
        assert (made[:, 1] > made[:, 0]).all() and (made[1:, 0] >= made[:-1, 1]).all()
    for moment in np.arange(0, 50) + 0.5:
        assert covers(both, moment) == (covers(one, moment) and covers(other, moment))
        assert covers(left, moment) == (covers(one, moment) and not covers(other, moment))


def test_open_stretches_reach_to_the_end_of_the_others():
    two, one = np.array([[0.0, 5.0], [7.0, 9.0]]), np.array([[0.0, 9.0]])
    np.testing.assert_array_equal(intersection(two, np.array([[3, np.inf]])), [[3, 5], [7, 9]])
    ends = np.array([[-np.inf, 2.0], [8.0, np.inf]])
    np.testing.assert_array_equal(without(one, ends), [[2, 8]])


@settings(deadline=None, max_examples=60)
@given(st.lists(some_stretches, min_size=1, max_size=3))
def test_observed_bins_are_those_that_lie_in_a_stretch_as_a_whole(each):
    spikes = {unit: [0.5, 49.5] for unit in range(len(each))}
    session = make_session(spikes, obs_intervals=each)
    grid = make_grid(np.array([[0.0, 25.0], [25.3, 50.0]]), 0.25)
    valid = observed_bins(session, grid, np.arange(len(each)))
    valid = np.ones((grid.size, len(each)), dtype=bool) if valid is None else valid
    for unit, stretches in enumerate(each):
        whole = union(stretches)
        lefts = grid.lefts[:, None]
        inside = (lefts >= whole[:, 0] - 1e-7) & (lefts + 0.25 <= whole[:, 1] + 1e-7)
        expected = inside.any(axis=1) | (not len(stretches))
        np.testing.assert_array_equal(valid[:, unit], expected)


def _cpu(job):
    begin = time.process_time()
    job()
    return time.process_time() - begin


@pytest.mark.parametrize(
    "job",
    [
        lambda session: ns.to_bins(session, 0.05),
        lambda session: ns.to_bins(session),
        lambda session: ns.to_bins(session, 0.05, intervals="trials"),
        lambda session: ns.to_bins(session, 0.05, lazy=True),
        lambda session: observed(session),
        check,
    ],
)
def test_a_stretch_per_trial_costs_hardly_more_than_one(job):
    rng = np.random.default_rng(0)
    starts = np.arange(4000) * 1.8
    trials = np.column_stack([starts, starts + 1.5])
    spikes = [np.sort(rng.uniform(0, 7200, 2000)) for _ in range(40)]
    given_too = {"intervals": {"trials": trials}}
    many = ns.read(spikes, obs_intervals=trials, **given_too)
    one = ns.read(spikes, obs_intervals=np.array([[0.0, 7200.0]]), **given_too)
    job(one)  # compiles
    assert _cpu(lambda: job(many)) < 10 * max(_cpu(lambda: job(one)), 0.05)

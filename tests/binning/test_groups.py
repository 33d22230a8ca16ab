"""Units that hold the same spikes, against a count of every pair of spikes."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nwbsparse as ns
from make.sessions import make_binned, make_session
from nwbsparse.binning.groups import FEWEST, SHARED, WITHIN, groups_of, shared_spikes
from nwbsparse.binning.sessions.join import join_sessions
from nwbsparse.binning.to_bins import to_bins

TICK = 2.0**-13
"""s; four of these are within 0.5 ms, five are not, and all differences are exact."""


def listed(spikes):
    return np.concatenate([*spikes, np.zeros(0)]), np.cumsum([0, *map(len, spikes)])


def directly(spikes):
    """Share of each pair's rarer unit near the other's spikes, beyond chance, spike by spike."""
    n = len(spikes)
    every = np.concatenate(spikes)
    span = every.max() - every.min() if len(every) else 0.0
    out = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            rarer, other = (i, j) if len(spikes[i]) <= len(spikes[j]) else (j, i)
            if i == j or len(spikes[rarer]) < FEWEST:
                continue
            near = sum(
                any(abs(spike - one) <= WITHIN for one in spikes[other]) for spike in spikes[rarer]
            )
            chance = 1 - np.exp(-2 * WITHIN * len(spikes[other]) / max(span, WITHIN))
            share = near / len(spikes[rarer])
            out[i, j] = max((share - chance) / max(1 - chance, 1e-9), 0.0)
    return out


def connected(pairs):
    """Numbers of groups in the order of their first units, by following pairs."""
    group = np.full(len(pairs), -1)
    for first in range(len(pairs)):
        if group[first] >= 0:
            continue
        number, waiting = group.max() + 1, [first]
        while waiting:
            unit = waiting.pop()
            group[unit] = number
            waiting += [
                o for o in range(len(pairs)) if (pairs[unit, o] or pairs[o, unit]) and group[o] < 0
            ]
    return group


trains = st.lists(
    st.lists(st.integers(0, 3000), max_size=45).map(lambda ticks: np.sort(ticks) * TICK),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(trains, st.floats(0, 1), st.integers(0, 5))
def test_shares_and_groups_are_those_of_a_count_of_all_pairs(spikes, share, apart):
    # a copy of part of the first unit, some ticks later
    some = spikes[0][: round(share * len(spikes[0]))] + apart * TICK
    spikes = [*spikes, np.sort(np.concatenate([some, spikes[-1][:10]]))]
    expected = directly(spikes)
    np.testing.assert_allclose(shared_spikes(*listed(spikes)), expected, atol=1e-12)
    np.testing.assert_array_equal(groups_of(*listed(spikes)), connected(expected > SHARED))


def train(rate, *, span=200.0, seed=0):
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, span, int(rate * span)))


def with_copies(own, of, share, *, late=3e-4, seed=1):
    """A unit's spikes with copies of a share of another's among them."""
    rng = np.random.default_rng(seed)
    copied = of[rng.random(len(of)) < share] + late
    return np.sort(np.concatenate([own, copied]))


def test_duplicates_of_a_units_spikes_make_one_group():
    source, other = train(5.0), train(5.0, seed=1)
    copy = with_copies(np.zeros(0), source, 0.5)
    more = with_copies(train(1.0, seed=2), source, 0.2, seed=5)  # half of its spikes are copies
    few = with_copies(train(5.0, seed=3), source, 0.2, seed=6)  # a sixth of its spikes
    spikes = [other, source, few, copy, more]
    assert groups_of(*listed(spikes)).tolist() == [0, 1, 2, 1, 1]
    late = [other, source, few, copy + 4e-4, more]
    assert groups_of(*listed(late)).tolist() == [0, 1, 2, 3, 1], "0.7 ms is not the same spike"


def test_a_chain_of_pairs_is_one_group():
    first, third = train(3.0), train(3.0, seed=1)
    bridge = np.sort(np.concatenate([first, third]))
    spikes = [first, third, bridge]
    assert not shared_spikes(*listed(spikes))[0, 1] > SHARED
    assert groups_of(*listed(spikes)).tolist() == [0, 0, 0]


def test_fast_units_meet_by_chance_and_stay_apart():
    spikes = [train(400.0, span=20.0), train(450.0, span=20.0, seed=1)]
    near = np.searchsorted(spikes[1], spikes[0] + WITHIN) > np.searchsorted(
        spikes[1], spikes[0] - WITHIN
    )
    assert near.mean() > SHARED, "without a correction they would be one"
    assert shared_spikes(*listed(spikes))[0, 1] < 0.05
    assert groups_of(*listed(spikes)).tolist() == [0, 1]


def test_of_few_spikes_nothing_is_said():
    source = train(5.0)
    for n, expected in ((FEWEST - 1, [0, 1]), (FEWEST, [0, 0])):
        assert groups_of(*listed([source, source[:n]])).tolist() == expected


@pytest.mark.parametrize("n", [0, 1, 3])
def test_silent_units_are_groups_of_their_own(n):
    assert groups_of(*listed([np.zeros(0)] * n)).tolist() == list(range(n))


def copied_session(seed=0):
    source = train(5.0, span=60.0, seed=seed)
    spikes = {
        "7": train(5.0, span=60.0, seed=seed + 1),
        "8": source,
        "9": source + 2e-4,
        "4": train(5.0, span=60.0, seed=seed + 2),
    }
    return make_session(spikes, extent=(0.0, 60.1))


def test_bins_know_the_groups_of_their_units():
    binned = to_bins(copied_session(), 0.1)
    assert binned["group"].dims == ("unit",)
    assert binned["group"].values.tolist() == [0, 1, 1, 2]
    some = to_bins(copied_session(), 0.1, units=["9", "4", "8"])
    group = dict(zip(some["unit_id"].values, some["group"].values, strict=True))
    assert group["8"] == group["9"] != group["4"]


def test_joined_sessions_share_no_group():
    sessions = {name: to_bins(copied_session(seed), 0.1) for name, seed in (("a", 0), ("b", 10))}
    joined = join_sessions(sessions)
    assert joined["group"].values.tolist() == [0, 1, 1, 2, 3, 4, 4, 5]
    plain = make_binned(np.ones((600, 3), np.uint8)).drop_vars("split")
    mixed = join_sessions({"a": sessions["a"], "plain": plain})
    assert mixed["group"].values.tolist() == [0, 1, 1, 2, 3, 4, 5]


@pytest.mark.skipif(not os.environ.get("NWBSPARSE_DATA"), reason="needs NWBSPARSE_DATA")
def test_a_real_tetrode_has_two_groups_of_units_with_the_same_spikes():
    path = Path(os.environ["NWBSPARSE_DATA"]) / "rat-ca1-w-maze.nwb"
    binned = to_bins(ns.read(path), 1.0)
    number, sizes = np.unique(binned["group"].values, return_counts=True)
    ids = binned["unit_id"].values.astype(str)
    together = {frozenset(ids[binned["group"].values == n]) for n in number[sizes > 1]}
    assert together == {frozenset({"22", "30", "31"}), frozenset({"28", "36", "41", "45"})}

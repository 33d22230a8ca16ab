"""The one look at all spike times sees what a slow look at every unit sees."""

from itertools import pairwise

import numpy as np
import pytest

from nwbsparse.io.rules.spike_survey import survey

LENGTHS = (0, 1, 2, 2047, 2048, 2049, 4096, 5000)  # around the pieces that are looked at together


def looked_at_slowly(times, edges):
    bad, unsorted, duplicates = [], [], 0
    for start, stop in pairwise(edges):
        own = times[start:stop]
        finite = own[np.isfinite(own)]
        bad.append(len(own) - len(finite))
        unsorted.append(bool((np.diff(finite) < 0).any()))
        duplicates += int((np.diff(finite) == 0).sum())
    finite = times[np.isfinite(times)]
    extremes = min(finite, default=np.inf), max(finite, default=-np.inf)
    return bad, unsorted, duplicates, *extremes


def seen_in(times, edges):
    seen = survey(times, edges)
    return seen.bad.tolist(), seen.unsorted.tolist(), seen.duplicates, seen.first, seen.last


@pytest.mark.parametrize("seed", range(60))
def test_every_fault_is_seen_wherever_it_lies(seed):
    rng = np.random.default_rng(seed)
    lengths = rng.choice(LENGTHS, size=rng.integers(1, 5))
    edges = np.concatenate([[0], np.cumsum(lengths)])
    units = [np.sort(rng.uniform(-10, 100, length)) for length in lengths]
    times = np.concatenate([np.empty(0), *units])
    places = [0, 1, 2046, 2047, 2048, 2049, *edges, *(edges - 1), *rng.integers(0, 5000, 4)]
    for place in rng.choice([at for at in places if 0 <= at < len(times)] or [0], size=3):
        if len(times):
            fault = rng.choice([np.nan, np.inf, -np.inf, times[place - 1], -1e6, 1e6])
            times[place] = fault
    assert seen_in(times, edges) == looked_at_slowly(times, edges)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_unit_of_nothing_but_faults(value):
    times, edges = np.full(3000, value), np.array([0, 3000])
    assert seen_in(times, edges) == ([3000], [False], 0, np.inf, -np.inf)

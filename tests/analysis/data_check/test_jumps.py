"""Jumps of positions and angles, whatever they are measured in."""

import re
from dataclasses import replace

import numpy as np
import pytest

import nwbsparse as ns
from make import odd_recordings as odd
from make.sessions import make_series
from nwbsparse.binning.jumps import jumps


@pytest.mark.parametrize("factor", [1e-3, 1.0, 250.0])
def test_jumps_do_not_depend_on_the_unit_of_measure(factor):
    series = next(iter(odd.teleported().series.values()))
    at, size = jumps(series)
    again, same = jumps(replace(series, data=series.data * factor))
    np.testing.assert_array_equal(at, again)
    np.testing.assert_allclose(size, same)


def test_an_angle_that_passes_the_half_turn_does_not_jump():
    times = np.arange(0, odd.SECONDS, 1 / odd.RATE)
    noise = 0.01 * np.random.default_rng(0).standard_normal(len(times))
    angle = np.angle(np.exp(1j * (2 * np.pi * times / 7 + noise)))
    head = make_series("head", times, angle, kind="circular")
    assert ns.check(odd.normal(series=[head])) == []
    flipped = angle.copy()
    flipped[4000] = np.angle(np.exp(1j * (angle[4000] + np.pi)))
    [one] = ns.check(odd.normal(series=[replace(head, data=flipped)]))
    assert one.numbers["n"] == 2


def test_listed_moments_add_up_to_all_jumps():
    """The kind: equal words dropped before they are counted. 14 jumps, some of which read alike."""
    times = np.arange(0, odd.SECONDS, 1 / odd.RATE)
    series = next(iter(odd.teleported().series.values()))
    place = np.array(series.data, dtype=float)
    at = np.array([2000, 2002, 2004, 4000, 5000, 6000, 7000])
    place[at] += 50 * np.ptp(place)
    jumped = replace(series, data=place)
    [one] = [f for f in ns.check(odd.normal(series=[jumped])) if f.check == "jumps of behaviour"]
    said = re.findall(r"([\d.,]+) s(?: \((\d+) times\))?", one.where)
    more = re.search(r"and (\d+) more", one.where)
    total = sum(int(n or 1) for _, n in said) + (int(more[1]) if more else 0)
    assert total == one.numbers["n"] > len(said)
    assert len(times) == len(place)

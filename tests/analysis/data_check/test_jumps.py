"""Jumps of positions and angles, whatever they are measured in."""

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

"""Gaussian smoothing against a slow direct sum; never across segments, parts or the unobserved."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make.sessions import make_binned
from nwbsparse.binning.smoothing import smoothed, smoothed_bins, stretches


def directly(table, stretch, sigma, valid=None, causal=False):
    """The mean of what was observed in reach, weighted with a Gaussian, term by term."""
    reach = int(4 * sigma + 0.5)
    valid = np.ones(table.shape, bool) if valid is None else valid
    out = np.zeros(table.shape)
    for at in range(len(table)):
        for unit in range(table.shape[1]):
            total = weight = 0.0
            last = at if causal else min(at + reach, len(table) - 1)
            for other in range(max(at - reach, 0), last + 1):
                between = stretch[min(at, other) : max(at, other) + 1]
                if (between == stretch[at]).all() and valid[other, unit]:
                    own = np.exp(-0.5 * ((other - at) / sigma) ** 2)
                    total, weight = total + own * table[other, unit], weight + own
            out[at, unit] = total / weight if weight else 0.0
    return out


@st.composite
def recordings(draw):
    n, n_units = draw(st.integers(1, 40)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    table = rng.poisson(1.0, (n, n_units)).astype(draw(st.sampled_from([np.uint8, np.float32])))
    stretch = np.cumsum(rng.random(n) < draw(st.sampled_from([0.0, 0.1, 0.5])))
    valid = None
    if draw(st.booleans()):
        valid = rng.random((n, n_units)) < draw(st.sampled_from([0.0, 0.5, 0.9]))
    sigma, causal = draw(st.sampled_from([0.3, 0.5, 1.0, 2.4, 7.0])), draw(st.booleans())
    return table, stretch, sigma, valid, causal


@settings(max_examples=40, deadline=None)
@given(recordings())
def test_it_is_the_direct_sum(recording):
    table, stretch, sigma, valid, causal = recording
    found = smoothed(table, stretch, sigma, valid=valid, causal=causal)
    assert found.dtype == np.float32
    wanted = directly(table.astype(float), stretch, sigma, valid, causal)
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-6)


def recording(n=400, *, valid=False, segments=3, seed=0):
    rng = np.random.default_rng(seed)
    there = rng.random((n, 4)) < 0.8 if valid else None
    data = make_binned(rng.poisson(0.7, (n, 4)).astype(np.uint8), valid=there, gap=0.3)
    return data.assign_coords(
        segment=("time", np.repeat(np.arange(segments), -(-n // segments))[:n])
    )


def test_nothing_is_changed_without_smoothing():
    data = recording()
    counts = data["counts"].values
    np.testing.assert_array_equal(smoothed(counts, stretches(data), 0.0), counts)
    np.testing.assert_array_equal(smoothed_bins(data, 5, 90, 0.0), counts[5:90])


def test_the_table_that_is_given_stays_as_it_is():
    table = np.random.default_rng(0).random((30, 2)).astype(np.float32)
    before = table.copy()
    smoothed(table, np.zeros(30, int), 2.0, valid=np.ones((30, 2), bool))
    smoothed(table, np.zeros(30, int), 2.0)
    np.testing.assert_array_equal(table, before)


def test_a_stretch_ends_where_segment_or_part_changes():
    data = recording()
    parts, segments = data["split"].values, data["segment"].values
    changes = np.flatnonzero((np.diff(parts) != 0) | (np.diff(segments) != 0)) + 1
    np.testing.assert_array_equal(np.flatnonzero(np.diff(stretches(data))) + 1, changes)
    bare = data.drop_vars(["split", "segment"])
    assert not stretches(bare).any()


@pytest.mark.parametrize("coordinate", ["split", "segment"])
def test_other_parts_and_segments_have_no_say(coordinate):
    data = recording()
    stretch = stretches(data)
    for code in np.unique(data[coordinate].values):
        own = data[coordinate].values == code
        changed = np.where(own[:, None], data["counts"].values, 255).astype(np.uint8)
        for sigma in (0.7, 5.0, 60.0):
            before = smoothed(data["counts"].values, stretch, sigma)[own]
            np.testing.assert_array_equal(smoothed(changed, stretch, sigma)[own], before)


def test_what_was_not_observed_has_no_say():
    data = recording(valid=True)
    counts, valid, stretch = data["counts"].values, data["valid"].values, stretches(data)
    before = smoothed(counts, stretch, 2.0, valid=valid)
    wild = np.where(valid, counts.astype(np.float32), np.float32(np.nan))
    np.testing.assert_array_equal(smoothed(wild, stretch, 2.0, valid=valid), before)
    assert np.isfinite(before).all()
    none = smoothed(counts, stretch, 2.0, valid=np.zeros_like(valid))
    assert not none.any()


def test_constant_activity_stays_constant_up_to_every_edge():
    data = recording()
    found = smoothed(np.full((400, 4), 3.0), stretches(data), 6.0)
    np.testing.assert_allclose(found, 3.0, rtol=1e-6)


@pytest.mark.parametrize("sigma", [0.5, 2.3, 11.0, 60.0])
def test_no_bin_knows_its_future_where_smoothing_is_causal(sigma):
    data = recording()
    counts, stretch = data["counts"].values, stretches(data)
    before = smoothed(counts, stretch, sigma, causal=True)
    for at in (0, 1, 150, 398):
        changed = counts.copy()
        changed[at + 1 :] = 255
        found = smoothed(changed, stretch, sigma, causal=True)
        np.testing.assert_array_equal(found[: at + 1], before[: at + 1])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("valid", [False, True])
@pytest.mark.parametrize("sigma", [0.5, 2.3, 11.0, 60.0])
def test_pieces_are_those_of_the_whole_to_the_last_bit(sigma, valid, causal):
    data = recording(valid=valid)
    there = data["valid"].values if valid else None
    stretch = stretches(data)
    whole = smoothed(data["counts"].values, stretch, sigma, valid=there, causal=causal)
    for size in (31, 150, 400):
        edges = [*range(0, 400, size), 400]
        for given_stretch in (None, stretch):
            pieces = [
                smoothed_bins(data, first, stop, sigma, stretch=given_stretch, causal=causal)
                for first, stop in itertools.pairwise(edges)
            ]
            np.testing.assert_array_equal(np.concatenate(pieces), whole)

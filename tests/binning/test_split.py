"""Which bins are held out: contiguous, in the promised shares, and far enough from training."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nwbsparse import names
from nwbsparse.binning.split import part, split
from nwbsparse.errors import BadInput


def binned(n, *, width=0.1, times=None, segment=None):
    times = (np.arange(n) + 0.5) * width if times is None else times
    return xr.Dataset(
        {"counts": (("time", "unit"), np.zeros((n, 2), np.uint8))},
        coords={
            "time": times,
            "segment": ("time", np.zeros(n, np.int32) if segment is None else segment),
            "unit_id": ("unit", ["a", "b"]),
        },
        attrs={names.BIN_WIDTH: width},
    )


def runs_of(parts, value):
    """Number of contiguous stretches with this value."""
    is_it = np.concatenate([[False], parts == value])
    return int((is_it[1:] & ~is_it[:-1]).sum())


def distance(times, one, other):
    """Seconds between the nearest bin centres of two sets of bins."""
    ours, theirs = times[one], times[other]
    right = np.clip(np.searchsorted(theirs, ours), 1, len(theirs) - 1) if len(theirs) > 1 else 0
    left = np.maximum(right - 1, 0)
    return min(np.abs(ours - theirs[right]).min(), np.abs(ours - theirs[left]).min())


def parts_of(data, **options):
    return split(data, **options)[names.SPLIT].values


def test_the_default_split_has_the_promised_shares_in_contiguous_blocks():
    parts = parts_of(binned(36_000))
    shares = [np.mean(parts == value) for value in (names.TRAIN, names.VALIDATION, names.TEST)]
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.02)
    assert runs_of(parts, names.TEST) == 10
    assert runs_of(parts, names.VALIDATION) == 10
    assert np.mean(parts == names.GAP) < 0.03


def test_test_blocks_are_spread_over_the_whole_session():
    held_out = np.flatnonzero(parts_of(binned(36_000)) == names.TEST)
    for quarter in range(4):
        inside = (held_out >= quarter * 9000) & (held_out < (quarter + 1) * 9000)
        assert 0.15 < inside.sum() / 9000 < 0.25


def test_blocks_are_fewer_where_they_would_be_short():
    assert runs_of(parts_of(binned(9000)), names.TEST) == 6  # 900 s: 180 s of test, 30 s each
    assert runs_of(parts_of(binned(2000)), names.TEST) == 3
    assert runs_of(parts_of(binned(2000), blocks=2), names.TEST) == 2
    assert runs_of(parts_of(binned(36_000), blocks=4), names.TEST) == 4


def test_one_block_is_the_chronological_split():
    parts = parts_of(binned(10_000), blocks=1, gap=2.0)
    kept = parts[parts != names.GAP]
    assert np.all(np.diff(kept) >= 0)
    assert np.mean(parts == names.TEST) == pytest.approx(0.2, abs=0.001)
    assert np.mean(parts == names.VALIDATION) == pytest.approx(0.1, abs=0.003)
    assert (parts[8000:] == names.TEST).all()
    assert (parts[:6979] == names.TRAIN).all()
    # gaps are taken from training and validation, never from the test part
    assert (parts[6981:6999] == names.GAP).all()
    assert (parts[7981:7999] == names.GAP).all()


def shares():
    return st.floats(0.05, 0.45)


@settings(deadline=None, max_examples=150)
@given(
    n=st.integers(200, 20_000),
    width=st.sampled_from([0.01, 0.1, 0.2]),
    test=shares(),
    validation=shares(),
    blocks=st.integers(1, 12),
    gap=st.sampled_from([0.0, 0.05, 1.0, 5.0, 20.0, 60.0]),
)
def test_the_gap_is_kept_between_every_two_parts(n, width, test, validation, blocks, gap):
    assume(test + validation < 0.9)
    data = binned(n, width=width)
    try:
        parts = parts_of(data, test=test, validation=validation, blocks=blocks, gap=gap)
    except BadInput:
        return
    times = data["time"].values
    masks = {value: parts == value for value in (names.TRAIN, names.VALIDATION, names.TEST)}
    assert all(mask.any() for mask in masks.values())
    for one, other in ((0, 2), (0, 1), (1, 2)):
        assert distance(times, masks[one], masks[other]) >= gap - 1e-6, (one, other)


@settings(deadline=None, max_examples=100)
@given(n=st.integers(1000, 20_000), test=shares(), validation=shares(), blocks=st.integers(1, 12))
def test_test_and_validation_get_their_shares_where_no_gap_is_asked_for(
    n, test, validation, blocks
):
    assume(test + validation < 0.9)
    parts = parts_of(binned(n), test=test, validation=validation, blocks=blocks, gap=0.0)
    assert np.mean(parts == names.TEST) == pytest.approx(test, abs=0.02)
    assert np.mean(parts == names.VALIDATION) == pytest.approx(validation, abs=0.02)


@pytest.mark.fault(41)
def test_the_gap_is_measured_in_seconds_not_in_bins():
    # 2,000 bins, then 500 s of nothing in the middle of what the parts are laid over
    times = (np.arange(4000) + 0.5) * 0.1
    times[2000:] += 500
    data = binned(4000, times=times, segment=np.repeat([0, 1], 2000).astype(np.int32))
    parts = parts_of(data, blocks=1, test=0.3, validation=0.2, gap=3.0)
    assert parts[1999] == names.TRAIN  # validation begins 500 s later
    assert parts[2000] == names.VALIDATION
    masks = [parts == value for value in (0, 1, 2)]
    assert distance(times, masks[1], masks[2]) >= 3.0 - 1e-6


def test_bins_that_were_left_out_before_do_not_shorten_the_gap():
    keep = np.arange(20_000) % 50 < 25
    times = ((np.arange(20_000) + 0.5) * 0.1)[keep]
    segment = (np.arange(20_000) // 50)[keep].astype(np.int32)
    data = binned(10_000, times=times, segment=segment)
    parts = parts_of(data, gap=4.0)
    masks = [parts == value for value in (0, 1, 2)]
    assert distance(times, masks[0], masks[2]) >= 4.0 - 1e-6
    assert distance(times, masks[0], masks[1]) >= 4.0 - 1e-6


def test_the_split_is_the_same_every_time_and_leaves_its_input_alone():
    data = binned(5000)
    before = data.copy(deep=True)
    one, other = split(data), split(data)
    xr.testing.assert_identical(one, other)
    xr.testing.assert_identical(data, before)
    assert names.SPLIT not in data.coords


def test_the_step_is_recorded():
    history = json.loads(split(binned(5000), gap=2.0).attrs["history"])
    assert history[-1]["step"] == "split"
    assert history[-1]["parameters"] == {"test": 0.2, "validation": 0.1, "blocks": 10, "gap": 2.0}


def test_part_selects_by_name():
    data = split(binned(5000))
    for value, name in enumerate(("train", "validation", "test")):
        np.testing.assert_array_equal(part(data, name), data["split"].values == value)
    with pytest.raises(BadInput, match="not split yet"):
        part(binned(5000), "train")


@pytest.mark.parametrize(
    "options",
    [
        {"gap": 1000.0},
        {"gap": 1000.0, "blocks": 1},
        {"test": 0.0},
        {"validation": 0.0},
        {"test": 0.6, "validation": 0.6, "blocks": 1},
        {"test": 1.5},
        {"test": -0.1},
        {"test": float("nan")},
        {"blocks": 0},
        {"blocks": -3},
        {"gap": -1.0},
        {"gap": float("nan")},
    ],
)
def test_a_split_that_cannot_be_is_refused(options):
    with pytest.raises(BadInput):
        split(binned(5000), **options)


def test_a_dataset_that_is_not_binned_is_refused_with_all_that_is_missing():
    with pytest.raises(BadInput, match="counts") as caught:
        split(xr.Dataset({"other": ("time", np.zeros(100))}))
    assert "bin_width" in str(caught.value)
    assert "segment" in str(caught.value)

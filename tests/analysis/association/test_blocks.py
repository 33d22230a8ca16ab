"""Blocks: long enough, never through a short piece, five of them or more where there is time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nwbsparse.analysis.association.blocks import make_blocks


@pytest.mark.parametrize(
    ("seconds", "n_blocks"), [(30, 5), (60, 5), (120, 10), (200, 20), (400, 40), (7200, 40)]
)
def test_there_are_five_or_as_many_as_last_ten_seconds_each_and_forty_at_most(seconds, n_blocks):
    blocks = make_blocks(np.zeros(int(seconds / 0.1)), 0.1)
    assert blocks.max() + 1 == n_blocks
    length = np.bincount(blocks) * 0.1
    assert np.ptp(length) <= 0.1 + 1e-9
    assert seconds < 50 or length.min() >= 10 - 1e-9


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=40),
    st.sampled_from([0.1, 0.5, 2.0]),
)
def test_blocks_follow_one_another_and_short_pieces_stay_whole(lengths, width):
    piece = np.repeat(np.arange(len(lengths)), lengths)
    blocks = make_blocks(piece, width)
    assert blocks[0] == 0 and set(np.diff(blocks)) <= {0, 1}
    for number, length in enumerate(lengths):
        if length * width < 10:
            assert len(set(blocks[piece == number])) == 1


def test_segments_of_three_seconds_make_blocks_of_several():
    piece = np.repeat(np.arange(100), 30)
    blocks = make_blocks(piece, 0.1)
    assert blocks.max() + 1 >= 25
    assert (np.bincount(blocks) % 30 == 0).all()

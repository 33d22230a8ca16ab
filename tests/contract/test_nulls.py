"""What every null must do, whoever brings it."""

import numpy as np
import pytest

from nwbsparse.analysis.association.nulls import BINS, BOTH, LABELS, NULLS

KINDS = pytest.mark.parametrize("kind", [*NULLS])
SESSION = np.repeat([0, 1], [120, 60])
CODES = np.repeat(np.random.default_rng(0).integers(0, 4, 36), 5)


def drawn(kind, seed=(0, 0)):
    return NULLS[kind](CODES, SESSION, 6, 40, seed)


@KINDS
def test_it_says_what_it_rearranges_and_makes_no_more_draws_than_asked_for(kind):
    assert NULLS.fact(kind, "rows") in (BINS, LABELS, BOTH)
    assert 0 < drawn(kind).n <= 40


@KINDS
def test_every_draw_holds_the_codes_of_each_session_in_another_order(kind):
    made = drawn(kind)
    table = np.asarray(made.table(np.arange(made.n)))
    assert table.shape == (len(CODES), made.n)
    for one in (0, 1):
        mine = one == SESSION
        assert (np.sort(table[mine], axis=0) == np.sort(CODES[mine])[:, None]).all()
    assert (table != CODES[:, None]).any(axis=0).mean() > 0.9


@KINDS
def test_a_draw_is_the_same_whatever_is_asked_for_beside_it_and_for_one_seed(kind):
    whole = drawn(kind).table(np.arange(drawn(kind).n))
    some = np.array([3, 0, 7])
    assert np.array_equal(drawn(kind).table(some), whole[:, some])


@KINDS
def test_which_draws_count_is_said_for_every_channel_and_draw(kind):
    made = drawn(kind)
    assert made.alike == (made.usable is not None) or made.usable is None
    if made.usable is not None:
        usable = made.usable(np.array([1, 30]))
        assert usable.shape == (2, made.n)
        assert usable[0].all() and not usable[1].all()

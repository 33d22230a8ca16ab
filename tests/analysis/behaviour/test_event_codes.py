"""Events as the time around them."""

import numpy as np

from make.sessions import make_binned
from nwbsparse import names
from nwbsparse.analysis.behaviour.coding import near
from nwbsparse.analysis.behaviour.event_codes import code_event


def made(events, n=200, segment=None):
    binned = make_binned(np.ones((n, 2), dtype=np.uint8))  # 0.1 s
    if segment is not None:
        binned = binned.assign_coords(segment=("time", segment))
    return code_event("lick", binned.assign(lick=("time", events, {names.ROLE: names.ROLE_EVENT})))


def test_bins_are_before_after_or_far():
    events = np.zeros(200)
    events[50] = 1
    coded = made(events)
    assert coded.kind == names.PERI_EVENT and coded.labels[-1] == "far"
    step = coded.edges[0][1] - coded.edges[0][0]
    per = round(step / 0.1)
    n_before = int((coded.edges[0] < -1e-9).sum())
    assert coded.codes[50] == n_before and coded.codes[50 + per] == n_before + 1
    assert coded.codes[49] == n_before - 1
    far = coded.size - 1
    assert coded.codes[0] == coded.codes[199] == far
    assert (coded.codes != far).sum() == (coded.size - 1) * per
    assert coded.edges[0][n_before] == 0


def test_the_last_event_counts_before_the_next_and_none_of_another_segment():
    events = np.zeros(200)
    events[[50, 55]] = 1
    coded = made(events)
    zero = int((coded.edges[0] < -1e-9).sum())
    assert (coded.codes[50:55] >= zero).all() and coded.codes[55] == zero
    cut = made(events, segment=np.repeat([0, 1], [52, 148]))
    assert cut.codes[51] >= zero and cut.codes[52] < zero, "after the cut: before the next"


def test_where_events_were_not_recorded_nothing_is_known():
    events = np.zeros(200)
    events[100:] = np.nan
    assert (made(events).codes[100:] == -1).all()


def test_far_is_next_to_nothing():
    events = np.zeros(200)
    events[50] = 1
    coded = made(events)
    last, far = coded.size - 2, coded.size - 1
    codes = np.array([last, last, far, 1])
    others = np.array([last - 1, far, far, 2])
    np.testing.assert_array_equal(near(coded, codes, others), [True, False, True, True])

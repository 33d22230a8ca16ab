"""Shifts, exchanges and memories: what is moved, how far, and that r in a draw is r of moved codes."""

import numpy as np
import pytest
from scipy import fft

from make.designs import make_coded, make_design
from nwbsparse.analysis.association import draws
from nwbsparse.analysis.association.associate import associate, fit_alone
from nwbsparse.analysis.association.design import detrended
from nwbsparse.analysis.association.exchange import Exchanges, labels_repeat, runs
from nwbsparse.analysis.association.memory import memories
from nwbsparse.analysis.association.shifts import make_shifts


def test_a_shift_rolls_the_codes_within_each_session_by_the_same_share():
    codes = np.arange(150) % 11
    session = np.repeat([0, 1], [100, 50])
    shifts = make_shifts(codes, session, 10, 1000)
    assert shifts.distance[0] == 10 and shifts.distance[-1] == 90
    table = shifts.table(np.array([0, 40]))
    for column, draw in enumerate((0, 40)):
        by = shifts.distance[draw]
        expected = [np.roll(codes[:100], by), np.roll(codes[100:], round(by / 2))]
        np.testing.assert_array_equal(table[:, column], np.concatenate(expected))


def test_shifts_are_spread_evenly_and_no_more_than_asked():
    shifts = make_shifts(np.arange(1000) % 3, np.zeros(1000), 30, 95)
    assert len(shifts.distance) == 95
    assert set(np.diff(shifts.distance)) <= {9, 10, 11}
    near = shifts.usable(np.array([30, 200]))
    assert near[0].all() and near[1].sum() < 95
    assert shifts.distance[near[1]].min() >= 200 and shifts.distance[near[1]].max() <= 800


def test_labels_move_among_ten_neighbours_of_one_session():
    session = np.repeat([0, 1], [25, 17])
    labels = np.arange(42)
    table = Exchanges(labels, session, (0, 1)).table(np.arange(50))
    for run in runs(session):
        assert len(set(session[run])) == 1 and 5 <= len(run) <= 15
        np.testing.assert_array_equal(
            np.sort(table[run], axis=0), np.tile(labels[run][:, None], 50)
        )
    assert len({tuple(one) for one in table.T}) == 50
    again = Exchanges(labels, session, (0, 1)).table(np.array([7]))
    np.testing.assert_array_equal(again[:, 0], table[:, 7])


def test_repeating_labels_are_noticed_and_random_ones_are_not():
    rng = np.random.default_rng(0)
    one = np.zeros(60, dtype=int)
    assert labels_repeat(np.repeat(rng.integers(0, 3, 12), 5), one, (0,))
    said = [labels_repeat(rng.integers(0, 3, 60), one, (0, at)) for at in range(40)]
    assert np.mean(said) <= 0.15
    assert not labels_repeat(np.arange(60) % 2, one, (0,)), "labels in turn do not repeat"


@pytest.mark.parametrize("size", [2, 6])
def test_the_memory_is_the_first_fall_below_one_in_e(size):
    rng = np.random.default_rng(0)
    n = 6000
    codes = rng.integers(0, size, n)[np.maximum.accumulate((rng.random(n) < 0.02) * np.arange(n))]
    curves = rng.standard_normal((3, size))
    own, of_curve = memories(codes, curves, np.zeros(n))

    def first_below(columns):
        columns = columns - columns.mean(axis=0)
        power = (np.abs(fft.rfft(columns, axis=0)) ** 2).sum(axis=1)
        acf = fft.irfft(power, n)
        return int(np.flatnonzero(acf[: n // 2] < acf[0] / np.e)[0])

    exact = first_below(np.eye(size)[codes])
    assert exact <= own <= 1.1 * exact + 1
    for curve, found in zip(curves, of_curve, strict=True):
        exact = first_below(curve[codes][:, None])
        assert exact <= found <= 1.1 * exact + 1


def test_what_never_changes_has_an_endless_memory():
    own, of_curve = memories(np.zeros(100, dtype=int), np.ones((2, 3)), np.zeros(100))
    assert own == 100 and (of_curve == 100).all()


def test_chance_is_r_of_shifted_codes_fitted_anew():
    rng = np.random.default_rng(0)
    n = 1200
    codes = rng.integers(0, 4, n)[np.maximum.accumulate((rng.random(n) < 0.1) * np.arange(n))]
    table = np.maximum(rng.standard_normal((n, 2)) + (codes[:, None] == [0, 1]), 0)
    design = make_design(n, n_draws=12, rate=np.cos(np.arange(n) / 300))
    activity = detrended(table, design)
    found = associate(activity, make_coded(codes, 4), design)
    own = round(float(found.memory.min()) / 0.1)
    shifts = make_shifts(codes, design.session, 3 * own, 12)
    moved = shifts.table(np.arange(len(shifts.distance)))
    r = np.array([fit_alone(activity, make_coded(one.astype(int), 4), design).r for one in moved.T])
    usable = shifts.usable(np.round(3 * found.memory / 0.1)).T
    for channel in range(2):
        mine = r[usable[:, channel], channel]
        assert found.chance.n[channel] == len(mine)
        assert found.chance.mean[channel] == pytest.approx(mine.mean(), abs=1e-6)
        assert found.chance.std[channel] == pytest.approx(mine.std(), abs=1e-6)
        counted = (1 + (mine >= found.r[channel]).sum()) / (1 + len(mine))
        assert found.p[channel] >= counted - 1e-9


def test_channels_that_chance_equals_get_fewer_draws_and_the_others_all(monkeypatch):
    rng = np.random.default_rng(1)
    n = 3000
    codes = rng.integers(0, 4, n)[np.maximum.accumulate((rng.random(n) < 0.1) * np.arange(n))]
    follows = (codes[:, None] == 1) * np.linspace(0, 0.6, 40)
    table = np.maximum(rng.standard_normal((n, 40)) + follows, 0)
    design = make_design(n, n_draws=1000)
    activity = detrended(table, design)
    found = associate(activity, make_coded(codes, 4), design)
    monkeypatch.setattr(draws, "STAGES", ())
    everything = associate(activity, make_coded(codes, 4), design)
    np.testing.assert_array_equal(found.r, everything.r)
    assert (everything.chance.n >= 900).all()
    stopped = found.chance.n < everything.chance.n
    assert 5 <= stopped.sum() <= 25
    np.testing.assert_array_equal(found.p[~stopped], everything.p[~stopped])
    assert (found.p[stopped] > 0.05).all() and (everything.p[stopped] > 0.05).all()
    near = np.abs(found.chance.mean - everything.chance.mean) < everything.chance.std
    assert near.all()

"""What is found, what is not, and what is said where there is too little of it."""

import numpy as np
import pytest
from scipy import sparse
from scipy.signal import lfilter

from make.designs import make_coded, make_design
from nwbsparse import names
from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.analysis.association.associate import SHIFTS, TRIALS, associate
from nwbsparse.analysis.association.design import detrended
from nwbsparse.analysis.association.label_draws import SEQUENCE

STEP = 0.1


def spiky(n, rng, channels, memory=5):
    keep = np.exp(-1 / memory)
    walk = lfilter([1.0], [1.0, -keep], rng.standard_normal((n + 200, channels)), axis=0)[200:]
    return np.maximum(walk / walk.std(axis=0) - 1.0, 0)


def held(n, rng, size=4, every=15):
    at = np.maximum.accumulate((rng.random(n) < 1 / every) * np.arange(n))
    return rng.integers(0, size, n)[at]


def test_a_planted_latent_is_found_and_others_are_not():
    rng = np.random.default_rng(0)
    n = 3000
    codes = held(n, rng)
    table = spiky(n, rng, 40)
    table[:, 0] += 1.0 * (codes == 2)
    design = make_design(n, STEP, n_draws=1000)
    found = associate(detrended(table, design), make_coded(codes), design)
    assert found.kind == SHIFTS and (found.hindrance == "").all()
    assert found.p[0] < 0.002 and found.r[0] > 0.3 and found.fit.peak[0] == 2
    assert np.mean(found.p[1:] <= 0.05) <= 0.13
    assert abs(found.chance.mean[0]) < 0.05


def test_a_table_and_rows_of_entries_are_judged_alike():
    rng = np.random.default_rng(1)
    codes, table = held(2000, rng), spiky(2000, rng, 5).astype(np.float32)
    design = make_design(2000, STEP, n_draws=100)
    first, second = (
        associate(detrended(one, design), make_coded(codes), design)
        for one in (table, activity_of(sparse.csr_matrix(table).toarray()))
    )
    np.testing.assert_array_equal(first.p, second.p)
    np.testing.assert_array_equal(first.r, second.r)


def test_the_same_channel_beside_others_is_judged_as_alone():
    rng = np.random.default_rng(2)
    codes, table = held(2000, rng), spiky(2000, rng, 6)
    design = make_design(2000, STEP)
    together = associate(detrended(table, design), make_coded(codes), design)
    alone = associate(detrended(table[:, [3]], design), make_coded(codes), design)
    assert together.p[3] == pytest.approx(alone.p[0])
    assert together.r[3] == pytest.approx(alone.r[0])


def test_a_drift_in_both_is_no_association():
    rng = np.random.default_rng(3)
    n = 6000
    ramp = np.linspace(0, 1.5, n)
    table = np.maximum(spiky(n, rng, 60) + ramp[:, None] * rng.random(60), 0)
    codes = np.where(rng.random(n) < np.linspace(0.1, 0.9, n), held(n, rng, 2) | 1, 0)
    found = associate(detrended(table, design := make_design(n, STEP)), make_coded(codes), design)
    assert np.mean(found.p <= 0.05) <= 0.12


def test_two_minutes_of_laps_are_enough_and_two_slow_cycles_are_not():
    rng = np.random.default_rng(4)
    n = 1200
    table = spiky(n, rng, 3)
    design = make_design(n, STEP)
    laps = make_coded((np.arange(n) // 4) % 20, kind=names.POSITION)
    assert (associate(detrended(table, design), laps, design).hindrance == "").all()
    slow = make_coded(np.arange(n) * 5 // n, kind=names.CONTINUOUS)
    found = associate(detrended(table, design), slow, design)
    assert np.isnan(found.p).all() and np.isfinite(found.r).all()
    low, high = found.fit.interval()
    assert (low < found.r).all() and (found.r < high).all()
    assert np.isfinite(found.chance.mean).all(), "what chance gives is said all the same"
    stretches = int(n * STEP / (3 * found.memory[0]))
    assert found.hindrance[0].startswith(f"{stretches} independent stretch") and stretches < 5
    assert found.hindrance[0].endswith("minutes or more would do")


def test_rare_activity_is_not_tested_and_steady_activity_is():
    rng = np.random.default_rng(5)
    n = 2000
    table = np.zeros((n, 4))
    table[[100, 500, 900], 1] = 1
    table[:, 2] = 1 + rng.random(n)
    table[:, 3] = 3.0
    design = make_design(n, STEP)
    said = associate(detrended(table, design), make_coded(held(n, rng)), design).hindrance
    assert said[0] == "never active"
    assert said[1] == "active in 3 separate stretches, 5 are needed"
    assert said[2] == "" and said[3] == "its activity is constant"


@pytest.fixture
def trials():
    return np.repeat(np.arange(60), 20)


def test_labels_of_trials_are_exchanged_over_all_trials(trials):
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 3, 60)
    table = spiky(len(trials), rng, 40)
    table[:, 0] += 0.6 * (labels == 1)[trials]
    design = make_design(len(trials), STEP, n_draws=500, trials=trials)
    variable = make_coded(labels[trials], table="trials")
    found = associate(detrended(table, design), variable, design)
    assert found.kind == TRIALS and (found.hindrance == "").all() and found.amount == 60
    assert found.p[0] < 0.01 and found.fit.peak[0] == 1
    assert np.mean(found.p[1:] <= 0.05) <= 0.13
    means = np.stack([table[trials == one].mean(axis=0) for one in range(60)])
    order = np.argsort(found.r)
    assert means[labels == 1, 0].mean() > means[labels != 1, 0].mean() and order[-1] == 0


def test_repeating_labels_are_shifted_as_a_sequence(trials):
    rng = np.random.default_rng(7)
    labels = np.repeat(rng.integers(0, 2, 15), 4)
    table = spiky(len(trials), rng, 4, memory=60)
    design = make_design(len(trials), STEP, trials=trials)
    found = associate(
        detrended(table, design), make_coded(labels[trials], 2, table="trials"), design
    )
    assert found.kind == SEQUENCE
    assert (found.hindrance == "").all() == (found.independent[0] >= 5)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (np.arange(10) % 2, "10 trials, 12 are needed"),
        (np.zeros(30, dtype=int), "1 of its labels stands in 3 trials or more, 2 are needed"),
        (
            np.r_[np.zeros(28, int), 1, 1],
            "1 of its labels stands in 3 trials or more, 2 are needed",
        ),
    ],
)
def test_too_few_trials_say_what_is_needed(labels, why):
    rng = np.random.default_rng(8)
    rows = np.repeat(np.arange(len(labels)), 20)
    design = make_design(len(rows), STEP, trials=rows)
    variable = make_coded(labels[rows], 2, table="trials")
    found = associate(detrended(spiky(len(rows), rng, 2), design), variable, design)
    assert set(found.hindrance) == {why} and np.isnan(found.p).all()


def test_sessions_are_shifted_each_by_itself():
    rng = np.random.default_rng(9)
    session = np.repeat([0, 1, 2], [1500, 1000, 500])
    codes = held(3000, rng)
    table = spiky(3000, rng, 30) + 2.0 * rng.random((3, 30))[session]
    table[:, 0] += codes == 1
    design = make_design(3000, STEP, session=session)
    found = associate(detrended(table, design), make_coded(codes), design)
    assert found.p[0] < 0.01 and np.mean(found.p[1:] <= 0.05) <= 0.15
    assert found.amount == pytest.approx(150.0), "the longest session counts"


def test_labels_of_sessions_that_differ_in_level_are_no_association():
    """Each session has its own level; labels that are random within say nothing."""
    rng = np.random.default_rng(10)
    trials = np.repeat(np.arange(80), 20)
    session = (trials >= 40).astype(int)
    table = spiky(len(trials), rng, 40) + 3.0 * session[:, None]
    often = np.where(session[::20] == 1, 0.8, 0.2)
    labels = (rng.random(80) < often).astype(int)
    design = make_design(len(trials), STEP, trials=trials, session=session, n_draws=500)
    found = associate(
        detrended(table, design), make_coded(labels[trials], 2, table="trials"), design
    )
    assert np.nanmean(found.p <= 0.05) <= 0.13

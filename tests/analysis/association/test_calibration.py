"""Are p values what they say? The table of the assessment at a reduced size (all of it: benchmarks)."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from calibration_data import (
    BEHAVIOURS,
    behaviour,
    coded,
    design_of,
    drifted,
    labels_of,
    latents_of,
    place_like,
)

from nwbsparse.analysis.association.associate import associate
from nwbsparse.analysis.association.design import detrended
from nwbsparse.analysis.statistics.false_discovery import false_discovery_rate

STEP = 0.2


def null(kind, minutes, seed, *, drift=False):
    rng = np.random.default_rng([seed, minutes, BEHAVIOURS.index(kind), drift])
    n = int(minutes * 60 / STEP)
    values = behaviour(kind, n, STEP, rng)
    made = latents_of(n, STEP, rng, 30, drift=drift)
    values = drifted(values, rng) if drift else values
    design = design_of(n, STEP, seed=seed, n_draws=500)
    return associate(detrended(made, design), coded(kind, values), design).p


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [2, 5])
def test_nothing_passes_for_something_more_often_than_it_says(minutes):
    p = np.array(
        [
            null(kind, minutes, seed, drift=drift)
            for kind in BEHAVIOURS
            for drift in (False, True)
            for seed in range(12)
        ]
    )
    good = np.isfinite(p)
    assert good.mean() > 0.7
    assert 0.02 <= (p[good] <= 0.05).mean() <= 0.065
    assert (p[good] <= 0.01).mean() <= 0.018
    any_q = [(false_discovery_rate(one) < 0.05).any() for one in p if np.isfinite(one).any()]
    assert np.mean(any_q) <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["random", "blocked", "sticky", "drift"])
def test_labels_of_trials_pass_no_more_often_than_they_say(how):
    found = []
    for seed in range(30):
        rng = np.random.default_rng([seed, 60])
        labels = labels_of(60, 4, how, rng)
        made = latents_of(60, 1.0, rng, 30, memory=2.0 if how == "sticky" else 0.5, active=0.5)
        design = design_of(60, 1.0, seed=seed, n_draws=300, trials=True)
        found.append(
            associate(detrended(made, design), coded("labels", labels, table="trials"), design).p
        )
    p = np.array(found)
    assert np.nanmean(p <= 0.05) <= 0.07


def test_one_null_and_one_planted_recording():
    p = np.concatenate([null("position5", 2, seed) for seed in range(3)])
    assert np.nanmean(p <= 0.05) <= 0.15
    rng = np.random.default_rng(0)
    variable = coded("track", behaviour("track", 1200, STEP, rng))
    made = place_like(variable.codes, 20, 10, 0.6, STEP, rng, given=True)
    design = design_of(1200, STEP, n_draws=500)
    found = associate(detrended(made, design), variable, design)
    assert (false_discovery_rate(found.p) < 0.05).mean() >= 0.8
    low, high = found.fit.interval()
    assert ((low > 0) & (high < 0.9)).mean() >= 0.8

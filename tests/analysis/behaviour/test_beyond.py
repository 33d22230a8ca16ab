"""Position or speed, more than units, together: planted recordings whose answer is known."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from make.designs import make_coded, make_design
from nwbsparse import names
from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.analysis.association.associate import associate, fit_alone
from nwbsparse.analysis.association.design import detrended
from nwbsparse.analysis.behaviour.against_units import against_units
from nwbsparse.analysis.behaviour.apart import told_apart
from nwbsparse.analysis.behaviour.claims import claims
from nwbsparse.analysis.behaviour.controls import UnitGroup, fit_units, own_units
from nwbsparse.analysis.behaviour.partial import beyond
from nwbsparse.analysis.behaviour.preferred import n_different, preferred
from nwbsparse.analysis.behaviour.together import SETS, decode_together

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from calibration_data import behaviour, coded, design_of, place_like, wander

STEP = 0.2
N = int(15 * 60 / STEP)


@pytest.fixture(scope="module")
def running():
    """(position, speed) coded, and activity that follows position, speed, both."""
    rng = np.random.default_rng(0)
    place = behaviour("running", N, STEP, rng)
    speed = np.abs(np.gradient(place)) / STEP
    rank = np.argsort(np.argsort(speed)) / N
    of_place = np.exp(-0.5 * ((place[:, None] - [0.3, 0.5, 0.7]) / 0.1) ** 2)
    of_speed = np.exp(-0.5 * ((rank[:, None] - [0.5, 0.8, 0.95]) / 0.1) ** 2)
    drive = np.concatenate([of_place, of_speed, of_place + of_speed], axis=1)
    drive = (drive - drive.mean(axis=0)) / drive.std(axis=0)
    made = 0.7 * drive + 0.7 * wander(N, 2.5, rng, 9)
    return coded("running", place), coded("speed", speed), np.maximum(made - 1.0, 0)


def test_what_follows_position_alone_is_named_so_and_what_follows_both_is_not(running):
    place, speed, table = running
    design = design_of(N, STEP)
    activity = detrended(table, design)
    found = [associate(activity, one, design, number=at) for at, one in enumerate((place, speed))]
    claimed = claims(found, 9, 0.05)
    assert (claimed.status == "found").all()
    told = told_apart(activity, found, claimed, design)
    follows = told["follows"][1]
    assert follows[:3].tolist() == ["running"] * 3
    assert follows[3:6].tolist() == ["speed"] * 3
    assert all(one in ("running and speed", "speed and running") for one in follows[6:])
    assert np.nanmax(told["beyond_p"][1][:6]) < 0.01


def test_two_names_of_one_thing_cannot_be_told_apart(running):
    place, _, table = running
    design = design_of(N, STEP)
    activity = detrended(table[:, :3], design)
    twin = replace(place, name="twin")
    found = [associate(activity, one, design, number=at) for at, one in enumerate((place, twin))]
    told = told_apart(activity, found, claims(found, 3, 0.05), design)
    assert all(" or " in one for one in told["follows"][1])


def test_what_is_left_is_the_residual_of_a_ridge_fitted_on_other_folds(running):
    """Against a loop that fits and correlates bin by bin."""
    place, speed, table = running
    short, design = N // 3, make_design(N // 3, STEP)
    activity = detrended(table[:short, :2], design)
    short_place, short_speed = (
        make_coded(one.codes[:short], one.size, kind=names.CONTINUOUS, name=one.name)
        for one in (place, speed)
    )
    found = beyond(activity, short_place, [short_speed], design)
    left = table[:short, :2] - design.basis @ (design.basis.T @ table[:short, :2])
    onehot = np.eye(speed.size)[short_speed.codes]
    fold = np.arange(short) * 30 // short % 5
    residual = np.empty_like(left)
    for k in range(5):
        z, a = onehot[fold != k], left[fold != k]
        beta = np.linalg.solve(z.T @ z + 0.01 * np.eye(speed.size) / STEP, z.T @ a)
        residual[fold == k] = left[fold == k] - onehot[fold == k] @ beta
    plain = make_design(short, STEP)
    flat = detrended(residual, plain)
    by_hand = fit_alone(type(flat)(flat.kept, np.zeros_like(flat.beta)), short_place, plain)
    np.testing.assert_allclose(found.r, by_hand.r, atol=2e-3)


def test_a_latent_beats_units_that_follow_less_and_not_one_that_follows_as_well():
    rng = np.random.default_rng(1)
    variable = coded("track", behaviour("track", N, STEP, rng))
    make = {"step": STEP, "rng": rng, "given": True}
    centre = np.full(4, 9)
    latents = place_like(
        variable.codes, 20, 4, np.array([0.8, 0.8, 0.4, 0.1]), centres=centre, **make
    )
    units = place_like(
        variable.codes, 20, 4, np.array([0.5, 0.4, 0.4, 0.2]), centres=centre, **make
    )
    design = design_of(N, STEP)
    group = UnitGroup(np.array([5, 6, 7, 8]), units, np.ones(N, dtype=bool))
    own = [np.array([5]), np.array([8]), np.array([8]), np.array([], dtype=int)]
    found = against_units(
        detrended(latents, design),
        np.array([0, 0, 0, -1]),
        [variable],
        fit_units([group], [variable], design),
        own,
        design,
    )
    assert found["best_unit"][1].tolist() == [5, 5, 5, -1]
    p, p_own = found["beats_units_p"][1], found["beats_own_units_p"][1]
    assert (p[:2] < 0.01).all() and p[2] > 0.5 and np.isnan(p[3])
    assert (p_own[:3] < 0.05).all() and np.isnan(p_own[3])
    assert found["own_units_association"][1][0] == found["best_unit_association"][1][0]


def test_units_that_make_up_a_latent_are_as_many_as_its_weights_say():
    weight = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]], float)
    made = own_units(xr.Dataset({"weight": (("latent", "unit"), weight)}))
    assert [len(one) for one in made] == [1, 2, 4, 0]
    assert made[0].tolist() == [0] and set(made[1]) == {0, 1}


@pytest.fixture(scope="module")
def told():
    rng = np.random.default_rng(2)
    variable = coded("track", behaviour("track", N, STEP, rng))
    make = {"step": STEP, "rng": rng, "given": True}
    centres = np.arange(10) * 2
    latents = place_like(variable.codes, 20, 10, 0.8, centres=centres, **make)
    weak = place_like(variable.codes, 20, 30, 0.35, centres=np.arange(30) % 20, **make)
    noise = np.maximum(wander(N, 2.5, rng, 10) - 1, 0)
    group = UnitGroup(np.arange(30), weak, np.ones(N, dtype=bool))
    design = design_of(N, STEP)
    [one] = decode_together(
        activity_of(latents), {"untrained": activity_of(noise)}, [group], [variable], design
    )
    return one


def test_a_set_that_tells_more_is_seen_to_tell_more(told):
    assert told.n == 10
    assert told.share["latents"] > told.share["all_units"] > told.share["units"] > told.chance
    assert told.share["forward"] >= told.share["units"] - 0.02
    assert abs(told.share["untrained"] - told.chance) < 0.03
    assert told.chance == pytest.approx(3 / 20, abs=0.05)
    assert all(told.p[name] < 0.05 for name in SETS[1:])
    assert told.difference["units"] == pytest.approx(told.share["latents"] - told.share["units"])


def test_labels_are_told_trial_by_trial():
    rng = np.random.default_rng(3)
    rows = np.repeat(np.arange(60), 10)
    labels = rng.permutation(np.arange(60) % 3)
    table = rng.random((600, 3)) + 0.8 * (labels[rows][:, None] == np.arange(3))
    design = make_design(600, STEP, trials=rows)
    group = UnitGroup(np.arange(3), rng.random((600, 3)), np.ones(600, dtype=bool))
    variable = make_coded(labels[rows], table="trials")
    [one] = decode_together(
        activity_of(table),
        {"untrained": activity_of(rng.random((600, 3)))},
        [group],
        [variable],
        design,
    )
    assert one.share["latents"] > 0.9
    assert one.share["units"] < 0.6 and one.chance == pytest.approx(1 / 3, abs=0.08)


def test_preferred_places_are_counted_when_two_codes_apart_and_alike_in_the_folds():
    rng = np.random.default_rng(4)
    variable = coded("track", behaviour("track", N, STEP, rng))
    centres = np.array([2, 3, 9, 15, 15])
    table = place_like(variable.codes, 20, 5, 0.8, STEP, rng, centres=centres, given=True)
    table = np.concatenate([table, np.maximum(wander(N, 2.5, rng, 3) - 1, 0)], axis=1)
    design = design_of(N, STEP)
    codes = preferred(fit_alone(detrended(table, design), variable, design), variable)
    assert np.abs(codes[:5] - centres).max() <= 1
    assert n_different(codes[:5], variable) == 3
    assert n_different(np.array([-1, -1]), variable) == 0
    ring = make_coded(np.arange(12), kind=names.CIRCULAR)
    assert n_different(np.array([0, 11, 6]), ring) == 2, "neighbours across ±π are one"
    assert n_different(np.array([0, 1, 2]), make_coded([0, 1, 2])) == 3, "categories differ"

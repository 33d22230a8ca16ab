"""More than units, together, beyond other variables: are the comparisons what they say?

Parts of ``calibration.py``, which runs them.
"""

import numpy as np
from calibration_data import behaviour, coded, design_of, place_like, wander
from calibration_tables import line, number

from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.analysis.association.associate import associate
from nwbsparse.analysis.association.design import detrended
from nwbsparse.analysis.behaviour.against_units import against_units
from nwbsparse.analysis.behaviour.controls import UnitGroup, fit_units
from nwbsparse.analysis.behaviour.partial import beyond
from nwbsparse.analysis.behaviour.together import SETS, decode_together

LATENTS = 30
STEP = 0.2


def units(recordings):
    """Latents that are no more than the best of 50 units, and some that are."""
    line("recording", "latent", "best unit", "units", "p ≤ .05", "must")
    line(*["---"] * 6)
    cases = (
        (4, 0.5, 0.5, "alike", "≤ .06"),
        (15, 0.5, 0.5, "alike", "≤ .06"),
        (15, 0.5, 0.5, "graded", "≤ .06"),
        (15, 0.6, 0.5, "graded", "≥ .6"),
        (15, 0.7, 0.5, "graded", ""),
    )
    for minutes, of_latent, of_unit, shape, must in cases:
        found, r = [], []
        n = int(minutes * 60 / STEP)
        for seed in range(recordings):
            rng = np.random.default_rng([7, seed, minutes])
            variable = coded("track", behaviour("track", n, STEP, rng))
            centre = np.full(LATENTS, rng.integers(20))
            grade = (
                np.ones(50)
                if shape == "alike"
                else np.concatenate([[1.0], np.linspace(0.95, 0.1, 49)])
            )
            make = dict(step=STEP, rng=rng, memory=0.5, given=True)
            made = place_like(
                variable.codes, variable.size, LATENTS, of_latent, centres=centre, **make
            )
            table = place_like(
                variable.codes, variable.size, 50, of_unit * grade, centres=centre[[0] * 50], **make
            )
            design = design_of(n, STEP, seed=seed)
            group = UnitGroup(np.arange(50), table, np.ones(n, dtype=bool))
            choice = np.zeros(LATENTS, dtype=int)
            one = against_units(
                detrended(made, design),
                choice,
                [variable],
                fit_units([group], [variable], design),
                [np.arange(0)] * LATENTS,
                design,
            )
            found.append(one["beats_units_p"][1])
            fits = group.fits(variable, design)[0][1]
            r.append(
                (
                    associate(
                        detrended(made, design), variable, design_of(n, STEP, n_draws=1)
                    ).r.mean(),
                    fits.r[0],
                )
            )
        latent, unit = np.mean(r, axis=0)
        line(
            f"{minutes} min",
            number(latent, 2),
            number(unit, 2),
            shape,
            number((np.array(found) <= 0.05).mean()),
            must,
        )


def together(recordings):
    """Twelve latents that tell no more together than twelve units: how often a difference is 'sure'."""
    line("recording", *SETS[1:], "must")
    line(*["---"] * (len(SETS) + 1))
    for minutes in (4, 15):
        n, found = int(minutes * 60 / STEP), []
        for seed in range(recordings):
            rng = np.random.default_rng([8, seed, minutes])
            variable = coded("track", behaviour("track", n, STEP, rng))
            make = dict(step=STEP, rng=rng, memory=0.5, given=True)
            centres = rng.permutation(np.arange(12) * 20 // 12)
            made = [
                place_like(variable.codes, 20, 12, 0.5, centres=rng.permutation(centres), **make)
                for _ in range(3)
            ]
            design = design_of(n, STEP, seed=seed)
            group = UnitGroup(np.arange(12), made[2], np.ones(n, dtype=bool))
            [one] = decode_together(
                activity_of(made[0]),
                {"untrained": activity_of(made[1])},
                [group],
                [variable],
                design,
            )
            found.append([one.p[name] for name in SETS[1:]])
        line(
            f"{minutes} min",
            *(number(one) for one in (np.array(found) <= 0.05).mean(axis=0)),
            "≤ .08",
        )


def partial(recordings):
    """Latents that follow position, speed, or both: what is said beyond the other."""
    line("recording", "follows", "position beyond speed", "speed beyond position", "must")
    line(*["---"] * 5)
    for minutes in (4, 15):
        n = int(minutes * 60 / STEP)
        for follows, must in (("position", "second ≤ .03"), ("speed", "first ≤ .03"), ("both", "")):
            found = []
            for seed in range(recordings):
                rng = np.random.default_rng([9, seed, minutes])
                place = behaviour("running", n, STEP, rng)
                speed = np.abs(np.gradient(place)) / STEP
                of_place, of_speed = coded("running", place), coded("speed", speed)
                ranked = np.argsort(np.argsort(speed)) / n
                curves = [
                    np.exp(-0.5 * ((values[:, None] - rng.uniform(*span, 16)) / width) ** 2)
                    for values, span, width in ((place, (0.1, 0.9), 0.1), (ranked, (0.3, 1), 0.2))
                ]
                curves = [(one - one.mean(0)) / one.std(0) for one in curves]
                drive = {"position": curves[0], "speed": curves[1], "both": curves[0] + curves[1]}[
                    follows
                ]
                drive = (drive - drive.mean(0)) / drive.std(0)
                made = 0.6 * drive + 0.8 * wander(n, 0.5 / STEP, rng, 16)
                made = np.maximum(made - np.quantile(made, 0.9, axis=0), 0)
                design = design_of(n, STEP, seed=seed)
                activity = detrended(made, design)
                found.append(
                    [
                        beyond(activity, of_place, [of_speed], design).p,
                        beyond(activity, of_speed, [of_place], design).p,
                    ]
                )
            first, second = (np.array(found) <= 0.05).mean(axis=(0, 2))
            line(f"{minutes} min", follows, number(first), number(second), must)

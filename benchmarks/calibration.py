"""Are the p values, intervals and comparisons of ``explain`` what they say? Measured on made-up data.

    python benchmarks/calibration.py                       everything, 100 recordings a cell (an hour)
    python benchmarks/calibration.py null --recordings 20  one part, fewer recordings
    python benchmarks/calibration.py --real FOLDER         latents of a session, behaviour of another one

Parts: null, trials, power, coverage, units, together, partial. Each prints a table whose last column
says what the assessment asks for (docs/reference/assessment.md).
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from calibration_beyond import partial, together, units
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
from calibration_tables import line, number, rates

from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.association.associate import associate
from nwbsparse.analysis.association.design import detrended, make_design
from nwbsparse.analysis.behaviour.comparisons import make_scope
from nwbsparse.analysis.statistics.false_discovery import false_discovery_rate
from nwbsparse.io.read import read_as
from nwbsparse.options.config import Config
from nwbsparse.options.presets import preset
from nwbsparse.runs.prepare import prepare
from nwbsparse.training.fit import fit

LATENTS = 30
STEP = 0.2


def null(recordings, minutes=(2, 5, 15)):
    """False positives where behaviour and latents have nothing to do with one another."""
    line("behaviour", "drift", "minutes", "tested", "p ≤ .05", "p ≤ .01", "any q < .05")
    line(*["---"] * 7)
    everything = []
    for length in minutes:
        for kind in BEHAVIOURS:
            for drift in (False, True):
                found = []
                for seed in range(recordings):
                    rng = np.random.default_rng([1, seed, length, BEHAVIOURS.index(kind), drift])
                    n = int(length * 60 / STEP)
                    values = behaviour(kind, n, STEP, rng)
                    made = latents_of(n, STEP, rng, LATENTS, drift=drift)
                    if drift:
                        values = drifted(values, rng)
                    design = design_of(n, STEP, seed=seed)
                    one = associate(detrended(made, design), coded(kind, values), design)
                    found.append(one.p)
                found = np.array(found)
                tested, five, one, any_q = rates(found)
                line(
                    kind,
                    "yes" if drift else "no",
                    length,
                    f"{tested:.0%}",
                    number(five),
                    number(one),
                    number(any_q, 2),
                )
                everything.append((length, kind, drift, found))
    for length in (*minutes, None):
        p = np.concatenate([f for of, _, _, f in everything if length in (None, of)])
        _, five, one, any_q = rates(p)
        line("pooled", "", length or "all", "", number(five), number(one), number(any_q, 2))
    cells = [rates(f)[1] for *_, f in everything if np.isfinite(f).mean() > 0.2]
    print(
        f"largest cell {max(cells):.3f} (at most .085); pooled .03-.06; p ≤ .01 at most .015; any q "
        "at most .08"
    )


def trials(recordings):
    """The same for labels of trials, and where labels repeat."""
    line("trials", "labels", "how", "tested", "p ≤ .05", "p ≤ .01", "any q < .05")
    line(*["---"] * 7)
    for n, size in ((20, 2), (60, 4), (150, 4)):
        for how in ("random", "blocked", "sticky", "drift"):
            found = []
            for seed in range(recordings):
                rng = np.random.default_rng([2, seed, n, size])
                labels = labels_of(n, size, how, rng)
                memory = {"random": 0.0, "blocked": 1.5, "sticky": 2.0, "drift": 1.0}[how]
                made = latents_of(
                    n, 1.0, rng, LATENTS, memory=memory, active=0.5, drift=how == "drift"
                )
                design = design_of(n, 1.0, seed=seed, trials=True)
                variable = coded("labels", labels, table="trials")
                found.append(associate(detrended(made, design), variable, design).p)
            tested, five, one, any_q = rates(np.array(found))
            line(n, size, how, f"{tested:.0%}", number(five), number(one), number(any_q, 2))
    print("sticky at most .07, others .03-.06; any q at most .08")


def power(recordings):
    """How often a latent with a place-like curve is found (q < .05), 15 of 30 latents.

    The curve is made so strong that the mean of r, which is out of fold, is what is asked for.
    """
    line("recording", "r with its own curve", "mean r", "asked", "found", "must")
    line(*["---"] * 6)
    for minutes, own, asked, must in (
        (2, 0.30, 0.22, 0.5),
        (4, 0.305, 0.27, 0.85),
        (10, 0.148, 0.11, 0.65),
    ):
        found, r = [], []
        for seed in range(recordings):
            rng = np.random.default_rng([3, seed, minutes])
            n = int(minutes * 60 / STEP)
            variable = coded("track", behaviour("track", n, STEP, rng))
            made = latents_of(n, STEP, rng, LATENTS, memory=0.5, active=0.1)
            made[:, :15] = place_like(variable.codes, variable.size, 15, own, STEP, rng)
            design = design_of(n, STEP, seed=seed)
            one = associate(detrended(made, design), variable, design)
            found.append(false_discovery_rate(one.p)[:15] < 0.05)
            r.append(one.r[:15])
        told = number(np.mean(r), 2), asked, number(np.mean(found), 2)
        line(f"{minutes} min", own, *told, f"≥ {must}")
    for shape in ("one label", "cosine over labels"):
        found = []
        for seed in range(recordings):
            rng = np.random.default_rng([4, seed])
            labels = rng.permutation(np.arange(60) % 4)
            tuned = np.zeros((4, LATENTS))
            if shape == "one label":
                tuned[rng.integers(0, 4, 15), np.arange(15)] = 1.0
            else:
                tuned[:, :15] = np.cos(2 * np.pi * (np.arange(4)[:, None] / 4 - rng.random(15)))
            made = rng.standard_normal((60, LATENTS)) + tuned[labels]
            made = np.maximum(made - np.quantile(made, 0.5, axis=0), 0)
            design = design_of(60, 1.0, seed=seed, trials=True)
            variable = coded("labels", labels, table="trials")
            one = associate(detrended(made, design), variable, design)
            found.append(false_discovery_rate(one.p)[:15] < 0.05)
        line(f"60 trials × 4 labels, 1 sd, {shape}", "", "", "", number(np.mean(found), 2), "≥ .55")


def coverage(recordings):
    """How often the 95 % interval holds the mean of r over recordings."""
    line("recording", "memory of the latents (s)", "r", "held", "width")
    line(*["---"] * 5)
    for minutes, memory, strength in (
        (2, 0.5, 0.5),
        (4, 0.5, 0.5),
        (15, 0.5, 0.5),
        (15, 3.0, 0.5),
        (15, 0.5, 0.2),
    ):
        found = []
        n = int(minutes * 60 / STEP)
        centres = np.random.default_rng(5).permutation(np.arange(LATENTS) % 20)
        for seed in range(recordings):
            rng = np.random.default_rng([5, seed, minutes])
            variable = coded("track", behaviour("track", n, STEP, rng))
            made = place_like(
                variable.codes,
                variable.size,
                LATENTS,
                strength,
                STEP,
                rng,
                memory=memory,
                centres=centres,
                given=True,
            )
            design = design_of(n, STEP, seed=seed, n_draws=1)
            fit = associate(detrended(made, design), variable, design).fit
            found.append((fit.r, *fit.interval()))
        r, low, high = np.array(found).swapaxes(0, 1)
        held = (low <= r.mean(axis=0)) & (r.mean(axis=0) <= high)
        line(
            f"{minutes} min",
            memory,
            number(r.mean(), 2),
            number(held.mean()),
            number((high - low).mean(), 2),
        )
    for n in (20, 60):
        found = []
        tuned = np.random.default_rng(6).random((2, LATENTS)) < 0.5
        for seed in range(recordings):
            rng = np.random.default_rng([6, seed, n])
            labels = rng.permutation(np.arange(n) % 2)
            made = np.maximum(rng.standard_normal((n, LATENTS)) + tuned[labels], 0)
            design = design_of(n, 1.0, seed=seed, n_draws=2, trials=True)
            fit = associate(
                detrended(made, design), coded("labels", labels, table="trials"), design
            ).fit
            found.append((fit.r, *fit.interval()))
        r, low, high = np.array(found).swapaxes(0, 1)
        held = (low <= r.mean(axis=0)) & (r.mean(axis=0) <= high)
        line(
            f"{n} trials",
            "",
            number(r.mean(), 2),
            number(held.mean()),
            number((high - low).mean(), 2),
        )
    print("held ≥ .92 from 2 minutes and from 20 trials")


def real(folder):
    """Latents of each session in FOLDER, compared with the behaviour of every other one there.

    Stimuli that come in the same order in both sessions are left out: they are the session's own.
    """
    sessions = []
    for path in sorted(Path(folder).glob("*.nwb")):
        config = Config(**preset("plain") | {"n_latents": 32, "max_epochs": 10})
        binned = prepare(read_as(path, config), config)
        coder = fit(binned, config)
        sessions.append((path.stem, binned, activity_of(encode(coder, binned))))
    line("latents of", "behaviour of", "variables", "tested", "p ≤ .05", "p ≤ .01")
    line(*["---"] * 6)
    everything = []
    for name, own, latents in sessions:
        for other, theirs, _ in sessions:
            if other == name:
                continue
            n = min(own.sizes["time"], theirs.sizes["time"])
            bins = np.arange(n)
            design = make_design(own, n_draws=2000, seed=0, bins=bins)
            # the behaviour, its trials and what is cut where, are of the other session
            of_other = make_design(theirs, n_draws=1, seed=0, bins=bins)
            design = replace(design, trials=of_other.trials)
            activity = detrended(latents, design)
            mine = {one.name: one.codes[:n] for one in make_scope(own).tested}
            variables = [
                one
                for one in make_scope(theirs).tested
                if one.name not in mine or np.mean(mine[one.name] == one.codes[:n]) < 0.9
            ]
            p = np.array(
                [associate(activity, one, design, number=at).p for at, one in enumerate(variables)]
            )
            tested, five, one, _ = rates(p)
            line(name, other, len(variables), f"{tested:.0%}", number(five), number(one))
            everything.append(p)
    p = np.concatenate([one.ravel() for one in everything])
    p = p[np.isfinite(p)]
    five, one = (number(np.mean(p <= edge)) for edge in (0.05, 0.01))
    print(f"of {len(p):,} tests p ≤ .05 in {five} (at most .06), p ≤ .01 in {one}")


PARTS = {
    "null": null,
    "trials": trials,
    "power": power,
    "coverage": coverage,
    "units": units,
    "together": together,
    "partial": partial,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--recordings", type=int, default=100)
    parser.add_argument("--real", metavar="FOLDER")
    given = parser.parse_args()
    if given.real:
        real(given.real)
        return
    for name in given.parts or PARTS:
        began = time.time()
        print(f"\n{name}: {PARTS[name].__doc__}")
        PARTS[name](given.recordings)
        print(f"({time.time() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()

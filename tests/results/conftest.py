"""Recordings on disk with results learned from them: made once, never changed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from nwbsparse.analysis.evaluate import evaluate
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.inference import encode
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.config import Config
from nwbsparse.io.nwb import read_nwb
from nwbsparse.results import Results, write
from nwbsparse.training import fit
from recordings import circle, damaged, laps, poisson_spikes, replace_dataset, write_recording

WIDTH = 0.1
GAPS = [[[0, 40], [45, 100]]] * 4


def wandering(n=5000, rate=50.0):
    """A position (m) that speeds up and slows down. Keyword arguments of SpatialSeries."""
    t = np.arange(n) / rate
    phase = 0.6 * t + 2.5 * np.sin(0.13 * t)
    data = np.column_stack([np.cos(phase), np.sin(1.3 * phase)])
    return {"data": data, "rate": rate, "starting_time": 0.0, "unit": "meters"}


def analyse(path, *, bins=None, **options):
    """The results of a quick run on a file."""
    session = read_nwb(path)
    binned = split(to_bins(session, WIDTH, **(bins or {})))
    quick = {"n_latents": 16, "k": 2, "max_epochs": 2, "batch_size": 100, "n_shifts": 50}
    coder = fit(binned, Config(**(quick | options)))
    latents = encode(coder, binned)
    attribution = explain(coder, binned, latents)
    return Results(session, coder, latents, evaluate(coder, binned), attribution)


def string_ids(path):
    write_recording(path, position=wandering())
    with damaged(path) as file:
        replace_dataset(file, "/units/id", ["a-1", "b 2", "c/3", "µ4"])
    return path


KINDS = {
    "position": lambda p: write_recording(p, position=wandering()),
    "position at constant speed": lambda p: write_recording(p, position=circle()),
    "trials": lambda p: write_recording(p, trials=laps()),
    "position and trials": lambda p: write_recording(p, position=wandering(), trials=laps()),
    "no behaviour": write_recording,
    "gaps": lambda p: write_recording(p, position=wandering(), obs_intervals=GAPS),
    "units observed at different times": lambda p: write_recording(
        p, trials=laps(), obs_intervals=[[[0, 100]], [[0, 60]], [[30, 100]], [[0, 20], [50, 100]]]
    ),
    "a gap of less than a bin": lambda p: write_recording(
        p, position=wandering(), obs_intervals=[[[0, 50], [50.03, 100]]] * 4
    ),
    "a late start": lambda p: write_recording(
        p,
        spike_times=poisson_spikes(start=1e5 + 0.37, stop=1e5 + 120),
        trials={"start_time": 1e5 + np.arange(12) * 10.0, "stop_time": 1e5 + np.arange(12) * 10 + 9}
        | {"side": ["left", "right"] * 6},
    ),
    "unit ids with holes": lambda p: write_recording(
        p, position=wandering(), unit_ids=[70, 3, 1000, -2]
    ),
    "ids that are text": string_ids,
    "a silent unit": lambda p: write_recording(
        p, position=wandering(), spike_times=[*poisson_spikes(), []]
    ),
    "chosen units": lambda p: write_recording(p, position=wandering(), unit_ids=[70, 3, 1000, -2]),
    "more than 256 latents": lambda p: write_recording(p, position=wandering(), trials=laps()),
    "levels": lambda p: write_recording(p, position=wandering(), trials=laps()),
}
OPTIONS = {
    "chosen units": {"bins": {"units": "1000,70"}},
    "more than 256 latents": {"n_latents": 300, "k": 4},
    "levels": {"n_latents": None, "k": None, "levels": ("8:1", "16:2")},
}


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """kind → its source, results, and the annotated file; each made when first asked for."""
    folder = tmp_path_factory.mktemp("library")
    made = {}

    def get(kind, *, written=True):
        name = kind.replace(" ", "-")
        if kind not in made:
            source = KINDS[kind](folder / f"{name}.nwb")
            results = analyse(source, **OPTIONS.get(kind, {}))
            made[kind] = SimpleNamespace(source=source, results=results, path=None)
        if written and made[kind].path is None:
            made[kind].path = write(made[kind].results, folder / f"{name}_out.nwb")
        return made[kind]

    return get


@pytest.fixture(scope="session")
def quick_analysis():
    """analyse(path, **options) → Results."""
    return analyse


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", list(KINDS))

"""Recordings on disk with results learned from them: made once, never changed."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.ecephys import LFP, ElectricalSeries

from make.configs import plain_config
from make.recordings import START, circle, laps, poisson_spikes, write_recording
from make.results import copied
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.results.results import Results, open_results, write
from nwbsparse.training.fit import fit

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
    coder = fit(binned, plain_config(**(quick | options)))
    latents = encode(coder, binned)
    attribution = explain(coder, binned, latents)
    return Results(session, coder, latents, evaluate(coder, binned), attribution)


KINDS = {
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
    """kind → its source, results, annotated file, and what opening that gives; made when asked for."""
    folder = tmp_path_factory.mktemp("library")
    made = {}

    def get(kind):
        name = kind.replace(" ", "-")
        if kind not in made:
            source = KINDS[kind](folder / f"{name}.nwb")
            results = analyse(source, **OPTIONS.get(kind, {}))
            made[kind] = SimpleNamespace(source=source, results=results, path=None, opened=None)
        one = made[kind]
        if one.path is None:
            one.path = write(one.results, folder / f"{name}_out.nwb")
            one.opened = open_results(one.path)
        return one

    return get


@pytest.fixture(scope="session")
def quick_analysis():
    """analyse(path, **options) → Results."""
    return analyse


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", list(KINDS))


def write_rich(path, *, referring=False, sharing=False):
    """Raw data in acquisition beside other things.

    ``referring``: trials refer to one of the raw series. ``sharing``: an LFP shares the region of
    electrodes of the raw series, as in pynwb's tutorial, so that its own is a link.
    """
    nwbfile = NWBFile("rich", "rich", START, session_id="1")
    device = nwbfile.create_device("probe")
    group = nwbfile.create_electrode_group("g", description="g", location="CA1", device=device)
    nwbfile.add_electrode(group=group, location="CA1")
    noise = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    raws = []
    for name in ("raw", "referred"):  # each with a region of its own: what is shared is a link
        region = nwbfile.create_electrode_table_region([0], "all")
        raws.append(ElectricalSeries(name=name, data=noise, electrodes=region, rate=200.0))
    running = TimeSeries(name="running", data=noise[:1000], unit="m/s", rate=10.0)
    for thing in (*raws, running):
        nwbfile.add_acquisition(thing)
    if sharing:
        lfp = ElectricalSeries(
            name="lfp", data=noise[:1000], electrodes=raws[0].electrodes, rate=10.0
        )
        nwbfile.create_processing_module("ecephys", "lfp").add(LFP(electrical_series=lfp))
    rng = np.random.default_rng(1)
    for _ in range(4):
        nwbfile.add_unit(spike_times=np.sort(rng.uniform(0, 100, 500)))
    nwbfile.add_trial_column("side", "side")
    nwbfile.add_trial_column("reward", "reward")
    for trial in range(10):
        nwbfile.add_trial(
            start_time=trial * 10.0,
            stop_time=trial * 10.0 + 10,
            side="left" if trial % 2 else "right",
            reward=0.01 * trial**2,
            **({"timeseries": [raws[1]]} if referring else {}),
        )
    with NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


@pytest.fixture(scope="session")
def rich_recording():
    """write_rich(path, **options) → path."""
    return write_rich


@pytest.fixture(scope="session")
def rich(tmp_path_factory):
    """(source, results, annotated file, sha256 of the source before all)."""
    folder = tmp_path_factory.mktemp("rich")
    source = write_rich(folder / "rich.nwb")
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    results = analyse(source)
    return source, results, write(results, folder / "out" / "annotated.nwb"), before


@pytest.fixture
def small(library, tmp_path):
    """(source, results) that a test may damage."""
    return copied(library("trials").results, tmp_path)

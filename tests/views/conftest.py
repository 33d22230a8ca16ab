"""A small recording with hostile text wherever a file can hold text, and its report: made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from make.configs import plain_config
from make.recordings import circle, laps, spatial, write_recording
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.io.read import read
from nwbsparse.models.coder import SparseCoder
from nwbsparse.results.results import Results, environment
from nwbsparse.session import Session
from nwbsparse.training.fit import fit
from nwbsparse.views.report.report import report

CANARY = "<script>alert('x')</script>"
SECONDS = 1200
RATE = 20
"""Hz of the behaviour."""


def wander() -> np.ndarray:
    """Angle (rad) on the circle, back and forth without a period, ``RATE`` samples per second."""
    steps = np.random.default_rng(1).normal(size=SECONDS * RATE)
    speed = np.convolve(steps, np.hanning(3 * RATE), mode="same")
    return np.cumsum(speed / speed.std() * 1.5 / RATE)


def tuned_spikes(angle: np.ndarray, n_units: int = 8) -> list[np.ndarray]:
    """Units that fire at their own part of the circle, except the last, which fires at random."""
    rng = np.random.default_rng(3)
    spikes = []
    for unit in range(n_units):
        times = np.sort(rng.uniform(0, SECONDS, 12 * SECONDS))
        phase = angle[(times * RATE).astype(int)]
        rate = np.exp(4 * (np.cos(phase - 2 * np.pi * unit / n_units) - 1))
        keep = rng.uniform(size=len(times)) < (rate if unit < n_units - 1 else 0.15)
        spikes.append(times[keep])
    return spikes


@torch.no_grad()
def explain_all(session: Session, coder: SparseCoder, binned: xr.Dataset) -> Results:
    """All that follows the fit."""
    latents = encode(coder, binned)
    metrics, attribution = evaluate(coder, binned), explain(coder, binned, latents)
    return Results(session, coder, latents, metrics, attribution, environment(coder))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, xr.Dataset]:
    path = tmp_path_factory.mktemp("report") / "a & b <i>.nwb"
    angle = wander()
    data = np.column_stack([np.cos(angle), np.sin(angle)])
    write_recording(
        path,
        spike_times=[*tuned_spikes(angle), np.array([])],
        unit_columns={"quality": [CANARY, *["good $x^$"] * 8]},
        position=circle(n=1) | {"data": data, "rate": float(RATE)},
        behaviour=[
            spatial("head " + CANARY.replace("/", "|"), data=np.cos(angle), rate=float(RATE))
        ],
        trials=laps(n=SECONDS // 10)
        | {"side": [CANARY if i % 2 else "right $" for i in range(SECONDS // 10)]},
        subject={"subject_id": CANARY, "species": "Rattus norvegicus", "sex": "M"},
        identifier=CANARY,
    )
    session = read(path)
    binned = split(to_bins(session, 0.1), blocks=4)
    config = plain_config(n_latents=16, k=2, max_epochs=20, n_shifts=1000, bin_width=0.1)
    coder = fit(binned, config)
    return explain_all(session, coder, binned), binned


@pytest.fixture(scope="session")
def page(made: tuple[Results, xr.Dataset], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(*made, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="session")
def explained() -> Callable[[Session, SparseCoder, xr.Dataset], Results]:
    """Evaluates and explains a coder on other bins."""
    return explain_all

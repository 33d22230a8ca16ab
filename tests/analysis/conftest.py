"""Coders and recordings that several tests of the analysis look at; nothing here is changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.sessions import make_binned, make_session, make_table, planted
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.models.coder import CoderRecord, SparseCoder
from nwbsparse.session import Series
from nwbsparse.training.fit import fit

SILENT_UNIT = 3
N_FIELDS = 10
"""The first ten units of ``places`` have a place field (but for the silent one)."""


def random_coder(n_units=16, n_latents=32, *, seed=0, k=3, **config):
    """A coder with random weights, normalisation and threshold: nothing was trained."""
    record = CoderRecord(
        plain_config(n_latents=n_latents, k=k, normalisation="zscore", output="identity", **config),
        tuple(str(unit) for unit in range(n_units)),
        bin_width=0.1,
    )
    generator = torch.Generator().manual_seed(seed)
    coder = SparseCoder(record, generator=generator)
    with torch.no_grad():
        coder.encoder_weight.normal_(generator=generator)
        coder.encoder_bias.normal_(generator=generator)
        coder.decoder_bias.normal_(generator=generator)
        coder.offset.uniform_(0, 1, generator=generator)
        coder.scale.uniform_(0.5, 2, generator=generator)
        coder.pre_bias.normal_(generator=generator)
        coder.threshold.fill_(2.0)
    return coder.eval()


def with_rows(binned):
    """The dataset with the row of each unit in its table, as ``to_bins`` gives it."""
    return binned.assign_coords(unit_row=("unit", np.arange(binned.sizes["unit"])))


@pytest.fixture(scope="session")
def data():
    return with_rows(make_binned(planted(2000)))


@pytest.fixture(scope="session")
def coder(data):
    return fit(data, plain_config(n_latents=32, k=3, batch_size=128, max_epochs=4))


@pytest.fixture(scope="session")
def wide_coder():
    """More latents than are kept as a full table."""
    return random_coder(n_latents=300)


def wander(n, rng, *, step=0.05, memory=1.5):
    """(n, 2) positions in the unit square: a smooth walk that forgets within some seconds."""
    walk = np.zeros((n, 2))
    keep = np.exp(-step / memory)
    for at in range(1, n):
        walk[at] = keep * walk[at - 1] + np.sqrt(1 - keep**2) * rng.standard_normal(2)
    return 1 / (1 + np.exp(-1.5 * walk))


def make_places(*, seconds=1200.0, seed=0, trials=False):
    """Ten place cells and eight noise units; one unit is silent. Trials of 5 s, left and right.

    With ``trials`` the last two units fire in left trials only (60 % of the time more).
    """
    rng = np.random.default_rng(seed)
    step = 0.05
    n = int(seconds / step)
    position = wander(n, rng, step=step)
    times = (np.arange(n) + 0.5) * step
    centres = np.stack(np.meshgrid([0.2, 0.5, 0.8], [0.2, 0.5, 0.8]), -1).reshape(-1, 2)
    centres = np.concatenate([centres, [[0.35, 0.65]]])
    distance = ((position[:, None, :] - centres) ** 2).sum(-1)
    rates = np.full((n, 18), 3.0)
    rates[:, :N_FIELDS] = 0.3 + 25 * np.exp(-distance / (2 * 0.12**2))
    side = rng.permuted(np.tile(["left", "right"], int(seconds / 10)))
    if trials:
        left = (side == "left")[(times // 5.0).astype(int)]
        rates[:, 16:] = np.where(left, 12.0, 2.0)[:, None]
    rates[:, SILENT_UNIT] = 0
    spikes = {}
    for unit in range(18):
        fired = rng.random(n) < rates[:, unit] * step
        spikes[unit + 10] = times[fired]
    starts = np.arange(len(side)) * 5.0
    table = make_table(starts, starts + 5.0, side=("category", side))
    moving = Series("position", times, position, unit="m", kind="position")
    fixed = Series("temperature", times, np.full(n, 21.0), unit="C")
    return make_session(
        spikes,
        series=[moving, fixed],
        intervals={"trials": table} if trials else {},
        extent=(0.0, seconds),
    )


QUICK = plain_config(n_latents=32, k=3, batch_size=256, max_epochs=6, test=0.3, n_shifts=200)


def quick_fit(session):
    """The split bins (0.1 s) of a session and a quickly trained coder."""
    binned = split(to_bins(session, 0.1), test=0.3)
    return binned, fit(binned, QUICK)


@pytest.fixture(scope="session")
def places():
    """(split dataset, coder, latents) of ten place cells among noise."""
    binned, made = quick_fit(make_places())
    return binned, made, encode(made, binned)


@pytest.fixture(scope="session")
def trial_places():
    """A split dataset with trials: the last two units fire in those called left."""
    return split(to_bins(make_places(trials=True), 0.1), test=0.3)

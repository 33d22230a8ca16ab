"""A decoder with weights that were written down: every dim of its site stands for one category."""

import json

import numpy as np
import torch
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.decoder_trials import decoder_trials, heads_of
from nwbsparse.splice.transformer import PopulationTransformer

DIRECTIONS = ("0", "90", "180", "270")
FREQUENCIES = ("1", "2", "4")
LINES = ("Cux2", "Rorb")
N_DIMS = len(DIRECTIONS) + len(FREQUENCIES) + len(LINES)
SITE = "blocks.0"
LABELS = {"orientation": DIRECTIONS, "temporal_frequency": FREQUENCIES, "genotype": LINES}
FIRST = {"orientation": 0, "temporal_frequency": 4, "genotype": 7}
"""The dim of the first category of each variable."""
SURE = 12.0


def planted_trials(
    number: int,
    *,
    n_trials: int = 52,
    n_bins: int = 3,
    noise: float = 0.02,
    pause: float = 0.5,
    seed: int = 0,
) -> xr.Dataset:
    """A session whose units each respond to one category, as ``to_trials`` would give it.

    The last four trials are blank; one unit was not observed in the first bin of all.
    """
    rng = np.random.default_rng([seed, number])
    codes = {
        "orientation": rng.permutation(np.arange(n_trials) % len(DIRECTIONS)),
        "temporal_frequency": rng.permutation(np.arange(n_trials) % len(FREQUENCIES)),
        "genotype": np.full(n_trials, number % len(LINES)),
    }
    blank = np.arange(n_trials) >= n_trials - 4
    activity = noise * rng.standard_normal((n_trials, n_bins, N_DIMS))
    for name, code in codes.items():
        activity[np.arange(n_trials), :, FIRST[name] + code] += 1.0
        code[blank] = -1
    activity[0, 0, 3] = np.nan
    width = 0.5
    variables = {
        names.ACTIVITY: ((names.TRIAL, names.TIME, names.UNIT), activity.astype(np.float32)),
        names.BLANK: (names.TRIAL, blank),
        "speed": (
            (names.TRIAL, names.TIME),
            rng.random((n_trials, n_bins)).astype(np.float32),
            {names.KIND: names.CONTINUOUS},
        ),
    }
    for name, code in codes.items():
        said = {names.KIND: names.CATEGORY, names.VALUES: json.dumps(LABELS[name])}
        variables[name] = (names.TRIAL, code.astype(np.int64), said)
    start = 10 + np.arange(n_trials) * (n_bins * width + pause)
    return xr.Dataset(
        variables,
        coords={
            names.TRIAL: np.arange(n_trials),
            names.TIME: width * (np.arange(n_bins) + 0.5),
            names.START: (names.TRIAL, start),
            names.ROW: (names.TRIAL, np.arange(n_trials)),
            names.UNIT: np.arange(N_DIMS),
            names.UNIT_ID: (names.UNIT, np.arange(N_DIMS)),
            names.UNIT_ROW: (names.UNIT, np.arange(N_DIMS)),
        },
        attrs={
            names.SCHEMA: names.TRIALS, names.BIN_WIDTH: width, names.TIME_UNIT: "s",
            names.SOURCE: f"mouse-{number}", names.SOURCE_SHA256: "", names.SESSION: f"mouse-{number}",
            names.TABLE: "gratings", names.WINDOW: [0.0, n_bins * width], names.NOTES: "[]",
        },
    )  # fmt: skip


def planted(n_sessions: int = 12, **options):
    """(trials, sessions, decoder): categories are read off the dims, by weights that nobody trained."""
    trials = [planted_trials(number, **options) for number in range(n_sessions)]
    heads = heads_of(trials, list(LABELS))
    sessions = decoder_trials(trials, heads)
    n_bins = trials[0].sizes[names.TIME]
    units = {one.name: N_DIMS for one in sessions}
    model = PopulationTransformer(
        units, heads, n_bins=n_bins, d_model=N_DIMS, n_blocks=1, n_heads=1
    )
    with torch.no_grad():
        model.position.zero_()
        for one in model.read_ins:
            one.linear.weight.copy_(torch.eye(N_DIMS))
        block = model.blocks[0]
        for layer in (block.attention.out, block.mlp[2]):  # what they add is nothing
            layer.weight.zero_()
            layer.bias.zero_()
        pool = model.pool
        for layer in (pool.attention.query, pool.attention.key_value, pool.attention.out):
            layer.weight.zero_()
            layer.bias.zero_()
        pool.attention.key_value.weight[N_DIMS:] = torch.eye(N_DIMS)  # the mean over bins, as it is
        pool.attention.out.weight.copy_(torch.eye(N_DIMS))
        for name, values in LABELS.items():
            linear = model.readout(name).linear
            linear.weight.zero_()
            linear.bias.zero_()
            for code in range(len(values)):
                linear.weight[code, FIRST[name] + code] = SURE
    return trials, sessions, model.eval()

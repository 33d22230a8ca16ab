"""Binned recordings as the trainers read them, made or from arrays, with numpy alone.

What ``fit`` asks of a Binned dataset is a handful of named arrays; here they are without xarray, so
that a benchmark measures training and runs where only torch and numpy are.
"""

import contextlib
from dataclasses import dataclass

import numpy as np

TRAIN, VALIDATION = 0, 1
AT_ONCE = 10_000
FULL_UPDATES = 3_000  # of a training whose length is left to nwbsparse


@dataclass
class Values:
    values: np.ndarray

    def __getitem__(self, bins):
        return Values(self.values[bins])


class Bins(dict):
    """name → array, as much of a dataset as ``fit`` reads."""

    coords = ("split", "segment", "unit_id")

    def __init__(self, counts, split, segment=None):
        n_bins, n_units = counts.shape
        arrays = {
            "counts": counts,
            "split": split,
            "segment": np.zeros(n_bins, np.int32) if segment is None else segment,
            "unit_id": np.array([str(unit) for unit in range(n_units)]),
        }
        super().__init__({name: Values(array) for name, array in arrays.items()})
        self.sizes = {"time": n_bins, "unit": n_units}
        self.attrs = {"bin_width": 0.02}


def poisson_bins(n_bins, n_units, *, validation=0.1, segment=None):
    """Counts of one byte at the rates of ``train_peer.py``; the last bins are for validation."""
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.05, 2.0, n_units)
    counts = np.empty((n_bins, n_units), np.uint8)
    for begin in range(0, n_bins, AT_ONCE):  # or the peak of memory would be that of making them
        some = counts[begin : begin + AT_ONCE]
        some[:] = rng.poisson(rates, some.shape)
    split = np.full(n_bins, TRAIN, np.int8)
    split[n_bins - round(validation * n_bins) :] = VALIDATION
    return Bins(counts, split, segment)


def bernoulli_bins(n_bins, n_units, *, validation=0.1):
    """Zeros and ones, drawn ten times as fast: for tables of hundreds of millions."""
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.02, 0.3, n_units).astype(np.float32)
    counts = np.empty((n_bins, n_units), np.uint8)
    for begin in range(0, n_bins, AT_ONCE):
        some = counts[begin : begin + AT_ONCE]
        np.less(rng.random(some.shape, np.float32), rates, out=some.view(bool))
    split = np.full(n_bins, TRAIN, np.int8)
    split[n_bins - round(validation * n_bins) :] = VALIDATION
    return Bins(counts, split)


@contextlib.contextmanager
def checks_of_a_full_training(share):
    """A short training looks at its validation bins as often per update as a full one does.

    ``fit`` looks 30 times however short it is: in three epochs that would cost six times as much
    per update as in the seventeen that it chooses by itself.
    """
    from nwbsparse.training.train import train

    defaults = train.__kwdefaults__
    usual = defaults["checks"]
    defaults["checks"] = max(1, round(usual * min(share, 1)))
    try:
        yield
    finally:
        defaults["checks"] = usual

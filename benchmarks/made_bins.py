"""Binned recordings as the trainers read them, made or from arrays, with numpy alone.

What ``fit`` asks of a Binned dataset is a handful of named arrays; here they are without xarray, so
that a benchmark measures training and runs where only torch and numpy are.
"""

from dataclasses import dataclass

import numpy as np

TRAIN, VALIDATION = 0, 1


@dataclass
class Values:
    values: np.ndarray


class Bins(dict):
    """name → array, as much of a dataset as ``fit`` reads."""

    coords = ("split", "segment", "unit_id")

    def __init__(self, counts, split):
        n_bins, n_units = counts.shape
        arrays = {
            "counts": counts,
            "split": split,
            "segment": np.zeros(n_bins, np.int32),
            "unit_id": np.array([str(unit) for unit in range(n_units)]),
        }
        super().__init__({name: Values(array) for name, array in arrays.items()})
        self.attrs = {"bin_width": 0.02}


def poisson_bins(n_bins, n_units, *, validation=0.1):
    """Counts of one byte as the peers get them in ``train_peer.py``; the last bins are validation."""
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.05, 2.0, n_units)
    return split_bins(rng.poisson(rates, (n_bins, n_units)).astype(np.uint8), validation)


def split_bins(counts, validation):
    """Any array (time, unit), its last share kept for validation."""
    split = np.full(len(counts), TRAIN, np.int8)
    split[len(counts) - round(validation * len(counts)) :] = VALIDATION
    return Bins(counts, split)

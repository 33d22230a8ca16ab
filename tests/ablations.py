"""Recordings and a slow reference for what is lost when latents are removed one by one."""

from __future__ import annotations

import numpy as np
import torch

from sessions import make_binned

KINDS = {
    "linear": {},
    "levels": {"levels": ("4:1", "16:3")},
    "rates": {"loss": "poisson"},
    "relu": {"sparsifier": "l1", "normalisation": "none", "output": "relu"},
    "window": {"encoder": "window", "window": 4},
    "transformer": {"encoder": "transformer", "window": 4},
    "convolution": {"decoder": "convolution", "window": 4},
    "rates_of_time_courses": {"decoder": "convolution", "window": 4, "loss": "poisson"},
}


def recording(*, n: int = 1500, seed: int = 3, valid: np.ndarray | None = None):
    """Counts of six units as the coders of ``coders.make_coder`` know them."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(1.0, 1.0, (n, 6)) + 2 * (rng.random((n, 1)) < 0.2)
    data = make_binned(rng.poisson(rates).astype(np.uint8), bin_width=0.02, valid=valid, gap=0.2)
    return data.assign_coords(unit_id=("unit", [f"u{unit}" for unit in range(6)]))


def reference(coder, data):
    """(latent, unit) gain in squared error without each latent, variance, and who was active.

    Bin by bin, window by window: every latent is set to zero and everything decoded again.
    """
    from nwbsparse.analysis.apply.heldout import whole_bins

    bins = whole_bins(coder, data, "test")
    width = coder.architecture.window
    rows = coder.architecture.decoder.rows_per_bin
    observed = np.ones((len(bins), coder.n_targets), dtype=bool)
    counts = torch.from_numpy(data["counts"].values)
    seen = torch.from_numpy(bins[:, None] + np.arange(1 - width, 1))
    valid = None
    if "valid" in data:
        observed = data["valid"].values[bins]
        valid = torch.from_numpy(data["valid"].values)[seen]
    with torch.no_grad():
        y = coder.normalise(counts[seen], valid)
        z = coder.normalise_target(counts[torch.from_numpy(bins)]).numpy()
        given = y.reshape(len(bins) * rows, -1, coder.n_units) if rows > 1 else y
        activation = coder.activate(coder.pre_activation(given))

        def error(code):
            guess = coder.decode(code).view(len(bins), -1, coder.n_targets)[:, -1].numpy()
            return np.where(observed, (z - guess) ** 2, 0).sum(axis=0)

        full = error(activation)
        lost = []
        for latent in range(coder.n_latents):
            without = activation.clone()
            without[:, latent] = 0
            lost.append(error(without) - full)
    z = np.where(observed, z, np.nan)
    variance = np.nansum((z - np.nanmean(z, axis=0)) ** 2, axis=0)
    return np.array(lost), variance, (activation > 0).any(dim=0).numpy()

"""What is chosen when the options leave it open."""

from __future__ import annotations

import math

import numpy as np

from nwbsparse.config import Config, parse_levels
from nwbsparse.errors import BadInput

BATCH = 1024
UPDATES = 3000
MIN_LATENTS, MAX_LATENTS = 64, 4096


def resolve(config: Config, counts: np.ndarray, *, n_train: int, bin_width: float) -> Config:
    """The options with every open choice made from the counts (time, unit).

    n_latents: 4 per unit that fires, rounded up to a multiple of 32, within 64-4,096. k: mean
    number of active units per bin, at least 4 and at most n_latents/8. batch_size: 1,024, or an
    eighth of the training bins where there are fewer. max_epochs: as many as give 3,000 updates.

    Raises:
        BadInput: k or the batch turn out larger than they can be.
    """
    levels = parse_levels(config.levels)
    firing = int((counts > 0).any(axis=0).sum())
    if levels:
        n_latents, k = levels[-1]
    else:
        automatic = int(np.clip(32 * math.ceil(4 * firing / 32), MIN_LATENTS, MAX_LATENTS))
        n_latents = config.n_latents or automatic
        active = float((counts > 0).sum() / max(len(counts), 1))
        k = config.k or int(np.clip(round(active), min(4, n_latents), max(n_latents // 8, 1)))
    batch = config.batch_size or (BATCH if n_train >= BATCH else max(n_train // 8, 1))
    if k > n_latents:
        raise BadInput(
            f"k is {k} but there are only {n_latents} latents; k must not exceed n_latents"
        )
    if batch > n_train:
        raise BadInput(f"batch {batch} > {n_train} training bins; use a smaller --batch-size")
    updates = n_train // batch
    return config.replace(
        bin_width=bin_width,
        n_latents=n_latents,
        k=k,
        batch_size=batch,
        max_epochs=config.max_epochs or math.ceil(UPDATES / updates),
        k_aux=min(config.k_aux or max(n_latents // 10, 1), n_latents),
        normalisation=config.target[0],
        output=config.target[1],
    )

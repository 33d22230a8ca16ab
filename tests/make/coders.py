"""Coders with random weights for tests: nothing was trained, everything is seeded."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from make.configs import plain_config
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.automatic import resolve
from nwbsparse.options.config import Config

N_UNITS = 6


def settled(*, n_units: int = N_UNITS, **options: Any) -> Config:
    """Options with every open choice made, as training makes them; 16 latents, 2 active."""
    size = {} if "levels" in options else {"n_latents": 16, "k": 2}
    config = plain_config(**size | {"precision": "float64"} | options)
    return resolve(config, np.ones((64, n_units)), n_train=4096, bin_width=0.02)


def make_coder(
    *, seed: int = 0, n_units: int = N_UNITS, n_targets: int | None = None, **options: Any
) -> SparseCoder:
    """A coder whose every weight is random, normalisation and thresholds too.

    Its normalisation does not depend on the seed: coders of several seeds fit in one stack.
    """
    record = CoderRecord(
        config=settled(n_units=n_units, **options),
        unit_ids=tuple(f"u{unit}" for unit in range(n_units)),
        bin_width=0.02,
        target_ids=None if n_targets is None else tuple(f"t{unit}" for unit in range(n_targets)),
        source_sha256="0" * 64,
        history=({"update": 1, "validation_loss": 0.5},),
    )
    generator = torch.Generator().manual_seed(seed)
    coder = SparseCoder(record, generator=generator)
    scaling = torch.Generator().manual_seed(99)
    with torch.no_grad():
        for parameter in coder.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
        coder.renormalise()
        for name, buffer in coder.named_buffers():
            draw = torch.rand(buffer.shape, generator=scaling)
            if name in ("pre_bias", "threshold"):
                buffer.copy_(draw)
            elif coder.config.normalisation == "zscore":
                buffer.copy_(draw + 0.5)
    return coder.eval()


def windows(coder: SparseCoder, n: int = 24, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A batch as training sees it: normalised windows (bin, lag, unit) and their target."""
    rng = np.random.default_rng(seed)
    shape = (n, coder.architecture.window, coder.n_units)
    counts = torch.from_numpy(rng.poisson(1.5, shape).astype(np.uint8))
    y = coder.normalise(counts)
    if coder.record.target_ids is None:
        return y, y[:, -coder.architecture.n_decoded :].flatten(1)
    shape = (n, coder.architecture.n_decoded, coder.n_targets)
    wanted = torch.from_numpy(rng.poisson(1.5, shape).astype(np.uint8))
    return y, coder.normalise_target(wanted).flatten(1)

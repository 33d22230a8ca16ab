"""What is chosen when the options leave it open."""

from __future__ import annotations

import math

import numpy as np

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.options.config import Config
from nwbsparse.options.legality import is_penalised, parse_levels

BATCH, RECIPE_BATCH = 1024, 512
UPDATES = 3000
MIN_LATENTS, MAX_LATENTS = 64, 4096
PER_DIM, ACTIVE_SHARE, MIN_ACTIVE = 8, 4, 4
"""Latents per dim of an embedding: what Naik (2025) chose of 2, 4 and 8. Latents active per bin: a
quarter of the dims, at least four. No dim is ever silent, so counting active units says nothing, and
with the k of 8 to 32 of that paper as many latents are active as an embedding of 8 to 32 has dims,
which a rotation of it could do as well."""

WINDOW = 10
PENALTY_WEIGHT = 0.1
KERNEL_WIDTH, SATURATION = 0.05, 1e-3


def shaped(config: Config) -> Config:
    """The options with the window settled, which says what can be learned from at all.

    One bin for a linear encoder and decoder, ten where several are seen; of a window all bins are
    reconstructed, of a decoder with time courses the last.
    """
    one_bin = config.encoder == "linear" and config.decoder == "linear"
    several = config.encoder != "linear"
    return config.replace(
        window=config.window or (1 if one_bin else WINDOW),
        decoded=config.decoded or ("all" if several else "last"),
    )


def reach(config: Config) -> int:
    """How many bins a coder looks, or reconstructs, beyond the one that it encodes."""
    return (shaped(config).window or 1) - 1 + abs(config.lag)


def resolve(
    config: Config,
    counts: np.ndarray,
    *,
    n_train: int,
    bin_width: float,
    n_units: int | None = None,
) -> Config:
    """The options with every open choice made from the counts (time, unit).

    n_latents: 4 per unit that fires, rounded up to a multiple of 32, within 64-4,096. k: mean
    number of active units per bin, at least 4 and at most n_latents/8. Of an embedding
    (time, dim): 8 per dim, and a quarter of the dims, at least 4. batch_size: 1,024, or an eighth
    of the training bins where there are fewer. max_epochs: as many as give 3,000 updates.
    The window as :func:`shaped` settles it. level_terms: the sum, where there are levels.
    penalty_weight: 0.1. bandwidth: 0.05 for JumpReLU's
    kernel, 1e-3 for the exponential penalty. ``n_units`` is how many of the units are encoded, all
    unless said.

    Raises:
        BadInput: k or the batch turn out larger than they can be.
    """
    levels = parse_levels(config.levels)
    if levels:
        n_latents, k = levels[-1]
    else:
        automatic, active = _sizes(config, counts)
        if config.expansion is not None:
            automatic = config.expansion * (counts.shape[1] if n_units is None else n_units)
        n_latents = config.n_latents or automatic
        k = config.k or int(np.clip(active, min(4, n_latents), max(n_latents // 8, 1)))
    chosen = config.choose != "none"
    usual = min(RECIPE_BATCH, n_train // 2) if chosen else min(BATCH, n_train // 8)
    batch = config.batch_size or (BATCH if not chosen and n_train >= BATCH else max(usual, 1))
    if config.expansion is not None and config.k is not None:
        k = min(k, n_latents)  # a grid of both (Naik 2025) holds pairs that cannot be had
    if k > n_latents:
        raise BadInput(
            f"k is {k} but there are only {n_latents} latents; k must not exceed n_latents"
        )
    if batch > n_train:
        raise BadInput(f"batch {batch} > {n_train} training bins; use a smaller --batch-size")
    updates = n_train // batch
    config = shaped(config)
    penalised = is_penalised(config.sparsifier)
    bandwidth = config.bandwidth
    if config.sparsifier == "jumprelu":
        bandwidth = bandwidth or KERNEL_WIDTH
    elif config.penalty == "exponential":
        bandwidth = bandwidth or SATURATION
    weight = config.penalty_weight
    if weight is None and penalised:
        weight = PENALTY_WEIGHT
    return config.replace(
        penalty_weight=weight,
        bandwidth=bandwidth,
        bin_width=bin_width,
        n_latents=n_latents,
        expansion=None,
        k=k,
        level_terms=(config.level_terms or "sum") if levels else None,
        batch_size=batch,
        max_epochs=config.max_epochs or math.ceil(UPDATES / updates),
        smoothing=config.smoothing or 0.0,
        mask=config.mask or 0.0,
        transform=config.transform or _transform(config, counts),
        sign=config.sign or _sign(config, counts),
        k_aux=min(config.k_aux or max(n_latents // 10, 1), n_latents),
        normalisation=config.scaling[0],
        output=config.scaling[1],
    )


def _sign(config: Config, counts: np.ndarray) -> str:
    """Counts, events and binary activity add up; signed traces and embeddings go both ways."""
    if config.choose == "none" and not config.mask:
        return "free"
    signed = config.reads == names.EMBEDDING or counts.min(initial=0) < 0
    return "free" if signed else "nonnegative"


def _transform(config: Config, counts: np.ndarray) -> str:
    """The noise of counts grows with them; that of their square roots does not (Anscombe 1948)."""
    if config.scaling != ("scaled", "identity") or counts.dtype.kind not in "ui":
        return "none"
    return "sqrt" if counts.max(initial=0) > 1 else "none"


def _sizes(config: Config, counts: np.ndarray) -> tuple[int, int]:
    """How many latents there should be, and how many of them active in a bin."""
    if config.reads == names.EMBEDDING:
        n_dims = counts.shape[1]
        return min(PER_DIM * n_dims, MAX_LATENTS), max(n_dims // ACTIVE_SHARE, MIN_ACTIVE)
    active_bins = sum((some > 0).sum(axis=0) for some in np.array_split(counts, _parts(counts)))
    firing = int(np.count_nonzero(active_bins))
    n_latents = int(np.clip(32 * math.ceil(4 * firing / 32), MIN_LATENTS, MAX_LATENTS))
    return n_latents, round(float(np.sum(active_bins) / max(len(counts), 1)))


def _parts(counts: np.ndarray) -> int:
    # a comparison of the whole table would be another table
    return max(1, counts.size // 10_000_000)

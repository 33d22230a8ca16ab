"""A coder before its first update, and the thresholds it gets after its last."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.models.architecture import DICTIONARY, DISPERSION, UNIFORM
from nwbsparse.models.calibration import ThresholdSearch
from nwbsparse.models.coder import NO_PART, SparseCoder, transformed
from nwbsparse.models.decoders import inverse_output
from nwbsparse.models.encoders import WEIGHT
from nwbsparse.models.record import CoderRecord
from nwbsparse.models.stack import Stack
from nwbsparse.options.config import Config
from nwbsparse.options.legality import takes_any_number
from nwbsparse.population import Population
from nwbsparse.training.bins import Windows, evenly, smoothed_input, windows_of

CHUNK = 8192
CALIBRATED = 1024
"""Bins at a time, when thresholds are sought: their pre-activations stay in the cache."""
SAMPLED = 8192
MARGINS = (0.02, 0.1)
"""How far, relatively, a recording's threshold hardly ever lies from that of its sample; and, where
the first was too near, how far it lies still more rarely."""
LEAST_DISPERSION = 1e-3
FEWEST = 20
"""Training bins in which a unit must be active to take part."""


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation over training bins, of what is encoded and reconstructed."""

    mean: np.ndarray
    spread: np.ndarray
    """0 for units that take no part: those that never change, or hardly ever fire."""
    wanted: np.ndarray
    wanted_spread: np.ndarray


def moments_of(record: CoderRecord, binned: Any, *, target: Any = None) -> Moments:
    """The moments that a coder's normalisation and first biases come from."""
    read = record.reads(binned)
    train = np.asarray(binned[names.SPLIT].values) == names.TRAIN
    config = record.config
    mean, spread = _moments(read, smoothed_input(config, read.data), train, config)
    if not record.scales_target:
        return Moments(mean, spread, mean, spread)
    written = record.writes(binned if target is None else target)
    raw = written.values()
    wanted, wanted_spread = _moments(written, raw, train, config)
    if config.normalisation == "scaled":
        own = raw if written.data is read.data else read.values()
        spread = np.where(rarely_active(own, train), 0.0, spread)
        wanted_spread = np.where(rarely_active(raw, train), 0.0, wanted_spread)
    return Moments(mean, spread, wanted, wanted_spread)


def untrained(
    record: CoderRecord, binned: Any, *, target: Any = None, moments: Moments | None = None
) -> SparseCoder:
    """The coder before the first update: seeded weights, normalisation of the training bins.

    A unit that never changes in training has scale 1 and no weights: random ones would stand in
    the dictionary for ever and mean nothing. ``moments`` are computed when they are not given.
    """
    coder = SparseCoder(record, generator=torch.Generator().manual_seed(record.config.seed))
    found = moments or moments_of(record, binned, target=target)
    mean, spread, wanted, wanted_spread = (
        found.mean, found.spread, found.wanted, found.wanted_spread,
    )  # fmt: skip
    with torch.no_grad():
        _silence(coder, spread == 0, wanted_spread == 0)
        if record.config.normalisation == "zscore":
            _scale(coder.offset, coder.scale, mean, spread)
            if record.apart:
                _scale(coder.target_offset, coder.target_scale, wanted, wanted_spread)
        elif record.config.normalisation == "scaled":
            wanted = _scale_apart(coder, found)
        elif record.config.pre_bias == "mean":
            coder.pre_bias.copy_(torch.from_numpy(mean))
        if record.config.normalisation != "zscore" and record.config.initialisation not in UNIFORM:
            start = inverse_output(coder.output, torch.from_numpy(wanted))
            coder.decoder_bias.copy_(start.repeat(coder.architecture.n_decoded))
        if DISPERSION in coder.state_dict():
            # the moments' own estimate: variance = μ + αμ²
            over = (wanted_spread**2 - wanted) / np.maximum(wanted, 1e-3) ** 2
            start = torch.from_numpy(np.log(np.maximum(over, LEAST_DISPERSION)))
            coder.get_parameter(DISPERSION).copy_(start)
    return coder


def untrained_control(coder: SparseCoder, binned: Any, *, target: Any = None) -> SparseCoder:
    """A coder of the same shape, seed and normalisation that has learned nothing.

    Its threshold is found on the training bins like that of the trained one, so both are equally
    sparse: what a claim must beat, since random rectified directions also correlate with things.
    """
    control = untrained(replace(coder.record, history=()), binned, target=target)
    calibrate(control, windows_of(control.record, binned, target=target))
    return control.eval()


@torch.no_grad()
def calibrate(coder: SparseCoder, windows: Windows) -> None:
    """Set each level's threshold to the value that gives a mean L0 of k on the training bins."""
    if not coder.architecture.sparsifier.calibrated:
        return
    train, nested = windows.train, coder.config.nesting == "nested"
    # prefixes of one selection have its threshold
    levels = coder.levels[-1:] if nested else coder.levels
    everything = [(0.0, math.inf)] * len(levels)
    edges: list[float] = []
    if len(train) > 2 * SAMPLED:
        # what a sample says, give or take a little: nearly all values are far from it
        sample = _searches(coder, windows, evenly(train, SAMPLED), levels, everything)
        edges = [float(search.threshold()) for search in sample]
    for margin in MARGINS if edges and min(edges) > 0 else ():
        guesses = [(edge * (1 - margin), edge * (1 + margin)) for edge in edges]
        found = _searches(coder, windows, train, levels, guesses)
        if not any(search.missed for search in found):
            break
    else:
        found = _searches(coder, windows, train, levels, everything)
    if nested:
        coder.threshold.fill_(found[-1].threshold())
        return
    for level, search in enumerate(found):
        coder.threshold[level] = search.threshold()


def _searches(
    coder: SparseCoder,
    windows: Windows,
    index: Tensor,
    levels: list[tuple[int, int]],
    guesses: list[tuple[float, float]],
) -> list[ThresholdSearch]:
    """Feed these windows to a search per level."""
    found = [
        ThresholdSearch(k, n_bins=len(index), between=guess)
        for (_, k), guess in zip(levels, guesses, strict=True)
    ]
    stack = Stack([coder])
    for some in index.split(CALIBRATED):
        pi = stack.pre_activations(windows.batch(coder, some).y[:, -coder.window :])
        for (size, _), search in zip(levels, found, strict=True):
            search.add(pi.narrowed(size))
    return found


def _moments(
    population: Population, table: np.ndarray, train: np.ndarray, config: Config
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of a table over the training bins in which a unit was observed."""
    n = total = square = np.zeros(())
    rows = np.flatnonzero(train)
    for some in np.array_split(rows, max(1, -(-len(rows) // CHUNK))):  # or it would be copied whole
        observed = population.observed(some)
        part = transformed(table[some].astype(np.float64), config) * observed
        n, total = n + observed.sum(axis=0), total + part.sum(axis=0)
        square = square + np.square(part).sum(axis=0)
    mean = total / np.maximum(n, 1)
    return mean, np.sqrt(np.maximum(square / np.maximum(n, 1) - mean**2, 0))


def rarely_active(table: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Units with too few bins that are not zero to say with whom they are active."""
    rows = np.flatnonzero(train)
    parts = np.array_split(rows, max(1, -(-len(rows) // CHUNK)))
    active = np.sum([(table[some] != 0).sum(axis=0) for some in parts], axis=0)
    return np.asarray(active < FEWEST)


def _scale_apart(coder: SparseCoder, found: Moments) -> np.ndarray:
    """Scale what is read to z-scores, what is reconstructed to standard deviations; its new mean.

    Not centred: a non-negative dictionary adds to silence. For losses of counts the target stays
    as it is. A unit that takes no part is scaled to nothing on both sides.
    """
    _scale(coder.offset, coder.scale, found.mean, found.spread)
    coder.scale[torch.from_numpy(found.spread == 0)] = NO_PART
    out = found.wanted_spread == 0
    size = (
        found.wanted_spread if takes_any_number(coder.config.loss) else np.ones_like(found.wanted)
    )
    coder.target_scale.copy_(torch.from_numpy(np.where(out, NO_PART, size)))
    # exactly 0: of the least remainder Adam, which divides by the gradient's size, makes much
    return np.where(out, 0.0, found.wanted / np.where(out, 1.0, size))


def _scale(offset: Tensor, scale: Tensor, mean: np.ndarray, spread: np.ndarray) -> None:
    offset.copy_(torch.from_numpy(mean))
    scale.copy_(torch.from_numpy(np.where(spread > 0, spread, 1.0)))


def _silence(coder: SparseCoder, unseen: np.ndarray, unwritten: np.ndarray) -> None:
    """Take the weights off units that never change in training."""
    rows = coder.get_parameter(DICTIONARY)
    rows.view(coder.n_latents, -1, coder.n_targets)[:, :, torch.from_numpy(unwritten)] = 0.0
    if coder.config.rows == "unit" or coder.config.initialisation != "uniform":
        coder.renormalise()  # free rows that begin as a linear layer's have the lengths of those
    weight = coder.get_parameter(WEIGHT)
    tied = coder.architecture.tied(rows)
    if tied is not None:
        weight.copy_(tied)
    if coder.config.encoder != "transformer" or coder.config.attention == "latent":
        weight.view(coder.n_latents, -1, coder.n_units)[:, :, torch.from_numpy(unseen)] = 0.0

"""What comes back in coders of many seeds, and only that (recipe, 6 and 8).

No rule for the size of a dictionary finds the true number of patterns; what several dictionaries
that are too large have in common does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from nwbsparse.models.coder import SparseCoder
from nwbsparse.training.bins import Windows, evenly, rows_seen

CUT = 0.8
"""Cosine within a cluster of rows (average linkage); and of a latent with its counterpart."""
SHARE = 0.4
"""Share of the seeds that must have a row in a cluster for it to be kept."""
ALIVE = 1e-4
"""Share of the training bins in which a row must be active to have a voice."""
ALIKE = 0.7
"""Correlation of activations from which two latents of different coders count as one."""
LOOKED_AT = 8192
CHUNK = 2048


@dataclass(frozen=True)
class Consensus:
    """The rows that come back, in the order of their mean activity."""

    rows: Float[np.ndarray, "latent value"]
    """Of unit length: the means of the clusters."""
    recurrence: Float[np.ndarray, " latent"]
    """Share of the seeds with a row in the cluster."""
    level: Int[np.ndarray, " latent"]
    """The Matryoshka level whose rows they are; 0 where there is one."""


def consensus(coders: Sequence[SparseCoder], windows: Windows) -> Consensus:
    """Cluster the rows of coders that differ in their seed, and keep what 40 % of them have.

    Rows of a smaller Matryoshka level are clustered first and stand first. Where nothing is kept,
    the cluster with most seeds is: a coder needs a latent, and its recurrence says what it is worth.

    Args:
        coders: trained, thresholds found, of one shape, in the order of their seeds.
        windows: what they were trained on.
    """
    index = evenly(windows.train, LOOKED_AT)
    seen = [activations(coder, windows, index) for coder in coders]
    rows = [coder.dictionary.detach().numpy().astype(np.float64) for coder in coders]
    # a row of which the projection left nothing points nowhere
    live = [
        ((table > 0).mean(axis=0) > ALIVE) & one.any(axis=1)
        for table, one in zip(seen, rows, strict=True)
    ]
    mean = [table.mean(axis=0) for table in seen]
    sizes = [size for size, _ in coders[0].levels]
    found: list[Consensus] = []
    for level, (first, stop) in enumerate(zip([0, *sizes[:-1]], sizes, strict=True)):
        kept = [np.flatnonzero(one[first:stop]) + first for one in live]
        parts = _clusters(
            np.concatenate([table[at] for table, at in zip(rows, kept, strict=True)]),
            np.concatenate([[seed] * len(at) for seed, at in enumerate(kept)]).astype(int),
            np.concatenate([one[at] for one, at in zip(mean, kept, strict=True)]),
            n_seeds=len(coders),
        )
        if parts is not None:
            found.append(Consensus(*parts, np.full(len(parts[0]), level)))
    if not found:  # nobody is ever active
        return Consensus(rows[0][:1], np.array([1 / len(coders)]), np.zeros(1, dtype=int))
    return Consensus(
        np.concatenate([one.rows for one in found]),
        np.concatenate([one.recurrence for one in found]),
        np.concatenate([one.level for one in found]),
    )


def _clusters(
    rows: np.ndarray, seed: np.ndarray, activity: np.ndarray, *, n_seeds: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Means of the clusters that are kept, most active first, and their share of the seeds."""
    if not len(rows):
        return None
    cluster = np.ones(1, dtype=int)
    if len(rows) > 1:
        cluster = fcluster(linkage(rows, "average", metric="cosine"), 1 - CUT, "distance")
    labels = np.unique(cluster)
    share = np.array([len(np.unique(seed[cluster == one])) for one in labels]) / n_seeds
    strength = np.array([activity[cluster == one].mean() for one in labels])
    kept = share >= SHARE - 1e-9
    if not kept.any():
        kept[np.lexsort([strength, share])[-1]] = True
    order = np.flatnonzero(kept)[np.argsort(-strength[kept], kind="stable")]
    means = np.stack([rows[cluster == labels[at]].mean(axis=0) for at in order])
    length = np.linalg.norm(means, axis=1, keepdims=True)
    return means / np.maximum(length, 1e-12), share[order]


def found_again(
    coder: SparseCoder, other: SparseCoder, windows: Windows, index: Int[Tensor, " window"]
) -> Bool[np.ndarray, " latent"]:
    """Which latents of a coder another one has too: rows and activations alike, one to one.

    Cosine of the rows of 0.8 or more, correlation of the activations of 0.7 or more.

    Args:
        coder, other: of one shape of input.
        windows: the recording.
        index: held-out bins, on which activations are compared.
    """
    one, two = (
        torch.nn.functional.normalize(each.dictionary.detach().double(), dim=1).numpy()
        for each in (coder, other)
    )
    cosine = one @ two.T
    rows, partner = linear_sum_assignment(-cosine)
    some = evenly(index, LOOKED_AT)
    a, b = (unit_columns(activations(each, windows, some)) for each in (coder, other))
    alike = np.nansum(a[:, rows] * b[:, partner], axis=0)
    again = np.zeros(len(one), dtype=bool)
    again[rows] = (cosine[rows, partner] >= CUT) & (alike >= ALIKE)
    return again


@torch.no_grad()
def activations(
    coder: SparseCoder, windows: Windows, index: Int[Tensor, " window"]
) -> Float[np.ndarray, "bin latent"]:
    """Activations of the bins themselves, under the coder's threshold."""
    parts = []
    for some in index.split(CHUNK):
        active = coder.activate(
            coder.pre_activation(rows_seen(coder, windows.batch(coder, some).y))
        )
        parts.append(active.view(len(some), -1, active.shape[1])[:, -1])
    return torch.cat(parts).cpu().numpy()


def unit_columns(table: np.ndarray) -> np.ndarray:
    """Columns of zero mean and unit length, so that products are correlations; NaN if constant."""
    centred = table - table.mean(axis=0, dtype=np.float64)
    length = np.sqrt((centred**2).sum(axis=0))
    return np.where(length > 1e-9, centred / np.maximum(length, 1e-9), np.nan)

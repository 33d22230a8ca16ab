"""What made an embedding as a differentiable function, for attribution from dims back to units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from nwbsparse.embedding.embedder import Embedder

Network = Callable[[Any], Any]


def network_of(embedder: Embedder, *, n_units: int) -> Network | None:
    """(bin, window, unit) → (bin, dim), as torch differentiates it; None for a method without gradients.

    NMF solves a problem of its own for every bin, and UMAP and t-SNE have no function.

    Raises:
        EnvironmentProblem: the package of the network is not installed.
    """
    if embedder.method == "cebra":
        from nwbsparse.embedding.cebra import restored

        trained = restored(embedder, n_units=n_units)
        return lambda windows: trained(windows.transpose(1, 2)).reshape(len(windows), -1)
    if "matrix" in embedder.arrays:
        matrix = torch.from_numpy(embedder.arrays["matrix"]).float()
        mean = torch.from_numpy(embedder.arrays["mean"]).float()
        return lambda windows: (windows[:, 0] - mean) @ matrix
    return None

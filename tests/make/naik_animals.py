"""Animals as the reproduction of Naik 2025 takes them: a rat on a track, and embeddings of its bins."""

from __future__ import annotations

from pathlib import Path

import numpy as np

N_BINS = 700


def write_animals(
    folder: Path,
    *,
    names: tuple[str, ...] = ("sim",),
    dims: tuple[int, ...] = (4,),
    n_bins: int = N_BINS,
    seed: int = 0,
) -> Path:
    """Stored embeddings of every name; of the first also the recording, ``rat-NAME-25ms.npz``."""
    folder.mkdir(parents=True, exist_ok=True)
    for at, name in enumerate(names):
        rng = np.random.default_rng(seed + at)
        phase = np.cumsum(rng.uniform(0.02, 0.05, n_bins))
        position, right = 1.6 * np.abs(phase % 2 - 1), (phase % 2 < 1).astype(float)
        if not at:
            centres = rng.uniform(0, 1.6, 8)
            rate = 0.05 + np.exp(-0.5 * ((position[:, None] - centres) / 0.2) ** 2)
            rate[:, ::2] *= right[:, None]
            np.savez(
                folder / f"rat-{name}-25ms.npz", spikes=rng.poisson(rate).astype(np.uint8),
                position=position, right=right, left=1 - right,
            )  # fmt: skip
        turns = np.arange(max(dims))
        latent = np.cos(np.pi * (phase[:, None] * (turns // 2 + 1) + turns % 2 / 2))
        for size in dims:
            table = latent[:, :size] + 0.3 * rng.standard_normal((n_bins, size))
            table = (table / np.linalg.norm(table, axis=1, keepdims=True)).astype(np.float32)
            n_train = int(0.8 * n_bins)
            np.save(folder / f"{name}-{size}-train.npy", table[:n_train])
            np.save(folder / f"{name}-{size}-valid.npy", table[n_train:])
    return folder

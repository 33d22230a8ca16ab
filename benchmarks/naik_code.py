"""The published sweep of Naik (2025) again: train R² of TopK coders on the stored embeddings.

    NWBSPARSE_DATA=FOLDER .venv/bin/python benchmarks/naik_code.py [--seeds 3]

Preset ``naik2025-code`` (TopK, eight latents per dimension, learning rate 1e-3, batches of 512, 50
epochs of eleven batches: ours leave the incomplete eleventh out and make 55) on the CEBRA embeddings
of two rats. The published figures are train numbers, so these are,
and say so; nothing is held out here. All seeds and k of a shape are one stack.
"""

import argparse
import os
from pathlib import Path

import numpy as np

PUBLISHED = {
    ("buddy", 8): (0.936, 0.977, 0.994),
    ("buddy", 16): (0.850, 0.934, 0.976),
    ("buddy", 32): (0.794, 0.895, 0.952),
    ("buddy", 64): (0.814, 0.897, 0.950),
    ("achilles", 8): (0.946, 0.984, 0.996),
    ("achilles", 16): (0.862, 0.951, 0.985),
    ("achilles", 32): (0.795, 0.902, 0.963),
    ("achilles", 64): (0.816, 0.909, 0.959),
}
KS = (8, 16, 32)


def train_r2(coder, embedding):
    """Of all dimensions together, in the embedding's own scale."""
    import torch

    with torch.no_grad():
        predicted = coder.decode(coder(torch.from_numpy(embedding))).numpy()
    error = ((embedding - predicted) ** 2).sum()
    return 1 - error / ((embedding - embedding.mean(axis=0)) ** 2).sum()


def main():
    import machine
    from made_bins import TRAIN, Bins

    from nwbsparse.options.config import Config
    from nwbsparse.options.presets import preset
    from nwbsparse.training.fit import fit_many

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    folder = Path(os.environ["NWBSPARSE_DATA"]) / "rat-ca1-cebra-embeddings"
    rows = []
    for (rat, dims), published in PUBLISHED.items():
        file = folder / f"{rat}-{dims}-train.npy"
        if not file.is_file():
            print(f"{file.name} is not there")
            continue
        embedding = np.load(file, allow_pickle=False).astype(np.float32)
        data = Bins(embedding, np.full(len(embedding), TRAIN, np.int8))
        options = preset("naik2025-code")
        whole = len(embedding) // options["batch_size"]
        epochs = round(options["max_epochs"] * -(-len(embedding) // options["batch_size"]) / whole)
        grid = [
            Config(**(options | {"k": k, "seed": seed, "max_epochs": epochs}))
            for k in KS
            for seed in range(given.seeds)
        ]
        found = [train_r2(coder, embedding) for coder in fit_many(data, grid)]
        for at, (k, theirs) in enumerate(zip(KS, published, strict=True)):
            ours = found[at * given.seeds : (at + 1) * given.seeds]
            spread = f"{min(ours):.3f}-{max(ours):.3f}"
            rows.append((f"{rat} {dims}", k, f"{np.mean(ours):.3f}", spread, f"{theirs:.3f}"))
    machine.table(("rat, dims", "k", "ours, train R²", "seeds", "published"), rows)


if __name__ == "__main__":
    main()

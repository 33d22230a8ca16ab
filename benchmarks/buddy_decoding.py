"""Where the rat is and which way it runs, decoded from counts, CEBRA and sparse latents, honestly.

    NWBSPARSE_DATA=FOLDER .venv/bin/python benchmarks/buddy_decoding.py

Rat "buddy" of Grosmark & Buzsáki 2016 as in Naik 2025: 6,577 bins of 25 ms, the first 80 % for
training, the last 20 % held out, one second between them left out. The embeddings are the stored
ones of that paper (CEBRA fitted on the same 80 %). Coders are TopK with the ``naik2025`` preset,
trained on the embedding; decoders are fitted on training bins, their penalties chosen by
cross-validation there. Three seeds: mean, and smallest to largest. Nothing was
tuned; that principal components which are rounding alone are dropped came of a first run here.
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import xarray as xr

import nwbsparse
from nwbsparse import names
from nwbsparse.analysis.decoding.decode import decode
from nwbsparse.options.presets import PRESETS
from nwbsparse.training.start import untrained_control

POSITION, DIRECTION = "position", "direction_runs.direction"
GAP = 40
"""Bins (1 s) between training and held-out bins that belong to neither."""
SHARED = ("counts", "smoothed")
NAMED = {
    "counts": "counts of the bin",
    "smoothed": "counts over 20 bins",
    "pca": "PCA of counts",
    "embedding": "CEBRA",
    "latents": "latents",
    "best_latent": "best latent",
    "untrained": "latents, untrained",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dims", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="instead of the preset's 50")
    given = parser.parse_args()
    if "NWBSPARSE_DATA" not in os.environ:
        sys.exit("NWBSPARSE_DATA is not set: it names the folder of recordings")
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    folder = Path(os.environ["NWBSPARSE_DATA"])
    session = nwbsparse.read(folder / "rat-ca1-buddy-25ms.npz", bin_width=0.025)
    binned = nwbsparse.to_bins(session)
    scores = {}
    for n_dims in given.dims:
        embedding, n_train = stored_embedding(folder, n_dims)
        for name, found in decoded(binned, embedding, n_train, given).items():
            scores[name, n_dims] = found
    table(scores, given.dims)
    _, n_train = stored_embedding(folder, given.dims[0])
    held = parts(len(binned[names.TIME]), n_train) == names.TEST
    direction = binned[DIRECTION].values[held]
    print(
        f"\nPosition: R²; direction: accuracy ({np.bincount(direction).max() / held.sum():.3f} by "
        f"always saying the more frequent). {int(held.sum()):,} held-out bins; "
        f"{given.seeds} seeds; {time.perf_counter() - began:.0f} s."
    )


def stored_embedding(folder, n_dims):
    """The embedding of all bins (time, dim), and how many of them were trained on."""
    both = [
        np.load(folder / "rat-ca1-cebra-embeddings" / f"buddy-{n_dims}-{part}.npy")
        for part in ("train", "valid")
    ]
    return np.concatenate(both), len(both[0])


def parts(n, n_train):
    """Training bins, a gap, held-out bins."""
    found = np.full(n, names.TRAIN, dtype=np.int8)
    found[n_train - GAP : n_train] = names.GAP
    found[n_train:] = names.TEST
    return found


def decoded(binned, embedding, n_train, given):
    """{input: (position R², direction accuracy) per seed} of one embedding."""
    n = binned.sizes[names.TIME]
    data = binned.assign_coords({names.SPLIT: (names.TIME, parts(n, n_train))})
    coders = trained(data, embedding, given)
    found = {}
    for coder, source in coders:
        latents = nwbsparse.encode(coder, source)
        made = decode(data, [POSITION, DIRECTION], latents=latents, embedding=embedding)
        add(found, made)
        untrained = nwbsparse.encode(untrained_control(coder, source), source)
        made = decode(
            data, [POSITION, DIRECTION], inputs=["smoothed", "latents"], latents=untrained
        )
        add(found, made.sel(input=["latents"]).assign_coords(input=["untrained"]))
    return found


def add(found, made):
    for name in made["input"].values:
        here = made.sel(input=name)
        r2 = float(here["r2"].sel(target=POSITION))
        found.setdefault(name, []).append((r2, float(here["accuracy"].sel(target=DIRECTION))))


def trained(data, embedding, given):
    """TopK coders of the embedding, one per seed, with the dataset that they encode."""
    binned_embedding = xr.Dataset(
        {names.COUNTS: ((names.TIME, names.UNIT), embedding)},
        coords={
            names.TIME: data[names.TIME],
            names.SEGMENT: data[names.SEGMENT],
            names.SPLIT: data[names.SPLIT],
            names.UNIT_ID: (names.UNIT, [f"dim{at}" for at in range(embedding.shape[1])]),
        },
        attrs={names.BIN_WIDTH: data.attrs[names.BIN_WIDTH]},
    )
    fitting = binned_embedding.copy(deep=True)
    train = np.flatnonzero(data[names.SPLIT].values == names.TRAIN)
    checked = len(train) // 10  # the preset never stops early, but training wants to be checked
    fitting[names.SPLIT].values[train[-checked:]] = names.VALIDATION
    options = PRESETS["naik2025"] | ({"max_epochs": given.epochs} if given.epochs else {})
    configs = [nwbsparse.Config(**options, seed=seed) for seed in range(given.seeds)]
    return [(coder, fitting) for coder in nwbsparse.fit_many(fitting, configs)]


def table(scores, dims):
    print("| decoded from | " + " | ".join(f"{n} dims" for n in dims) + " |")
    print("|---" * (len(dims) + 1) + "|")
    for name, said in NAMED.items():
        cells = [cell(np.array(scores[name, n])) for n in dims]
        if name in SHARED:
            cells = cells[:1] + [""] * (len(dims) - 1)
        print(f"| {said} | " + " | ".join(cells) + " |")


def cell(found):
    """position R² / direction accuracy, with the range over seeds where there is one."""
    words = []
    for values in found.T:
        low, high = values.min(), values.max()
        spread = "" if high - low < 5e-4 else f" ({low:.3f}–{high:.3f})"
        words.append(f"{values.mean():.3f}{spread}")
    return " / ".join(words)


if __name__ == "__main__":
    main()

"""What the default recipe makes of real recordings, as the table of docs/reference/recordings.md.

    python benchmarks/recordings.py FOLDER                        every recording that is there
    python benchmarks/recordings.py FOLDER --only rat-ca1-w-maze  those whose name holds this
    python benchmarks/recordings.py FOLDER --only program-1 --starts 5

FOLDER holds the recordings (it is not part of this repository; ``NWBSPARSE_DATA``). Defaults only:
nothing but what the file does not say is given. With ``--starts`` the whole procedure is repeated
from other seeds, and the spread of what came again is printed.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
import torch

from nwbsparse import names
from nwbsparse.analysis.quality.hidden_units import hidden_units
from nwbsparse.analysis.quality.stability import stability_of
from nwbsparse.analysis.units.attribute import attribute
from nwbsparse.io.read import read_as
from nwbsparse.options.config import Config
from nwbsparse.runs.prepare import prepare
from nwbsparse.training.fit import fit

GIVEN = {
    "rat-ca1-buddy-25ms.npz": {"bin_width": 0.025},
    "suite2p-plane0": {"sampling_frequency": 10.0},
}
"""What a file does not say of itself."""
STEP = 1000
"""Between the first seeds of two starts: each takes twenty."""


def recordings(folder, only):
    found = [
        path
        for path in (*folder.glob("*.nwb"), *folder.glob("*/*.nwb"), *(folder / n for n in GIVEN))
        if path.exists() and "zarr" not in path.name and all(one in str(path) for one in only)
    ]
    return sorted(found, key=lambda path: str(path))


def learned(path, seed):
    config = Config(**GIVEN.get(path.name, {}), seed=seed, order_seed=seed)
    binned = prepare(read_as(path, config), config)
    began = time.time()
    coder = fit(binned, config)
    return binned, coder, time.time() - began


def row(path, seed=0):
    binned, coder, seconds = learned(path, seed)
    options, stability = coder.record.options, stability_of(coder)
    told = hidden_units(coder, binned)
    score, beside = "–", "–"
    if "hidden_unit_r2" in told:
        score = f"{float(told['hidden_unit_r2']):.3f} ± {float(told['hidden_unit_r2_se']):.3f}"
        beside = " / ".join(
            "–" if v != v else f"{v:.3f}" for v in told["hidden_baseline_r2"].values
        )
    n_units = int((binned[names.COUNTS].values != 0).any(axis=0).sum())
    minutes = binned.sizes[names.TIME] * float(binned.attrs[names.BIN_WIDTH]) / 60
    choice = f"{options.smoothing or 0:g}, {options.n_latents}, {options.k}"
    n_single = int(attribute(coder, binned)["single_unit"].sum())
    n_again = "–" if stability is None else int(stability["stable"].sum())
    print(
        f"| {path.stem} | {n_units}, {minutes:.0f} | {choice} | {score} | {beside} | "
        f"{coder.n_latents} | {n_again} | {n_single} | {seconds:.0f} |",
        flush=True,
    )
    return coder.n_latents, n_again


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(os.environ.get("NWBSPARSE_DATA", "."))
    )
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--starts", type=int, default=1)
    given = parser.parse_args()
    print(
        "| recording | units, min | σ, D, k | hidden-unit R² | PCA / FA / NMF / ridge | latents | "
        "again | single units | fit, s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for path in recordings(given.folder, given.only):
        found = [row(path, STEP * start) for start in range(given.starts)]
        if given.starts > 1:
            latents, again = np.array(found).T
            print(
                f"  {path.stem}: {latents.min()}-{latents.max()} latents, again "
                f"{again.min()}-{again.max()} (share {np.round(again / latents, 2).tolist()})"
            )


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    main()

"""What the recipe leaves open, tried on planted recordings and on real ones: one row per way.

    python benchmarks/open_points.py planted [--draws 2] [--ways hidden visible]
    python benchmarks/open_points.py real FOLDER [--only mouse-ca1 mrcuts28 program-1]
    python benchmarks/open_points.py labelfree [--draws 3]

- hidden: the recipe as it is; the size, k and smoothing that it chooses are those of the other ways.
- visible: a consensus without hidden entries (``mask = 0``).
- l1, relu: an L1 penalty (of .1, .03), or none at all, in place of batch top-k, entries hidden.
- sqrt: the square root of counts is read and reconstructed.
- causal: smoothed with half a Gaussian (``smoothing_kernel``), where anything is smoothed.

``labelfree``: how well the smoothness of a latent on the graph of alike bins tells planted patterns from
rows that are none, beside how often the row recurs. Bins are alike where the smoothed activity of all units
is; neighbours stand two seconds apart or more, or time alone would make everything smooth.
"""

import argparse
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from recovery import unit_rows
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from nwbsparse import names
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.units.attribute import attribute
from nwbsparse.binning.smoothing import smoothed, stretches
from nwbsparse.io.read import read, read_as
from nwbsparse.options.config import Config
from nwbsparse.runs.demo.methods import ALIKE
from nwbsparse.runs.prepare import prepare
from nwbsparse.simulate.assemblies import simulate_assemblies
from nwbsparse.simulate.nwb import write_simulation
from nwbsparse.simulate.superposition import simulate_superposition
from nwbsparse.training.bins import windows_of
from nwbsparse.training.fit import fit
from nwbsparse.training.hidden_units import hidden_scores
from nwbsparse.training.hiding import unit_groups

RECIPE = Config(bin_width=0.02)
N_BINS = 15_000
WAYS = {
    "hidden": {},
    "visible": {"mask": 0.0},
    "l1 .1": {"sparsifier": "l1", "penalty_weight": 0.1, "k": None},
    "l1 .03": {"sparsifier": "l1", "penalty_weight": 0.03, "k": None},
    "relu": {"sparsifier": "l1", "penalty_weight": 0.0, "k": None},
    "sqrt": {},
    "causal": {"smoothing_kernel": "causal"},
}
NEIGHBOURS, COMPONENTS, APART = 10, 20, 2.0


def planted(draws):
    """Planted recordings: name, draw, binned, patterns."""
    made = {
        "12 assemblies": lambda seed: simulate_assemblies(seed=seed, n_assemblies=12),
        "sources, gain .6": lambda seed: simulate_superposition(seed=seed, n_bins=N_BINS, gain=0.6),
        "sources, gain 2": lambda seed: simulate_superposition(seed=seed, n_bins=N_BINS, gain=2.0),
    }
    for name, simulate in made.items():
        for seed in range(draws):
            truth = simulate(seed)
            with tempfile.TemporaryDirectory() as folder:
                source = write_simulation(truth, Path(folder) / "planted.nwb")
                yield name, seed, prepare(read(source), RECIPE), truth.dictionary


def ways_of(binned, config, wanted):
    """Each way: its name, coder, and the data that it read."""
    settled = fit(binned, config)
    yield "hidden", settled, binned
    chosen = {
        field: getattr(settled.record.options, field) for field in ("smoothing", "n_latents", "k")
    }
    for way, changes in WAYS.items():
        if way == "hidden" or way not in wanted or (way == "causal" and not chosen["smoothing"]):
            continue
        data = binned
        if way == "sqrt":
            counts = binned[names.COUNTS]
            if not np.issubdtype(counts.dtype, np.integer):
                continue
            data = binned.assign({names.COUNTS: np.sqrt(counts.astype(np.float32))})
        yield way, fit(data, config.replace(**chosen | changes)), data


def row(name, way, coder, data, patterns, seconds):
    """Print what a way made: latents, found, precision, again, single units, hidden R², L0."""
    found = precision = "–"
    if patterns is not None:
        cosine = unit_rows(coder) @ patterns.T
        found = f"{(cosine.max(axis=0) > ALIKE).mean():.2f}"
        precision = f"{(cosine.max(axis=1) > ALIKE).mean():.2f}"
    test = torch.from_numpy(np.flatnonzero(data[names.SPLIT].values == names.TEST))
    windows = windows_of(coder.record, data)
    [score] = hidden_scores([coder], windows, test, unit_groups("found", data))
    again = np.asarray(coder.record.learned["again"])
    options = coder.record.options
    activation = dense(encode(coder, data))[test.numpy()]
    print(
        f"| {name} | {way} | {options.smoothing:g}, {options.n_latents}, {options.k or '–'} | "
        f"{coder.n_latents} | {found} | {precision} | {(again >= 0.8).sum()} | "
        f"{int(attribute(coder, data)['single_unit'].sum())} | "
        f"{score.r2:.3f} ± {score.standard_error:.3f} | {(activation > 0).sum(axis=1).mean():.1f} | "
        f"{seconds:.0f} |",
        flush=True,
    )


def table(recordings, wanted):
    print(
        "| recording | way | σ, D, k | latents | found | precision | again | single units | "
        "hidden-unit R² | L0 | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, binned, config, patterns in recordings:
        began = time.time()
        for way, coder, data in ways_of(binned, config, wanted):
            row(name, way, coder, data, patterns, time.time() - began)
            began = time.time()


def smoothness(binned, activation, sigma):
    """Moran's I of each column of activity on the graph of bins in which the units do alike."""
    width = float(binned.attrs[names.BIN_WIDTH])
    counts = smoothed(binned[names.COUNTS].values, stretches(binned), max(sigma, width) / width)
    held_out = np.flatnonzero(binned[names.SPLIT].values == names.TEST)
    scale = np.maximum(counts.std(axis=0), 1e-9)
    places = PCA(COMPONENTS, random_state=0).fit_transform((counts / scale)[held_out])
    many = NEIGHBOURS + 2 * round(APART / width)
    near = NearestNeighbors(n_neighbors=min(many, len(places))).fit(places).kneighbors()[1]
    apart = np.abs(held_out[near] - held_out[:, None]) * width >= APART
    rank = np.where(apart, np.cumsum(apart, axis=1), many)
    kept = rank <= NEIGHBOURS
    table = activation[held_out] - activation[held_out].mean(axis=0)
    beside = np.stack([(column[near] * kept).sum(1) / kept.sum(1).clip(1) for column in table.T], 1)
    return (table * beside).sum(axis=0) / np.maximum((table**2).sum(axis=0), 1e-12)


def labelfree(draws):
    print("| planted | draw | rows | planted patterns | AUC smoothness | AUC recurrence or again |")
    print("|---|---|---|---|---|---|")
    for name, seed, binned, patterns in planted(draws):
        consensus = fit(binned, RECIPE.replace(seed=seed))
        options = consensus.record.options
        settled = {key: getattr(options, key) for key in ("smoothing", "n_latents", "k")}
        one = fit(binned, RECIPE.replace(seed=seed, seeds=1, **settled))
        told = np.asarray(consensus.record.learned["again"])
        for coder, beside in ((consensus, told), (one, None)):
            true = (unit_rows(coder) @ patterns.T).max(axis=1) > ALIKE
            smooth = smoothness(binned, dense(encode(coder, binned)), options.smoothing)
            both = [
                "–" if one is None or true.all() or not true.any()
                else f"{roc_auc_score(true, one):.2f}"
                for one in (smooth, beside)
            ]  # fmt: skip
            what = "consensus" if beside is not None else "one coder"
            print(
                f"| {name}, {what} | {seed} | {len(true)} | {true.sum()} | {both[0]} | {both[1]} |",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["planted", "real", "labelfree"])
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(os.environ.get("NWBSPARSE_DATA", "."))
    )
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=["mouse-ca1", "mrcuts28", "program-1"])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    given = parser.parse_args()
    if given.what == "labelfree":
        labelfree(given.draws)
    elif given.what == "planted":
        table(
            (
                (f"{name}, {seed}", binned, RECIPE.replace(seed=seed), patterns)
                for name, seed, binned, patterns in planted(given.draws)
            ),
            given.ways,
        )
    else:
        paths = sorted(
            path
            for path in given.folder.rglob("*.nwb")
            if any(one in str(path) for one in given.only)
        )
        table(
            (
                (path.stem, prepare(read_as(path, Config()), Config()), Config(), None)
                for path in paths
            ),
            given.ways,
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    main()

"""What is recovered of planted truth, over seeds, beside methods that see the same counts.

    python benchmarks/recovery.py placecells       seeds 0-9, one stack; raw units as control
    python benchmarks/recovery.py superposition    five simulations, ours and PCA, ICA, NMF, units
    python benchmarks/recovery.py assemblies       the recipe; [--n-assemblies 12 6 20] [--draws 5]
    python benchmarks/recovery.py superposition --gain .6 2 [--draws 5]      the recipe
    python benchmarks/recovery.py shifted [--draws 5]                        the recipe

Place cells: four of 96 units, the criterion of Bhagat et al. 2025 (nwbsparse.analysis.recovery).
Superposition: 150 overlapping sources over 100 units; mean cosine of the planted sources with the
dictionary rows matched to them one to one. The recipe (hidden units, a consensus of seeds): what
comes back of planted assemblies and of weak and strong events, and of units that were shifted
independently of each other and so share nothing. Nothing is tuned to these seeds.
"""

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import NMF, PCA, FastICA

from nwbsparse import names
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.recovery import matched_cosine, recovered_placecells
from nwbsparse.analysis.statistics.correlation import Channels, pearson
from nwbsparse.analysis.units.tables import SINGLE_UNIT
from nwbsparse.io.read import read
from nwbsparse.options.config import Config
from nwbsparse.options.presets import preset
from nwbsparse.runs.demo.methods import ALIKE, rows_of
from nwbsparse.runs.demo.placecells import PLACECELLS
from nwbsparse.runs.prepare import prepare
from nwbsparse.simulate.assemblies import simulate_assemblies
from nwbsparse.simulate.nwb import write_simulation
from nwbsparse.simulate.placecells import FIELDS, simulate_placecells
from nwbsparse.simulate.superposition import simulate_superposition
from nwbsparse.training.bins import windows_of
from nwbsparse.training.fit import fit, fit_many
from nwbsparse.training.hidden_units import hidden_scores
from nwbsparse.training.hiding import unit_groups


def placecells(seeds=range(10)):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "placecells.nwb"
        write_simulation(simulate_placecells(), source)
        binned = prepare(read(source), PLACECELLS)
    coders = fit_many(binned, [PLACECELLS.replace(seed=seed) for seed in seeds])
    counts = binned[names.COUNTS].values.astype(np.float64)
    positions = binned["position"].values
    known = np.isfinite(positions)
    planted = {"positions": positions[known], "fields": FIELDS["overlapping"]}
    units = recovered_placecells(counts[known], counts[known], np.eye(counts.shape[1]), **planted)
    print("| seed | place cells found | by latents that are one unit | latents that are one unit |")
    print("|---|---|---|---|")
    all_four = 0
    for seed, coder in zip(seeds, coders, strict=True):
        activation = dense(encode(coder, binned))[known]
        rows = coder.dictionary.detach().numpy()
        cells = recovered_placecells(activation, counts[known], rows, **planted)
        found = [cell for cell in cells if cell.latent is not None]
        like = np.nanmax(
            np.nan_to_num(pearson(Channels(activation), counts[known].astype(float))), axis=1
        )
        all_four += len(found) == 4
        print(
            f"| {seed} | {len(found)} of 4 | {sum(cell.single_unit for cell in found)} | "
            f"{int((like >= SINGLE_UNIT).sum())} of {coder.n_latents} |"
        )
    n_units = sum(cell.latent is not None for cell in units)
    print(f"all four in {all_four} of {len(coders)} seeds; raw units: {n_units} of 4")


SUPERPOSITION = Config(**preset("plain"), name="superposition", bin_width=0.02, n_latents=256, k=3)
N_SUPERPOSED = 30_000
RECIPES = {
    "batch top-k": {},
    "top-k": {"sparsifier": "topk"},
    "Matryoshka, nested": {
        "levels": ("64:3", "256:3"), "nesting": "nested", "level_terms": "mean",
    },
    "JumpReLU": {"sparsifier": "jumprelu", "penalty_weight": 1.0},
    "gated": {"sparsifier": "gated", "penalty_weight": 1.0},
    "L1": {"sparsifier": "l1", "penalty_weight": 1.0},
}  # fmt: skip


def superposition(seeds=range(5)):
    scores = {}
    for seed in seeds:
        truth = simulate_superposition(seed=seed, n_bins=N_SUPERPOSED)
        with tempfile.TemporaryDirectory() as folder:
            source = write_simulation(truth, Path(folder) / "superposition.nwb")
            binned = prepare(read(source), SUPERPOSITION)
        counts = binned[names.COUNTS].values.astype(np.float64)
        configs = []
        for changes in RECIPES.values():
            given = SUPERPOSITION.to_dict() | changes | {"seed": seed}
            if "levels" in changes:
                del given["n_latents"], given["k"]
            configs.append(Config(**given))
        for name, coder in zip(RECIPES, fit_many(binned, configs), strict=True):
            found = matched_cosine(rows_of(coder), truth.dictionary)
            scores.setdefault(name, []).append(found.mean())
            l0 = coder.record.history[-1]["l0"]
            print(f"  seed {seed} {name}: {scores[name][-1]:.3f} (L0 {l0:.1f})", file=sys.stderr)
        for name, rows in baselines(counts, seed).items():
            scores.setdefault(name, []).append(matched_cosine(rows, truth.dictionary).mean())
    print("| method | matched cosine, mean of seeds | lowest | highest |")
    print("|---|---|---|---|")
    for name, found in scores.items():
        print(f"| {name} | {np.mean(found):.3f} | {min(found):.3f} | {max(found):.3f} |")


def baselines(counts, seed):
    """Dictionaries of other methods; both signs of those whose sign means nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pca = PCA(counts.shape[1], random_state=seed).fit(counts).components_
        ica = FastICA(random_state=seed, max_iter=500).fit(counts).mixing_.T
        nmf = NMF(150, init="random", random_state=seed, max_iter=400).fit(counts).components_
    return {
        "raw units": np.eye(counts.shape[1]),
        "PCA": np.concatenate([pca, -pca]),
        "ICA": np.concatenate([ica, -ica]),
        "NMF (150)": nmf,
    }


RECIPE = Config(bin_width=0.02)
SHIFT = 30.0  # s, the least by which units are shifted against the recording


def recipe(kind, sizes, draws):
    """One row per draw: what the recipe makes of planted recordings of a kind."""
    print("| planted | draw | σ, D, k | latents | found | precision | again | hidden R² | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for size in sizes:
        for seed in range(draws):
            began = time.time()
            if kind == "superposition":
                truth = simulate_superposition(seed=seed, n_bins=N_SUPERPOSED, gain=size)
            else:
                truth = simulate_assemblies(seed=seed, n_assemblies=size)
            with tempfile.TemporaryDirectory() as folder:
                source = write_simulation(truth, Path(folder) / "planted.nwb")
                binned = prepare(read(source), RECIPE)
            if kind == "shifted":
                binned = shifted(binned, seed)
            coder = fit(binned, RECIPE.replace(seed=seed))
            said = " | ".join(recovered(coder, binned, truth.dictionary))
            print(f"| {kind} {size} | {seed} | {said} | {time.time() - began:.0f} |", flush=True)


def shifted(binned, seed):
    """Every unit rolled around by its own amount: each keeps its rates, and nothing is shared."""
    rng = np.random.default_rng(seed)
    counts = binned[names.COUNTS].values
    least = round(SHIFT / float(binned.attrs[names.BIN_WIDTH]))
    by = rng.integers(least, len(counts) - least, counts.shape[1])
    rolled = np.stack([np.roll(one, n) for one, n in zip(counts.T, by, strict=True)], axis=1)
    return binned.assign({names.COUNTS: (binned[names.COUNTS].dims, rolled)})


def unit_rows(coder):
    """(latent, unit) what latents add to the counts, each row of length 1."""
    rows = rows_of(coder)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def recovered(coder, binned, planted):
    """Choice, latents, found, precision, again and hidden-unit R² on test bins, as text."""
    learned = coder.record.learned
    cosine = unit_rows(coder) @ planted.T
    test = torch.from_numpy(np.flatnonzero(binned[names.SPLIT].values == names.TEST))
    windows = windows_of(coder.record, binned)
    [score] = hidden_scores([coder], windows, test, unit_groups("found", binned))
    options = coder.record.options
    chosen = [options.smoothing, options.n_latents, options.k]
    again = np.asarray(learned["again"] or np.zeros(coder.n_latents))
    return [
        ", ".join(str(one) for one in chosen),
        str(coder.n_latents),
        f"{(cosine.max(axis=0) > ALIKE).mean():.2f}",
        f"{(cosine.max(axis=1) > ALIKE).mean():.2f}",
        f"{(again >= 0.8).mean():.2f}",
        f"{score.r2:.3f} ± {score.standard_error:.3f}",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["placecells", "superposition", "assemblies", "shifted"])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--n-assemblies", type=int, nargs="+", default=[12, 6, 20])
    parser.add_argument(
        "--gain", type=float, nargs="+", default=[], help="of weak and strong events"
    )
    given = parser.parse_args()
    sizes = {"assemblies": given.n_assemblies, "superposition": given.gain, "shifted": [12]}
    if given.what == "placecells":
        placecells()
    elif not sizes[given.what]:
        superposition()
    else:
        recipe(given.what, sizes[given.what], given.draws)


if __name__ == "__main__":
    torch.set_num_threads(1)
    began = time.time()
    main()
    print(f"{time.time() - began:.0f} s")

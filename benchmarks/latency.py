"""How late, and how surely, latents show the moment of a planted event, at the smoothing that is chosen.

    python benchmarks/latency.py [--draws 3] [--gain 2 .6]

Superposition (150 sources over 100 units, bins of 20 ms, five minutes), the recipe with defaults. Of every
found source (cosine with a row above .8) and each of its events that no other event of the same source
comes within 0.4 s of: the bin within 0.2 s around it in which its latent is most active, less the bin of
the event. Beside it the same of the same latents at moments without an event, which is chance.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.recovery import matching_rows
from nwbsparse.io.read import read
from nwbsparse.options.config import Config
from nwbsparse.runs.demo.methods import ALIKE, rows_of
from nwbsparse.runs.prepare import prepare
from nwbsparse.simulate.nwb import write_simulation
from nwbsparse.simulate.superposition import simulate_superposition
from nwbsparse.training.fit import fit

N_BINS, NEAR, ALONE = 15_000, 10, 20
RECIPE = Config(bin_width=0.02)


def off_by(activation, events):
    """Bins between events and the largest activation around them; events without any are counted."""
    away, missed = [], 0
    for at in events.tolist():
        if NEAR <= at < len(activation) - NEAR:
            around = activation[at - NEAR : at + NEAR + 1]
            if around.max() > 0:
                away.append(int(around.argmax()) - NEAR)
            else:
                missed += 1
    return away, missed


def one_draw(gain, seed):
    truth = simulate_superposition(seed=seed, n_bins=N_BINS, gain=gain)
    with tempfile.TemporaryDirectory() as folder:
        binned = prepare(read(write_simulation(truth, Path(folder) / "planted.nwb")), RECIPE)
    coder = fit(binned, RECIPE.replace(seed=seed))
    row, cosine = matching_rows(rows_of(coder), truth.dictionary)
    activation = dense(encode(coder, binned))
    rng = np.random.default_rng(seed)
    away, missed, by_chance = [], 0, []
    for source in np.flatnonzero((row >= 0) & (cosine >= ALIKE)):
        at = np.flatnonzero(truth.events[:, source])
        alone = np.diff(at, prepend=-ALONE - 1) > ALONE
        alone &= np.diff(at, append=N_BINS + ALONE + 1) > ALONE
        found, none = off_by(activation[:, row[source]], at[alone])
        away += found
        missed += none
        quiet = rng.integers(0, N_BINS, alone.sum())
        by_chance += off_by(activation[:, row[source]], quiet)[0]
    away, by_chance = np.array(away), np.array(by_chance)
    width = RECIPE.bin_width * 1000
    print(
        f"| {gain:g} | {seed} | {coder.record.options.smoothing * 1000:g} ms | {len(away) + missed:,} | "
        f"{missed / max(len(away) + missed, 1):.0%} | {np.mean(away) * width:+.1f} ms | "
        f"{np.median(np.abs(away)) * width:.0f} ms | {np.mean(np.abs(away) <= 1):.0%} | "
        f"{np.mean(np.abs(by_chance) <= 1):.0%} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--gain", type=float, nargs="+", default=[2.0, 0.6])
    given = parser.parse_args()
    print(
        "| gain | draw | smoothing chosen | events | unseen | mean lateness | median error | "
        "within a bin | by chance |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for gain in given.gain:
        for seed in range(given.draws):
            one_draw(gain, seed)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()

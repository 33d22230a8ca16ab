"""How much memory a training takes beyond the recording.

    .venv/bin/python benchmarks/memory.py [--bins 200000]

Each line is a process of its own: the peak of resident memory after training, less that before it
(the recording made, torch and the compiled loops loaded and used once). It may grow with the weights
(four copies, and the best ones) and the batch, not with the recording: four times as many bins must
take what the order of visits takes (8 bytes per bin, twice), and ten models one batch each.
"""

import argparse
import json
import sys

UNITS, LATENTS, K, BATCH = 200, 1_024, 32, 512


def peak_mb():
    import resource

    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure(n_bins, n_models):
    import torch
    from made_bins import poisson_bins

    from nwbsparse.options.config import Config
    from nwbsparse.options.presets import preset
    from nwbsparse.training.fit import fit_many

    torch.set_num_threads(1)
    size = {"n_latents": LATENTS, "k": K, "batch_size": BATCH, "max_epochs": 1, "device": "cpu"}
    configs = [Config(**preset("plain"), **size, seed=seed) for seed in range(n_models)]
    fit_many(poisson_bins(4 * BATCH, UNITS), configs[:1])
    data = poisson_bins(n_bins, UNITS)
    before = peak_mb()
    made = fit_many(data, configs)
    weights = sum(p.numel() * 4 for p in made[0].parameters()) / 1e6
    batch = BATCH * 4 * (3 * LATENTS + 6 * UNITS) / 1e6
    return {
        "data_mb": round(data["counts"].values.nbytes / 1e6, 1),
        "beyond_mb": round(peak_mb() - before, 1),
        "weights_mb": round(n_models * weights, 1),
        "bound_mb": round(n_models * (5 * weights + batch) + 3 * 8 * n_bins / 1e6, 1),
    }


def main():
    import machine

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bins", type=int, default=200_000)
    parser.add_argument("--one", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(*given.one)))
        return
    print(machine.words())
    rows = []
    for n_bins in (given.bins, 4 * given.bins):
        for n_models in (1, 10):
            found = machine.ourselves("memory.py", "--one", n_bins, n_models)
            if "failed" in found:
                print(found["failed"])
                continue
            rows.append((f"{n_bins:,} bins", n_models, *found.values()))
    machine.table(
        ("", "models", "data, MB", "peak beyond, MB", "weights, MB", "5 × weights + batch + order"),
        rows,
    )


if __name__ == "__main__":
    main()

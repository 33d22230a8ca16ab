"""Training: ours beside each peer, on the same counts, and how much of the machine we use.

    .venv/bin/python benchmarks/train.py [prefix of the peers' environments] [--threads 2]

``peers-`` stands for ``peers-sae-lens/bin/python`` and so on. 200,000 bins of 200 Poisson units,
2,048 latents, k = 32, batch 1,024; every run is a process of its own, in the order ours, peer,
ours, peer, …, three times over; of each the run with the least CPU counts. Peers: the median step
of their own loop (``train_peer.py``). Ours: the whole of ``fit()`` divided by its updates, with
preparation, validation, dead latents and their revival, and calibration; made data, imports and
the compilation of the first call are left out.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

BINS, UNITS, LATENTS, K, BATCH = 200_000, 200, 2_048, 32, 1_024
PEERS = {
    "batch_topk": ["dictionary-learning", "sae-lens", "overcomplete"],
    "topk": ["eai-sparsify"],
}


def ours(sparsifier, threads, epochs, profile=False, device="cpu", n_bins=BINS):
    """Train with ``fit()``; what it took."""
    import torch
    from made_bins import FULL_UPDATES, checks_of_a_full_training, poisson_bins

    from nwbsparse.options.config import Config
    from nwbsparse.options.presets import preset
    from nwbsparse.training.fit import fit

    torch.set_num_threads(threads)
    config = Config(
        **preset("plain"), sparsifier=sparsifier, n_latents=LATENTS, k=K, batch_size=BATCH,
        max_epochs=epochs, patience=10_000, device=device,
    )  # fmt: skip
    fit(poisson_bins(8 * BATCH, UNITS), config.replace(max_epochs=1))
    data = poisson_bins(n_bins, UNITS)
    share = epochs * (0.9 * n_bins // BATCH) / FULL_UPDATES
    profiler = torch.profiler.profile() if profile else None
    with checks_of_a_full_training(share):
        if profiler:
            profiler.start()
        cpu, wall = time.process_time(), time.perf_counter()
        history = fit(data, config).record.history
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if profiler:
            profiler.stop()
            rows = profiler.key_averages()
            print(rows.table(sort_by="self_cpu_time_total", row_limit=25, max_name_column_width=44))
    updates = history[-1]["update"]
    return {
        "updates": updates,
        "checks": len(history),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "load": round(os.getloadavg()[0], 2),
        "samples_per_cpu_s": round(updates * BATCH / cpu),
        "samples_per_s": round(updates * BATCH / wall),
        "cpu_ms_per_step": round(cpu / updates * 1e3, 2),
        "wall_ms_per_step": round(wall / updates * 1e3, 2),
        "r2": round(history[-1]["r2"], 4),
        "dead_fraction": round(history[-1]["dead_fraction"], 4),
    }


def rates(threads, device="cpu"):
    """GFLOP per CPU second (a GPU: per second) of float32 products: (encoder's shape, large square)."""
    import torch

    torch.set_num_threads(threads)
    clock = time.process_time if device == "cpu" else time.perf_counter
    found = []
    for rows, inner, columns in ((BATCH, UNITS, LATENTS), (2048, 2048, 2048)):
        left = torch.randn(rows, inner, device=device)
        right = torch.randn(inner, columns, device=device)
        out = left @ right
        least = math.inf
        for _ in range(30):
            began = clock()
            torch.mm(left, right, out=out)
            if device != "cpu":
                torch.cuda.synchronize()
            least = min(least, clock() - began)
        found.append(2 * rows * inner * columns / least / 1e9)
    return found


def useful_gflop():
    """Of a step: the encoder's product, and four products of the selected entries alone."""
    return (2 * BATCH * UNITS * LATENTS + 4 * 2 * BATCH * K * UNITS) / 1e9


def compare(sparsifier, given):
    import machine

    found = {"nwbsparse": []}
    for _ in range(given.repeats):
        for peer in PEERS[sparsifier]:
            mine = machine.ourselves(
                "train.py", "--one", sparsifier, "--threads", given.threads, "--epochs",
                given.epochs, threads=given.threads,
            )  # fmt: skip
            found["nwbsparse"].append(mine)
            python = f"{given.prefix}{peer}/bin/python"
            if not Path(python).exists():
                found.setdefault(peer, []).append({"failed": f"{python} does not exist"})
                continue
            script = machine.HERE / "train_peer.py"
            theirs = machine.run(python, script, peer, given.threads, threads=given.threads)
            found.setdefault(peer, []).append(theirs)
    best = {name: machine.best(runs, "cpu_ms_per_step") for name, runs in found.items()}
    mine = best["nwbsparse"]
    rule = "batch top-k" if sparsifier == "batch_topk" else "top-k of each row"
    print(f"\n{rule}, {given.threads} threads, least CPU of {given.repeats} (ours: of all runs)")
    rows = []
    for name, one in best.items():
        if "failed" in one or "failed" in mine:
            rows.append((name, one.get("failed", "ran, but ours did not"), "", "", "", ""))
            continue
        ratio = one["cpu_ms_per_step"] / mine["cpu_ms_per_step"]
        rows.append(
            (name, one["samples_per_cpu_s"], one["cpu_ms_per_step"], one["wall_ms_per_step"],
             f"{ratio:.1f}", one["load"])
        )  # fmt: skip
    machine.table(
        ("", "samples per CPU s", "CPU ms per step", "wall ms per step", "times ours", "load"), rows
    )
    return mine


def main():
    import machine

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prefix", nargs="?", default="peers-")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="the operators of our step")
    parser.add_argument("--one", choices=list(PEERS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(ours(given.one, given.threads, given.epochs, given.profile)))
        return
    print(machine.words())
    mine = {sparsifier: compare(sparsifier, given) for sparsifier in PEERS}
    encoder, square = rates(given.threads)
    print(
        f"\nfloat32 products, GFLOP per CPU s: encoder's shape {encoder:.0f}, square {square:.0f}"
    )
    for sparsifier, one in mine.items():
        if "cpu_ms_per_step" in one:
            reached = useful_gflop() / one["cpu_ms_per_step"] * 1e3
            print(
                f"  {sparsifier}: {useful_gflop():.2f} useful GFLOP per step, {reached:.0f} per CPU s: "
                f"{reached / encoder:.0%} of the encoder's rate, {reached / square:.0%} of the square's"
            )
    print(machine.load_words())
    if given.profile:
        for sparsifier in PEERS:
            print(f"\n{sparsifier}, one epoch")
            ours(sparsifier, given.threads, 1, profile=True)


if __name__ == "__main__":
    main()

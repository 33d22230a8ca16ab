"""How fast a coder trains, beside the peers' own loops: run from our environment.

    python benchmarks/train.py PEERS [threads]      PEERS: prefix of the peers' environments

``PEERS`` + name + ``/bin/python`` must exist (benchmarks/oracles/README.md says how to make them).
Ours is the real ``fit()``: 200,000 x 200 Poisson counts (uint8, z-scored by the coder), 2,048
latents, k = 32, batch 1,024, checks on validation bins and bookkeeping of dead latents included,
divided by the bins seen; imports, data and the once-a-machine compilation are not. The peers are
measured by ``train_peer.py``, without validation. All run one after the other, twice; the
least CPU time of each counts. The load is printed: beyond 2.3 nothing here means anything.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
REPEATS = 2
RIVALS = {
    "batch_topk": ("overcomplete", "dictionary-learning", "sae-lens"),
    "topk": ("eai-sparsify",),
}


def ours(rule, threads):
    """Samples per CPU second of one fit, in this process; printed as JSON."""
    import torch
    from made_bins import poisson_bins

    from nwbsparse.config import Config
    from nwbsparse.training.fit import fit

    torch.set_num_threads(threads)
    config = Config(n_latents=2048, k=32, batch_size=1024, sparsifier=rule, max_epochs=6)
    fit(poisson_bins(5_000, 200), config.replace(max_epochs=1))  # compiles and warms up
    data = poisson_bins(200_000, 200)
    cpu, wall = time.process_time(), time.perf_counter()
    coder = fit(data, config)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    updates = coder.record.history[-1]["update"]
    rate = matrix_rate()
    print(
        json.dumps(
            {
                "samples_per_cpu_s": round(updates * 1024 / cpu),
                "cpu_ms_per_step": round(cpu / updates * 1e3, 2),
                "wall_ms_per_step": round(wall / updates * 1e3, 2),
                "load": round(os.getloadavg()[0], 2),
                "matrix_gflops_per_cpu_s": round(rate, 1),
                "useful_gflop_per_step": round(useful(), 2),
            }
        )
    )


def matrix_rate(size=2048):
    """Billion operations per CPU second of a large float32 product: what the machine can do."""
    import torch

    table = torch.randn(size, size)
    torch.mm(table, table)
    best = min(_timed(lambda: torch.mm(table, table)) for _ in range(5))
    return 2 * size**3 / best / 1e9


def _timed(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def useful(batch=1024, units=200, latents=2048, k=32):
    """Billion operations that a step needs: one dense product, four sparse ones."""
    return (2 * batch * units * latents + 4 * 2 * batch * k * units) / 1e9


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main(prefix, threads=1):
    for rule, rivals in RIVALS.items():
        jobs = {"nwbsparse": [sys.executable, __file__, "--ours", rule, str(threads)]}
        for name in rivals:
            python = f"{prefix}{name}/bin/python"
            jobs[name] = [python, str(HERE / "train_peer.py"), name, str(threads)]
        found = {name: [] for name in jobs}
        for _ in range(REPEATS):
            for name, command in jobs.items():
                found[name].append(run(command))
        best = {
            name: max(runs, key=lambda one: one["samples_per_cpu_s"])
            for name, runs in found.items()
        }
        load = max(one["load"] for runs in found.values() for one in runs)
        mine = best["nwbsparse"]
        print(
            f"\n{rule}, {threads} thread(s), highest load {load}"
            + (" (TOO BUSY)" if load > 2.3 else "")
        )
        print("| | samples per CPU s | CPU ms per step | wall ms per step | ours / it |")
        print("|---|---|---|---|---|")
        for name, one in best.items():
            ratio = mine["samples_per_cpu_s"] / one["samples_per_cpu_s"]
            print(
                f"| {name} | {one['samples_per_cpu_s']:,} | {one['cpu_ms_per_step']:.1f} | "
                f"{one['wall_ms_per_step']:.1f} | {ratio:.1f} |"
            )
        share = mine["useful_gflop_per_step"] / (mine["cpu_ms_per_step"] / 1e3)
        print(
            f"ours does {share:.0f} useful GFLOP per CPU s, "
            f"{share / mine['matrix_gflops_per_cpu_s']:.0%} of the "
            f"{mine['matrix_gflops_per_cpu_s']:.0f} of a large matrix product"
        )


if __name__ == "__main__":
    if sys.argv[1] == "--ours":
        ours(sys.argv[2], int(sys.argv[3]))
    else:
        main(sys.argv[1], *(int(word) for word in sys.argv[2:]))

"""A sweep: 135 small coders of one embedding, ours beside a loop over them.

    NWBSPARSE_DATA=… .venv/bin/python benchmarks/stack.py [--dims 8 16 32 64]

The grid of Naik et al. (2025) on the CEBRA embedding of one rat (``buddy``), or on random unit
vectors of that shape where ``NWBSPARSE_DATA`` names no folder with it. Three contenders, one thread
each, a process each, one after the other, the whole round ``--repeats`` times, the least CPU of
each: the DataLoader loop (``peers/dataloader_loop.py``), the same loop with an index gather in place
of the DataLoader, and ``fit_many(data, naik_grid())``. Both loops are extrapolated from nine coders
(one of each architecture and width) of a few epochs, and do not validate; ours is the real call on
all 135, with 30 looks at the validation bins (``--epochs`` below 50: extrapolated from those).
Ours leaves the last incomplete batch of an epoch out, so its seconds are scaled to as many samples.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))
EPOCHS, MEASURED, BATCH = 50, 5, 256
SHAPES = (5_261, 1_316)  # training and validation bins of the embedding


def embedding(n_dims):
    """(training, validation), and whether they are the recording's."""
    folder = Path(os.environ.get("NWBSPARSE_DATA", "nowhere")) / "rat-ca1-cebra-embeddings"
    files = [folder / f"buddy-{n_dims}-{part}.npy" for part in ("train", "valid")]
    if all(file.is_file() for file in files):
        return *(np.load(file, allow_pickle=False) for file in files), True
    rng = np.random.default_rng(0)
    made = rng.standard_normal((sum(SHAPES), n_dims)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made[: SHAPES[0]], made[SHAPES[0] :], False


def loop(train, n_dims, *, lean, device="cpu", measured=MEASURED):
    """All 135, extrapolated from one of each architecture and width: seconds of CPU and wall."""
    from dataloader_loop import COPIES, EXPANSIONS, train_seconds

    measure = lean_seconds if lean else train_seconds
    cpu = wall = 0.0
    for architecture, copies in COPIES.items():
        for expansion in EXPANSIONS:
            one = measure(
                train, architecture, expansion * n_dims, k=16, lr=1e-3, penalty=1e-3,
                bandwidth=1e-3, epochs=measured, device=device,
            )  # fmt: skip
            cpu, wall = cpu + copies * one[0], wall + copies * one[1]
    return cpu, wall


def lean_seconds(train, architecture, n_latents, k, lr, penalty, bandwidth, *, epochs, device):
    """As ``dataloader_loop.train_seconds``, batches being gathered from one array by index."""
    import torch
    from dataloader_loop import SmallCoder, settle

    torch.manual_seed(0)
    rows = torch.as_tensor(train).to(device)
    coder = SmallCoder(rows.shape[1], architecture, n_latents, k, penalty, bandwidth).to(device)
    optimiser = torch.optim.Adam(coder.parameters(), lr=lr, fused=True)
    cpu, wall = [], []
    for _ in range(epochs + 1):
        settle(device)
        cpu_began, wall_began = time.process_time(), time.perf_counter()
        for index in torch.randperm(len(rows), device=device).split(BATCH):
            optimiser.zero_grad()
            coder.loss(rows[index]).backward()
            optimiser.step()
        settle(device)
        cpu.append(time.process_time() - cpu_began)
        wall.append(time.perf_counter() - wall_began)
    return EPOCHS * statistics.median(cpu[1:]), EPOCHS * statistics.median(wall[1:])


def ours(train, validation, *, epochs=EPOCHS, device="cpu"):
    """All 135 with ``fit_many``: seconds of CPU and wall of 50 epochs, and the best R²."""
    from made_bins import TRAIN, VALIDATION, Bins, checks_of_a_full_training

    from nwbsparse.options.presets import naik_grid
    from nwbsparse.training.fit import fit_many

    split = np.repeat([TRAIN, VALIDATION], [len(train), len(validation)]).astype(np.int8)
    data = Bins(np.concatenate([train, validation]), split)
    grid = [config.replace(max_epochs=epochs, device=device) for config in naik_grid()]
    fit_many(data, [config.replace(max_epochs=1) for config in grid[::9]])  # compiled, warm
    with checks_of_a_full_training(epochs / EPOCHS):
        cpu, wall = time.process_time(), time.perf_counter()
        made = fit_many(data, grid)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    failed = [one for one in made if isinstance(one, Exception)]
    if failed:
        raise failed[0]
    scale = EPOCHS / epochs * len(train) / (len(train) // BATCH * BATCH)
    return cpu * scale, wall * scale, max(one.record.history[-1]["r2"] for one in made)


def measure(contender, n_dims, epochs, measured, device="cpu"):
    import torch

    torch.set_num_threads(1)
    train, validation, real = embedding(n_dims)
    r2 = None
    if contender == "ours":
        cpu, wall, r2 = ours(train, validation, epochs=epochs, device=device)
    else:
        cpu, wall = loop(train, n_dims, lean=contender == "lean", device=device, measured=measured)
    return {
        "cpu_s": round(cpu, 1), "wall_s": round(wall, 1), "real_data": real, "r2": r2,
        "load": round(os.getloadavg()[0], 2), "torch": torch.__version__,
    }  # fmt: skip


def main():
    import machine

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dims", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of ours; below 50 extrapolated")
    parser.add_argument(
        "--measured", type=int, default=MEASURED, help="epochs of the loops' coders"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one, given.dims[0], given.epochs, given.measured)))
        return
    print(machine.words())
    words = "all 135, 50 epochs" if given.epochs == EPOCHS else f"from {given.epochs} epochs"
    print(f"CPU s of 135 coders and 50 epochs, 1 thread; loops extrapolated, ours {words}")
    rows = []
    for n_dims in given.dims:
        found = {"dataloader": [], "ours": [], "lean": []}
        for _ in range(given.repeats):
            for contender, runs in found.items():
                arguments = ("--one", contender, "--dims", n_dims, "--epochs", given.epochs)
                runs.append(machine.ourselves("stack.py", *arguments, "--measured", given.measured))
        best = {name: machine.best(runs) for name, runs in found.items()}
        failed = [f"{name}: {one['failed']}" for name, one in best.items() if "failed" in one]
        if failed:
            print(*failed, sep="\n")
            continue
        loader, lean, mine = (best[name]["cpu_s"] for name in ("dataloader", "lean", "ours"))
        source = "buddy" if best["ours"]["real_data"] else "random"
        r2, load = f"{best['ours']['r2']:.3f}", best["ours"]["load"]
        rows.append(
            (n_dims, source, loader, lean, mine, f"{loader / mine:.1f}", f"{lean / mine:.1f}", r2, load)
        )  # fmt: skip
    machine.table(
        ("dims", "data", "DataLoader", "index loop", "fit_many", "ratio", "to index loop",
         "best R²", "load"),
        rows,
    )  # fmt: skip
    print(machine.load_words())


if __name__ == "__main__":
    main()

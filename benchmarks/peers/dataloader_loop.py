"""The loop that most papers use, as the baseline of a sweep: one small SAE after the other.

    python benchmarks/peers/dataloader_loop.py [threads] [n_bins] [n_dims]

Plain PyTorch as in Naik et al. 2025: a module, Adam, a DataLoader over a TensorDataset with batch
256, 50 epochs; 27 standard + 27 top-k + 81 exponential-penalty coders per embedding (three widths,
three learning rates, three penalties or k, three bandwidths). What is measured is one coder of each
architecture and width for a few epochs (the median epoch counts, after one of warm-up); learning
rate, penalty and bandwidth do not change the time, so the 135 are extrapolated from those nine and
labelled so. One thread unless told otherwise: two take as long on coders this small and twice the
CPU seconds, many times that when other processes share the cores (``load``), since the idle thread
spins. Needs torch and numpy only. The last line printed is JSON.
"""

import json
import os
import statistics
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH, EPOCHS, MEASURED = 256, 50, 5
EXPANSIONS, RATES, PENALTIES = (2, 4, 8), (1e-4, 3e-4, 1e-3), (1e-4, 1e-3, 1e-2)
KS, BANDWIDTHS = (8, 16, 32), (5e-4, 1e-3, 5e-3)
COPIES = {"standard": 9, "topk": 9, "jumprelu": 27}  # of each width in the grid


class SmallCoder(nn.Module):
    """No pre-bias, no unit-norm rows; ``jumprelu`` is the paper's: ReLU, exponential penalty."""

    def __init__(self, n_dims, architecture, n_latents, k, penalty, bandwidth):
        super().__init__()
        self.encoder = nn.Linear(n_dims, n_latents)
        self.decoder = nn.Linear(n_latents, n_dims)
        self.architecture, self.k = architecture, min(k, n_latents)
        self.penalty, self.bandwidth = penalty, bandwidth

    def forward(self, x):
        activation = torch.relu(self.encoder(x))
        if self.architecture == "topk":
            values, index = torch.topk(activation, self.k, dim=1)
            activation = torch.zeros_like(activation).scatter(1, index, values)
        return self.decoder(activation), activation

    def loss(self, x):
        predicted, activation = self(x)
        loss = ((x - predicted) ** 2).sum(dim=1)
        if self.architecture == "standard":
            loss = loss + self.penalty * activation.sum(dim=1)
        elif self.architecture == "jumprelu":
            loss = loss + self.penalty * (1 - torch.exp(-activation / self.bandwidth)).sum(dim=1)
        return loss.mean()


def train_seconds(
    data, architecture, n_latents, k, lr, penalty, bandwidth, *, epochs=EPOCHS, device="cpu", seed=0,
    batch=BATCH,
):  # fmt: skip
    """Train one coder; (CPU seconds, wall seconds) of 50 epochs.

    That is 50 times the median of ``epochs`` epochs, after one of warm-up.
    """
    torch.manual_seed(seed)
    rows = torch.as_tensor(np.asarray(data, np.float32))
    loader = DataLoader(TensorDataset(rows), batch_size=batch, shuffle=True)
    coder = SmallCoder(rows.shape[1], architecture, n_latents, k, penalty, bandwidth).to(device)
    optimiser = torch.optim.Adam(coder.parameters(), lr=lr)
    cpu, wall = [], []
    for _ in range(epochs + 1):
        settle(device)
        cpu_began, wall_began = time.process_time(), time.perf_counter()
        for (x,) in loader:
            optimiser.zero_grad()
            coder.loss(x.to(device)).backward()
            optimiser.step()
        settle(device)
        cpu.append(time.process_time() - cpu_began)
        wall.append(time.perf_counter() - wall_began)
    return EPOCHS * statistics.median(cpu[1:]), EPOCHS * statistics.median(wall[1:])


def settle(device):
    if str(device).startswith("cuda"):
        torch.cuda.synchronize()


def grid(n_dims):
    """The 135 coders of one embedding, as arguments of :func:`train_seconds` after the data."""
    for expansion in EXPANSIONS:
        for lr in RATES:
            for setting in range(3):
                n = expansion * n_dims
                yield "standard", n, KS[0], lr, PENALTIES[setting], 0.0
                yield "topk", n, KS[setting], lr, 0.0, 0.0
                for bandwidth in BANDWIDTHS:
                    yield "jumprelu", n, KS[0], lr, PENALTIES[setting], bandwidth


def main(threads=1, n_bins=8_000, n_dims=32):
    torch.set_num_threads(int(threads))
    rng = np.random.default_rng(0)
    data = rng.standard_normal((int(n_bins), int(n_dims))).astype(np.float32)
    data /= np.linalg.norm(data, axis=1, keepdims=True)  # CEBRA's embeddings lie on the sphere
    assert len(list(grid(1))) == len(EXPANSIONS) * sum(COPIES.values()) == 135
    cells, cpu_total, wall_total = {}, 0.0, 0.0
    for architecture, copies in COPIES.items():
        for expansion in EXPANSIONS:
            cpu, wall = train_seconds(
                data, architecture, expansion * data.shape[1], k=16, lr=1e-3, penalty=1e-3,
                bandwidth=1e-3, epochs=MEASURED,
            )  # fmt: skip
            cells[f"{architecture} x{expansion}"] = {
                "cpu_s": round(cpu, 2),
                "wall_s": round(wall, 2),
            }
            print(f"  {architecture:<9} x{expansion}: {cpu:6.2f} CPU s, {wall:6.2f} s", flush=True)
            cpu_total += copies * cpu
            wall_total += copies * wall
    print(f"  135 coders, {EPOCHS} epochs: {cpu_total:.0f} CPU s (extrapolated)")
    words = {
        "peer": "PyTorch and DataLoader, one coder at a time", "torch": torch.__version__,
        "threads": torch.get_num_threads(), "n_bins": len(data), "n_dims": data.shape[1],
        "batch": BATCH, "epochs": EPOCHS, "coders": 135, "cells_of_50_epochs": cells,
        "cpu_s": round(cpu_total, 1), "wall_s": round(wall_total, 1),
        "extrapolated_from": f"{len(cells)} coders, {MEASURED} epochs each, the median one",
        "load": round(os.getloadavg()[0], 2),
    }  # fmt: skip
    print(json.dumps(words))


if __name__ == "__main__":
    main(*sys.argv[1:])

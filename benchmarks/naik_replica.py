"""Naik's (2025) TopK coder in plain torch, as its published numbers were made.

The oracle of ``naik_code.py``: nothing of nwbsparse is used here. Two ``nn.Linear`` layers as torch begins
them, no bias before the encoder, rows of any length; ReLU, then what is not below the k-th largest; Adam at
a constant rate, the mean of squared errors, shuffled batches of 512 of which the last of a pass is smaller;
the weights of the end.
"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import relu

EXPANSION, RATE, BATCH, EPOCHS = 8, 1e-3, 512, 50


class TopKCoder(nn.Module):
    def __init__(self, n_dims, n_latents, k):
        super().__init__()
        self.encoder = nn.Linear(n_dims, n_latents)
        self.decoder = nn.Linear(n_latents, n_dims)
        self.k = min(k, n_latents)

    def forward(self, rows):
        active = relu(self.encoder(rows))
        kth = active.topk(self.k, dim=1).values[:, -1:]
        return self.decoder(torch.where(active >= kth, active, 0.0))


def trained(embedding, k, seed, *, epochs=EPOCHS, keep_last=True, unit_rows=False):
    """A coder of an embedding (bin, dim).

    Args:
        embedding: what is learned from.
        k, seed: of the coder.
        epochs: passes over all bins.
        keep_last: whether bins that fill no batch make a smaller one.
        unit_rows: whether the dictionary begins with rows of unit length.
    """
    torch.manual_seed(seed)
    rows = torch.as_tensor(np.asarray(embedding, np.float32))
    coder = TopKCoder(rows.shape[1], EXPANSION * rows.shape[1], k)
    if unit_rows:
        with torch.no_grad():
            coder.decoder.weight.div_(coder.decoder.weight.norm(dim=0))
    optimiser = torch.optim.Adam(coder.parameters(), lr=RATE)
    for _ in range(epochs):
        for index in torch.randperm(len(rows)).split(BATCH):
            if len(index) < BATCH and not keep_last:
                continue
            batch = rows[index]
            optimiser.zero_grad()
            ((coder(batch) - batch) ** 2).mean().backward()
            optimiser.step()
    return coder


def reconstructed(coder, embedding):
    with torch.no_grad():
        return coder(torch.as_tensor(np.asarray(embedding, np.float32))).numpy()

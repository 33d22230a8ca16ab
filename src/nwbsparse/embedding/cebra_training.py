"""The updates of CEBRA: its batches and its loss, with what a batch is computed by in one piece."""

from __future__ import annotations

from typing import Any

from nwbsparse.embedding.cebra_package import package


def train(
    model: Any, criterion: Any, loader: Any, solver: str, *, learning_rate: float
) -> list[float]:
    """Update a network by all batches of a loader; the loss of each.

    Batches, loss and optimiser (Adam) are those of the package's solver, in its order. Where the
    network is one of convolutions alone, reference, positive and negative samples go through it
    together and as :mod:`nwbsparse.embedding.cebra_convolutions` computes it, which gives the same but
    for rounding; else (several recordings, hybrid training, other layers) the package's solver does it.
    """
    import torch

    from nwbsparse.embedding.cebra_convolutions import time_first

    parameters = [*model.parameters(), *criterion.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=learning_rate, fused=True)
    computed = time_first(model) if solver == "single-session" else None
    if computed is None:
        fitted = package().solver.init(
            solver, model=model, criterion=criterion, optimizer=optimiser, tqdm_on=False
        )
        fitted.fit(loader=loader)
        return [float(one) for one in fitted.history]
    losses = []
    model.train()
    for _ in range(len(loader)):
        drawn = loader.get_indices(num_samples=loader.batch_size)
        samples = drawn.reference, drawn.positive, drawn.negative
        windows = loader.dataset.time_first(torch.cat(samples))
        embedded = computed(windows).split([len(one) for one in samples])
        loss = criterion(*embedded)[0]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses

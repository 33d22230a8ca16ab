"""fit(): learn a sparse coder from binned counts."""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.config import Config
from nwbsparse.defaults import resolve
from nwbsparse.errors import BadInput, NwbsparseError
from nwbsparse.models.coder import CoderRecord, SparseCoder, as_tensor
from nwbsparse.models.losses import reconstruction_loss, revival_loss
from nwbsparse.models.sparsifiers import ThresholdSearch, batch_topk
from nwbsparse.progress import Progress, silent
from nwbsparse.schema import own_version

CHECKS = 30
"""How many times a training looks at the validation bins."""
DIVERGED = 1e3
"""Times the first loss beyond which a training has left the rails."""
CLIP = 1.0
CHUNK = 8192


class TrainingDiverged(NwbsparseError):
    """The loss became NaN or exploded."""


@dataclass(frozen=True)
class _Bins:
    """What training reads: counts as stored, on the device once; batches are index gathers."""

    counts: Tensor
    valid: Tensor | None
    train: Tensor
    validation: Tensor

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor | None]:
        return self.counts[index], None if self.valid is None else self.valid[index]


def fit(data: Any, config: Config | None = None, *, progress: Progress = silent) -> SparseCoder:
    """Learn sparse latents from a binned recording.

    Args:
        data: Binned dataset with ``counts(time, unit)`` that went through ``split``; bins of its
            train part are learned from, those of its validation part say when to stop.
        config: options; what they leave open is chosen (``coder.config`` tells).
        progress: called at every validation check.

    Returns:
        The coder of the best validation loss, in evaluation mode on the CPU, with the inference
        threshold found on the training bins (mean L0 of k there).

    Units that were not observed in a bin stand at their mean and carry no loss there. Silent units
    stay, with scale 1. The same seed on the same machine and number of threads gives the same
    bits on the CPU.

    Raises:
        BadInput: not split, counts that are not finite, or options that do not fit the data.
        TrainingDiverged: the loss became NaN or grew a thousandfold.
    """
    counts = np.asarray(data[names.COUNTS].values)
    _check(data, counts)
    parts = np.asarray(data[names.SPLIT].values)
    train = np.flatnonzero(parts == names.TRAIN)
    bin_width = float(data.attrs[names.BIN_WIDTH])
    settled = resolve(config or Config(), counts, n_train=len(train), bin_width=bin_width)
    record = CoderRecord(
        config=settled,
        unit_ids=tuple(str(unit_id) for unit_id in data[names.UNIT_ID].values),
        bin_width=bin_width,
        source_sha256=str(data.attrs.get("source_sha256", "")),
        software={
            "nwbsparse": own_version(),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    )
    device = pick_device(settled.device)
    valid = np.asarray(data[names.VALID].values) if names.VALID in data else None
    bins = _Bins(
        counts=as_tensor(counts).to(device),
        valid=None if valid is None else torch.from_numpy(valid).to(device),
        train=torch.from_numpy(train).to(device),
        validation=torch.from_numpy(np.flatnonzero(parts == names.VALIDATION)).to(device),
    )
    generator = torch.Generator().manual_seed(settled.seed)
    coder = untrained(
        record, bins_of=counts[train], valid_of=None if valid is None else valid[train]
    )
    coder.to(device)
    history = _train(coder, bins, generator, progress)
    coder.record = replace(record, history=tuple(history))
    _calibrate(coder, bins)
    return coder.cpu().eval()


def untrained(
    record: CoderRecord, *, bins_of: np.ndarray, valid_of: np.ndarray | None = None
) -> SparseCoder:
    """The coder as it is before the first update: seeded weights, normalisation of these bins."""
    coder = SparseCoder(record, generator=torch.Generator().manual_seed(record.config.seed))
    observed = np.ones(bins_of.shape, bool) if valid_of is None else valid_of
    n = np.maximum(observed.sum(axis=0), 1)
    mean = (bins_of * observed).sum(axis=0, dtype=np.float64) / n
    square = (np.square(bins_of, dtype=np.float64) * observed).sum(axis=0) / n
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    with torch.no_grad():
        # a unit that never changes in training has nothing to be written: random weights on it
        # would stand in the dictionary for ever and mean nothing
        coder.dictionary[:, torch.from_numpy(spread == 0)] = 0.0
        coder.renormalise()
        coder.encoder_weight.copy_(coder.dictionary)
        if record.config.normalisation == "zscore":
            coder.offset.copy_(torch.from_numpy(mean))
            coder.scale.copy_(torch.from_numpy(np.where(spread > 0, spread, 1.0)))
        else:
            coder.pre_bias.copy_(torch.from_numpy(mean))
            start = np.log(np.expm1(np.maximum(mean, 1e-3))) if coder.output == "softplus" else mean
            coder.decoder_bias.copy_(torch.from_numpy(start))
    return coder


def untrained_control(coder: SparseCoder, data: Any) -> SparseCoder:
    """A coder of the same shape, seed and normalisation that has learned nothing.

    Its threshold is found on the training bins like that of the trained one, so both are equally
    sparse: what a claim must beat, since random rectified directions also correlate with things.
    """
    counts = np.asarray(data[names.COUNTS].values)
    valid = np.asarray(data[names.VALID].values) if names.VALID in data else None
    train = np.flatnonzero(np.asarray(data[names.SPLIT].values) == names.TRAIN)
    control = untrained(
        replace(coder.record, history=()),
        bins_of=counts[train],
        valid_of=None if valid is None else valid[train],
    )
    bins = _Bins(
        counts=as_tensor(counts),
        valid=None if valid is None else torch.from_numpy(valid),
        train=torch.from_numpy(train),
        validation=torch.empty(0, dtype=torch.long),
    )
    _calibrate(control, bins)
    return control.eval()


def pick_device(wanted: str) -> torch.device:
    """The device asked for; 'auto' takes CUDA where there is one, else the CPU.

    Raises:
        BadInput: the device does not exist here.
    """
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "auto":
        return torch.device("cuda" if available["cuda"] else "cpu")
    if not available.get(wanted, False):
        here = ", ".join(name for name, there in available.items() if there)
        raise BadInput(f"device '{wanted}' is not available here; there is: {here}")
    return torch.device(wanted)


def _check(data: Any, counts: np.ndarray) -> None:
    if names.SPLIT not in data.coords:
        raise BadInput("the bins were not split yet; call nwbsparse.split(binned) first")
    if counts.ndim != 2 or 0 in counts.shape:
        raise BadInput(f"counts have shape {counts.shape}; bins and units are needed")
    if counts.dtype.kind == "f" and not np.isfinite(counts).all():
        bad = np.flatnonzero(~np.isfinite(counts).all(axis=1))
        raise BadInput(f"counts are not finite in {len(bad)} bins, the first is bin {bad[0]}")


def _train(
    coder: SparseCoder, bins: _Bins, generator: torch.Generator, progress: Progress
) -> list[dict[str, Any]]:
    config = coder.config
    assert config.batch_size and config.max_epochs and config.k_aux
    per_epoch = len(bins.train) // config.batch_size
    total = per_epoch * config.max_epochs
    every = max(total // CHECKS, 1)
    fused = bins.counts.device.type in ("cpu", "cuda")
    optimiser = torch.optim.Adam(coder.parameters(), lr=config.learning_rate, fused=fused)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: step_size(step, total))
    idle = torch.zeros(coder.n_latents, dtype=torch.long, device=bins.counts.device)
    history: list[dict[str, Any]] = []
    best, best_state, first, waited = math.inf, None, None, 0
    order = bins.train
    for update in range(total):
        at = update % per_epoch
        if at == 0:
            shuffled = torch.randperm(len(bins.train), generator=generator)
            order = bins.train[shuffled.to(bins.train.device)]
        index = order[at * config.batch_size : (at + 1) * config.batch_size]
        loss = _step(coder, *bins.batch(index), idle, optimiser)
        schedule.step()
        first = loss if first is None else first
        if not math.isfinite(loss) or loss > DIVERGED * max(first, 1.0):
            raise TrainingDiverged(
                f"the loss became {loss:.3g} at update {update + 1} of {total} (it began at "
                f"{first:.3g}); use a smaller --learning-rate than {config.learning_rate}"
            )
        if (update + 1) % every == 0 or update + 1 == total:
            held_out = _validate(coder, bins)
            dead = float((idle >= config.dead_window).float().mean())
            history.append(
                {
                    "update": update + 1,
                    "train_loss": loss,
                    "validation_loss": held_out,
                    "dead_fraction": dead,
                    "learning_rate": config.learning_rate * step_size(update, total),
                }
            )
            progress("fit", update + 1, total, loss=loss, validation=held_out, dead=dead)
            if held_out < best:
                best, waited = held_out, 0
                best_state = {key: value.clone() for key, value in coder.state_dict().items()}
            elif update + 1 > total // 2:
                # the constant-rate half is noisy: patience runs once annealing has begun
                waited += 1
                if waited >= config.patience:
                    break
    if best_state is not None:
        coder.load_state_dict(best_state)
    return history


def step_size(update: int, total: int) -> float:
    """Share of the peak learning rate: warm-up 10 %, constant to 50 %, cosine to a hundredth."""
    at = update / max(total, 1)
    if at < 0.1:
        return (update + 1) / max(math.ceil(0.1 * total), 1)
    if at < 0.5:
        return 1.0
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (at - 0.5) / 0.5))


def _step(
    coder: SparseCoder,
    counts: Tensor,
    valid: Tensor | None,
    idle: Tensor,
    optimiser: torch.optim.Optimizer,
) -> float:
    config = coder.config
    y = coder.normalise(counts, valid)
    pre_activation = coder.pre_activation(y)
    loss = torch.zeros((), device=y.device)
    predicted = used = None
    for size, k in coder.levels:
        # independent levels (Bhagat 2025, Algorithm 1): each selects from its own prefix of the
        # dictionary and reconstructs the whole population
        activation, kept = batch_topk(pre_activation[:, :size], k)
        predicted = coder.decode(activation)
        loss = loss + reconstruction_loss(config.loss, predicted, y, valid) / len(coder.levels)
        used = kept.any(dim=0)
    assert predicted is not None and used is not None
    idle += 1
    idle[used] = 0
    total = loss
    dead = idle >= config.dead_window
    if config.aux_weight > 0 and bool(dead.any()):
        residual = (y - predicted).detach()
        if valid is not None:
            residual = torch.where(valid, residual, 0.0)
        total = loss + config.aux_weight * revival_loss(
            (y - coder.pre_bias).detach(),
            residual,
            coder.encoder_weight,
            coder.encoder_bias,
            coder.dictionary,
            dead,
            config.k_aux or 1,
        )
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    coder.drop_parallel_gradient()
    torch.nn.utils.clip_grad_norm_(coder.parameters(), CLIP * math.sqrt(coder.n_units))
    optimiser.step()
    coder.renormalise()
    return float(loss.detach())


@torch.no_grad()
def _validate(coder: SparseCoder, bins: _Bins) -> float:
    """Loss of the largest level on the validation bins, selected as in training."""
    config = coder.config
    total = 0.0
    for index in bins.validation.split(CHUNK):
        counts, valid = bins.batch(index)
        y = coder.normalise(counts, valid)
        activation, _ = batch_topk(coder.pre_activation(y), config.k or 1)
        loss = reconstruction_loss(config.loss, coder.decode(activation), y, valid)
        total += float(loss) * len(index)
    return total / max(len(bins.validation), 1)


@torch.no_grad()
def _calibrate(coder: SparseCoder, bins: _Bins) -> None:
    """Set each level's threshold to the value that gives a mean L0 of k on the training bins."""
    for level, (size, k) in enumerate(coder.levels):
        search = ThresholdSearch(k, n_bins=len(bins.train))
        for index in bins.train.split(CHUNK):
            counts, valid = bins.batch(index)
            search.add(coder.pre_activation(coder.normalise(counts, valid))[:, :size])
        coder.threshold[level] = search.threshold()

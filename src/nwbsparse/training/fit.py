"""fit(): learn a sparse coder from binned counts; fit_many(): many at once."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import DTYPES, SparseCoder
from nwbsparse.models.record import CoderRecord
from nwbsparse.models.stack import OWN, shared_options
from nwbsparse.options.automatic import resolve, shaped
from nwbsparse.options.config import Config
from nwbsparse.population import as_read
from nwbsparse.progress import Progress, silent
from nwbsparse.schema import own_version
from nwbsparse.training.adam import own_step
from nwbsparse.training.bins import Windows, check_counts, check_loss, windows_of
from nwbsparse.training.device import check_memory, pick_device
from nwbsparse.training.engine import Training, TrainingDiverged
from nwbsparse.training.populations import populations
from nwbsparse.training.saved import FILE, resume_training, save_training
from nwbsparse.training.start import Moments, calibrate, moments_of, untrained
from nwbsparse.training.stopping import Stopping

CACHE = 4_000_000
"""Bytes of pre-activations of a batch beyond which a CPU stack is trained in several parts: they
must stay in the cache, or every pass over them waits for memory."""

Callback = Callable[[Training], None]


def fit(
    data: Any,
    config: Config | None = None,
    *,
    target: Any = None,
    progress: Progress = silent,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> SparseCoder:
    """Learn sparse latents from a binned recording.

    Args:
        data: Binned dataset with ``counts(time, unit)`` that went through ``split``; bins of its
            train part are learned from, those of its validation part say when to stop. With
            ``reads="embedding"`` its ``embedding(time, dim)`` is learned from instead
            (:func:`nwbsparse.with_embedding`).
        config: options; what they leave open is chosen (``coder.config`` tells).
        target: another Binned dataset on the same bins whose units are to be reconstructed, when
            ``target_units``, ``target_regions`` and ``lag`` cannot say it (another session, day
            or simulation).
        progress: called at every validation check.
        callbacks: called with the training after every check; raising from one stops it.
        checkpoint: folder to which the training is saved at every check, and when it is
            interrupted by Ctrl-C or SIGTERM.
        resume: go on from that folder's checkpoint, if there is one.

    Returns:
        The coder of the best validation loss, in evaluation mode on the CPU, with the inference
        threshold found on the training bins (mean L0 of k there).

    Units that were not observed in a bin stand at their mean and carry no loss there. Silent units
    stay, with scale 1. Windows that would cross a segment's edge or reach into another part are
    left out. The same seed on the same machine and number of threads gives the same bits on the
    CPU, whether or not the training was stopped and resumed in between.

    Raises:
        BadInput: not split, counts that are not finite, options that do not fit the data, or a
            checkpoint of another training.
        EnvironmentProblem: more memory is needed than there is, or the folder cannot be written.
        TrainingDiverged: the loss became NaN or grew a thousandfold; the last good state is in
            its ``coder``.
        KeyboardInterrupt: it was interrupted; a checkpoint was saved if there is a folder for it.
    """
    if resume and checkpoint is None:
        raise BadInput("resume=True needs the folder of the checkpoint; give checkpoint=")
    coders = _prepare(data, [config or Config()], target)
    made = _train(
        coders,
        data,
        target,
        progress,
        callbacks,
        checkpoint=None if checkpoint is None else Path(checkpoint).expanduser(),
        resume=resume,
    )
    if isinstance(made[0], TrainingDiverged):
        raise made[0]
    return made[0]


def fit_many(
    data: Any,
    configs: Sequence[Config],
    *,
    target: Any = None,
    progress: Progress = silent,
) -> list[SparseCoder | TrainingDiverged]:
    """Learn many coders of one recording at once: a grid of options, or seeds.

    Configs that differ only in seed, learning rate, penalties, clipping, revival weight or
    patience are trained as one batched module, in parts that fit the cache (CPU) or memory. Each
    model learns what :func:`fit` would have learned from its config alone (to 1e-10 in float64),
    stops early by itself, and drops out when it diverges.

    Returns:
        One coder per config, in their order; a model that diverged stands as the error that
        :func:`fit` would have raised.

    Raises:
        BadInput, EnvironmentProblem: as :func:`fit`.
    """
    coders = _prepare(data, configs, target)
    groups: dict[str, list[int]] = {}
    for at, coder in enumerate(coders):
        groups.setdefault(json.dumps(shared_options(coder.config), sort_keys=True), []).append(at)
    made: list[Any] = [None] * len(coders)
    done = 0
    for group in groups.values():
        # neighbours with the same step size share the optimiser's calls
        places = sorted(group, key=lambda at: own_step(coders[at].config))
        size = _members_at_once(coders[places[0]])
        for start in range(0, len(places), size):
            part = places[start : start + size]
            found = _train([coders[at] for at in part], data, target, silent, ())
            for at, one in zip(part, found, strict=True):
                made[at] = one
            done += len(part)
            progress("fit", done, len(coders))
    return made


def _prepare(data: Any, configs: Sequence[Config], target: Any) -> list[SparseCoder]:
    """Untrained coders, their open options settled by the data."""
    bin_width = float(data.attrs[names.BIN_WIDTH])
    given = {config.reads: as_read(data, config.reads) for config in configs}
    for one in given.values():
        check_counts(one, np.asarray(one[names.COUNTS].values))
    coders = []
    sizes: dict[Any, Windows] = {}
    moments: dict[Any, Moments] = {}
    for config in configs:
        config, data = shaped(config), given[config.reads]
        counts = np.asarray(data[names.COUNTS].values)
        check_loss(config, counts)
        inputs, targets = populations(data, config, target)
        record = CoderRecord(
            config=config,
            unit_ids=inputs,
            target_ids=targets,
            bin_width=bin_width,
            source_sha256=str(data.attrs.get("source_sha256", "")),
            software={
                "nwbsparse": own_version(),
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
        )
        key = (config.reads, config.window, config.lag, config.decoded)
        if key not in sizes:
            sizes[key] = windows_of(record, data, target=target)
        if not len(sizes[key].train):
            raise BadInput(
                f"no training bin has a whole window of {config.window} bins and lag {config.lag} "
                "in its segment and part; use a smaller --window or --lag, or longer blocks"
            )
        settled = resolve(
            config,
            counts,
            n_train=len(sizes[key].train),
            bin_width=bin_width,
            n_units=len(inputs),
        )
        record = replace(record, config=settled)
        with torch.device("meta"):  # its shape alone
            sketch = SparseCoder(record)
        _check_fits(sketch, sizes[key], models=1)
        own = (config.reads, inputs, targets)
        if own not in moments:
            moments[own] = moments_of(record, data, target=target)
        coders.append(untrained(record, data, target=target, moments=moments[own]))
    return coders


def _train(
    coders: list[SparseCoder],
    data: Any,
    target: Any,
    progress: Progress,
    callbacks: Sequence[Callback],
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> list[SparseCoder | TrainingDiverged]:
    config = coders[0].config
    device = pick_device(config.device)
    windows = windows_of(coders[0].record, data, target=target)
    _check_fits(coders[0], windows, models=len(coders))
    windows = windows.to(device)
    training = Training([coder.to(device) for coder in coders], windows)
    path = None if checkpoint is None else checkpoint / FILE
    identity = _identity(coders, data, target) if path is not None else {}
    if path is not None and resume and path.is_file():
        resume_training(training, path, identity)
    with Stopping(armed=path is not None) as stopping:

        def at_update(now: Training, *, checked: bool) -> None:
            if path is not None and (checked or stopping.asked):
                save_training(now, path, identity)
            stopping.obey()
            if checked:
                for callback in callbacks:
                    callback(now)

        members = training.run(progress, at_update)
        stopping.obey()
    made: list[SparseCoder | TrainingDiverged] = []
    for member in members:
        coder = member.coder
        coder.record = replace(coder.record, history=tuple(member.history))
        if member.failed is None or member.best_weights is not None:
            calibrate(coder, windows)
        coder.cpu().eval()
        made.append(coder if member.failed is None else member.failed)
    return made


def _check_fits(coder: SparseCoder, windows: Windows, *, models: int) -> None:
    needed = needed_bytes(coder, windows, models=models)
    device = pick_device(coder.config.device)
    check_memory(needed, device, "use a smaller --batch-size, --n-latents or --window")


def needed_bytes(coder: SparseCoder, windows: Windows, *, models: int) -> int:
    """Roughly what training takes: weights four times, the best ones, a batch, and the data."""
    config, architecture = coder.config, coder.architecture
    weights = sum(p.numel() * p.element_size() for p in coder.parameters())
    size = DTYPES[config.precision].itemsize
    rows = (config.batch_size or 1) * architecture.decoder.rows_per_bin
    seen = rows * architecture.window * coder.n_units
    batch = size * (3 * rows * coder.n_latents + 4 * rows * architecture.n_values + 2 * seen)
    return models * (5 * weights + batch) + windows.n_bytes


def _members_at_once(coder: SparseCoder) -> int:
    rows = (coder.config.batch_size or 1) * coder.architecture.decoder.rows_per_bin
    if pick_device(coder.config.device).type != "cpu":
        return 4096
    return max(1, CACHE // max(4 * rows * coder.n_latents, 1))


def _identity(coders: list[SparseCoder], data: Any, target: Any) -> dict[str, Any]:
    """What a resumed training must have in common with the one that was saved."""
    digest = hashlib.blake2b(digest_size=16)
    data = as_read(data, coders[0].config.reads)
    for dataset in [data] if target is None else [data, target]:
        for name in (names.COUNTS, names.SPLIT, names.SEGMENT, names.VALID):
            if name in dataset:
                digest.update(name.encode())
                digest.update(np.ascontiguousarray(dataset[name].values).data.cast("B"))
    own = [{k: v for k, v in c.config.to_dict().items() if k in OWN} for c in coders]
    return coders[0].config.to_dict() | {
        "models": own,
        "units": coders[0].record.unit_hash,
        "bins": digest.hexdigest(),
        "torch": torch.__version__,
    }

"""A stack of coders from its first update to its last, saved on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nwbsparse import names
from nwbsparse.files.whole import remove_unfinished
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.device import pick_device
from nwbsparse.models.stopping import Stopping
from nwbsparse.options.config import PER_MODEL, Config
from nwbsparse.population import as_read
from nwbsparse.progress import Progress, silent
from nwbsparse.training.bins import Windows, windows_of
from nwbsparse.training.engine import CHECKS, Training, TrainingDiverged
from nwbsparse.training.hiding import hiding_of
from nwbsparse.training.memory import check_fits
from nwbsparse.training.saved import FILE, resume_training, save_training
from nwbsparse.training.start import calibrate

Callback = Callable[[Training], None]


def train(
    coders: list[SparseCoder],
    binned: Any,
    target: Any = None,
    progress: Progress = silent,
    callbacks: Sequence[Callback] = (),
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
    windows: Windows | None = None,
    checks: int = CHECKS,
) -> list[SparseCoder | TrainingDiverged]:
    """Train coders of one shape side by side; each the best it was on the validation bins.

    Args:
        coders: untrained, or from where they are to go on.
        data, target: what is learned from.
        progress, callbacks, checkpoint, resume: as of :func:`nwbsparse.fit`.
        windows: of the data, where they were made before.
        checks: how many times the validation bins are looked at.

    Returns:
        The coders, thresholds found, in evaluation mode on the CPU; in place of one that diverged
        the error that says so.
    """
    config = coders[0].config
    device = pick_device(config.device)
    if windows is None:
        windows = windows_of(coders[0].record, binned, target=target)
    check_fits(coders[0], windows, models=len(coders))
    windows = windows.to(device)
    hiding = hiding_of(coders[0].record, binned)
    if hiding is not None:
        hiding = hiding.to(device)
    training = Training(
        [coder.to(device) for coder in coders], windows, hiding=hiding, checks=checks
    )
    path = None if checkpoint is None else checkpoint / FILE
    identity: dict[str, Any] = {}
    if path is not None:
        remove_unfinished(path)
        identity = _identity(coders, binned, target)
        if resume and path.is_file():
            resume_training(training, path, identity)
    with Stopping(saves=path is not None) as stopping:

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


def digest_of_bins(binned: Any, config: Config, target: Any = None) -> str:
    """Changes when the bins that are learned from, or their parts, do."""
    digest = hashlib.blake2b(digest_size=16)
    binned = as_read(binned, config.reads)
    for dataset in [binned] if target is None else [binned, target]:
        for name in (names.COUNTS, names.SPLIT, names.SEGMENT, names.VALID):
            if name in dataset:
                digest.update(name.encode())
                digest.update(np.ascontiguousarray(dataset[name].values).data.cast("B"))
    return digest.hexdigest()


def _identity(coders: list[SparseCoder], binned: Any, target: Any) -> dict[str, Any]:
    """What a resumed training must have in common with the one that was saved."""
    own = [{k: v for k, v in c.config.to_dict().items() if k in PER_MODEL} for c in coders]
    return coders[0].config.to_dict() | {
        "models": own,
        "units": coders[0].record.unit_hash,
        "bins": digest_of_bins(binned, coders[0].config, target),
        "torch": torch.__version__,
    }

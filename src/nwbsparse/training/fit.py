"""fit(): learn a sparse coder from binned counts; fit_many(): many at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config, shared_options
from nwbsparse.progress import Progress, silent
from nwbsparse.training.adam import own_step
from nwbsparse.training.engine import TrainingDiverged
from nwbsparse.training.learn import is_consensus, learn, settled_for
from nwbsparse.training.memory import members_at_once
from nwbsparse.training.prepare import new_coders
from nwbsparse.training.train import Callback, train


@renamed(data="binned")
def fit(
    binned: Any,
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
        binned: Binned dataset with ``counts(time, unit)`` that went through ``split``; bins of its
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
    config = config or Config()
    folder = None if checkpoint is None else Path(checkpoint).expanduser()
    settled = settled_for(binned, config, target)
    if is_consensus(config) or settled.choose != "none":
        return learn(
            binned, config, target=target, progress=progress, callbacks=callbacks,
            checkpoint=folder, resume=resume,
        )  # fmt: skip
    coders = new_coders(binned, [settled], target)
    made = train(
        coders,
        binned,
        target,
        progress,
        callbacks,
        checkpoint=folder,
        resume=resume,
    )
    if isinstance(made[0], TrainingDiverged):
        raise made[0]
    return made[0]


@renamed(data="binned")
def fit_many(
    binned: Any,
    configs: Sequence[Config],
    *,
    target: Any = None,
    progress: Progress = silent,
) -> list[SparseCoder | TrainingDiverged]:
    """Learn many coders of one recording at once: a grid of options, or seeds.

    Configs that differ only in seed, learning rate, penalties, clipping, revival weight or
    patience are trained as one batched module, in parts that fit the cache (CPU) or memory. Each
    model learns what :func:`fit` would have learned from its config alone (to 1e-10 in float64),
    stops early by itself, and drops out when it diverges. Each config is one training: nothing is
    chosen by trying (``choose``), and ``seeds`` and ``replicates`` do not count.

    Returns:
        One coder per config, in their order; a model that diverged stands as the error that
        :func:`fit` would have raised.

    Raises:
        BadInput, EnvironmentProblem: as :func:`fit`.
    """
    coders = new_coders(binned, [_in_one_go(binned, one, target) for one in configs], target)
    groups: dict[str, list[int]] = {}
    for at, coder in enumerate(coders):
        groups.setdefault(json.dumps(shared_options(coder.config), sort_keys=True), []).append(at)
    made: list[Any] = [None] * len(coders)
    done = 0
    for group in groups.values():
        # neighbours with the same step size share the optimiser's calls
        places = sorted(group, key=lambda at: own_step(coders[at].config))
        size = members_at_once(coders[places[0]])
        for start in range(0, len(places), size):
            part = places[start : start + size]
            found = train([coders[at] for at in part], binned, target)
            for at, one in zip(part, found, strict=True):
                made[at] = one
            done += len(part)
            progress("fit", done, len(coders))
    return made


def _in_one_go(binned: Any, config: Config, target: Any) -> Config:
    """The options of one training: what is open follows from the data."""
    settled = settled_for(binned, config, target)
    return settled.replace(seeds=1, replicates=0) if is_consensus(config) else settled

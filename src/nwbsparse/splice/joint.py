"""A network and a coder at one of its sites, trained together: the network learns to speak through it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace as changed
from pathlib import Path

import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.models.calibration import ThresholdSearch
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.device import pick_device
from nwbsparse.models.stack import Stack
from nwbsparse.progress import Progress, silent
from nwbsparse.splice.batches import SessionTrials, Trials, check_sessions
from nwbsparse.splice.capture import capture
from nwbsparse.splice.coder_at_site import check_coder, table_of
from nwbsparse.splice.head_scores import answers
from nwbsparse.splice.learning import Learning, LearningOptions, digest_of
from nwbsparse.splice.replace import replace
from nwbsparse.splice.site import site
from nwbsparse.splice.train_decoder import data_digest, losses_on, mean_loss
from nwbsparse.splice.transformer import PopulationTransformer

OPTIONS = LearningOptions(max_epochs=20, learning_rate=1e-3, patience=6)
"""Of fine-tuning: fewer and shorter steps than from the beginning."""
ROWS = 1024


def fine_tune(
    model: PopulationTransformer,
    coder: SparseCoder,
    sessions: Sequence[SessionTrials],
    *,
    at: str,
    reconstruction: float = 1.0,
    options: LearningOptions = OPTIONS,
    device: str = "auto",
    progress: Progress = silent,
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> tuple[PopulationTransformer, SparseCoder]:
    """Train a decoder and the coder at one of its sites together, each from where it stands.

    What is minimised is the loss of the heads *through* the coder, selected as in its training, and
    ``reconstruction`` times the coder's own loss per dim. The site itself is the coder's target and
    gets no gradient from that: a network that shrank its site to please the coder would gain nothing.

    Args:
        model, coder: trained apart, the coder on this site; neither is changed.
        sessions: as of :func:`train_decoder`. Test trials are not looked at.
        at: name of the site: ``blocks.1``.
        reconstruction: weight of the coder's loss.
        options, device, progress, checkpoint, resume: as of :func:`train_decoder`.

    Returns:
        The decoder and the coder as they were best on validation trials, decoded through the coder;
        the coder's thresholds are found anew on the training trials.

    Raises:
        BadInput: the coder is not one of this site's dims; as of :func:`train_decoder` besides.
    """
    check_sessions(model, sessions)
    check_coder(coder)
    where = pick_device(device)
    learned, own = copy.deepcopy(model).to(where), copy.deepcopy(coder).to(where)
    sessions = [one.to(where) for one in sessions]
    pair = _Pair(learned, own, at, reconstruction)
    asked = list(model.heads)
    train = Trials(model.heads, sessions, names.TRAIN)
    validation = Trials(model.heads, sessions, names.VALIDATION)

    def loss(index: Tensor) -> Tensor:
        with pair.spliced():
            decoded = mean_loss(learned, train.batch(index), asked)
        return decoded + pair.latest

    def look() -> dict[str, float]:
        with pair.spliced():
            return losses_on(learned, validation, asked)

    of_coder = {f"coder.{name}": one for name, one in pair.stack.weights.items()}
    learning = Learning(
        {f"network.{name}": one for name, one in learned.named_parameters()} | of_coder,
        loss,
        look,
        train,
        options,
        after=pair.stack.renormalise,
        without_decay=of_coder,
    )
    learned.train()
    history = learning.run(
        progress,
        stage="fine-tuning",
        checkpoint=None if checkpoint is None else Path(checkpoint).expanduser(),
        resume=resume,
        identity={
            "network": digest_of(model.state_dict()),
            "coder": coder.id,
            "site": at,
            "reconstruction": reconstruction,
            "data": data_digest(sessions),
        },
    )
    learned.history = [*model.history, *({"stage": "fine-tuning", **row} for row in history)]
    with torch.no_grad():
        for name, weight in own.named_parameters():
            weight.copy_(pair.stack.weights[name][0])
    with capture(site(learned, at)) as seen:
        answers(learned, sessions, part=names.TRAIN)
    _calibrate(own, table_of(seen.activity))
    own.record = changed(own.record, history=(*coder.record.history, *history))
    return learned.cpu().eval(), own.cpu().eval()


class _Pair:
    """A coder at a site as it is in training: the k largest of a batch, gradients through both."""

    def __init__(
        self, model: PopulationTransformer, coder: SparseCoder, at: str, reconstruction: float
    ) -> None:
        self.site = site(model, at)
        self.coder, self.stack, self.reconstruction = coder, Stack([coder]), reconstruction
        self.latest: Tensor | float = 0.0
        """The coder's own loss in the latest pass."""

    def spliced(self) -> AbstractContextManager[None]:
        return replace(self.site, self._change)

    def _change(self, x: Tensor) -> Tensor:
        coder = self.coder
        if x.shape[-1] != coder.n_units:
            raise BadInput(
                f"the coder reads {coder.n_units} dims, the site has {x.shape[-1]}; fit it on what "
                "capture() gave at this site"
            )
        rows = x.float().flatten(0, -2)
        target = coder.normalise_target(rows.detach())
        # without a memory of earlier selections: nothing else would have to be saved to go on later
        outcome = self.stack.forward(
            coder.normalise(rows)[:, None], target, None, selectors=self.stack.new_selectors()
        )
        self.latest = self.reconstruction * outcome.loss[0] / coder.n_units
        return coder.counts_of(outcome.predicted[0]).view_as(x)


@torch.no_grad()
def _calibrate(coder: SparseCoder, rows: Tensor) -> None:
    """Set the thresholds to what gives k active latents per entry of the training trials."""
    if not coder.architecture.sparsifier.calibrated:
        return
    nested = coder.config.nesting == "nested"
    levels = coder.levels[-1:] if nested else coder.levels
    searches = [ThresholdSearch(k, n_bins=len(rows)) for _, k in levels]
    stack = Stack([coder])
    for some in rows.split(ROWS):
        found = stack.pre_activations(coder.normalise(some)[:, None])
        for (size, _), search in zip(levels, searches, strict=True):
            search.add(found.narrowed(size))
    thresholds = torch.stack([search.threshold() for search in searches])
    coder.threshold.copy_(thresholds.to(coder.threshold))

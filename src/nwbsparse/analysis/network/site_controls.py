"""What a coder at a site is set beside: coders that learned nothing, components, the site as it is."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.site_channels import (
    IDENTITY,
    PCA,
    SiteChannels,
    channels_of,
    components_of,
    raw_dims,
)
from nwbsparse.analysis.network.site_dataset import site_dataset
from nwbsparse.analysis.network.site_trials import captured
from nwbsparse.models.coder import SparseCoder
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.transformer import PopulationTransformer
from nwbsparse.training.fit import fit
from nwbsparse.training.start import untrained_control

RANDOM_CODER = "random coder"
UNTRAINED_CODER = "untrained coder"
NEXT_SEED = 1_000_003


def site_controls(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    coder: SparseCoder,
    site_data: xr.Dataset,
    *,
    at: str,
) -> list[SiteChannels]:
    """What stands beside a coder in a splice report.

    Args:
        model, sessions, at: as of :func:`nwbsparse.analysis.network.splice_report.splice_report`.
        coder: the trained one.
        site_data: what it was fitted on.

    Returns:
        ``random coder``: encoder and dictionary drawn apart from each other. ``untrained coder``: as a
        training begins, the encoder being the transpose of the dictionary. Both have thresholds that
        make them as sparse on training bins. ``pca``: as many components as the coder has active
        latents. ``pca (all)``. ``identity``.
    """
    train = captured(model, sessions, at=at, part=names.TRAIN).activity
    n = max(1, min(round(float((channels_of(coder).of(train) != 0).sum(dim=-1).float().mean())),
                   train.shape[-1]))  # fmt: skip
    return [
        channels_of(_random(coder, site_data), name=RANDOM_CODER),
        channels_of(untrained_control(coder, site_data), name=UNTRAINED_CODER),
        components_of(train, n=n, name=f"{PCA} ({n})"),
        components_of(train, name=f"{PCA} (all)"),
        raw_dims(IDENTITY),
    ]


def untrained_network(
    model: PopulationTransformer,
    trials: Sequence[xr.Dataset],
    sessions: Sequence[SessionTrials],
    coder: SparseCoder,
    *,
    at: str,
) -> tuple[PopulationTransformer, SparseCoder]:
    """A decoder of the same shape that learned nothing, and a coder that was fitted at its site.

    It reads units scaled as the trained one does. What latents are selective there owes nothing to
    training; its answers are chance.

    Args:
        model: the trained decoder.
        trials, sessions: as of :func:`nwbsparse.analysis.network.site_dataset.site_dataset`.
        coder: whose options the other coder gets.
        at: name of the site.
    """
    options = model.options | {"seed": model.options["seed"] + NEXT_SEED}
    raw = PopulationTransformer(model.sessions, model.heads, **options)
    scales = {
        name: one.clone()
        for name, one in model.state_dict().items()
        if name.endswith((".mean", ".spread"))
    }
    raw.load_state_dict(raw.state_dict() | scales)
    raw.eval()
    return raw, fit(site_dataset(raw, trials, sessions, at=at), coder.config)


def _random(coder: SparseCoder, site_data: xr.Dataset) -> SparseCoder:
    """A coder whose encoder and dictionary have nothing to do with each other."""
    apart = copy.copy(coder)
    config = coder.config.replace(initialisation="uniform_unit")
    with torch.random.fork_rng(devices=[]):
        apart.record = replace(coder.record, config=config)
        return untrained_control(apart, site_data)

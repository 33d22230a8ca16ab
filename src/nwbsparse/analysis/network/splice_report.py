"""What a network keeps when it sees nothing of a site but what a coder makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from nwbsparse import names
from nwbsparse.analysis.network.site_channels import SiteChannels, channels_of
from nwbsparse.analysis.network.site_controls import site_controls
from nwbsparse.analysis.network.site_scores import SiteScore, site_scores
from nwbsparse.analysis.network.site_trials import captured
from nwbsparse.models.coder import SparseCoder
from nwbsparse.schema import own_version
from nwbsparse.splice.ablations import mean_of, zero
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.head_scores import Answers, answers
from nwbsparse.splice.replace import replace
from nwbsparse.splice.site import site
from nwbsparse.splice.transformer import PopulationTransformer

BASE, MEAN, ZERO = "intact", "mean", "zero"


def splice_report(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    coder: SparseCoder,
    site_data: xr.Dataset,
    *,
    at: str,
    part: int = names.TEST,
) -> xr.Dataset:
    """How well a decoder goes on when a sparse code stands in the place of one of its layers.

    Args:
        model: a trained decoder.
        sessions: its trials.
        coder: of the site.
        site_data: what it was fitted on (:func:`nwbsparse.analysis.network.site_dataset.site_dataset`).
        at: name of the site: ``blocks.1``.
        part: the trials that are scored; nothing is learned from these.

    Returns:
        Over ``representation`` (``intact``, ``latents``, ``random coder``, ``untrained coder``, ``pca (n)``
        with as many numbers as latents are active, ``pca (all)``, ``identity``, and the site put to its
        ``mean`` and to ``zero``) and ``head``:

        - ``score``, ``chance(head)`` of these trials, ``metric(head)``, ``loss`` (1: nothing is known)
        - ``retained`` = score / score of the intact network; ``retained_above_chance`` = the same of what
          both are above chance
        - ``kl``: of intact from spliced answers, nats per trial (or bin); of numbers and angles half the
          squared distance of the outputs, as of normal distributions of variance 1

        Over ``representation``: ``loss_recovered_mean`` = (L_mean − L) / (L_mean − L_intact) with L the
        mean loss over heads, ``loss_recovered_zero``, ``r2`` of the site (variance-weighted), ``l0`` (mean
        number of channels that are not 0), ``alive`` (channels that ever are not 0 in these trials).

    Raises:
        BadInput: no such site or session, no trials, or a coder that cannot stand there.
    """
    train = captured(model, sessions, at=at, part=names.TRAIN).activity
    seen = captured(model, sessions, at=at, part=part)
    channels = [
        channels_of(coder),
        *site_controls(model, sessions, coder, site_data, at=at),
    ]
    place = site(model, at)
    contexts: dict[str, Callable[[], AbstractContextManager[None]]] = {BASE: nullcontext}
    contexts |= {one.name: (lambda one=one: one.spliced(model, at)) for one in channels}
    contexts |= {
        MEAN: lambda: replace(place, mean_of(train)),
        ZERO: lambda: replace(place, zero),
    }
    found: dict[str, Answers] = {}
    for name, entered in contexts.items():
        with entered():
            found[name] = answers(model, sessions, part=part)
    scores = {name: site_scores(model, one) for name, one in found.items()}
    base = scores[BASE]
    heads = list(base)
    dims = (names.REPRESENTATION, names.HEAD)
    value = _table(scores, heads, lambda one: one.value)
    loss = _table(scores, heads, lambda one: one.loss)
    chance = np.array([base[head].chance for head in heads])
    with np.errstate(invalid="ignore", divide="ignore"):
        retained = value / value[0]
        above = (value - chance) / (value[0] - chance)
    variables = {
        "score": (dims, value),
        "loss": (dims, loss),
        "retained": (dims, retained),
        "retained_above_chance": (dims, above),
        "kl": (dims, [[_kl(model, head, found[BASE], one) for head in heads] for one in found.values()]),
        "chance": (names.HEAD, chance),
        "metric": (names.HEAD, np.array([base[head].metric for head in heads], dtype=object)),
        "n": (names.HEAD, [base[head].n for head in heads]),
        **_recovered(loss.mean(axis=1), list(scores)),
        **_of_site(channels, seen.activity, list(scores)),
    }  # fmt: skip
    return xr.Dataset(
        variables,
        coords={
            names.REPRESENTATION: np.array(list(scores), dtype=object),
            names.HEAD: np.array(heads, dtype=object),
        },
        attrs={
            names.SCHEMA: names.SPLICE_REPORT, "site": at, "part": names.SPLIT_NAMES[part],
            names.CODER_ID: coder.id, "seed": coder.config.seed, "version": own_version(),
        },
    )  # fmt: skip


def _table(
    scores: dict[str, dict[str, SiteScore]], heads: list[str], of: Callable[[SiteScore], float]
) -> np.ndarray:
    return np.array([[of(one[head]) for head in heads] for one in scores.values()])


def _recovered(loss: np.ndarray, called: list[str]) -> dict[str, tuple[str, np.ndarray]]:
    """How much of the way from an ablated site to the intact one each goes."""
    base = loss[called.index(BASE)]
    made = {}
    for ablation in (MEAN, ZERO):
        lost = loss[called.index(ablation)]
        way = lost - base
        share = (lost - loss) / way if way > 0 else np.full(len(loss), np.nan)
        made[f"loss_recovered_{ablation}"] = (names.REPRESENTATION, share)
    return made


def _of_site(
    channels: Sequence[SiteChannels], activity: Tensor, called: list[str]
) -> dict[str, tuple[str, np.ndarray]]:
    """What each description keeps of the activity itself, and with how many numbers."""
    made = {name: np.full(len(called), np.nan) for name in ("r2", "l0", "alive")}
    rows = activity.double().flatten(0, -2)
    around = float((rows - rows.mean(dim=0)).square().sum())
    for one in channels:
        at = called.index(one.name)
        with torch.no_grad():
            code = one.of(activity)
            missed = (rows - one.decode(code).double().flatten(0, -2)).square().sum()
        there = (code != 0).flatten(0, -2)
        made["r2"][at] = 1 - float(missed) / around if around > 0 else np.nan
        made["l0"][at] = float(there.sum(dim=1).double().mean())
        made["alive"][at] = float(there.any(dim=0).sum())
    return {name: (names.REPRESENTATION, values) for name, values in made.items()}


def _kl(model: PopulationTransformer, head: str, base: Answers, other: Answers) -> float:
    """Kullback-Leibler divergence of the spliced answers from the intact ones, per answer."""
    there = model.heads[head].present(base.targets[head])
    first, second = base.outputs[head][there].double(), other.outputs[head][there].double()
    if model.heads[head].kind == names.CATEGORY:
        first, second = first.log_softmax(dim=-1), second.log_softmax(dim=-1)
        return float((first.exp() * (first - second)).sum(dim=-1).mean())
    return float((first - second).square().sum(dim=-1).mean() / 2)

"""What the latents of a site stand for: stimuli within sessions, properties of whole sessions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.directions import direction_indices, is_direction
from nwbsparse.analysis.network.eta_squared import eta_squared, one_hot
from nwbsparse.analysis.network.groups import groups_of, is_constant
from nwbsparse.analysis.network.label_permutations import permutation_p
from nwbsparse.analysis.network.one_against_rest import auroc_of_groups
from nwbsparse.analysis.network.selective import grouped, per_trial
from nwbsparse.analysis.network.site_channels import SiteChannels, channels_of
from nwbsparse.analysis.network.site_trials import captured
from nwbsparse.models.coder import SparseCoder
from nwbsparse.schema import own_version
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.transformer import PopulationTransformer

ALPHA = 0.01
LEAST_ETA2 = 0.1
"""η² from which on a latent that differs with a variable (p < .01) is called selective for it."""


def site_selectivity(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    coder: SparseCoder | SiteChannels,
    *,
    at: str,
    part: int = names.TEST,
    n_permutations: int = 999,
    seed: int = 0,
) -> xr.Dataset:
    """How every latent of a site differs with every variable, on trials that nothing was learned from.

    A trial counts with the mean of the latent over its bins. Angles and numbers are cut into groups. A
    variable that is one and the same in each session (a genotype) is tested with sessions as its
    cases: the η² of session means, labels permuted over sessions; any other with its labels permuted
    among the trials of each session.

    Args:
        model: a trained decoder.
        sessions: its trials.
        coder: of the site; or any channels of it.
        at: name of the site: ``blocks.1``.
        part: the trials that are looked at.
        n_permutations: of labels; the smallest possible p is 1 / (n_permutations + 1).
        seed: of the permutations.

    Returns:
        Over ``latent`` and ``head``: ``eta2`` (of trials), ``session_eta2`` (of session means; NaN for what
        varies within sessions), ``p`` (uncorrected), ``preferred`` (the group of the largest mean). Over
        ``latent``: ``density`` (share of bins it is active in), ``selective_for`` (the variable of its
        largest η², if that is at least .1 and p < .01; '' otherwise). Over ``head``: ``n_selective``,
        ``n_selective_shuffled`` (the same of permuted labels, in the mean), ``constant``, ``n_cases``
        (trials, or sessions). ``auroc(latent, condition)``: each group against the rest. For directions
        (heads of categories in degrees) ``osi(latent, direction_head)`` and ``dsi``: length of the mean
        vector of twice, and of once, the angle; DSI is NaN where angles end at 180°.

    Raises:
        BadInput: no such site or session, or no trials.
    """
    channels = channels_of(coder)
    seen = captured(model, sessions, at=at, part=part)
    train = captured(model, sessions, at=at, part=names.TRAIN)
    groups = {name: groups_of(head, train.target(name)) for name, head in model.heads.items()}
    activation = per_trial(channels, seen)
    codes = grouped(groups, seen)
    constant = {name: is_constant(list(sessions), name) for name in groups}
    session = seen.session.numpy()
    rng = np.random.default_rng(seed)
    tested = {
        name: permutation_p(
            activation, codes[name], session, constant=constant[name], n=n_permutations, rng=rng
        )
        for name in groups
    }
    eta2 = np.stack([eta_squared(activation, codes[name]) for name in groups], axis=1)
    p = np.stack([tested[name].p for name in groups], axis=1)
    best = eta2.argmax(axis=1)
    rows = np.arange(len(best))
    clear = (eta2[rows, best] >= LEAST_ETA2) & (p[rows, best] < ALPHA)
    heads = np.array(list(groups), dtype=object)
    two = (names.LATENT, names.HEAD)
    shuffled = [
        tested[name].shuffled_selective(np.delete(eta2, number, axis=1), ALPHA, LEAST_ETA2)
        for number, name in enumerate(groups)
    ]
    made = xr.Dataset(
        {
            "eta2": (two, eta2),
            "session_eta2": (two, np.stack([tested[name].session_eta2 for name in groups], axis=1)),
            "p": (two, p),
            "preferred": (two, _preferred(activation, codes, groups)),
            "density": (names.LATENT, _density(channels, seen.activity)),
            "selective_for": (names.LATENT, np.where(clear, heads[best], "").astype(object)),
            "n_selective": (
                names.HEAD, [int((clear & (best == at)).sum()) for at in range(len(heads))]
            ),
            "n_selective_shuffled": (names.HEAD, shuffled),
            "constant": (names.HEAD, [constant[name] for name in groups]),
            "n_cases": (names.HEAD, [tested[name].n_cases for name in groups]),
        },
        coords={names.LATENT: np.arange(len(eta2)), names.HEAD: heads},
        attrs={
            names.SCHEMA: names.SITE_SELECTIVITY, "site": at, names.REPRESENTATION: channels.name,
            "part": names.SPLIT_NAMES[part], "n_permutations": n_permutations, "seed": seed,
            "alpha": ALPHA, "least_eta2": LEAST_ETA2, "version": own_version(),
        },
    )  # fmt: skip
    made = made.merge(auroc_of_groups(activation, codes, groups), combine_attrs="override")
    directed = [name for name in groups if is_direction(name, model.heads[name])]
    if directed:
        return made.merge(
            direction_indices(activation, {name: codes[name] for name in directed}, groups),
            combine_attrs="override",
        )
    return made


def _preferred(activation: np.ndarray, codes: dict, groups: dict) -> np.ndarray:
    """(latent, head) the group in which a latent is most active; '' of one that never is."""
    columns = []
    for name, group in codes.items():
        there = group >= 0
        member = one_hot(group[there])
        mean = member.T @ activation[there] / np.maximum(member.sum(axis=0), 1)[:, None]
        labels = np.array(groups[name].labels, dtype=object)[: len(mean)]
        moves = np.ptp(activation, axis=0) > 0
        columns.append(np.where(moves, labels[mean.argmax(axis=0)], ""))
    return np.stack(columns, axis=1).astype(object)


def _density(channels: SiteChannels, activity: object) -> np.ndarray:
    made = channels.of(activity)  # type: ignore[arg-type]
    return (made != 0).flatten(0, -2).double().mean(dim=0).numpy()

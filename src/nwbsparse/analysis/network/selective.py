"""Which latents stand for which variable, from how they differ between groups of trials."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from nwbsparse.analysis.network.eta_squared import eta_squared
from nwbsparse.analysis.network.groups import Groups
from nwbsparse.analysis.network.site_channels import SiteChannels
from nwbsparse.analysis.network.site_trials import SiteTrials

Eta2 = Float[np.ndarray, "head latent"]


def per_trial(channels: SiteChannels, seen: SiteTrials) -> Float[np.ndarray, "trial latent"]:
    """What each channel does in each trial: the mean over its bins."""
    made = channels.of(seen.activity)
    return (made.mean(dim=1) if made.ndim == 3 else made).double().numpy()


def grouped(groups: Mapping[str, Groups], seen: SiteTrials) -> dict[str, Int[np.ndarray, " trial"]]:
    """The group of every trial, for each variable."""
    return {name: one.of(seen.target(name)) for name, one in groups.items()}


def eta2_of(
    activation: Float[np.ndarray, "trial latent"], codes: Mapping[str, Int[np.ndarray, " trial"]]
) -> Eta2:
    """η² of every latent for every variable, in the order of the variables."""
    return np.stack([eta_squared(activation, group) for group in codes.values()])


def ranked(eta2: Eta2, head: int) -> Int[np.ndarray, " latent"]:
    """Latents by how much more they differ with one variable than with the one they differ with most
    among the others; the most selective first.

    Args:
        eta2: of training trials.
        head: number of the variable.
    """
    return np.argsort(-margin(eta2, head), kind="stable")


def margin(eta2: Eta2, head: int) -> Float[np.ndarray, " latent"]:
    """η² for one variable minus the largest for any other."""
    others = np.delete(eta2, head, axis=0)
    return eta2[head] - (others.max(axis=0) if len(others) else 0.0)

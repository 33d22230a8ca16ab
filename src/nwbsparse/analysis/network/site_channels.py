"""What the activity of a site is taken apart into: latents of a coder, its own dims, components."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from nwbsparse.models.coder import SparseCoder
from nwbsparse.splice.ablations import identity
from nwbsparse.splice.coder_at_site import CoderAtSite
from nwbsparse.splice.replace import Change, replace
from nwbsparse.splice.site import site
from nwbsparse.splice.transformer import PopulationTransformer

LATENTS = "latents"
RAW_DIMS = "raw dims"
PCA = "pca"
IDENTITY = "identity"


@dataclass(frozen=True)
class SiteChannels:
    """One way to describe a site's activity by channels, and back."""

    name: str
    encode: Callable[[Tensor], Tensor]
    """(…, dim) → (…, channel)."""
    decode: Callable[[Tensor], Tensor]
    """(…, channel) → (…, dim)."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """(…, dim) → (…, dim): what the channels keep of it."""
        return self.decode(self.encode(x)).to(x.dtype)

    def edited(
        self, model: PopulationTransformer, at: str, change: Change
    ) -> AbstractContextManager[None]:
        """A context in which something is done to the channels; what they miss stays as it is.

        Args:
            model: the decoder.
            at: name of the site.
            change: (…, channel) → (…, channel): an ablation, a value set.
        """

        def put(x: Tensor) -> Tensor:
            return self.decode(change(self.encode(x))).to(x.dtype)

        return replace(site(model, at), put, error_term=True, intact=self.reconstruct)

    def spliced(self, model: PopulationTransformer, at: str) -> AbstractContextManager[None]:
        """A context in which the network sees nothing but what the channels keep."""
        return replace(site(model, at), self.reconstruct)

    @torch.no_grad()
    def of(self, activity: Tensor) -> Tensor:
        """(…, dim) → (…, channel), for what was captured."""
        return self.encode(activity)


def channels_of(coder: SparseCoder | SiteChannels, *, name: str = LATENTS) -> SiteChannels:
    """The latents of a coder as channels.

    Raises:
        BadInput: the coder cannot stand at a site.
    """
    if isinstance(coder, SiteChannels):
        return coder
    own = CoderAtSite(coder)
    return SiteChannels(name, own.encode, own.decode)


def raw_dims(name: str = RAW_DIMS) -> SiteChannels:
    """The dims of the site as they are."""
    return SiteChannels(name, identity, identity)


def components_of(activity: Tensor, *, n: int | None = None, name: str = PCA) -> SiteChannels:
    """Principal components of a site's activity.

    Args:
        activity: (…, dim), of training trials.
        n: how many, by variance; all when left open.
        name: what they are called in results.
    """
    rows = activity.detach().double().flatten(0, -2)
    mean = rows.mean(dim=0)
    centred = rows - mean
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    axes = vectors.flip(-1)[:, : n or len(mean)]

    def encode(x: Tensor) -> Tensor:
        return (x.double() - mean.to(x.device)) @ axes.to(x.device)

    def decode(z: Tensor) -> Tensor:
        return z @ axes.T.to(z.device) + mean.to(z.device)

    return SiteChannels(name, encode, decode)

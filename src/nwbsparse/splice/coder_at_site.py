"""A coder as functions from tensor to tensor, to stand at a site of a network."""

from __future__ import annotations

import torch
from torch import Tensor

from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.splice.replace import Change


class CoderAtSite:
    """A trained coder of a site's dims: activity → latents → activity, under its fixed thresholds.

    Args:
        coder: of single bins, which reconstructs what it reads.
        level: of a Matryoshka coder, the level that is used.

    Raises:
        BadInput: the coder sees several bins at once, or reconstructs something else.
    """

    def __init__(self, coder: SparseCoder, *, level: int = -1) -> None:
        check_coder(coder)
        self.coder, self.level = coder, level

    def encode(self, x: Tensor) -> Tensor:
        """(…, dim) → (…, latent)."""
        coder = self.coder
        rows = self._rows(x)
        made = coder.activate(coder.pre_activation(coder.normalise(rows)), level=self.level)
        return made.view(*x.shape[:-1], -1)

    def decode(self, activation: Tensor) -> Tensor:
        """(…, latent) → (…, dim)."""
        made = self.coder.decode(activation.flatten(0, -2).to(self.coder.dictionary.dtype))
        return self.coder.counts_of(made).view(*activation.shape[:-1], -1)

    def reconstruct(self, x: Tensor) -> Tensor:
        """(…, dim) → (…, dim): what the coder makes of it."""
        return self.decode(self.encode(x)).to(x.dtype)

    def edited(self, change: Change) -> Change:
        """The reconstruction with something done to the latents: an ablation, a value set.

        For ``replace(site, at.edited(change), error_term=True, intact=at.reconstruct)``.

        Args:
            change: (…, latent) → (…, latent).
        """
        return lambda x: self.decode(change(self.encode(x))).to(x.dtype)

    def _rows(self, x: Tensor) -> Tensor:
        if x.shape[-1] != self.coder.n_units:
            raise BadInput(
                f"the coder reads {self.coder.n_units} dims, the site has {x.shape[-1]}; fit it on "
                "what capture() gave at this site"
            )
        return x.float().flatten(0, -2)


def check_coder(coder: SparseCoder) -> None:
    """Make sure that a coder can stand in the place of what it reads.

    Raises:
        BadInput: it cannot.
    """
    if coder.record.apart or coder.n_units != coder.n_targets:
        raise BadInput(
            "the coder reconstructs other units than it reads: it cannot stand in their place"
        )
    if coder.architecture.window > 1 or coder.config.lag:
        raise BadInput(
            f"the coder sees {coder.architecture.window} bins (lag {coder.config.lag}); at a site it "
            "must see one: fit it with window=1 and lag=0"
        )


@torch.no_grad()
def table_of(activity: Tensor) -> Tensor:
    """Activity of a site as the coder learns from it: (trial, time, dim) → (entry, dim) float32."""
    return activity.detach().float().flatten(0, -2)

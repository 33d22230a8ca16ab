"""What is put in the place of activity to see what it was for: nothing, the mean, another trial's.

Each function here gives one from tensor to tensor, dims (or latents) last: for a site as for latents.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nwbsparse.errors import BadInput
from nwbsparse.splice.replace import Change


def identity(x: Tensor) -> Tensor:
    """The same again."""
    return x


def zero(x: Tensor) -> Tensor:
    """Nothing."""
    return torch.zeros_like(x)


def mean_of(activity: Tensor) -> Change:
    """The mean of every dim over all trials and bins of some activity, whatever is there.

    Args:
        activity: (…, dim), as :func:`nwbsparse.capture` gave it on training trials.
    """
    mean = activity.detach().double().flatten(0, -2).mean(dim=0)
    return lambda x: mean.to(x).expand_as(x)


def resample_of(activity: Tensor, *, seed: int = 0) -> Change:
    """What another trial had there, drawn anew for every trial and for every dim together.

    The draws of two calls differ and depend on the seed and on the calls before alone.

    Args:
        activity: (trial, …, dim), as :func:`nwbsparse.capture` gave it on training trials.
        seed: of the draws.
    """
    generator = torch.Generator().manual_seed(seed)
    kept = activity.detach()

    def change(x: Tensor) -> Tensor:
        if x.shape[1:] != kept.shape[1:]:
            raise BadInput(
                f"other trials are {tuple(kept.shape[1:])} each, those to be replaced "
                f"{tuple(x.shape[1:])}: capture the same site"
            )
        drawn = torch.randint(len(kept), (len(x),), generator=generator)
        return kept[drawn.to(kept.device)].to(x)

    return change


def only(dims: Sequence[int] | Tensor, change: Change) -> Change:
    """A change of some dims (or latents) alone; the others stay.

    Args:
        dims: their numbers.
        change: what is done to them.
    """
    chosen = torch.as_tensor(dims, dtype=torch.long)

    def changed(x: Tensor) -> Tensor:
        n_dims = x.shape[-1]
        if len(chosen) and not (int(chosen.min()) >= 0 and int(chosen.max()) < n_dims):
            raise BadInput(f"there are {n_dims} dims: {chosen.tolist()} are not all among them")
        keep = torch.ones(n_dims, dtype=torch.bool)
        keep[chosen] = False
        return torch.where(keep.to(x.device), x, change(x))

    return changed

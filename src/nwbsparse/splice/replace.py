"""Something else in the place of what a site of a network gives: a coder, an ablation, the same again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from nwbsparse.errors import BadInput
from nwbsparse.splice.site import Site, watched

Change = Callable[[Tensor], Tensor]
"""From the activity of a site, dims last, to what shall stand there: the same shape."""


@contextmanager
def replace(
    site: Site,
    change: Change,
    *,
    error_term: bool = False,
    intact: Change | None = None,
    call: int | None = None,
) -> Iterator[None]:
    """While it is entered, put what a function makes of a site's activity in its place.

    Without the error term the rest of the network sees ``change(x)`` alone: what a coder's
    reconstruction is worth. With it, it sees ``x + change(x) − intact(x)``: what the coder missed
    stays, and only what the change changed is gone (ablation of latents).

    Args:
        site: from :func:`nwbsparse.site`.
        change: (…, dim) → (…, dim): a coder's ``reconstruct``, an edited one, an ablation.
        error_term: whether what ``intact`` misses is added again.
        intact: what ``change`` is compared with, usually the coder's ``reconstruct``; left open,
            ``change`` itself, and then nothing changes.
        call: of a module that is used several times in one forward pass, the use that is meant
            (0 is the first); left open, all of them.

    Raises:
        BadInput: what the function gave is no tensor of that shape, ``intact`` without the error
            term, or, at the end, a site that never gave anything.
    """
    if intact is not None and not error_term:
        raise BadInput("intact= is what an edit is compared with: it needs error_term=True")
    fired: list[int] = []

    def put(output: Any, before: int) -> Any:
        if call is not None and before != call:
            return None
        fired.append(before)
        x = site.tensor_of(output)
        made = _made(change, x, site, "change")
        if error_term:
            same = made if intact is None else _made(intact, x, site, "intact")
            made = x + (made - same)
        return site.put(output, made)

    with watched(site, put):
        yield
    if not fired:
        raise BadInput(
            f"the site '{site.name}' is used fewer than {(call or 0) + 1} times in a pass"
        )


def _made(function: Change, x: Tensor, site: Site, what: str) -> Tensor:
    made = function(x)
    if not isinstance(made, Tensor) or made.shape != x.shape:
        given = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
        raise BadInput(
            f"{what}= gave {given} for the site '{site.name}', whose activity is {tuple(x.shape)}; it "
            "must keep the shape (dims last)"
        )
    # coders compute in float32 also where the network does not
    return made.to(x.dtype)

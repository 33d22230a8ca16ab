"""What passes through a site of a network, written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from nwbsparse.errors import BadInput
from nwbsparse.splice.site import Site, watched


@dataclass
class Captured:
    """The activity of a site: one tensor per use of its module, dims last, in the order of use."""

    site: Site
    tensors: list[Tensor] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    """Of each tensor: how often the module had been used before in its forward pass."""

    @property
    def activity(self) -> Tensor:
        """All of them after each other along the first axis: (trial, time, dim), or (trial, dim).

        Raises:
            BadInput: nothing was captured, or tensors of several shapes.
        """
        if not self.tensors:
            raise BadInput(f"nothing has passed through the site '{self.site.name}' yet")
        shapes = {tuple(one.shape[1:]) for one in self.tensors}
        if len(shapes) > 1:
            raise BadInput(
                f"the site '{self.site.name}' gave tensors of {len(shapes)} shapes "
                f"({', '.join(str(one) for one in sorted(shapes))}): take them one by one from .tensors"
            )
        return torch.cat(self.tensors)


@contextmanager
def capture(site: Site, *, detach: bool = True, call: int | None = None) -> Iterator[Captured]:
    """While it is entered, write down what a site of a network gives.

    Args:
        site: from :func:`nwbsparse.site`.
        detach: whether gradients end there; with False the network's own tensors are kept.
        call: of a module that is used several times in one forward pass, the use that is meant
            (0 is the first); left open, all of them.

    Yields:
        Captured: its ``activity`` is (entry, …, dim); it fills as the network is run, and stays
        after the end. Inside of a ``replace`` of the same site it is what was put there.

    Raises:
        BadInput: at the end, if the site never gave anything.

    Example:
        ``with capture(site(model, "blocks.1")) as seen: model(activity, session="a")``
    """
    captured = Captured(site)

    def note(output: Any, before: int) -> None:
        if call is None or before == call:
            tensor = site.tensor_of(output)
            captured.tensors.append(tensor.detach().clone() if detach else tensor)
            captured.calls.append(before)

    with watched(site, note):
        yield captured
    if not captured.tensors:
        raise BadInput(
            f"the site '{site.name}' is used fewer than {(call or 0) + 1} times in a pass"
        )

"""A place in a network: the output of one of its modules, by name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from nwbsparse.errors import BadInput, unknown


@dataclass(frozen=True)
class Site:
    """The output of a module of a network: what :func:`site` found."""

    model: nn.Module
    name: str
    item: int | str | None = None
    """Which entry of an output that is a tuple, a list or a dict; None takes its first tensor."""
    axis: int = -1
    """Where the dims stand in the output."""
    module: nn.Module = field(repr=False, compare=False, default_factory=nn.Identity)

    def tensor_of(self, output: Any) -> Tensor:
        """The tensor of the site in what the module gave, dims last.

        Raises:
            BadInput: there is none.
        """
        key = self._key(output)
        found = output if key is None else output[key]
        if not isinstance(found, Tensor):
            raise BadInput(
                f"the site '{self.name}' gives a {type(found).__name__}"
                f"{'' if key is None else f' in entry {key!r}'}, not a tensor; name the entry with item="
            )
        if found.is_nested:
            raise BadInput(
                f"the site '{self.name}' gives a nested tensor, whose trials differ in length; give the "
                "network trials of one length"
            )
        if not -found.ndim <= self.axis < found.ndim:
            raise BadInput(
                f"the site '{self.name}' gives {tuple(found.shape)}: there is no axis {self.axis}"
            )
        return found if self.axis in (-1, found.ndim - 1) else found.movedim(self.axis, -1)

    def put(self, output: Any, tensor: Tensor) -> Any:
        """What the module gave with another tensor at the site; the rest as it was."""
        key = self._key(output)
        made = tensor.movedim(-1, self.axis)
        if key is None:
            return made
        if isinstance(output, tuple):
            entries = [made if place == key else one for place, one in enumerate(output)]
            return type(output)(*entries) if hasattr(output, "_fields") else tuple(entries)
        changed = copy.copy(output)
        changed[key] = made
        return changed

    def _key(self, output: Any) -> int | str | None:
        """Where in the output the tensor stands; None where the output is the tensor."""
        if isinstance(output, Tensor):
            if self.item is not None:
                raise BadInput(
                    f"the site '{self.name}' gives one tensor: there is no entry {self.item!r}"
                )
            return None
        if isinstance(output, Mapping):
            keys: Collection[Any] = list(output)
        elif isinstance(output, (tuple, list)):
            keys = range(len(output))
        else:
            raise BadInput(
                f"the site '{self.name}' gives a {type(output).__name__}: neither a tensor nor a tuple, "
                "list or dict of them; take a module inside of it"
            )
        if self.item is None:
            first = [key for key in keys if isinstance(output[key], Tensor)]
            if not first:
                raise BadInput(
                    f"the site '{self.name}' gives no tensor; take a module inside of it"
                )
            return first[0]
        if self.item not in keys:
            raise unknown(self.item, keys, what="entry", of=f"the output of '{self.name}'")
        return self.item


def site(model: nn.Module, name: str, *, item: int | str | None = None, axis: int = -1) -> Site:
    """A place in a network, whose activity can be captured or replaced.

    Args:
        model: any torch network.
        name: of a module in it, as ``named_modules()`` has it: ``blocks.1``, ``pool``, ``layers.0``;
            '' is the network's own output.
        item: which entry of the module's output, where it gives several tensors (a number, or a
            key); left open, its first tensor.
        axis: where the dims stand in that tensor: −1, or 1 for convolutions (trial, dim, time).

    Raises:
        BadInput: the network has no such module; the nearest names are in the message.
    """
    modules = dict(model.named_modules(remove_duplicate=False))
    if name not in modules:
        raise unknown(name, [one for one in modules if one], what="site", of="the network")
    return Site(model, name, item, axis, modules[name])


@contextmanager
def unfused() -> Iterator[None]:
    """While it is entered, networks go module by module, as they do where a site is watched.

    torch's encoder layers have a fused way in evaluation mode; it goes round what is inside of them,
    and its last bits are others. Answers of an intact network that are compared bit by bit with
    those of one that is watched are made in here.
    """
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


@contextmanager
def watched(
    site: Site, on_output: Callable[[Any, int], Any], *, must_fire: bool = True
) -> Iterator[None]:
    """Call a function with every output of a site; what it returns takes the output's place.

    Whatever happens inside, the hooks are gone afterwards. Meanwhile the network is :func:`unfused`.

    Args:
        site: the place.
        on_output: given the output and how often the module was used before in this forward pass;
            None leaves the output as it is.
        must_fire: whether it is an error that the site gave nothing.

    Raises:
        BadInput: the site never gave anything.
    """
    calls = {"this pass": 0, "all": 0}

    def begin(*_: Any) -> None:
        calls["this pass"] = 0

    def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        before = calls["this pass"]
        calls["this pass"] += 1
        calls["all"] += 1
        return on_output(output, before)

    with ExitStack() as hooks:
        hooks.enter_context(unfused())
        hooks.callback(site.model.register_forward_pre_hook(begin).remove)
        hooks.callback(site.module.register_forward_hook(hook).remove)
        yield
    if must_fire and not calls["all"]:
        raise BadInput(
            f"the site '{site.name}' never gave anything: either the network was not run here, or it "
            "takes that module's parts or weights without calling it; take a module that runs "
            "(nwbsparse.splice.adapters.sites_of lists them for an input)"
        )

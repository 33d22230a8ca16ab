"""Sites of networks that others made: which there are, and where everything passes through.

No package of theirs is imported: a network is known by its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from nwbsparse.splice.site import Site, site, unfused
from nwbsparse.splice.transformer import PopulationTransformer


def sites_of(model: nn.Module, run: Callable[[], Any]) -> dict[str, tuple[int, ...]]:
    """The sites of any network, in the order in which they give something, with the shapes they give.

    Args:
        model: the network.
        run: runs it on an example: ``lambda: model(example)``.

    Returns:
        Name → shape of its first tensor; modules that the network never calls are not among them.
    """
    found: dict[str, tuple[int, ...]] = {}

    def hook(name: str) -> Callable[..., None]:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            entries = output.values() if isinstance(output, dict) else output
            several = (output,) if isinstance(output, Tensor) else entries
            if isinstance(several, tuple | list | type({}.values())):
                shapes = [tuple(one.shape) for one in several if isinstance(one, Tensor)]
                if shapes:
                    found.setdefault(name, shapes[0])

        return note

    with ExitStack() as hooks, unfused(), torch.no_grad():
        for name, module in model.named_modules():
            hooks.callback(module.register_forward_hook(hook(name)).remove)
        run()
    return {name: shape for name, shape in found.items() if name}


def passages(model: nn.Module) -> list[Site]:
    """The sites that everything passes through, in kinds of networks that are known here.

    ``PopulationTransformer``: its blocks and ``pool``. ``torch.nn.TransformerEncoder``: its layers.
    CEBRA's networks: the steps of ``net`` with learned weights, dims on axis 1 where they are
    convolutions. POYO of torch_brain: ``dec_atn.norm_context``, the latent tokens after the last
    processing layer (no module gives the stream between its layers).

    Returns:
        From the input to the output; empty for any other network, whose sites
        :func:`sites_of` lists.
    """
    if isinstance(model, PopulationTransformer):
        names = [f"blocks.{block}" for block in range(len(model.blocks))]
        return [site(model, name) for name in [*names, "pool"]]
    if isinstance(model, nn.TransformerEncoder):
        return [site(model, f"layers.{layer}") for layer in range(len(model.layers))]
    if _is_cebra(model):
        return _of_cebra(model)
    if _is_poyo(model):
        return [site(model, "dec_atn.norm_context")]
    return []


def _is_cebra(model: nn.Module) -> bool:
    return isinstance(getattr(model, "net", None), nn.Sequential) and callable(
        getattr(model, "get_offset", None)
    )


def _of_cebra(model: nn.Module) -> list[Site]:
    net = model.get_submodule("net")
    convolves = any(isinstance(one, nn.Conv1d) for one in net.modules())
    learned = [name for name, one in net.named_children() if any(True for _ in one.parameters())]
    return [site(model, f"net.{name}", axis=1 if convolves else -1) for name in learned]


def _is_poyo(model: nn.Module) -> bool:
    there = dict(model.named_modules())
    return {"proc_layers", "dec_atn.norm_context", "readout"} <= there.keys()

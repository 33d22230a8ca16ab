"""CEBRA's networks of convolutions, computed with time before the batch: the same numbers, less copying.

Windows lie in memory as (bin of the window, sample, channel). A convolution is then a sum of plain
matrix products of whole blocks, one per bin of its kernel, where the general one has to rearrange every
batch; and a layer with its GELU and its shortcut is one step back. Parameters are the package's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

Windows = Float[Tensor, "window sample channel"]


def time_first(network: Any) -> Callable[[Any], Any] | None:
    """(window, sample, unit) → (sample, dim) by the layers of a network of the package.

    None where it has a layer other than convolutions of step 1, GELU, shortcuts around both, and
    vectors of length 1 at the end.
    """
    layers = _layers(network)
    if layers is None:
        return None
    steps, unit_length = layers

    def computed(windows: Windows) -> Float[Tensor, "sample dim"]:
        for one in steps:
            kernel = one.convolution
            windows = _Layer.apply(windows, kernel.weight, kernel.bias, one.bent, one.shortcut)  # type: ignore[assignment]
        embedded = windows[0]
        return embedded / torch.norm(embedded, dim=1, keepdim=True) if unit_length else embedded

    return computed


@dataclass(frozen=True)
class _Step:
    convolution: nn.Conv1d
    bent: bool
    """Whether a GELU follows."""
    shortcut: slice | None
    """Bins of its input that are added to what comes out."""


def _layers(network: Any) -> tuple[list[_Step], bool] | None:
    """The layers in their order, and whether vectors are of length 1; None where one is of another kind."""
    modules = list(network.net) if isinstance(getattr(network, "net", None), nn.Sequential) else []
    steps: list[_Step] = []
    unit_length = False
    while modules:
        one = modules.pop(0)
        kind = type(one).__name__
        if unit_length and kind != "Squeeze":
            return None
        if kind == "_Norm":
            unit_length = True
        elif kind == "_Skip":
            inner = list(one.module)
            if len(inner) != 2 or not _plain(inner[0]) or not _is_gelu(inner[1]):
                return None
            steps.append(_Step(inner[0], bent=True, shortcut=one.crop))
        elif _plain(one):
            bent = bool(modules) and _is_gelu(modules[0])
            modules = modules[bent:]
            steps.append(_Step(one, bent=bent, shortcut=None))
        elif kind != "Squeeze":
            return None
    return (steps, unit_length) if steps else None


def _is_gelu(module: Any) -> bool:
    return isinstance(module, nn.GELU) and module.approximate == "none"


def _plain(module: Any) -> bool:
    """Whether it is a convolution that moves by one bin and adds nothing at the edges."""
    return (
        isinstance(module, nn.Conv1d)
        and (module.stride, module.dilation, module.groups) == ((1,), (1,), 1)
        and module.padding == (0,)
        and module.bias is not None
    )


class _Layer(torch.autograd.Function):
    """GELU(convolution), if asked for, and the middle of the input added to it."""

    @staticmethod
    def forward(
        ctx: Any, windows: Any, weight: Any, bias: Any, bent: bool, shortcut: slice | None
    ) -> Any:  # fmt: skip
        length, n = len(windows) - weight.shape[2] + 1, windows.shape[1]
        taps = weight.permute(2, 1, 0).contiguous()
        made = torch.addmm(bias, _block(windows, 0, length), taps[0])
        for at in range(1, len(taps)):
            made.addmm_(_block(windows, at, length), taps[at])
        ctx.save_for_backward(windows, weight, made)
        ctx.bent, ctx.shortcut = bent, shortcut
        out = (F.gelu(made) if bent else made).view(length, n, -1)
        return out if shortcut is None else out + windows[shortcut]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Any) -> Any:
        windows, weight, made = ctx.saved_tensors
        [after] = gradients
        length, taps = len(after), weight.permute(2, 0, 1).contiguous()
        onto = after.reshape(made.shape)
        onto = torch.ops.aten.gelu_backward(onto, made) if ctx.bent else onto
        of_taps = torch.stack(
            [onto.T @ _block(windows, at, length) for at in range(len(taps))], dim=2
        )
        before = None
        if ctx.needs_input_grad[0]:
            before = torch.empty_like(windows)
            before[length:] = 0
            torch.mm(onto, taps[0], out=_block(before, 0, length))
            for at in range(1, len(taps)):
                _block(before, at, length).addmm_(onto, taps[at])
            if ctx.shortcut is not None:
                before[ctx.shortcut] += after
        return before, of_taps, onto.sum(0), None, None


def _block(windows: Any, first: int, length: int) -> Any:
    """(length · sample, channel): a view of whole bins of all windows."""
    return windows[first : first + length].view(-1, windows.shape[2])

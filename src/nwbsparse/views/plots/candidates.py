"""How smoothing and the number of latents were chosen, drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.training.choose import GOOD
from nwbsparse.training.hidden_units import LEAST_SHARED
from nwbsparse.views.drawing import BLUE, GREY, INK, PALE, VERMILLION, axes, tidy


def candidates(coder: SparseCoder, ax: Axes | None = None) -> Axes:
    """How well hidden units were told by each size that was tried: one line for each k.

    The chosen size is marked: the smallest that reaches the dotted line, 95 % of the best score; where
    units share almost nothing, the smallest (:func:`rule_said`). Bars are standard errors over blocks of
    validation bins.

    Args:
        coder: what :func:`nwbsparse.fit` chose the size of.
        ax: where to draw; a new figure when absent.

    Raises:
        BadInput: nothing was chosen for this coder.
    """
    tried = coder.record.learned.get("candidates") or []
    sized = [one for one in tried if one["smoothing"] == coder.config.smoothing]
    if not sized:
        raise BadInput("nothing was chosen for this coder: its options were all given")
    ax = axes(ax, (5.1, 2.6))
    penalised = any(one["penalty_weight"] for one in sized)
    knob, said = ("penalty_weight", "penalty") if penalised else ("k", "active")
    amounts = sorted({one[knob] for one in sized})
    for at, amount in enumerate(amounts):
        some = [one for one in sized if one[knob] == amount]
        shade = to_hex(mixed(PALE, BLUE, (at + 1) / len(amounts)))
        ax.errorbar(
            [one["n_latents"] for one in some],
            [one["score"] for one in some],
            yerr=[one["standard_error"] for one in some],
            color=shade, marker="o", markersize=3, linewidth=1, elinewidth=0.5,
            label=f"{amount:g} {said}",
        )  # fmt: skip
    best = _best(sized)
    if best >= LEAST_SHARED:
        ax.axhline(GOOD * best, color=GREY, linewidth=0.8, linestyle=":")
    chosen = [one for one in sized if one["chosen"]][:1]
    _mark(ax, chosen)
    ax.set_xscale("log", base=2)
    sizes = sorted({one["n_latents"] for one in sized})
    for (
        one
    ) in chosen:  # where two labels would lie on each other the chosen size is the one to read
        near = [size for size in sizes if abs(np.log2(size / one["n_latents"])) < 0.3]
        sizes = [size for size in sizes if size == one["n_latents"] or size not in near]
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    ax.legend(
        frameon=False, fontsize=8, labelcolor=INK, ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 1.0),
        borderaxespad=0.2, handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip
    return tidy(ax, x="latents", y="R² of hidden units")


def rule_said(coder: SparseCoder) -> str:
    """By which rule the size was chosen, of what was tried with the smoothing that was chosen."""
    tried = coder.record.learned.get("candidates") or []
    sized = [one for one in tried if one["smoothing"] == coder.config.smoothing]
    if not sized:
        return ""
    if coder.record.learned.get("asked", {}).get("n_latents") is not None:
        return "The number of latents was given."
    best, chosen = _best(sized), [one["score"] for one in sized if one["chosen"]]
    good = f"{100 * GOOD:.0f} %"
    if best < LEAST_SHARED:
        return (
            f"No size tells hidden units more than {LEAST_SHARED:g}: none is better than the smallest, "
            "which is taken."
        )
    if chosen and chosen[0] < GOOD * best:
        return (
            f"Chosen is the smallest size that reaches {good} of the best size’s score; the dotted line "
            "counts what was tried for the smoothing, too."
        )
    return f"Chosen is the smallest size that reaches {good} of the best score (dotted)."


def _best(sized: list[dict[str, Any]]) -> float:
    """The best score; −inf where none has any."""
    scores = [one["score"] for one in sized if np.isfinite(one["score"])]
    return max(scores, default=-np.inf)


def mixed(first: str, second: str, share: float) -> tuple[float, float, float]:
    """A colour between two: the second's share of it."""
    red, green, blue = (1 - share) * np.array(to_rgb(first)) + share * np.array(to_rgb(second))
    return float(red), float(green), float(blue)


def _mark(ax: Axes, chosen: list[dict[str, Any]]) -> None:
    for one in chosen:
        ax.plot(
            one["n_latents"], one["score"], marker="o", markersize=10, markerfacecolor="none",
            markeredgecolor=VERMILLION, linestyle="none", label="chosen",
        )  # fmt: skip

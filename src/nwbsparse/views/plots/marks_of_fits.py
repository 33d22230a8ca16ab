"""What figures of many fits share: panels, and marks that tell controls from the rest.

Trained coders are filled, what stands beside them is hollow or grey: untrained ones are rings, shuffled
data are crosses, smoothed counts a star or a dotted line.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nwbsparse.views.drawing import GREY, INK

MARKERS = ("o", "s", "^", "D", "v", "P")
"""One per animal."""
SCORES = {
    "neuron_paper": "neuron score", "behaviour_paper": "behaviour score",
    "position_r2": "position R²", "direction_accuracy": "direction accuracy",
}  # fmt: skip
LEGEND: dict[str, Any] = {"frameon": False, "fontsize": 8, "labelcolor": INK, "handlelength": 1.2}


def panels_of(rows: int, columns: int, *, width: float, height: float, **shared: Any) -> Any:
    """A figure of panels side by side, and room for a legend below."""
    figure = Figure(figsize=(width * columns, height * rows + 0.35), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def colours_above(ax: Axes, title: str) -> None:
    """What the colours of a panel are, above it: inside it would lie on the marks."""
    n = len(ax.get_legend_handles_labels()[0])
    ax.legend(title=title, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=max(n, 1), alignment="left",
              title_fontsize=9, borderaxespad=0.2, columnspacing=0.9, handletextpad=0.2,
              **{key: one for key, one in LEGEND.items() if key != "columnspacing"})  # fmt: skip


def legend_below(figure: Figure, handles: list[Line2D]) -> None:
    """What the marks are, below all panels."""
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6), **LEGEND)


def hollow(label: str) -> Line2D:
    """A ring: what learned nothing."""
    return Line2D([], [], marker="o", mfc="none", color=GREY, ms=5, ls="none", label=label)


def cross(label: str) -> Line2D:
    """A cross: what is shuffled."""
    return Line2D([], [], marker="x", color=GREY, ms=5, ls="none", label=label)


def star(label: str) -> Line2D:
    """A star: counts that were smoothed."""
    return Line2D([], [], marker="*", color=INK, ms=10, ls="none", label=label)


def marks_of_animals(animals: list[str]) -> list[Line2D]:
    """Which mark is which animal, where there are several."""
    if len(animals) < 2:
        return []
    return [
        Line2D([], [], marker=marker, color=INK, ms=5, ls="none", label=animal)
        for marker, animal in zip(MARKERS, animals, strict=False)
    ]

"""Labels beside an axis: none drawn over another, however many ticks there are or how near."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

LEAST = 2.0
"""Pixels between two labels beside each other."""


def part_labels(figure: Figure) -> None:
    """Hide tick labels that would lie on others; the figure must have been laid out.

    Of two the first stays: labels of major ticks before those of minor ones, axes in the order in
    which they were made. Neighbouring panels count: the last label of one and the first of the next.
    """
    figure.draw_without_rendering()
    renderer: RendererBase = figure._get_renderer()  # pyright: ignore[reportAttributeAccessIssue]
    kept: list[Bbox] = []
    for label in _labels(figure):
        box = label.get_window_extent(renderer)
        if any(_touch(box, other, label.get_rotation() % 90 == 0) for other in kept):
            label.set_visible(False)
        else:
            kept.append(box)


def _labels(figure: Figure) -> Iterator[Text]:
    for ax in _all(figure.axes):
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            for ticks in (axis.get_major_ticks(), axis.get_minor_ticks()):
                for tick in ticks:
                    shown = tick.label1.get_visible() and tick.label1.get_text()
                    if ax.axison and shown and low - slack <= tick.get_loc() <= high + slack:
                        yield tick.label1


def _all(some: Sequence[Artist]) -> Iterator[Axes]:
    for ax in some:
        if isinstance(ax, Axes):
            yield ax
            yield from _all(ax.child_axes)


def _touch(one: Bbox, other: Bbox, straight: bool) -> bool:
    # boxes around slanted words overlap where the words do not: these were set apart when drawn
    if not straight:
        return False
    beside = min(one.x1, other.x1) - max(one.x0, other.x0)
    above = min(one.y1, other.y1) - max(one.y0, other.y0)
    return bool(beside > -LEAST and above > 0)

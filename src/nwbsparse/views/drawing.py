"""What all figures share: colours, axes without pyplot, safe text, export as an image for HTML."""

from __future__ import annotations

import base64
import io
import warnings
from typing import Any, SupportsFloat

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nwbsparse.views.ticks import part_labels

# Okabe and Ito's colours: told apart by colour-blind readers and in grey print
BLUE = "#0072B2"
ORANGE = "#E69F00"
VERMILLION = "#D55E00"
GREEN = "#009E73"
SKY = "#56B4E9"
PURPLE = "#CC79A7"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
INK = "#22303c"
GREY = "#7b8794"
PALE = "#d5dbe1"
NEVER = "#ebedf0"
"""Fill of places that were never visited."""

_SVG: Any = {
    "svg.fonttype": "none",  # text stays text: small files, words that can be found and read aloud
    "svg.hashsalt": "nwbsparse",  # the same data give the same file
}


def axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes to draw on: the given ones, or those of a new figure (inches)."""
    if ax is not None:
        return ax
    made = Figure(figsize=size, layout="constrained").subplots()
    assert isinstance(made, Axes)
    return made


def tidy(ax: Axes, *, x: str = "", y: str = "", title: str = "") -> Axes:
    """Only the axes' left and bottom lines, small ticks and plain sentence-case labels."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)
        ax.spines[side].set_linewidth(0.8)
    ax.tick_params(labelsize=8, color=GREY, labelcolor=INK, width=0.8, length=3)
    ax.tick_params(
        which="minor", labelsize=8, labelcolor=INK
    )  # on a logarithmic axis they have labels
    ax.set_xlabel(plain(x, most=90), fontsize=9, color=INK)
    ax.set_ylabel(plain(y), fontsize=9, color=INK)
    if title:
        ax.set_title(plain(title), fontsize=9, color=INK, loc="left")
    return ax


def plain(text: object, *, most: int = 60) -> str:
    """Text from a file made fit for a figure: no formulas, no control characters, not too long."""
    said = "".join(c if c.isprintable() else " " for c in str(text))
    said = said if len(said) <= most else said[: most - 1] + "…"
    return said.replace("$", r"\$")


def in_percent(share: SupportsFloat, _: SupportsFloat | None = None) -> str:
    """A tick label: '20 %', '0.01 %'."""
    return f"{100 * float(share):.3g} %"


def measured_in(name: str, unit: str) -> str:
    """'speed (m/s)'; the name alone when the unit is not known."""
    return f"{name} ({unit})" if unit else name


def says_nothing(ax: Axes, text: str) -> Axes:
    """An empty figure that says why it is empty."""
    ax.set_axis_off()
    ax.text(
        0.5,
        0.5,
        plain(text),
        ha="center",
        va="center",
        fontsize=9,
        color=GREY,
        transform=ax.transAxes,
    )
    return ax


def svg(ax: Axes) -> bytes:
    """The figure of these axes as an SVG file; the same data give the same bytes."""
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    held = io.BytesIO()
    with mpl.rc_context(_SVG), warnings.catch_warnings():
        # the browser has the letters that matplotlib's own font lacks
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        part_labels(figure)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(held, format="svg", metadata=nothing, bbox_inches="tight", pad_inches=0.04)
    return held.getvalue()


def data_uri(ax: Axes) -> str:
    """The figure of these axes as a ``data:`` address of an SVG image.

    Shown by ``<img>``: a browser runs no script in such an image and gives it no other address,
    and its styles and ids cannot meet those of the page.
    """
    return as_data(svg(ax))


def as_data(drawn: bytes) -> str:
    """The ``data:`` address of an SVG file."""
    return "data:image/svg+xml;base64," + base64.b64encode(drawn).decode("ascii")

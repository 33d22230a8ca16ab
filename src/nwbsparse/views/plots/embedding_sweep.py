"""Figure 1 of Naik (2025): what is decoded from embeddings made with other settings."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes

from nwbsparse.studies.fits import Fits, as_frame, rows_of
from nwbsparse.views.drawing import CYCLE, GREY, INK, tidy
from nwbsparse.views.plots.marks_of_fits import (
    MARKERS,
    colours_above,
    cross,
    hollow,
    legend_below,
    marks_of_animals,
    panels_of,
    star,
)


def decoded_by_setting(fits: xr.Dataset) -> Axes | None:
    """Figure 1: position against direction, decoded from embeddings, coloured by each option.

    None where there is no behaviour.
    """
    frame = as_frame(fits)
    rows = rows_of(frame, "embedding").dropna(subset=["position_r2", "direction_accuracy"])
    if rows.empty:
        return None
    own = rows[rows["control"] == ""]
    options = {"dims": "dims", "hidden_units": "hidden units", "cebra_rate": "learning rate"}
    options = {name: said for name, said in options.items() if own[name].notna().any()}
    animals = sorted(own["animal"].unique())
    figure, panels = panels_of(1, len(options), width=3.1, height=3.3, sharey=True)
    for ax, (name, said) in zip(panels.flat, options.items(), strict=True):
        _controls(ax, frame, rows)
        values = sorted(own[name].dropna().unique())
        for colour, value in zip(CYCLE, values, strict=False):
            for marker, animal in zip(MARKERS, animals, strict=False):
                some = own[(own[name] == value) & (own["animal"] == animal)]
                ax.plot(some["position_r2"], some["direction_accuracy"], marker, color=colour,
                        label=f"{value:g}" if animal == animals[0] else None,
                        markeredgecolor="white", markeredgewidth=0.5, ms=6)  # fmt: skip
        tidy(ax, x="position R²", y="direction accuracy" if ax is panels.flat[0] else "")
        colours_above(ax, said)
    beside = [hollow("random network"), cross("shuffled"), star("counts over 20 bins")]
    beside += marks_of_animals(animals)
    legend_below(figure, beside)
    return panels.flat[0]


def _controls(ax: Axes, frame: Fits, rows: Fits) -> None:
    bare, dealt = (rows[rows["control"] == one] for one in ("untrained", "shuffled"))
    ax.plot(bare["position_r2"], bare["direction_accuracy"], "o", mfc="none", color=GREY, ms=5)
    ax.plot(dealt["position_r2"], dealt["direction_accuracy"], "x", color=GREY, ms=5)
    smooth = rows_of(frame, "baseline", method="smoothed counts").dropna(subset=["position_r2"])
    ax.plot(smooth["position_r2"], smooth["direction_accuracy"], "*", color=INK, ms=11)

"""Figure of latents in time: a held-out stretch with the behaviour beneath."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.binning.split import part
from nwbsparse.views.drawing import CYCLE, GREY, INK, axes, measured_in, plain, says_nothing, tidy

COLUMNS = 400
"""Columns of the picture at most; several bins share one by their maximum."""


def latent_raster(
    latents: xr.Dataset,
    binned: xr.Dataset,
    chosen: Sequence[int],
    *,
    variable: str = "",
    seconds: float = 60.0,
    ax: Axes | None = None,
) -> Axes:
    """When some latents are active in a held-out stretch, with a behaviour variable beneath.

    Each row is scaled to its own maximum there. The stretch is the one in which the variable is
    known and most of these latents are active. The panels are children of the returned axes.
    """
    ax = axes(ax, (11.0, 2.0 + 0.18 * len(chosen)))
    ax.set_axis_off()
    where = held_out_stretch(latents, binned, chosen, variable=variable, seconds=seconds)
    if where is None or not len(chosen):
        return says_nothing(ax, "no held-out stretch to show")
    times = binned[names.TIME].values[where]
    shown = variable in binned
    high = 2.0 + 0.18 * len(chosen)
    bottom = 1.6 / high if shown else 0.13
    rows = ax.inset_axes((0.06, bottom, 0.93, 0.97 - bottom))
    picture = dense(latents, np.arange(where.start, where.stop))[:, list(chosen)].T
    step = -(-picture.shape[1] // COLUMNS)
    padded = np.pad(picture, ((0, 0), (0, -picture.shape[1] % step)))
    pooled = padded.reshape(len(chosen), -1, step).max(axis=2)
    pooled = pooled / np.maximum(pooled.max(axis=1, keepdims=True), 1e-12)
    half = float(binned.attrs[names.BIN_WIDTH]) / 2
    extent = (
        times[0] - half,
        times[0] - half + 2 * half * step * pooled.shape[1],
        len(chosen) - 0.5,
        -0.5,
    )
    rows.imshow(
        pooled, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="none", extent=extent
    )
    rows.set_yticks(range(len(chosen)), [str(i) for i in chosen])
    tidy(rows, y="latent", x="" if shown else "time (s)")
    rows.set_xlim(times[0] - half, times[-1] + half)
    rows.tick_params(axis="y", length=0, labelsize=7.5)
    if shown:
        rows.tick_params(labelbottom=False)
        below = ax.inset_axes((0.06, 0.42 / high, 0.93, 0.85 / high), sharex=rows)
        _behaviour(binned[variable], variable, times, where, below)
    return ax


def held_out_stretch(
    latents: xr.Dataset, binned: xr.Dataset, chosen: Sequence[int], *, variable: str, seconds: float
) -> slice | None:
    """The test bins of one unbroken stretch in which there is most to see."""
    width = float(binned.attrs[names.BIN_WIDTH])
    test = np.flatnonzero(part(binned, "test"))
    if not len(test):
        return None
    segment = binned[names.SEGMENT].values[test]
    cut = np.flatnonzero((np.diff(test) > 1) | (np.diff(segment) != 0)) + 1
    active = dense(latents, test)[:, list(chosen)] > 0
    known = np.ones(len(test), dtype=bool)
    if variable in binned:
        values = binned[variable].values[test].reshape(len(test), -1)
        measured = values.dtype.kind == "f"
        known = np.asarray(np.isfinite(values).all(axis=1) if measured else values[:, 0] >= 0)
    length, best, found = max(2, round(seconds / width)), -1.0, slice(0, 0)
    edges = [0, *cut, len(test)]
    for start, stop in pairwise(edges):
        for at in range(start, max(start + 1, stop - length + 1), max(1, length // 12)):
            end = min(at + length, stop)
            seen = active[at:end].any(axis=0).mean() if len(chosen) else 0.0
            score = known[at:end].mean() * (0.1 + seen) * (end - at) / length
            if score > best:
                best, found = score, slice(int(test[at]), int(test[end - 1]) + 1)
    return found


def _behaviour(
    variable: xr.DataArray, name: str, times: np.ndarray, where: slice, ax: Axes
) -> None:
    values = variable.values[where]
    unit = variable.attrs.get(names.UNITS_OF_MEASURE, "")
    if names.CATEGORIES in variable.attrs:
        _spans(json.loads(variable.attrs[names.CATEGORIES]), values, times, ax)
        tidy(ax, x="time (s)", title=name)
        ax.set_yticks([])
        return
    columns = values.reshape(len(values), -1)
    marks = "." if variable.attrs.get(names.KIND) == names.CIRCULAR else "-"
    for axis, colour, label in zip(columns.T, CYCLE, "xyz", strict=False):
        ax.plot(times, axis, marks, color=colour, linewidth=1.2, markersize=2, label=label)
    if columns.shape[1] > 1:
        ax.legend(
            frameon=False, fontsize=8, labelcolor=INK, ncols=3, loc="lower right",
            bbox_to_anchor=(1, 0.95), borderaxespad=0,
        )  # fmt: skip
    ax.yaxis.set_major_locator(MaxNLocator(3))
    tidy(ax, x="time (s)", title=measured_in(name, unit))


def _spans(categories: Sequence[str], codes: np.ndarray, times: np.ndarray, ax: Axes) -> None:
    edges = np.concatenate([[0], np.flatnonzero(np.diff(codes) != 0) + 1, [len(codes)]])
    half = float(times[1] - times[0]) / 2 if len(times) > 1 else 0.0
    for start, stop in pairwise(edges.tolist()):
        code = int(codes[start])
        if code < 0:
            continue
        left, right = float(times[start]) - half, float(times[stop - 1]) + half
        ax.axvspan(left, right, color=CYCLE[code % len(CYCLE)], alpha=0.5, linewidth=0)
        if right - left < 0.012 * (times[-1] - times[0]):
            continue  # too narrow for its name
        ax.text((left + right) / 2, 0.5, plain(categories[code], most=12), ha="center", va="center",
                fontsize=7.5, color=INK, transform=ax.get_xaxis_transform(), clip_on=True)  # fmt: skip
    ax.set_ylim(0, 1)
    ax.spines["left"].set_color(GREY)

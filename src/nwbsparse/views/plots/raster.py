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
ENOUGH = 10.0
"""Seconds below which a stretch goes on beyond pauses of the recording: it would show too little."""


def latent_raster(
    latents: xr.Dataset,
    binned: xr.Dataset,
    chosen: Sequence[int],
    *,
    variable: str | Sequence[str] = "",
    seconds: float = 60.0,
    ax: Axes | None = None,
) -> Axes:
    """When some latents are active in a held-out stretch, with behaviour beneath: one variable or several.

    Each row is scaled to its own maximum there. The stretch is the one in which the first variable is
    known and most of these latents are active. Where the recording has pauses every few seconds the
    stretch goes on beyond them: time is then recorded time, and lines stand where there was a pause. The
    panels are children of the returned axes.
    """
    wanted = [variable] if isinstance(variable, str) else list(variable)
    variables = [name for name in wanted if name in binned]
    high = 2.0 + 0.18 * len(chosen) + 1.25 * max(len(variables) - 1, 0)
    ax = axes(ax, (11.0, high))
    ax.set_axis_off()
    first = variables[0] if variables else ""
    where = held_out_stretch(latents, binned, chosen, variable=first, seconds=seconds)
    if where is None or not len(chosen):
        return says_nothing(ax, "no held-out stretch to show")
    times, pauses = _clock(binned, where)
    beneath = 0.35 + 1.25 * len(variables) if variables else 0.13 * high
    rows = ax.inset_axes((0.06, beneath / high, 0.93, 0.97 - beneath / high))
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
    clock = "recorded time (s), a line at each pause" if len(pauses) else "time (s)"
    tidy(rows, y="latent", x="" if variables else clock)
    rows.set_xlim(times[0] - half, times[-1] + half)
    rows.tick_params(axis="y", length=0, labelsize=7.5)
    panels = [rows]
    for at, name in enumerate(variables):
        last = at == len(variables) - 1
        panels[-1].tick_params(labelbottom=False)
        bottom = 0.42 + 1.25 * (len(variables) - 1 - at)
        below = ax.inset_axes((0.06, bottom / high, 0.93, 0.85 / high), sharex=rows)
        _behaviour(binned[name], name, times, where, below, clock if last else "")
        panels.append(below)
    for panel in panels:
        for pause in pauses:
            panel.axvline(pause, color=GREY, linewidth=0.6)
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
    neighbours = np.diff(test) == 1
    cut = np.flatnonzero(~neighbours | (np.diff(segment) != 0)) + 1
    edges = np.concatenate([[0], cut, [len(test)]])
    if np.diff(edges).max() * width < ENOUGH:
        cut = np.flatnonzero(~neighbours) + 1
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


def _clock(binned: xr.Dataset, where: slice) -> tuple[np.ndarray, np.ndarray]:
    """(bin,) s of the session, or recorded s where there are pauses within; and when those are."""
    times = binned[names.TIME].values[where]
    new = np.flatnonzero(np.diff(binned[names.SEGMENT].values[where]) != 0) + 1
    if not len(new):
        return times, np.zeros(0)
    width = float(binned.attrs[names.BIN_WIDTH])
    return (np.arange(len(times)) + 0.5) * width, new * width


def _behaviour(
    variable: xr.DataArray, name: str, times: np.ndarray, where: slice, ax: Axes, clock: str
) -> None:
    values = variable.values[where]
    unit = variable.attrs.get(names.UNITS_OF_MEASURE, "")
    if names.CATEGORIES in variable.attrs:
        _spans(json.loads(variable.attrs[names.CATEGORIES]), values, times, ax)
        tidy(ax, x=clock, title=name)
        ax.set_yticks([])
        return
    columns = values.reshape(len(values), -1)
    marks = "." if variable.attrs.get(names.KIND) == names.CIRCULAR else "-"
    for axis, colour, label in zip(columns.T, CYCLE, "xyz", strict=False):
        ax.plot(times, axis, marks, color=colour, linewidth=1.2, markersize=2, label=label)
    if columns.shape[1] > 1:
        ax.legend(
            frameon=False, fontsize=8, labelcolor=INK, ncols=3, loc="lower left",
            bbox_to_anchor=(0.18, 0.95), borderaxespad=0,  # where a narrow screen begins, too
        )  # fmt: skip
    ax.yaxis.set_major_locator(MaxNLocator(3))
    tidy(ax, x=clock, title=measured_in(name, unit))


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

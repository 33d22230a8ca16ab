"""Figures around a moment: behaviour when a latent becomes active, latents when an event happens."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.analysis.statistics.circular_shift import MIN_SHIFT
from nwbsparse.binning.split import part
from nwbsparse.errors import unknown
from nwbsparse.views.drawing import CYCLE, GREY, INK, axes, measured_in, plain, says_nothing, tidy

SHIFTS = 200
"""Circular shifts behind the band of chance."""
LINES = 6
"""Columns of a variable, or latents, that are drawn as lines at most."""
ROWS = 60
"""Latents of a heatmap at most."""


def activation_triggered(
    latents: xr.Dataset,
    binned: xr.Dataset,
    latent: int,
    variable: str = "",
    *,
    before: float = 1.0,
    after: float = 2.0,
    quiet: float = 0.5,
    split: str = "test",
    ax: Axes | None = None,
) -> Axes:
    """What behaviour or the population does, on average, when a latent becomes active.

    Zero is an onset: a held-out bin in which the latent is active after it was not for ``quiet``
    seconds. Lines are means over onsets; bands hold 95 % of the means around the same onsets after
    200 circular shifts of 10 s or more over the held-out bins: outside a band is more than a moment
    like any other gives (lag by lag; no test).

    Only bins of the part and of the onset's own segment count, and those in which the variable is
    known. The latent is computed from the population: that the rate rises with it is no finding.

    Args:
        latents: what ``encode`` gave.
        binned: the split Binned dataset it was made from.
        latent: which one.
        variable: a covariate (angles as cosine and sine, positions axis by axis), a condition (share
            of bins in each of its values; the six most frequent) or an event (per second); '' for
            the mean rate of the population.
        before: seconds before the onset.
        after: seconds after it.
        quiet: seconds without activity that make the next active bin an onset.
        split: the part that is looked at.
        ax: where to draw.

    Raises:
        BadInput: there is no such variable, or the data were not split.
    """
    width = float(binned.attrs[names.BIN_WIDTH])
    values, labels, y = _columns(binned, variable, width)
    used = part(binned, split)
    ax = axes(ax, (4.4, 2.6))
    place = np.flatnonzero(used)
    first = _onsets(latents, binned, latent, used, max(1, round(quiet / width)))
    n = len(first)
    if n < 2:
        said = "never becomes" if not n else "becomes only once"
        return says_nothing(ax, f"latent {latent} {said} active on these bins")
    lags = np.arange(-round(before / width), round(after / width) + 1)
    segment = binned[names.SEGMENT].values
    observed = _around(values, first, lags, used, segment)
    if not np.isfinite(observed).any():
        return says_nothing(ax, f"{variable} is not known around the onsets of latent {latent}")
    at = np.searchsorted(place, first)
    least = round(MIN_SHIFT / width)
    shifts = np.unique(np.linspace(least, len(place) - least, SHIFTS).astype(int))
    if len(place) < 3 * least:
        shifts = shifts[:0]
    null = np.array([
        _around(values, place[(at + shift) % len(place)], lags, used, segment) for shift in shifts
    ])  # fmt: skip
    seconds = lags * width
    for column, (colour, label) in enumerate(zip(CYCLE, labels, strict=False)):
        if len(null):
            low, high = _middle(null[:, :, column])
            ax.fill_between(seconds, low, high, color=colour, alpha=0.18, linewidth=0)
        ax.plot(
            seconds, observed[:, column], color=colour, linewidth=1.8, label=plain(label, most=24)
        )
    ax.axvline(0, color=GREY, linewidth=0.8)
    if len(labels) > 1:
        ax.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left", ncols=1,
                  bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, handlelength=1.2)  # fmt: skip
    ax.margins(x=0)
    band = "; shaded: chance" if len(null) else ""
    held = "held-out " if split != "train" else "training "
    title = f"{plain(variable or 'population', most=32)}, {n:,} {held}onsets{band}"
    tidy(ax, x=f"s from onset of latent {latent}", y=y)
    ax.set_title(title, fontsize=9, color=INK, loc="left")
    ax.yaxis.set_major_locator(MaxNLocator(5))
    return ax


def peri_event(
    table: xr.Dataset,
    event: str,
    *,
    latents: Sequence[int] | np.ndarray | None = None,
    ax: Axes | None = None,
) -> Axes:
    """What latents do around an event: mean activation before and after, on held-out bins.

    Up to six given latents are lines. More, or all, are rows scaled to their own maximum and
    ordered by when it comes; of more than 60 those with the largest mean activation around the
    event, which is said. An order by peak makes a diagonal of noise too: read it with the number of
    events.

    Args:
        table: what ``peri_event_activation`` gave.
        event: name of the event.
        latents: which latents; all when None.
        ax: where to draw.

    Raises:
        BadInput: the table has no such event.
    """
    known = [name.removeprefix("peri_event.") for name in map(str, table.data_vars)
             if name.startswith("peri_event.")]  # fmt: skip
    if event not in known:
        raise unknown(event, known, what="event")
    values = table[f"peri_event.{event}"].values
    seconds = table[f"{event}_lag"].values
    n = int(table[f"peri_event_bins.{event}"].values.max(initial=0))
    chosen = np.arange(len(values)) if latents is None else np.asarray(latents, dtype=np.int64)
    active = chosen[np.nan_to_num(values[chosen]).max(axis=1, initial=0) > 0]
    lines = latents is not None and len(chosen) <= LINES
    x = f"s from {event} (n = {n:,})"
    if not n or not len(active):
        ax = axes(ax, (4.4, 2.6))
        said = "no event on these bins" if not n else "no latent is active around this event"
        return says_nothing(ax, f"{event}: {said}")
    if lines:
        ax = axes(ax, (4.4, 2.6))
        for colour, latent in zip(CYCLE, chosen, strict=False):
            ax.plot(seconds, values[latent], color=colour, linewidth=1.6, label=f"latent {latent}")
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.set_ylim(bottom=0)
        ax.margins(x=0)
        ax.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left",
                  bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, handlelength=1.2)  # fmt: skip
        return tidy(ax, x=x, y="mean activation")
    most = np.argsort(-np.nanmean(values[active], axis=1), kind="stable")[:ROWS]
    rows = active[np.sort(most)]
    rows = rows[np.argsort(np.nan_to_num(values[rows]).argmax(axis=1), kind="stable")]
    scaled = values[rows] / np.nanmax(values[rows], axis=1, keepdims=True)
    ax = axes(ax, (4.4, 1.2 + 0.11 * len(rows)))
    half = float(np.diff(seconds).mean()) / 2 if len(seconds) > 1 else 0.5
    ax.imshow(
        scaled, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="none",
        extent=(seconds[0] - half, seconds[-1] + half, len(rows) - 0.5, -0.5),
    )  # fmt: skip
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_yticks(range(len(rows)), [str(i) for i in rows])
    shown = "" if len(rows) == len(values) else f" ({len(rows)} of {len(values):,})"
    tidy(ax, x=x, y=f"latent{shown}", title="mean activation, each latent to its maximum")
    ax.tick_params(axis="y", length=0, labelsize=6.5)
    return ax


def _onsets(
    latents: xr.Dataset, binned: xr.Dataset, latent: int, used: np.ndarray, quiet: int
) -> np.ndarray:
    """Bins of the part in which a latent is active after ``quiet`` bins in which it was not."""
    activity = activity_of(latents)
    active = activity.bins[activity.indptr[latent] : activity.indptr[latent + 1]].astype(np.int64)
    segment = binned[names.SEGMENT].values
    if not len(active):
        return active
    since = np.diff(active, prepend=-quiet - 1)
    # the first activity of a segment began before the recording did, for all that is known
    known = active >= quiet
    known &= segment[np.maximum(active - quiet, 0)] == segment[active]
    return active[(since > quiet) & known & used[active]]


def _around(
    values: np.ndarray, first: np.ndarray, lags: np.ndarray, used: np.ndarray, segment: np.ndarray
) -> np.ndarray:
    """(lag, column) means around some bins, over what is known there; NaN where nothing is."""
    at = first[:, None] + lags
    there = at.clip(0, len(values) - 1)
    counts = (at == there) & used[there] & (segment[there] == segment[first][:, None])
    rows = np.where(counts[:, :, None], values[there], np.nan)
    n = np.isfinite(rows).sum(axis=0)
    return np.divide(np.nansum(rows, axis=0), n, out=np.full(n.shape, np.nan), where=n > 0)


def _middle(null: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(lag,) the middle 95 % of the draws; NaN at lags that have none."""
    low, high = np.full((2, null.shape[1]), np.nan)
    known = np.isfinite(null).any(axis=0)
    low[known], high[known] = np.nanpercentile(null[:, known], [2.5, 97.5], axis=0)
    return low, high


def _columns(binned: xr.Dataset, variable: str, width: float) -> tuple[np.ndarray, list[str], str]:
    """(time, column) what is averaged, a label per column, and the axis label."""
    if not variable:
        counts = binned[names.COUNTS].values.astype(np.float64)
        if names.VALID in binned:
            counts = np.where(binned[names.VALID].values, counts, np.nan)
        n = np.isfinite(counts).sum(axis=1)
        mean = np.divide(np.nansum(counts, axis=1), n, out=np.full(len(n), np.nan), where=n > 0)
        traces = binned[names.COUNTS].dtype.kind == "f"
        if traces:
            return mean[:, None], ["population"], "mean over units"
        return mean[:, None] / width, ["population"], "spikes per s and unit"
    roles = {
        str(k): v.attrs[names.ROLE] for k, v in binned.data_vars.items() if names.ROLE in v.attrs
    }
    role = roles.get(variable)
    if role is None or role == names.ROLE_INTERVAL:
        kept = [name for name, one in roles.items() if one != names.ROLE_INTERVAL]
        raise unknown(variable, kept, what="variable")
    column = binned[variable]
    if role == names.ROLE_CONDITION:
        codes, said = column.values, json.loads(column.attrs[names.CATEGORIES])
        n = np.bincount(codes[codes >= 0], minlength=len(said))
        most = np.sort(np.argsort(-n, kind="stable")[:LINES])
        share = np.where(codes[:, None] >= 0, (codes[:, None] == most).astype(np.float64), np.nan)
        more = f" ({len(most)} of {len(said)} values)" if len(said) > len(most) else ""
        return share, [said[i] for i in most], f"share of bins{more}"
    values = column.values.reshape(len(column), -1).astype(np.float64)
    if role == names.ROLE_EVENT:
        return values / width, [variable], "events per s"
    if column.attrs.get(names.KIND) == names.CIRCULAR:
        angle = values[:, 0]
        return np.stack([np.cos(angle), np.sin(angle)], axis=1), ["cosine", "sine"], "mean"
    unit = str(column.attrs.get(names.UNITS_OF_MEASURE, ""))
    labels = list("xyz"[: values.shape[1]]) if values.shape[1] > 1 else [variable]
    return values[:, : len(labels)], labels, measured_in("mean", unit)

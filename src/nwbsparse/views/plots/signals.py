"""Figures of activity beside its reconstruction: in time, and frequency by frequency."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from nwbsparse import names
from nwbsparse.analysis.apply.heldout import scored, whole_bins
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.views.drawing import BLUE, INK, ORANGE, axes, plain, says_nothing, tidy
from nwbsparse.views.words import several

SHADOW = "#b3bcc5"
"""The target, wide and pale behind its reconstruction."""


def reconstruction_examples(
    coder: SparseCoder,
    binned: xr.Dataset,
    metrics: xr.Dataset,
    *,
    n_units: int = 5,
    seconds: float = 30.0,
    ax: Axes | None = None,
) -> Axes:
    """Activity of a few units beside its reconstruction, over a held-out stretch.

    Not the best units: evenly spaced from the best to the worst R² of ``metrics`` (what
    ``evaluate`` gave). The stretch is the one in which these units vary most, so that there is
    something to see. In the scale that the coder sees; bins in which a unit was not observed are
    gaps. The panels are children of the returned axes.
    """
    r2 = metrics["unit_r2"].values
    known = np.flatnonzero(np.isfinite(r2))
    ranked = known[np.argsort(-r2[known], kind="stable")]
    n_shown = min(max(n_units, 1), len(ranked))
    chosen = ranked[np.linspace(0, len(ranked) - 1, n_shown).astype(int)]
    ax = axes(ax, (9.0, 0.8 + 0.85 * max(len(chosen), 1)))
    ax.set_axis_off()
    bins = whole_bins(coder, binned, str(metrics.attrs[names.SPLIT]))
    if not len(chosen) or not len(bins):
        return says_nothing(ax, "no unit varies on the held-out bins")
    where = _liveliest(coder, binned, bins, chosen, seconds)
    pieces = list(scored(coder, binned, where))
    observed = np.concatenate([one.observed for one in pieces])[:, chosen]
    target, guess = (
        np.where(observed, np.concatenate(rows)[:, chosen], np.nan)
        for rows in ([one.target for one in pieces], [one.predicted[-1] for one in pieces])
    )
    times = binned[names.TIME].values[where + coder.config.lag]
    ids = list(coder.record.targets)
    if coder.record.of_units:
        ids = [f"unit {plain(one, most=12)}" for one in metrics[names.UNIT_ID].values]
    said = "target (z-score)" if metrics.attrs.get("target") == "zscore" else "target (counts)"
    high = 0.92 / len(chosen)
    for at, unit in enumerate(chosen):
        panel = ax.inset_axes((0.1, 0.99 - high * (at + 1), 0.89, high * 0.84))
        last = at == len(chosen) - 1
        panel.step(times, target[:, at], where="mid", color=SHADOW, linewidth=2.6, label=said)
        panel.step(
            times, guess[:, at], where="mid", color=BLUE, linewidth=1.0, label="reconstruction"
        )
        tidy(panel, x="time (s)" if last else "")
        panel.set_xlim(times[0], times[-1])
        panel.yaxis.set_major_locator(MaxNLocator(3))
        panel.text(-0.06, 0.5, f"{ids[unit]}\nR² {r2[unit]:.2f}".replace("-", "−"),
                   transform=panel.transAxes, fontsize=8, color=INK, ha="right", va="center")  # fmt: skip
        if not last:
            panel.tick_params(labelbottom=False)
        if not at:
            panel.legend(frameon=False, fontsize=8, labelcolor=INK, ncols=2, loc="lower right",
                         bbox_to_anchor=(1, 0.94), borderaxespad=0)  # fmt: skip
    return ax


def spectrum(metrics: xr.Dataset, *, unit: object = None, ax: Axes | None = None) -> Axes:
    """Power of the activity and of its reconstruction at every frequency, and their coherence.

    Of the unit with this id, or over all units: power summed, coherence as the median with the
    middle half of the units shaded. The dotted line is the coherence of as many windows of noise,
    1/n. The two panels are children of the returned axes.

    Args:
        metrics: what ``evaluate(…, detail="all")`` gave.
        unit: id of a unit; None for all.
        ax: where to draw.

    Raises:
        BadInput: there is no such unit.
    """
    ax = axes(ax, (4.6, 3.6))
    ax.set_axis_off()
    if "spectrum" not in metrics:
        short = "spectrum_windows" in metrics
        return says_nothing(
            ax,
            "the held-out stretches are too short for a spectrum"
            if short
            else 'evaluate(…, detail="all") gives the spectrum',
        )
    columns = np.flatnonzero(metrics["spectrum_windows"].values > 0)
    if unit is not None:
        ids = metrics[names.UNIT_ID if names.UNIT_ID in metrics.coords else names.DIM].values
        columns = np.flatnonzero(ids == unit)
        if not len(columns):
            raise BadInput(f"there is no unit {unit!r} in these metrics")
    frequency = metrics["frequency"].values
    # the mean was removed, so that what is left at 0 is the taper's; the last frequency of an even
    # window holds half the power of its neighbours by definition, which would look like a cliff
    rises = np.arange(1, len(frequency) - 1)
    power, guessed, coherence = (
        metrics[name].values[rises][:, columns]
        for name in ("spectrum", "spectrum_reconstruction", "coherence")
    )
    if not (np.nan_to_num(power) > 0).any():
        return says_nothing(ax, "nothing varies in a whole window of held-out bins")
    frequency, varies = frequency[rises], int((np.nansum(power, axis=0) > 0).sum())
    above = ax.inset_axes((0.15, 0.52, 0.83, 0.4))
    below = ax.inset_axes((0.15, 0.13, 0.83, 0.33), sharex=above)
    for values, colour, width, label in (
        (power, SHADOW, 3.2, "target"),
        (guessed, BLUE, 1.3, "reconstruction"),
    ):
        total = np.nansum(values, axis=1)
        above.plot(frequency, np.where(total > 0, total, np.nan), color=colour, linewidth=width,
                   label=label)  # fmt: skip
    above.set_xscale("log")
    above.set_yscale("log")
    for axis, values in ((above.xaxis, frequency), (above.yaxis, above.dataLim.intervaly)):
        decades = float(np.log10(np.max(values) / np.min(values)))
        axis.set_major_locator(LogLocator(subs=(1,) if decades > 2.5 else (1, 2, 5)))
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_locator(NullLocator())
    seen = np.isfinite(coherence).any(axis=1)
    low, middle, high = np.full((3, len(frequency)), np.nan)
    low[seen], middle[seen], high[seen] = np.nanpercentile(coherence[seen], [25, 50, 75], axis=1)
    if unit is None and varies > 1:
        below.fill_between(frequency, low, high, color=BLUE, alpha=0.2, linewidth=0)
    below.plot(frequency, middle, color=BLUE, linewidth=1.3)
    noise = 1 / float(np.median(metrics["spectrum_windows"].values[columns]))
    below.axhline(noise, color=ORANGE, linewidth=1.2, linestyle=":")
    below.text(1, noise, "noise", transform=below.get_yaxis_transform(), fontsize=7.5, color=INK,
               ha="right", va="bottom")  # fmt: skip
    below.set_ylim(0, 1.02)
    above.legend(frameon=False, fontsize=8, labelcolor=INK, ncols=2, loc="lower left",
                 bbox_to_anchor=(-0.02, 0.98), borderaxespad=0.2)  # fmt: skip
    above.tick_params(labelbottom=False)
    target = metrics.attrs.get("target", "")
    per = "z²/Hz" if target == "zscore" else "counts²/Hz"
    of = str(metrics["spectrum"].dims[1])
    whose = f"{of} {unit}" if unit is not None else several(varies, of)
    tidy(above, y=f"power ({per})")
    tidy(below, x=f"frequency (Hz), {whose}", y="coherence")
    above.tick_params(labelbottom=False)
    return ax


def _liveliest(
    coder: SparseCoder, binned: xr.Dataset, bins: np.ndarray, chosen: np.ndarray, seconds: float
) -> np.ndarray:
    """The held-out bins of one unbroken stretch in which these units vary most, each as much."""
    written, later = coder.writes(binned), bins + coder.config.lag
    counts = np.where(written.observed(later), written.values(later), 0)[:, chosen]
    counts = counts.astype(np.float64)
    spread = counts.std(axis=0)
    away = np.minimum(np.abs(counts - counts.mean(axis=0)) / np.where(spread > 0, spread, 1), 3)
    so_far = np.concatenate([[0.0], away.sum(axis=1).cumsum()])
    length = max(2, round(seconds / float(binned.attrs[names.BIN_WIDTH])))
    segment = binned[names.SEGMENT].values[bins]
    cuts = np.flatnonzero((np.diff(bins) > 1) | (np.diff(segment) != 0)) + 1
    best, found = -1.0, slice(0, 1)
    for start, stop in pairwise([0, *cuts.tolist(), len(bins)]):
        first = np.arange(start, max(start + 1, stop - length + 1), max(1, length // 12))
        end = np.minimum(first + length, stop)
        score = so_far[end] - so_far[first]
        at = int(score.argmax())
        if score[at] > best:
            best, found = float(score[at]), slice(int(first[at]), int(end[at]))
    return bins[found]

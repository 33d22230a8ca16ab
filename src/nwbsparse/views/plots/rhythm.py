"""Whether a latent recurs at a rhythm: a figure, and the period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.analysis.apply.activity import activation_of
from nwbsparse.views.drawing import BLUE, GREY, INK, PALE, axes, says_nothing, tidy

LAGS = 100
"""Bins up to which a latent is compared with itself."""
SURE = 4.0
"""Standard errors (Bartlett's) by which a peak must stand out to be called a rhythm."""
LEAST = 0.05
"""Correlation below which a peak is too small to be called a rhythm."""


@dataclass(frozen=True)
class Rhythm:
    """How a latent's activation is correlated with itself later on."""

    lag: np.ndarray
    """(lag,) s, from one bin on."""
    correlation: np.ndarray
    error: np.ndarray
    """Standard error of each if there were no rhythm, by Bartlett's formula."""
    period: float
    """s after which it tends to be active again; NaN where no peak stands out."""


def rhythm_of(latents: xr.Dataset, binned: xr.Dataset, latent: int) -> Rhythm:
    """Whether a latent is active again after a certain time.

    The autocorrelation of its activation over pairs of bins within one segment; of lags up to a
    hundred bins. A rhythm is the first peak after the first valley that stands four standard errors
    and .05 above both.

    Args:
        latents: what ``encode`` gave.
        binned: the bins they are of.
        latent: its number.
    """
    x = activation_of(latents, latent).astype(np.float64)
    segment = binned[names.SEGMENT].values
    width = float(binned.attrs[names.BIN_WIDTH])
    n_lags = min(LAGS, len(x) // 4)
    if not n_lags:
        nothing = np.zeros(0)
        return Rhythm(nothing, nothing, nothing, np.nan)
    x = x - x.mean()
    spread = (x**2).mean()
    found = np.zeros(n_lags)
    for lag in range(1, n_lags + 1):
        same = segment[lag:] == segment[:-lag]
        if np.count_nonzero(same) < len(x) // 4:  # segments are hardly longer than this lag
            found, n_lags = found[: lag - 1], lag - 1
            break
        if spread > 0:
            found[lag - 1] = (x[lag:] * x[:-lag])[same].mean() / spread
    if not n_lags:
        return Rhythm(found, found, found, np.nan)
    before = np.concatenate([[0.0], 2 * np.cumsum(found**2)[:-1]])
    error = np.sqrt((1 + before) / len(x))
    return Rhythm(np.arange(1, n_lags + 1) * width, found, error, _period(found, error) * width)


def _period(found: np.ndarray, error: np.ndarray) -> float:
    """Lag (bins) of the first peak after the first valley that stands out; NaN for none."""
    smooth = np.convolve(np.pad(found, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    rising = np.flatnonzero(np.diff(smooth) > 0)
    if not len(rising):
        return np.nan
    valley = int(rising[0])
    low = smooth[valley]
    for at in range(valley + 1, len(smooth) - 1):
        low = min(low, smooth[at])
        is_peak = smooth[at] >= smooth[at - 1] and smooth[at] > smooth[at + 1]
        if is_peak and smooth[at] - max(low, 0.0) > max(SURE * error[at], LEAST):
            return float(at + 1)
    return np.nan


def rhythm(latents: xr.Dataset, binned: xr.Dataset, latent: int, *, ax: Axes | None = None) -> Axes:
    """How likely a latent is to be active again, by the time since it was active.

    The autocorrelation of its activation; the pale band is what chance gives (two standard errors by
    Bartlett's formula), the line marks the rhythm, where there is one.

    Args:
        latents: what ``encode`` gave.
        binned: the bins they are of.
        latent: its number.
        ax: where to draw.
    """
    return draw_rhythm(rhythm_of(latents, binned, latent), ax)


def draw_rhythm(found: Rhythm, ax: Axes | None = None) -> Axes:
    """:func:`rhythm` of a rhythm that is known already."""
    ax = axes(ax, (3.4, 1.7))
    if not len(found.lag):
        return says_nothing(ax, "too short for a rhythm")
    ax.fill_between(found.lag, -2 * found.error, 2 * found.error, color=PALE, linewidth=0)
    ax.plot(found.lag, found.correlation, color=BLUE, linewidth=1.4)
    ax.axhline(0, color=GREY, linewidth=0.6)
    if np.isfinite(found.period):
        ax.axvline(found.period, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
    ax.margins(x=0)
    ax.yaxis.set_major_locator(MaxNLocator(3))
    return tidy(ax, x="s later", y="correlation")

"""Rows of Markdown tables, and the rates in them, for the calibration scripts."""

import numpy as np

from nwbsparse.analysis.statistics.false_discovery import false_discovery_rate


def rates(p):
    """Of (recording, latent) p: tested, share ≤ .05, share ≤ .01, recordings with any q < .05."""
    good = np.isfinite(p)
    if not good.any():
        return 0.0, np.nan, np.nan, np.nan
    any_q = [bool((false_discovery_rate(one) < 0.05).any()) for one in p if np.isfinite(one).any()]
    return good.mean(), (p[good] <= 0.05).mean(), (p[good] <= 0.01).mean(), np.mean(any_q)


def line(*cells):
    print("| " + " | ".join(str(one) for one in cells) + " |", flush=True)


def number(value, digits=3):
    return "–" if not np.isfinite(value) else f"{value:.{digits}f}"

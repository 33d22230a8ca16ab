"""Numbers, times and names as sentences of findings say them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MOST = 6
"""Names or stretches that a sentence lists; of more it says how many."""


def listed(items: Sequence[object], *, most: int = MOST) -> str:
    """'3, 7 and 12'; past ``most`` the rest is counted."""
    shown = [str(one) for one in items[:most]]
    if len(items) > most:
        shown.append(f"{len(items) - most:,} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def sentences(items: Sequence[str], *, most: int = MOST) -> str:
    """'a: this; b: that'; past ``most`` the rest is counted."""
    shown = [*items[:most], *([f"{len(items) - most:,} more"] if len(items) > most else [])]
    return "; ".join(shown)


def named(ids: Sequence[str], noun: str = "unit") -> str:
    """'unit 3', 'units 3, 7 and 12'."""
    return f"{noun if len(ids) == 1 else f'{noun}s'} {listed(ids, most=12)}"


def percent(share: float) -> str:
    """'93 %', '0.4 %', '< 0.1 %'; never 100 % of what is not all, nor 0 % of what is something."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    digits = 1 if 0 < share < 0.0095 or 0.995 <= share < 1 else 0
    return f"{min(share, 0.999) if share < 1 else share:.{digits}%}".replace("%", " %")


def percents(shares: np.ndarray) -> str:
    """'93 %', '14 to 16 %': the least and the largest of some shares."""
    low, high = percent(float(shares.min())), percent(float(shares.max()))
    return high if low == high else f"{low.removesuffix(' %')} to {high}"


def moment(seconds: float) -> str:
    """'1,203 s', '312.4 s': seconds of the session's clock."""
    digits = 0 if abs(seconds) >= 1000 else 1
    return f"{seconds:,.{digits}f}".removesuffix(".0") + " s"


def length(seconds: float) -> str:
    """'12 s', '3.5 min', '2.1 h'."""
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def stretch(start: float, stop: float) -> str:
    """'1,188 to 2,214 s'."""
    return f"{moment(start).removesuffix(' s')} to {moment(stop)}"


def stretches(both: np.ndarray) -> str:
    """(n, 2) s as text, those past a few counted."""
    return listed([stretch(start, stop) for start, stop in both])

"""Numbers and findings as a reader wants to see them: rounded, in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import SupportsFloat

from nwbsparse.analysis.data_check import wording


def number(value: SupportsFloat, digits: int = 2) -> str:
    """'0.28', '−1.30', '–' for what is not known."""
    value = float(value)
    if not math.isfinite(value):
        return "–"
    if digits > 2 and 1 - 0.5 / 10**digits <= value < 1:
        return (
            f"> {1 - 1 / 10**digits:.{digits}f}"  # a share that is not quite 1 must not read 1.000
        )
    said = f"{value:,.{digits}f}"
    return said.lstrip("-") if float(said.replace(",", "")) == 0 else said.replace("-", "−")


def measure(value: SupportsFloat, *, step: float = 0.0) -> str:
    """A measured value to three digits, or as finely as the ``step`` between values; no powers."""
    value = float(value)
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    digits = math.ceil(-math.log10(step)) if step > 0 else 2 - math.floor(math.log10(abs(value)))
    said = f"{round(value, digits):,.{min(max(digits, 0), 6)}f}"
    said = said.rstrip("0").rstrip(".") if "." in said else said
    return said.replace("-", "−")


def p_value(value: SupportsFloat) -> str:
    """'0.032', '< 0.001', '–'."""
    value = float(value)
    if not math.isfinite(value):
        return "–"
    if 0.0495 <= value < 0.0505:
        return f"{value:.4f}"  # on which side of the usual level it lies must be seen
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def percent(share: SupportsFloat) -> str:
    """'29 %', '0.4 %', '–': as findings say it, with no line break before the sign."""
    share = float(share)
    return wording.percent(share).replace(" %", "\u00a0%") if math.isfinite(share) else "–"


def duration(seconds: SupportsFloat) -> str:
    """'47 s', '13.5 min', '2.1 h'."""
    seconds = float(seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def width(seconds: float) -> str:
    """A bin width: '50 ms', '2 s', '98 ms' of 98.0392."""
    return f"{measure(seconds * 1000)} ms" if seconds < 1 else f"{measure(seconds)} s"


def several(n: int, noun: str, plural: str = "") -> str:
    """'1 latent', '1,679 latents'."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listing(items: Sequence[str], *, most: int = 6) -> str:
    """'a, b and c'; past ``most`` the rest is counted."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return (
        shown[0]
        if len(shown) == 1
        else ", ".join(shown[:-1]) + " and " + shown[-1]
        if shown
        else ""
    )

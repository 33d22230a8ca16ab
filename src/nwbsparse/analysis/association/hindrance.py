"""Why something cannot be tested, and how much more of it would do."""

from __future__ import annotations

import numpy as np

from nwbsparse.analysis.association.shifts import LEAST_INDEPENDENT, MEMORIES


def too_short(independent: float, memory: float) -> str:
    """What is missing in a recording that is too short for a variable, and what would do."""
    n = int(independent)
    stretches = "1 independent stretch" if n == 1 else f"{n} independent stretches"
    needed = MEMORIES * LEAST_INDEPENDENT
    return (
        f"{stretches}, {LEAST_INDEPENDENT} are needed ({needed} × its memory of "
        f"{_seconds(memory)}); {_rounded_up(needed * memory)} or more would do"
    )


def too_few_trials(independent: float, step: float) -> str:
    """The same where the sequence of labels repeats."""
    needed = int(np.ceil(LEAST_INDEPENDENT * step))
    return (
        f"labels repeat from trial to trial: {int(independent)} independent stretches, "
        f"{LEAST_INDEPENDENT} are needed; {needed} trials or more would do"
    )


def _seconds(value: float) -> str:
    return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"


def _rounded_up(seconds: float) -> str:
    if seconds < 60:
        return f"{int(np.ceil(seconds))} s"
    minutes = int(np.ceil(seconds / 60))
    return "1 minute" if minutes == 1 else f"{minutes} minutes"

"""Step size over the course of a training."""

from __future__ import annotations

import math


def step_size(update: int, total: int, kind: str = "trapezoid") -> float:
    """Share of the peak learning rate at an update.

    ``trapezoid``: warm-up over 10 %, constant to 50 %, cosine to a hundredth. ``cosine``: warm-up
    over 10 %, then cosine to a hundredth. ``constant``: 1.
    """
    if kind == "constant":
        return 1.0
    at, begin = update / max(total, 1), 0.5 if kind == "trapezoid" else 0.1
    if at < 0.1:
        return (update + 1) / max(math.ceil(0.1 * total), 1)
    if at < begin:
        return 1.0
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (at - begin) / (1 - begin)))

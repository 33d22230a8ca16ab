"""Numbers with which nothing can be simulated are refused, all at once."""

from __future__ import annotations

import math

from nwbsparse.errors import raise_together


def refuse_outside(name: str, /, **options: tuple[float | int, float | int, float | int]) -> None:
    """Raise one BadInput for all options that are out of their bounds; NaN is out of any.

    Args:
        name: of the simulation.
        options: value, smallest and largest of each.
    """
    problems = [
        f"{option} is {value:g}; choose {_range(low, high)}"
        for option, (value, low, high) in options.items()
        if not low <= value <= high
    ]
    raise_together(problems, heading=f"'{name}' cannot be simulated")


def _range(low: float | int, high: float | int) -> str:
    return f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"

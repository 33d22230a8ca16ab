"""Expected counts from expected roots of counts."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float
from scipy.stats import poisson

LARGEST = 100.0
"""Rate from which E √n = √(λ − 1/4) holds to four digits."""


def rate_of_root(root: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The rate λ of Poisson counts whose roots have this mean; 0 for a mean below 0.

    The square of the mean root is too small: ``E √n < √E n``, for small rates by far (``E √n ≈ λ``).
    """
    rates, roots = _curve()
    inside = np.interp(np.maximum(root, 0), roots, rates)
    return np.where(root > roots[-1], np.square(root) + 0.25, inside)


@cache
def _curve() -> tuple[np.ndarray, np.ndarray]:
    """Rates, and the mean root at each."""
    rates = np.concatenate([np.linspace(0, 4, 801), np.geomspace(4, LARGEST, 800)[1:]])
    n = np.arange(int(LARGEST + 12 * np.sqrt(LARGEST)))
    return rates, poisson.pmf(n, rates[:, None]) @ np.sqrt(n)

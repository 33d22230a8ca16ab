"""Correlations and lines of all pairs of columns of two tables, some values of one unknown."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from jaxtyping import Float, Num


class Channels:
    """The table that is compared with others again and again: what of it is needed, worked out once."""

    def __init__(self, x: Num[np.ndarray, "bin channel"]) -> None:
        self.mean = x.mean(axis=0, dtype=np.float64) if len(x) else np.zeros(x.shape[1])
        self.centred = x - self.mean

    @cached_property
    def square(self) -> Float[np.ndarray, "bin channel"]:
        return self.centred**2

    @cached_property
    def sum_of_squares(self) -> Float[np.ndarray, " channel"]:
        return np.einsum("bc,bc->c", self.centred, self.centred)


def pearson(x: Channels, y: Float[np.ndarray, "bin other"]) -> Float[np.ndarray, "channel other"]:
    """Pearson r over the bins in which the other is known (not NaN); NaN for constants."""
    *_, cross, var_x, var_y = _moments(x, y)
    length = np.sqrt(var_x * var_y)
    return np.divide(cross, length, out=np.full(cross.shape, np.nan), where=length > 0)


def line_r2(
    x: Channels,
    y: Float[np.ndarray, "train_bin behaviour"],
    x_new: Channels,
    y_new: Float[np.ndarray, "test_bin behaviour"],
) -> Float[np.ndarray, "channel behaviour"]:
    """Held-out R² of the line from each channel to each behaviour, fitted on the first two.

    A channel that is constant in training predicts the training mean; NaN where the behaviour is
    constant in either part.
    """
    _, mean_x, mean_y, cross, var_x, var_y = _moments(x, y)
    slope = np.divide(cross, var_x, out=np.zeros(cross.shape), where=var_x > 0)
    n, new_x, new_y, new_cross, new_var_x, new_var_y = _moments(x_new, y_new)
    # Σ(y − ŷ)² from the moments of the test bins; the lines pass through the training means
    bias = (new_y - mean_y) - slope * (new_x - mean_x)
    error = new_var_y - 2 * slope * new_cross + slope**2 * new_var_x + n * bias**2
    varies = np.broadcast_to((new_var_y > 0) & (var_y > 0), error.shape)
    out = np.full(error.shape, np.nan)
    np.divide(error, np.broadcast_to(new_var_y, error.shape), out=out, where=varies)
    return 1 - out


def _moments(x: Channels, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """n, means, Σ(x−x̄)(y−ȳ), Σ(x−x̄)², Σ(y−ȳ)² of every pair, over the bins where y is known.

    Each broadcasts to (channel, other). Sums of squares that are rounding alone are 0.
    """
    known = np.isfinite(y)
    everywhere = bool(known.all())
    values = y if everywhere else np.where(known, y, 0.0)
    n = known.sum(axis=0)[None].astype(np.float64)
    count = np.maximum(n, 1)
    mean_y = values.sum(axis=0)[None] / count
    b = values - mean_y if everywhere else (values - mean_y) * known
    if everywhere:
        sum_a, square_a = np.zeros((len(x.mean), 1)), x.sum_of_squares[:, None]
    else:
        weight = known.astype(np.float64)
        sum_a, square_a = x.centred.T @ weight, x.square.T @ weight
    var_x, var_y = square_a - sum_a**2 / count, (b**2).sum(axis=0)[None]
    # Σb is zero, so that the mean of x need not come off
    cross = x.centred.T @ b
    mean_x = x.mean[:, None] + sum_a / count
    var_x = np.where(var_x > 1e-12 * (x.mean[:, None] ** 2 * count + square_a), var_x, 0.0)
    var_y = np.where(var_y > 1e-12 * (mean_y**2 * count + var_y), var_y, 0.0)
    return n, mean_x, mean_y, cross, var_x, var_y

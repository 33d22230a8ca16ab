"""Datasets that must hold one value per row: MATLAB's vectors are taken, every other form is named."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from hdmf.query import ReferenceResolver

from nwbsparse.errors import BadInput
from nwbsparse.io.rules.values import load, shape_of

NUMBERS: Final = "biuf"
NUMBERS_OR_TEXT: Final = "biufU"
_CALLED = {NUMBERS_OR_TEXT: "numbers or text"}


class OddForm(BadInput):
    """A dataset has not the form that its place in the file asks for: what can do without it goes on."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} {why}")
        self.why = why
        """What is wrong with it, as said behind its name."""


def vector(data: Any, *, what: str, kinds: str = NUMBERS) -> np.ndarray:
    """The values of a dataset that must hold one per row, which MATLAB writes as (n, 1) or (1, n).

    ``kinds`` are numpy's letters of the types that it may have.

    Raises:
        OddForm: it has more than one value per row, or values of another type.
        BadInput: as ``load``.
    """
    shape = shape_of(data)
    if not isinstance(data, ReferenceResolver) and not is_vector(shape):
        raise OddForm(what, f"holds more than one value per row (shape {shape})")
    return as_vector(values_of(data, what=what, kinds=kinds))


def values_of(data: Any, *, what: str, kinds: str = NUMBERS) -> np.ndarray:
    """The values of a dataset of any shape, of one of these types.

    Raises:
        OddForm: they are of another type.
        BadInput: as ``load``.
    """
    if isinstance(data, ReferenceResolver):  # of which some may lead nowhere
        raise OddForm(what, "holds references or compound values")
    values = load(data, what=what)
    if not values.size:  # of nothing the type says nothing
        return values if values.dtype.kind in kinds else np.empty(values.shape)
    if values.dtype.kind not in kinds:
        if values.dtype.kind in "OV":
            raise OddForm(what, "holds references or compound values")
        held = "text" if values.dtype.kind == "U" else str(values.dtype)
        raise OddForm(what, f"holds {held}, not {_CALLED.get(kinds, 'numbers')}")
    return values


def seconds(data: Any, *, what: str) -> np.ndarray:
    """Likewise of times: float64.

    Raises:
        OddForm: as ``vector``.
        BadInput: as ``load``.
    """
    return vector(data, what=what).astype(np.float64)


def as_vector(values: np.ndarray) -> np.ndarray:
    """MATLAB's vectors, (n, 1) and (1, n), as (n,); everything else as it is."""
    return values.ravel() if values.ndim > 1 and is_vector(values.shape) else values


def is_vector(shape: tuple[int, ...]) -> bool:
    """Whether at most one axis is longer than 1, so that there is no doubt which value is whose."""
    return len(shape) > 0 and sum(n != 1 for n in shape) <= 1


def kind_of(data: Any) -> str:
    """Numpy's letter of the type of a dataset, array or list; 'O' for references and the like."""
    try:
        stated = getattr(data, "dtype", None)
        return np.dtype(np.asarray(data).dtype if stated is None else stated).kind
    except (TypeError, ValueError):  # hdmf describes rows of several values in words of its own
        return "O"


def pointers(data: Any, n_rows: int, *, what: str, of: str) -> np.ndarray:
    """Rows of a table that a column points to, all of which it has.

    Where one lies outside nobody knows what the others mean: a column that counts from 1 is off by
    one in every row, and only its last pointer shows it.

    Raises:
        OddForm: as ``vector``; fractions; a pointer outside the table ``of``.
        BadInput: as ``load``.
    """
    values = vector(data, what=what)
    if not values.size:
        return values.astype(np.int64)
    if not (np.isfinite(values) & (np.mod(values, 1) == 0)).all():
        raise OddForm(what, "holds numbers that are no rows: NaN or fractions")
    low, high = values.min(), values.max()
    if low < 0 or high >= n_rows:
        outside = low if low < 0 else high
        hint = ": does it count from 1?" if low >= 1 and high == n_rows else ""
        raise OddForm(
            what,
            f"points to row {int(outside):,} of {of}, which has {n_rows:,}, the first of them 0{hint}; "
            "none of its pointers can be trusted",
        )
    return values.astype(np.int64)

"""The behaviour that a supervised embedding is made with, as the numbers it is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int

from nwbsparse import names
from nwbsparse.binning.variables import conditions_of, covariates_of
from nwbsparse.errors import BadInput, raise_together, unknown

CONTINUOUS, DISCRETE = "continuous", "discrete"
PLACE, DIRECTION = "place", "direction"
"""What may be asked for without naming it: the position of the recording, and the condition that is the
direction of running, where there is one."""


@dataclass(frozen=True)
class Covariates:
    """What was asked for, column by column; nothing for an embedding of the activity alone."""

    kinds: dict[str, str] = field(default_factory=dict)
    """{name: "continuous" or "discrete"}, in the order that was asked for."""
    continuous: Float[np.ndarray, "time column"] | None = None
    discrete: Int[np.ndarray, " time"] | None = None
    """A code of the values of all discrete ones together; −1 where one is not known."""

    @property
    def known(self) -> Bool[np.ndarray, " time"] | None:
        """Bins in which all of them are known; None where there are none."""
        there: Any = None
        if self.continuous is not None:
            there = np.isfinite(self.continuous).all(axis=1)
        if self.discrete is not None:
            labelled = self.discrete >= 0
            there = labelled if there is None else there & labelled
        return there

    def dealt(self, order: Int[np.ndarray, " time"]) -> Covariates:
        """The same values at other bins: those of ``order``."""
        return Covariates(
            self.kinds,
            None if self.continuous is None else self.continuous[order],
            None if self.discrete is None else self.discrete[order],
        )


def covariates_for(
    binned: xr.Dataset, wanted: Sequence[str], learned: Bool[np.ndarray, " time"]
) -> Covariates:
    """The columns of named covariates (continuous) and conditions (discrete).

    Positions give a column per axis, angles their sine and cosine. Columns are as they are stored:
    the distance between two moments is Euclidean over all continuous columns, so their scales count.
    "place" stands for the position, and for the condition whose name ends in "direction" where there is
    one, unless something is called so.

    Raises:
        BadInput: no position, or several, for "place"; a name that the recording does not have, values that
            never change or are never known in the bins that are learned from; all of them at once.
    """
    continuous, discrete = covariates_of(binned), conditions_of(binned)
    columns: list[np.ndarray] = []
    codes: list[np.ndarray] = []
    kinds: dict[str, str] = {}
    problems: list[str] = []
    for name in _with_place(binned, wanted):
        if name in continuous:
            found, kinds[name] = _columns(binned[name]), CONTINUOUS
            columns.append(found)
            there = found[learned & np.isfinite(found).all(axis=1)]
            varies = len(there) > 0 and bool((np.ptp(there, axis=0) > 0).any())
        elif name in discrete:
            found, kinds[name] = binned[name].values.astype(np.int64), DISCRETE
            codes.append(found)
            there = found[learned & (found >= 0)]
            varies = len(np.unique(there)) > 1
        else:
            known = [*continuous, *discrete]
            problems.append(str(unknown(name, known, what="covariate or condition")))
            continue
        if not len(there):
            problems.append(f"'{name}' is not known in any training bin")
        elif not varies:
            problems.append(
                f"'{name}' never changes in the training bins ({_value(binned, name, there)})"
            )
    raise_together(problems, heading="the embedding cannot be made with this behaviour")
    return Covariates(
        kinds,
        np.concatenate(columns, axis=1).astype(np.float32) if columns else None,
        _together(codes) if codes else None,
    )


def _with_place(binned: xr.Dataset, wanted: Sequence[str]) -> list[str]:
    """The names, with those that "place" stands for in its place."""
    continuous, discrete = covariates_of(binned), conditions_of(binned)
    if PLACE not in wanted or PLACE in (*continuous, *discrete):
        return list(wanted)
    positions = [name for name in continuous if binned[name].attrs[names.KIND] == names.POSITION]
    if len(positions) != 1:
        what = f"several positions ({', '.join(positions)})" if positions else "no position"
        raise BadInput(
            f"'place' is the position of the recording, which has {what}; name what the embedding is to be "
            f"made with: {', '.join((*continuous, *discrete)) or 'there is none'}"
        )
    directions = [name for name in discrete if name.split(".")[-1] == DIRECTION]
    found = positions + (directions if len(directions) == 1 else [])
    return list(
        dict.fromkeys(one for name in wanted for one in (found if name == PLACE else [name]))
    )


def _columns(variable: xr.DataArray) -> np.ndarray:
    values = variable.values.astype(np.float64)
    if variable.attrs.get(names.KIND) == names.CIRCULAR:
        return np.column_stack([np.sin(values), np.cos(values)])
    return values.reshape(len(values), -1)


def _together(codes: list[np.ndarray]) -> np.ndarray:
    """One code for every combination of values that occurs; −1 where any is missing."""
    table = np.column_stack(codes)
    known = (table >= 0).all(axis=1)
    out = np.full(len(table), -1, dtype=np.int64)
    if known.any():
        out[known] = np.unique(table[known], axis=0, return_inverse=True)[1].reshape(-1)
    return out


def _value(binned: xr.Dataset, name: str, there: np.ndarray) -> str:
    if there.ndim == 1:
        return f"always {json.loads(binned[name].attrs[names.CATEGORIES])[int(there[0])]!r}"
    return f"always {', '.join(f'{one:g}' for one in there[0])}"

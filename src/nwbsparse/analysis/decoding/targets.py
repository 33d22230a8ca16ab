"""What is decoded: covariates as numbers, conditions as classes, and whether either can be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.measured import varying
from nwbsparse.binning.sessions.join import is_session
from nwbsparse.binning.variables import conditions_of, covariates_of
from nwbsparse.errors import unknown

FOLDS = 5
LEAST = 20
"""Bins of a class (or of the whole) below which nothing is fitted or scored."""


@dataclass(frozen=True)
class Target:
    """A behaviour in every bin."""

    name: str
    kind: str
    values: np.ndarray
    """(time, component) float, or (time,) int codes."""
    known: np.ndarray
    """(time,) bool."""
    classes: tuple[str, ...] = ()


def targets_of(binned: xr.Dataset, wanted: Sequence[str] | None) -> list[Target]:
    """The behaviours of these names, all of them when None.

    Raises:
        BadInput: one does not exist.
    """
    covariates = covariates_of(binned)
    conditions = [name for name in conditions_of(binned) if not is_session(binned, name)]
    known = covariates + conditions
    made = []
    for name in known if wanted is None else wanted:
        if name not in known:
            raise unknown(name, known, what="behaviour")
        variable = binned[name]
        if name in conditions:
            codes = variable.values.astype(np.int64)
            classes = tuple(json.loads(variable.attrs[names.CATEGORIES]))
            made.append(Target(name, names.CATEGORICAL, codes, codes >= 0, classes))
            continue
        kind = str(variable.attrs[names.KIND])
        values = variable.values.reshape(len(variable), -1).astype(np.float64)
        if kind == names.CIRCULAR:
            values = np.concatenate([np.cos(values), np.sin(values)], axis=1)
        made.append(Target(name, kind, values, np.asarray(np.isfinite(values).all(axis=1))))
    return made


def not_assessable(target: Target, fit: np.ndarray, test: np.ndarray) -> str:
    """Why nothing can be said with these training and held-out bins; '' when something can."""
    if len(fit) < FOLDS * LEAST or len(test) < LEAST:
        return f"only {len(fit)} training and {len(test)} held-out bins"
    y, y_new = target.values[fit], target.values[test]
    if target.classes:
        if len(np.unique(y)) < 2:
            return f"fewer than two classes with {LEAST} training bins"
        return "" if len(np.unique(y_new)) > 1 else "one class on held-out bins"
    return "" if telling(target, fit, test).any() else "constant"


def telling(target: Target, fit: np.ndarray, test: np.ndarray) -> np.ndarray:
    """(component,) bool: which components of a covariate change in both the training and held-out bins.

    A track along x has a y that never changes: it is no reason to leave x alone. Sine and cosine of
    an angle are one thing.
    """
    both = varying(target.values[fit]) & varying(target.values[test])
    return np.full(len(both), both.all()) if target.kind == names.CIRCULAR else both

"""Poses (ndx-pose): where each part of the body was, and how sure the tracker is of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.io.rules.account import Account, counted
from nwbsparse.io.rules.clock import Clock
from nwbsparse.io.rules.names import identifier, type_name
from nwbsparse.io.rules.values import shape_of, text
from nwbsparse.io.rules.vectors import OddForm, vector
from nwbsparse.session import Series

UNSURE = 0.5


def is_pose(series: Any) -> bool:
    """Whether a series is the estimated position of one part of a body."""
    return type_name(series) == "PoseEstimationSeries"


def pose_name(series: Any) -> str:
    """'camera_nose': the same parts are tracked by several cameras and in several animals."""
    return identifier(f"{text(getattr(series.parent, 'name', ''))}_{text(series.name)}")


def read_confidence(
    series: Any, clock: Clock, account: Account, *, n_samples: int, path: str
) -> Series | None:
    """How sure the tracker is of each position (0 to 1), as a signal of its own; None without.

    Positions are kept however unsure they are: a condition on this signal leaves them out.
    """
    stored = getattr(series, "confidence", None)
    if stored is None:
        return None
    where = f"{path}/confidence"
    try:
        values = vector(stored, what="it").astype(np.float64)
        if len(values) != n_samples:
            raise OddForm("it", f"has {len(values):,} values for {n_samples:,} positions")
    except OddForm as error:
        n_found = (shape_of(stored) or (0,))[0]
        account.add("series", where, n_found, 0, repairs=[f"left out: {error}"])
        return None
    values = values[clock.rows]
    unsure = int((values < UNSURE).sum())
    notes = [f"{counted(unsure, 'position')} below {UNSURE} kept"] if unsure else []
    if missing := int(np.isnan(values).sum()):
        notes.append(f"{missing:,} samples are NaN")
    account.add("series", where, n_samples, len(values), notes=notes)
    return Series(
        name=f"{pose_name(series)}_confidence",
        times=clock.times,
        data=values,
        unit="",
        kind=names.CONTINUOUS,
        path=where,
        description=text(getattr(series, "confidence_definition", "")),
    )

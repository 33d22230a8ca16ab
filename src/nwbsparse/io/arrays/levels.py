"""Times that stand in an index of several levels, as frames of trials have: one of them is the time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.frames import TIME_NAMES

_INSTEAD = "give one level of seconds of the session (for arrays and frames: times=, one per row)"


def times_of_levels(index: Any, *, what: str) -> np.ndarray | None:
    """The level of an index that is the time (s); None where the index has no levels.

    Raises:
        BadInput: no level is called time, or it holds no numbers, or begins anew in every trial.
    """
    if not isinstance(index, pd.MultiIndex):
        return None
    levels = [str(name) for name in index.names]
    said = f"the index of {what} has the levels {', '.join(levels)}"
    at = next((k for k, name in enumerate(levels) if name.lower() in TIME_NAMES), None)
    if at is None:
        raise BadInput(f"{said}, and none is called time: rename the one that is, or {_INSTEAD}.")
    values = np.asarray(index.get_level_values(at))
    if values.dtype.kind not in "iuf":
        raise BadInput(f"{said}; '{levels[at]}' holds {values.dtype}, not seconds: {_INSTEAD}.")
    times = values.astype(np.float64)
    if (np.diff(times) < 0).any():
        others = ", ".join(name for k, name in enumerate(levels) if k != at)
        raise BadInput(
            f"{said}; '{levels[at]}' begins anew, as it does where it counts within each {others}: "
            f"add the start of each, or {_INSTEAD}."
        )
    return times

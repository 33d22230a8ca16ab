"""Two variables at once: 'trials.side = left & speed = high' as a condition of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.coding import Coded, frequent
from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput, unknown

MOST = 1000
"""Conjunctions of one pair beyond which it is refused: a mistake, not a hypothesis."""


def conjoin(
    variables: Sequence[Coded], pairs: Sequence[tuple[str, str]], binned: xr.Dataset
) -> list[Coded]:
    """Every condition of one variable together with every condition of another.

    ``variables`` are conditions; the new ones are called ``'a & b'`` with conditions
    ``'x & y'``, and not known where either is not. Those of less than 0.5 s in training are left
    out. They are constant within trials when both are, in the same table.

    Raises:
        BadInput: a variable that is not there, or paired with itself, or more than 1,000 conditions.
    """
    known = {variable.name: variable for variable in variables}
    train = part(binned, "train") | part(binned, "validation")
    made = []
    for pair in pairs:
        if len(pair) != 2 or pair[0] == pair[1]:
            raise BadInput(f"a conjunction is of two different variables, not of {pair!r}")
        for name in pair:
            if name not in known:
                raise unknown(name, known, what="condition", where="conjunctions")
        first, second = (known[name] for name in pair)
        if first.size * second.size > MOST:
            raise BadInput(
                f"'{first.name}' and '{second.name}' have {first.size * second.size:,} conjunctions, "
                f"more than {MOST:,}"
            )
        both = (first.codes >= 0) & (second.codes >= 0)
        codes = np.where(both, first.codes * second.size + second.codes, -1).astype(np.int32)
        labels = tuple(f"{one} & {other}" for one in first.labels for other in second.labels)
        coded = Coded(
            name=f"{first.name} & {second.name}",
            kind=names.CATEGORICAL,
            codes=codes,
            labels=labels,
            shape=(len(labels),),
            table=first.table if first.table == second.table else None,
            null=first.null if first.null == second.null else "",
        )
        usable = frequent(coded, binned, train)
        if usable is not None:
            made.append(usable)
    return made

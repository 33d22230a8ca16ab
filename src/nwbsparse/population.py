"""What a coder reads of a Binned dataset: the counts of its units, or the embedding beside them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.errors import BadInput


def as_read(data: Any, reads: str) -> Any:
    """The dataset as a coder sees it: one table ``counts(time, unit)`` and the ids of its columns.

    For a coder of an embedding the dims stand where units otherwise do ("dim 0", …), so that
    training, encoding and scoring need to know one table only; bins without an embedding are not
    observed. Nothing that leaves the package is named like that: what is said about dims is over
    ``dim``. A dataset that was made for a coder already comes back as it is.

    Raises:
        BadInput: the coder reads an embedding and there is none.
    """
    if reads == names.COUNTS or names.READS in data.attrs:
        return data
    if names.EMBEDDING not in data:
        raise BadInput(
            "this coder reads an embedding, and the data hold none; "
            "nwbsparse.with_embedding(binned, values) puts it beside the counts"
        )
    values = np.asarray(data[names.EMBEDDING].values, dtype=np.float32)
    there = np.isfinite(values)
    columns = (names.TIME, names.UNIT)
    made = data.drop_dims([names.UNIT, names.DIM])
    made = made.assign({names.COUNTS: (columns, np.where(there, values, np.float32(0)))})
    if not there.all():
        made = made.assign({names.VALID: (columns, there)})
    ids = np.array(dim_names(values.shape[1]), dtype=object)
    coords = {names.UNIT: np.arange(len(ids)), names.UNIT_ID: (names.UNIT, ids)}
    return made.assign_coords(coords).assign_attrs({names.READS: reads})


def dim_names(n: int) -> list[str]:
    """What the dims of an embedding are called where units have an id."""
    return [f"{names.DIM} {dim}" for dim in range(n)]

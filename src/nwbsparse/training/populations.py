"""Which units are encoded and which are reconstructed."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.options.config import Config
from nwbsparse.query import in_regions, with_ids


def ids_of_populations(
    binned: Any, config: Config, target: Any = None
) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Ids of the encoded units and, for a transcoder, of those it reconstructs from them.

    An autoencoder reconstructs what it encodes, at a lag or not. With ``target_units`` or
    ``target_regions`` those are reconstructed from all the others; with another dataset as
    target, its units are.

    Raises:
        BadInput: nothing is left to encode, or the target is named twice.
    """
    ids = tuple(str(unit_id) for unit_id in binned[names.UNIT_ID].values)
    named = config.target_units or config.target_regions
    if target is not None and config.reads == names.EMBEDDING:
        raise BadInput(
            "a coder of an embedding reconstructs the embedding itself; leave target= out, or use "
            "reads='counts'"
        )
    if target is not None:
        if named:
            raise BadInput(
                "a target dataset is given and target_units or target_regions too; give one"
            )
        return ids, tuple(str(unit_id) for unit_id in target[names.UNIT_ID].values)
    if not named:
        return ids, None
    columns = {
        str(name): np.asarray(binned[name].values)
        for name in binned.coords
        if binned[name].dims == (names.UNIT,)
    }
    if config.target_units:
        chosen = with_ids(columns, config.target_units, what="target_units")
    else:
        chosen = in_regions(columns, config.target_regions or "")
    if not chosen.any() or chosen.all():
        what = "none" if not chosen.any() else "all"
        raise BadInput(
            f"{what} of the {len(ids)} units are targets; a transcoder needs some to encode and "
            "others to reconstruct"
        )
    return (
        tuple(one for one, is_target in zip(ids, chosen, strict=True) if not is_target),
        tuple(one for one, is_target in zip(ids, chosen, strict=True) if is_target),
    )

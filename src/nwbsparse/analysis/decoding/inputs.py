"""What behaviour is decoded from: counts, smoothed counts, latents, PCA, an embedding, and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.representation import (
    Described,
    Representation,
    components,
    named_apart,
    recorded_units,
    smoothed_units,
)
from nwbsparse.errors import BadInput, unknown

COUNTS, SMOOTHED, LATENTS, BEST_LATENT, PCA_INPUT, EMBEDDING = (
    "counts", "smoothed", "latents", "best_latent", "pca", "embedding",
)  # fmt: skip
INPUTS = (COUNTS, SMOOTHED, LATENTS, BEST_LATENT, PCA_INPUT, EMBEDDING)
GIVEN = {LATENTS: LATENTS, BEST_LATENT: LATENTS, EMBEDDING: EMBEDDING}
"""input → what must be given for it."""


@dataclass(frozen=True)
class Inputs:
    """Tables (time, dim) by name, and the bins in which all of them can be used."""

    tables: dict[str, np.ndarray]
    """``best_latent`` is the table of all latents: one of them is chosen per target."""
    usable: np.ndarray
    """(time,) bool."""


def make_inputs(
    binned: xr.Dataset,
    wanted: Sequence[str | Representation] | None,
    *,
    latents: xr.Dataset | None,
    embedding: Any,
    smooth_bins: int,
) -> Inputs:
    """The asked inputs over all bins, those that can be made when None.

    Raises:
        BadInput: an unknown input, one that was not given, one of another length, or two of one name.
    """
    given: dict[str, Described] = {}
    if latents is not None:
        given[LATENTS] = given[BEST_LATENT] = Representation(LATENTS, latents).of(binned)
    if embedding is not None:
        table = embedding[EMBEDDING] if isinstance(embedding, xr.Dataset) else embedding
        given[EMBEDDING] = Representation("the embedding", table).of(binned)
    if wanted is None:
        wanted = [name for name in INPUTS if name not in GIVEN or name in given]
    named_apart([one for one in wanted if isinstance(one, Representation)], INPUTS)
    partner = next(iter(given.values()), None)
    most = binned.sizes[names.UNIT] if partner is None else partner.table.shape[1]
    known = {
        COUNTS: recorded_units(),
        SMOOTHED: smoothed_units(smooth_bins),
        PCA_INPUT: components(most),
    }
    made: dict[str, Described] = {}
    for one in wanted:
        if isinstance(one, Representation):
            made[one.name] = one.of(binned)
        elif one in given:
            made[one] = given[one]
        elif one in known:
            made[one] = known[one].of(binned)
        elif one in GIVEN:
            raise BadInput(f"decoding from '{one}' needs {GIVEN[one]}=")
        else:
            raise unknown(one, INPUTS, what="input")
    usable = np.ones(binned.sizes[names.TIME], dtype=bool)
    for described in made.values():
        usable &= described.usable
    return Inputs({name: described.table for name, described in made.items()}, usable)

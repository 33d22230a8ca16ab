"""Coders of an embedding, in words, and what leads from their latents to units in place of weights."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.quality.embedding_said import embedding_said
from nwbsparse.results.results import Results
from nwbsparse.views.words import number, several, width


def is_of_units(table: xr.Dataset) -> bool:
    """Whether weights lead from latents to units; of a coder of an embedding they lead to dims."""
    return names.UNIT in table["weight"].dims


def to_units(table: xr.Dataset, latent: int) -> tuple[np.ndarray, str]:
    """(unit,) how strongly a latent stands for each unit, and what that is: its decoder weight, or,
    where it weighs no unit, the correlation of their activity.
    """
    if is_of_units(table):
        return table["weight"].values[latent], "decoder weight"
    return np.nan_to_num(table["correlation"].values[latent]), "correlation"


def learned_from_embedding(results: Results) -> str:
    """What was learned, for a reader new to it."""
    embedding = results.embedding
    method = "" if embedding is None else str(embedding.attrs.get(names.METHOD, ""))
    dims = several(results.coder.n_units, "dim")
    return (
        f"nwbsparse learned {several(results.coder.n_latents, 'latent')} from an embedding of the "
        f"population in {dims}{f' ({method})' if method else ''}, not from the spikes themselves. A "
        "latent is a recurring direction of the embedding; it is active when the population is "
        f"there. In any one held-out bin of {width(results.coder.record.bin_width)} about "
        f"{number(float(results.metrics['l0'].mean()), 1)} of them are active. Units are compared "
        "with latents, which were not made from any of them directly."
        + "".join(f" {one[0].upper()}{one[1:]}." for one in embedding_said(results.metrics))
    )

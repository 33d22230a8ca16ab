"""How latents come back over seeds ⇄ columns of the latents table, and attributes of the model."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbsparse.annotated.elements.placed import Placed, there
from nwbsparse.annotated.stored import StoredResult

RECURRENCE = ("recurrence", "again")
"""Share of the seeds, and of the other consensuses, in which a latent is found."""


def recurrence_columns(stored: StoredResult) -> tuple[dict[str, np.ndarray], Placed]:
    """The columns of the latents table that say how each latent comes back; none for one seed."""
    stability = stored.stability
    known = there(stability, *RECURRENCE)
    if stability is None or not known:
        return {}, Placed()
    columns = {name: stability[name].values for name in RECURRENCE if name in known}
    return columns, Placed(stability=known)


def recurrence_attributes(stored: StoredResult) -> dict[str, Any]:
    """How latents of several seeds were compared, as attributes of the model."""
    said = {} if stored.stability is None else stored.stability.attrs
    of = {
        "seeds": ("n_seeds", int),
        "replicates": ("n_replicates", int),
        "stability_method": ("stability_method", str),
        "chance_match": ("chance_match", float),
    }
    return {key: kind(said[name]) for key, (name, kind) in of.items() if name in said}


def recurrence_in(model: Any) -> dict[str, Any]:
    """What a model in a file says of it, by the names of the variables."""
    known = [name for name in RECURRENCE if name in model.latents.colnames]
    return {name: np.asarray(model.latents[name][:]) for name in known}

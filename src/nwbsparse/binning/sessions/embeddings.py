"""The embeddings of several sessions → one, where they are of one space."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr

from nwbsparse import names


def joined_embedding(named: Mapping[str, xr.Dataset]) -> dict[str, xr.DataArray]:
    """``embedding(time, dim)`` of all sessions, one after the other; nothing where none has any.

    What made it stays with each session: it may be another network in each.
    """
    tables = [one[names.EMBEDDING] for one in named.values() if names.EMBEDDING in one]
    if not tables:
        return {}
    values = np.concatenate([table.values for table in tables]).astype(np.float32)
    dims = (names.TIME, names.DIM)
    return {names.EMBEDDING: xr.DataArray(values, dims=dims, attrs=dict(tables[0].attrs))}


def embedding_problems(named: Mapping[str, xr.Dataset]) -> list[str]:
    """Why embeddings of sessions are not of one space, one sentence each."""
    have = {name: one for name, one in named.items() if names.EMBEDDING in one}
    if not have:
        return []
    first = next(iter(have))
    if lacking := [name for name in named if name not in have]:
        return [f"'{first}' has an embedding, '{lacking[0]}' has none; embed all sessions or none"]
    sizes = {name: one.sizes[names.DIM] for name, one in have.items()}
    others = [name for name in sizes if sizes[name] != sizes[first]]
    if others:
        return [
            f"the embedding of '{first}' has {sizes[first]} dims, that of '{others[0]}' "
            f"{sizes[others[0]]}; embed_sessions puts them into one space"
        ]
    if _made_one_by_one(list(have.values())):
        return [
            "the embeddings were made one by one, so that a dim of one session is none of another's; "
            "embed_sessions puts them into one space"
        ]
    return []


def _made_one_by_one(sessions: list[xr.Dataset]) -> bool:
    """Of what was made here: unless all were made together, or by what was fitted to one of them."""
    said = [json.loads(one[names.EMBEDDING].attrs.get(names.PARAMETERS, "{}")) for one in sessions]
    if any(names.FITTED_ON not in one for one in said) or all(
        names.N_SESSIONS in one for one in said
    ):
        return False
    made = [one[names.EMBEDDER].values.tobytes() for one in sessions if names.EMBEDDER in one]
    return len(made) < len(sessions) or len(set(made)) > 1

"""From a recording to bins that are ready to be learned from, as the options say."""

from __future__ import annotations

from typing import Any

import xarray as xr

from nwbsparse import names
from nwbsparse.binning.pools import n_pooled
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import bin_session
from nwbsparse.embedding.attach import with_embedding
from nwbsparse.errors import BadInput
from nwbsparse.io.rules.account import counted
from nwbsparse.options.automatic import reach
from nwbsparse.options.config import Config
from nwbsparse.session import Session


def prepare(
    session: Session,
    config: Config,
    *,
    embedding: Any = None,
    method: str | None = None,
    saw_behaviour: str | None = None,
) -> xr.Dataset:
    """Bin a recording and deal the bins to training, validation and test.

    The gap between parts is at least what the coder sees at once: neither its window nor a lag
    may reach from one part into another. An ``embedding`` of the same bins stands beside the counts
    (:func:`nwbsparse.with_embedding`).

    Raises:
        BadInput: the options do not fit the recording, or there is no embedding where the coder is
            to read one.
    """
    binned = bin_session(
        session,
        config.bin_width,
        units=config.units,
        regions=config.regions,
        epochs=config.epochs,
        intervals=config.intervals,
        where=config.where,
        duplicates=config.duplicates,
        pool=config.pool,
    )
    binned = split(
        binned,
        test=config.test,
        validation=config.validation,
        blocks=config.blocks,
        gap=max(config.gap, reach(config) * float(binned.attrs[names.BIN_WIDTH])),
    )
    if embedding is not None:
        return with_embedding(binned, embedding, method=method, saw_behaviour=saw_behaviour)
    if config.reads == names.EMBEDDING:
        raise BadInput(
            f"reads=embedding, and no embedding is given: name a .npy file of {len(binned[names.TIME])} "
            "rows, one per bin, with --embedding (embedding= in Python)"
        )
    return binned


def pools_said(binned: xr.Dataset, config: Config) -> str:
    """'35 units in 4 pools (by region)', of a recording whose units are pooled; else ''."""
    if not config.pool:
        return ""
    return f"{counted(n_pooled(binned), 'unit')} in {binned.sizes[names.UNIT]:,} pools (by {config.pool})"

"""From a recording to bins that are ready to be learned from, as the options say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from nwbsparse import names
from nwbsparse.binning.pools import n_pooled
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import bin_session
from nwbsparse.embedding.attach import with_embedding
from nwbsparse.embedding.embedder import embedder_from, with_embedder
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
    embedder: bytes | None = None,
    applied: bool = False,
    embed_it: bool = True,
) -> xr.Dataset:
    """Bin a recording and deal the bins to training, validation and test.

    The gap between parts is at least what the coder, or the network of an embedding, sees at once:
    neither its window nor a lag may reach from one part into another. An ``embedding`` of the same
    bins stands beside the counts (:func:`nwbsparse.with_embedding`), with the ``embedder`` that made
    it where that is kept; where none is given and the options name a method, it is made. With
    ``applied`` the ``embedder`` of another recording of the same units makes it; without ``embed_it``
    nothing is embedded, and the parts are as far apart as if.

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
    seen = reach(config) + _reach_of_embedding(config, embedder)
    binned = split(
        binned,
        test=config.test,
        validation=config.validation,
        blocks=config.blocks,
        gap=max(config.gap, seen * float(binned.attrs[names.BIN_WIDTH])),
    )
    if embedding is not None:
        made = with_embedding(binned, embedding, method=method, saw_behaviour=saw_behaviour)
        return made if embedder is None else with_embedder(made, embedder)
    if not embed_it:
        return binned
    if applied and embedder is not None:
        from nwbsparse.embedding.embed import embed

        return embed(binned, embedder_from(embedder))
    if config.embed != "none":
        return embedded(binned, config)
    if config.reads == names.EMBEDDING:
        raise BadInput(
            f"reads=embedding, and no embedding is given: name a .npy file of {len(binned[names.TIME])} "
            "rows, one per bin, with --embedding (embedding= in Python), or a method with --embed"
        )
    return binned


def embedded(binned: xr.Dataset, config: Config, *, control: str | None = None) -> xr.Dataset:
    """The bins with the embedding that the options ask for, or with a control of it.

    Raises:
        BadInput, EnvironmentProblem: as :func:`nwbsparse.embed`.
    """
    from nwbsparse.embedding.embed import embed  # what it needs takes seconds to load

    return embed(
        binned,
        config.embed,
        dims=config.embed_dims,
        covariates=config.embedding_covariates,
        smoothing=config.embed_smoothing,
        seed=config.embed_seed,
        control=control,
        **config.embedding_settings,
    )


def embedded_together(sessions: Mapping[str, Session], config: Config) -> dict[str, xr.Dataset]:
    """The bins of several recordings with the embedding that the options ask for, in one space.

    Raises:
        BadInput, EnvironmentProblem: as :func:`prepare` and :func:`nwbsparse.embed_sessions`.
    """
    from nwbsparse.embedding.sessions import embed_sessions  # what it needs takes seconds to load

    made = embed_sessions(
        [prepare(one, config, embed_it=False) for one in sessions.values()],
        method=config.embed,
        covariates=config.embedding_covariates,
        dims=config.embed_dims,
        smoothing=config.embed_smoothing,
        seed=config.embed_seed,
        **config.embedding_settings,
    )
    return dict(zip(sessions, made, strict=True))


def _reach_of_embedding(config: Config, embedder: bytes | None) -> int:
    """Bins around its own that what makes the embedding sees, the parts kept that far apart."""
    if config.embed == "none":
        return 0
    if embedder is not None:  # of a network that may not be installed here
        return sum(embedder_from(embedder).receptive_field) - 1
    from nwbsparse.embedding.embed import reach_of

    return reach_of(config.embed, config.embedding_settings)


def pools_said(binned: xr.Dataset, config: Config) -> str:
    """'35 units in 4 pools (by region)', of a recording whose units are pooled; else ''."""
    if not config.pool:
        return ""
    return f"{counted(n_pooled(binned), 'unit')} in {binned.sizes[names.UNIT]:,} pools (by {config.pool})"

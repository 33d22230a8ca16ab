"""embed_sessions(): several recordings in one space, by their behaviour or by the units they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.embedding import cebra, manifold
from nwbsparse.embedding.attach import TRAIN, with_embedding
from nwbsparse.embedding.embed import DIMS, METHODS, asked, attached, controlled
from nwbsparse.embedding.embedder import Embedder
from nwbsparse.embedding.rows import Rows, rows_of
from nwbsparse.embedding.supervision import Covariates
from nwbsparse.errors import BadInput
from nwbsparse.schema import check


def embed_sessions(
    sessions: Sequence[xr.Dataset],
    *,
    method: str = "cebra",
    covariates: Sequence[str] = (),
    dims: int | None = None,
    smoothing: float = 0.0,
    seed: int = 0,
    control: str | None = None,
    **settings: Any,
) -> list[xr.Dataset]:
    """Put several recordings into one space, so that a dim means the same in all of them.

    By what they have of behaviour (``covariates``), CEBRA puts recordings of any units together: it
    trains a network for each, and moments of different recordings that are alike in behaviour lie close.
    Every other method, and CEBRA by time, is fitted once on the training bins of all, which takes the
    same units in each.

    Args:
        sessions: Binned datasets, as :func:`embed` takes one.
        method: as of :func:`embed`.
        covariates: covariates, or conditions, that all of them have.
        dims, smoothing, seed, control, settings: as of :func:`embed`; what is dealt anew is dealt within
            each recording.

    Returns:
        The datasets, each with its embedding and, of a method that can embed other bins, embedder;
        ``parameters`` say ``n_sessions``. :func:`nwbsparse.join_sessions` puts them side by side.

    Raises:
        BadInput, EnvironmentProblem: as :func:`embed`; or fewer than two recordings, or other units in
            one of them where the method needs the same.
    """
    if len(sessions) < 2:
        raise BadInput("embed_sessions is of two or more recordings; embed takes one")
    given = [
        asked(check(one, names.BINNED), method, dims, covariates, smoothing, control, settings)
        for one in sessions
    ]
    learned = [controlled(rows, behaviour, control, seed) for rows, behaviour, _ in given]
    full = given[0][2]
    said = {
        "dims": dims or DIMS, "seed": seed, "smoothing": smoothing, "control": control,
        names.N_SESSIONS: len(sessions),
    }  # fmt: skip
    if not covariates:
        _refuse_other_units(sessions, method)
    if METHODS[method] is manifold:
        return _mapped(sessions, method, [rows for rows, _ in learned], full, said)
    if covariates:
        made = cebra.fit_sessions(
            [rows for rows, _ in learned], said["dims"], full, seed, [one for _, one in learned]
        )
    else:
        all_rows = _one_after_another([rows for rows, _ in learned])
        one = METHODS[method].fit(method, all_rows, said["dims"], full, seed, Covariates())
        made = [one] * len(sessions)
    return [
        attached(
            binned,
            Embedder(one.method, {**one.settings, **said}, one.arrays, one.receptive_field),
            rows_of(binned, smoothing=smoothing),  # as it is, whatever was dealt anew
        )
        for binned, one in zip(sessions, made, strict=True)
    ]


def _mapped(
    sessions: Sequence[xr.Dataset],
    method: str,
    rows: list[Rows],
    settings: dict[str, Any],
    said: dict[str, Any],
) -> list[xr.Dataset]:
    """By a method that embeds only what it was fitted on: one map of all bins, cut apart again."""
    every = _one_after_another(rows)
    table = manifold.embed(method, every, said["dims"], settings, said["seed"], Covariates())
    parameters = {**said, **settings, names.FITTED_ON: "all bins" if method == "tsne" else TRAIN}
    ends = np.cumsum([len(one.table) for one in rows])[:-1]
    return [
        with_embedding(binned, own, method=method, parameters=parameters)
        for binned, own in zip(sessions, np.split(table, ends), strict=True)
    ]


def _one_after_another(rows: Sequence[Rows]) -> Rows:
    """The rows of several recordings of the same units; no stretch is of two of them."""
    stretch, begun = [], 0
    for one in rows:
        stretch.append(one.stretch - one.stretch.min() + begun)
        begun = int(stretch[-1].max()) + 1
    return Rows(
        np.concatenate([one.table for one in rows]),
        np.concatenate(stretch),
        np.concatenate([one.learned for one in rows]),
        np.concatenate([one.known for one in rows]),
    )


def _refuse_other_units(sessions: Sequence[xr.Dataset], method: str) -> None:
    """Columns are taken for the same units in all: their ids must be, in the same order."""
    ids = [[str(one) for one in binned[names.UNIT_ID].values] for binned in sessions]
    for number, (other, binned) in enumerate(zip(ids[1:], sessions[1:], strict=True), start=2):
        if other == ids[0]:
            continue
        by_time = " by time" if method == "cebra" else ""
        same = len(set(other) & set(ids[0]))
        order = ", in another order" if sorted(other) == sorted(ids[0]) else ""
        source = f" ({name})" if (name := str(binned.attrs.get(names.SOURCE, ""))) else ""
        raise BadInput(
            f"{method}{by_time} puts several recordings into one space only where the units are the same: "
            f"the first has {len(ids[0])}, the {_ordinal(number)}{source} {len(other)}, of which {same} "
            f"have the same id{order}. Recordings of other units are put into one space by their "
            "behaviour: embed=cebra with embed_covariates, which all must have"
        )


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")

"""Answers of several methods → one table of scores, with chance and null beside each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.held_out_score import HeldOut, held_out_score
from nwbsparse.runs.decoder.answered import Answered
from nwbsparse.splice.heads import Head

ALL = "all"
"""What all sessions together are called."""
METRICS = {names.CATEGORY: "accuracy", names.CIRCULAR: "cosine"}


def evaluation_table(
    heads: Mapping[str, Head], found: Sequence[Answered], *, n_permutations: int, seed: int
) -> xr.Dataset:
    """Score what was answered, per session and in all.

    Args:
        heads: what was asked.
        found: answers; those of several folds are put together.
        n_permutations: of the null.
        seed: of the permutations.

    Returns:
        As of :func:`evaluate_decoder`.
    """
    pieces: dict[tuple[str, str, str], list[Answered]] = {}
    for one in found:
        pieces.setdefault((one.session, one.head, one.method), []).append(one)
    sessions = list(dict.fromkeys(one.session for one in found))
    methods = list(dict.fromkeys(one.method for one in found))
    scored: dict[tuple[str, str, str], HeldOut] = {}
    for head_name, head in heads.items():
        for method in methods:
            made = {
                session: _together(pieces[session, head_name, method])
                for session in sessions
                if (session, head_name, method) in pieces
            }
            for session, (predicted, true, number) in _with_all(made, head).items():
                score = held_out_score(
                    head, predicted, true, session=number, n_permutations=n_permutations, seed=seed
                )
                if score is not None:
                    scored[session, head_name, method] = score
    if len(sessions) > 1:
        sessions.append(ALL)
    return _dataset(scored, sessions, list(heads), methods).assign_coords(
        metric=(names.HEAD, [METRICS.get(one.kind, "r2") for one in heads.values()])
    )


def _together(some: Sequence[Answered]) -> tuple[np.ndarray, np.ndarray]:
    """Answers of several folds in the order of the trials."""
    order = np.argsort(np.concatenate([one.trial for one in some]), kind="stable")
    predicted = np.concatenate([one.predicted for one in some])[order]
    return predicted, np.concatenate([one.true for one in some])[order]


def _with_all(
    made: Mapping[str, tuple[np.ndarray, np.ndarray]], head: Head
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Answers, truth and number of the session; also of all sessions, where there are several.

    Of numbers not of all: their scales differ from session to session.
    """
    found = {
        session: (predicted, true, np.zeros(len(true), dtype=np.int64))
        for session, (predicted, true) in made.items()
    }
    if len(made) < 2 or head.kind not in METRICS or any(t.ndim > 1 for _, t in made.values()):
        return found
    sizes = [len(true) for _, true in made.values()]
    found[ALL] = (
        np.concatenate([predicted for predicted, _ in made.values()]),
        np.concatenate([true for _, true in made.values()]),
        np.repeat(np.arange(len(sizes)), sizes),
    )
    return found


def _dataset(
    scored: Mapping[tuple[str, str, str], HeldOut],
    sessions: list[str],
    heads: list[str],
    methods: list[str],
) -> xr.Dataset:
    shape = len(sessions), len(heads), len(methods)
    columns = {
        key: np.full(shape, np.nan)
        for key in (names.SCORE, names.NULL_MEAN, names.NULL_HIGH, names.P)
    }
    chance, n = np.full(shape[:2], np.nan), np.zeros(shape[:2], dtype=np.int64)
    for (session, head, method), one in scored.items():
        at = sessions.index(session), heads.index(head), methods.index(method)
        columns[names.SCORE][at] = one.score
        columns[names.NULL_MEAN][at] = one.null_mean
        columns[names.NULL_HIGH][at] = one.null_high
        columns[names.P][at] = one.p
        chance[at[:2]], n[at[:2]] = one.chance, one.n
    dims = (names.SESSION, names.HEAD, names.DECODER)
    return xr.Dataset(
        {key: (dims, values) for key, values in columns.items()}
        | {names.CHANCE: (dims[:2], chance), names.N: (dims[:2], n)},
        coords={names.SESSION: sessions, names.HEAD: heads, names.DECODER: methods},
    )

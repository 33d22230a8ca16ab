"""Trials of recordings → what a decoder learns from: heads, tensors, and the part each trial is of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from nwbsparse import names
from nwbsparse.binning.trial_labels import labels_of
from nwbsparse.errors import raise_together, unknown
from nwbsparse.splice.batches import SessionTrials, trial_parts
from nwbsparse.splice.heads import BIN, CATEGORY, CIRCULAR, CONTINUOUS, NONE, TRIAL, Head


def heads_of(trials: Sequence[xr.Dataset], targets: Sequence[str]) -> dict[str, Head]:
    """What a decoder is asked: a head for each label of the trials that is to be predicted.

    Args:
        trials: of one or several sessions, made together by :func:`nwbsparse.to_trials`.
        targets: labels; a behaviour signal is asked for in each bin.

    Raises:
        BadInput: there is no such label in any session, or it has one category only.
    """
    found: dict[str, Head] = {}
    problems: list[str] = []
    known = list(dict.fromkeys(name for one in trials for name in labels_of(one)))
    for name in targets:
        if name not in known:
            problems.append(str(unknown(name, known, what="label", of="the trials")))
            continue
        label = next(one[name] for one in trials if name in one)
        kind, per = str(label.attrs[names.KIND]), BIN if names.TIME in label.dims else TRIAL
        values = tuple(json.loads(label.attrs[names.VALUES])) if kind == CATEGORY else ()
        if kind == CATEGORY and len(values) < 2:
            problems.append(f"'{name}' is {', '.join(values)} in all trials: nothing is to be told")
            continue
        period = float(label.attrs.get(names.PERIOD, 0.0)) if kind == CIRCULAR else 0.0
        found[name] = Head(kind, size=len(values) or 1, period=period, per=per, values=values)
    raise_together(problems, heading="this cannot be decoded")
    return found


def session_trials(
    trials: xr.Dataset,
    heads: Mapping[str, Head],
    *,
    parts: Tensor | None = None,
    test: float = 0.2,
    validation: float = 0.1,
    seed: int = 0,
) -> SessionTrials:
    """The trials of one session as a decoder learns from them.

    Args:
        trials: of one session.
        heads: what is predicted; a label that the session lacks is left out of its targets.
        parts: (trial,) the part each trial is of; None: dealt anew. Every combination of categories
            is dealt by itself; blank trials are of no part.
        test, validation, seed: of the deal.
    """
    targets = {name: _target(trials[name], head) for name, head in heads.items() if name in trials}
    if parts is None:
        codes = strata(trials, heads)
        parts = trial_parts(len(codes), test=test, validation=validation, strata=codes, seed=seed)
    return SessionTrials(
        str(trials.attrs[names.SESSION]),
        torch.from_numpy(np.ascontiguousarray(trials[names.ACTIVITY].values, dtype=np.float32)),
        targets,
        parts,
    )


def strata(trials: xr.Dataset, heads: Mapping[str, Head]) -> Tensor:
    """(trial,) the combination of categories of each trial; −1 for blank ones and those without a label.

    Args:
        trials: of one session.
        heads: what is predicted. What is the same in the whole session tells no trials apart.
    """
    codes = np.zeros(trials.sizes[names.TRIAL], dtype=np.int64)
    answered = np.zeros(len(codes), dtype=bool)
    for name, head in heads.items():
        if name not in trials:
            continue
        values = trials[name].values
        if head.kind != CATEGORY:
            finite = np.isfinite(values)
            answered |= finite if values.ndim == 1 else finite.any(axis=1)
            continue
        if not trials[name].attrs.get(names.CONSTANT):
            answered |= values != NONE
        codes = codes * (head.size + 1) + values + 1
    _, codes = np.unique(codes, return_inverse=True)
    codes[trials[names.BLANK].values | ~answered] = NONE
    return torch.from_numpy(codes.astype(np.int64))


def _target(label: xr.DataArray, head: Head) -> Tensor:
    values = label.values
    if head.kind == CATEGORY:
        return torch.from_numpy(values.astype(np.int64))
    assert head.kind in (CIRCULAR, CONTINUOUS)
    return torch.from_numpy(values.astype(np.float32))

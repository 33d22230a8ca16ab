"""Trials datasets → what a decoder learns from: heads for the labels, tensors with parts."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.trial_labels import labels_of
from nwbsparse.errors import BadInput, did_you_mean, raise_together
from nwbsparse.schema import check
from nwbsparse.splice.batches import SessionTrials, trial_parts
from nwbsparse.splice.heads import BIN, NONE, Head


def heads_of(trials: Sequence[xr.Dataset], targets: Sequence[str] | None = None) -> dict[str, Head]:
    """What a decoder can be asked about these trials: a head for every label.

    Args:
        trials: what :func:`nwbsparse.to_trials` gave for one or several sessions.
        targets: which labels; all when left open.

    Returns:
        Name → head: categories with their values, circular ones with their period, numbers; of what
        has a value in every bin a head of bins.

    Raises:
        BadInput: no session, or a label that none of them has.
    """
    _check_sessions(trials)
    known = {name: one for one in reversed(trials) for name in labels_of(one)}
    asked = list(known) if targets is None else list(targets)
    problems = [
        f"the trials have no label '{name}'{did_you_mean(name, known)}"
        for name in asked
        if name not in known
    ]
    if not asked:
        problems.append("there is no label to be predicted")
    raise_together(problems, heading="the decoder cannot be asked that")
    return {name: _head(known[name][name]) for name in asked}


def decoder_trials(
    trials: Sequence[xr.Dataset],
    heads: dict[str, Head],
    *,
    test: float = 0.2,
    validation: float = 0.1,
    seed: int = 0,
) -> list[SessionTrials]:
    """The trials of several sessions as a decoder takes them, dealt to training, validation and test.

    Trials of each combination of categories are dealt by themselves, so that every part of every
    session has its share. Blank trials, and those without any of the targets, are of no part.

    Args:
        trials: what :func:`nwbsparse.to_trials` gave.
        heads: from :func:`heads_of`. A session may lack some of them.
        test, validation: shares of the trials.
        seed: of the deal.

    Returns:
        One per dataset, called as its session is.

    Raises:
        BadInput: no session, two of one name, or other bins.
    """
    _check_sessions(trials)
    return [_session(one, heads, test, validation, seed) for one in trials]


def _session(
    one: xr.Dataset, heads: dict[str, Head], test: float, validation: float, seed: int
) -> SessionTrials:
    targets = {name: one[name].values for name in heads if name in one}
    n_trials = one.sizes[names.TRIAL]
    usable = ~one[names.BLANK].values.astype(bool)
    usable &= np.any([_has_value(heads[name], values) for name, values in targets.items()], axis=0)
    code = np.zeros(n_trials, dtype=np.int64)
    for name, values in targets.items():
        if heads[name].kind == names.CATEGORY:
            code = code * (heads[name].size + 1) + values + 1
    code = np.unique(code, return_inverse=True)[1]
    strata = torch.from_numpy(np.where(usable, code, NONE))
    return SessionTrials(
        str(one.attrs[names.SESSION]),
        torch.from_numpy(np.ascontiguousarray(one[names.ACTIVITY].values, dtype=np.float32)),
        {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in targets.items()},
        trial_parts(n_trials, test=test, validation=validation, strata=strata, seed=seed),
    )


def _has_value(head: Head, values: np.ndarray) -> np.ndarray:
    if head.kind == names.CATEGORY:
        return values >= 0
    return np.asarray(np.isfinite(values.reshape(len(values), -1)).any(axis=1))


def _head(label: xr.DataArray) -> Head:
    kind = str(label.attrs[names.KIND])
    per = BIN if names.TIME in label.dims else names.TRIAL
    if kind == names.CATEGORY:
        values = tuple(str(one) for one in json.loads(label.attrs[names.VALUES]))
        return Head(names.CATEGORY, len(values), values=values)
    if kind == names.CIRCULAR:
        return Head(names.CIRCULAR, period=float(label.attrs[names.PERIOD]), per=per)
    return Head(names.CONTINUOUS, per=per)


def _check_sessions(trials: Sequence[xr.Dataset]) -> None:
    if not trials:
        raise BadInput("there are no trials; give what to_trials made of one or several sessions")
    for one in trials:
        check(one, names.TRIALS)
    problems = []
    called = [str(one.attrs[names.SESSION]) for one in trials]
    problems += [
        f"{called.count(name)} sessions are called '{name}'"
        for name in dict.fromkeys(called)
        if called.count(name) > 1
    ]
    lengths = {one.sizes[names.TIME] for one in trials}
    widths = {round(float(one.attrs[names.BIN_WIDTH]), 9) for one in trials}
    if len(lengths) > 1 or len(widths) > 1:
        problems.append(
            f"their trials have {', '.join(map(str, sorted(lengths)))} bins of "
            f"{', '.join(f'{one:g}' for one in sorted(widths))} s; cut all with one window and bin_width"
        )
    raise_together(problems, heading="these sessions do not go together")

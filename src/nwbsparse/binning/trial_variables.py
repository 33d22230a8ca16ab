"""The variables that say what each trial was, and the behaviour in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.trial_activity import trial_signals
from nwbsparse.binning.trial_codes import coded
from nwbsparse.binning.trial_labels import BEHAVIOUR, AskedLabel, Found
from nwbsparse.binning.trial_rows import Gathered, Labels
from nwbsparse.errors import BadInput

Signals = Mapping[str, tuple[np.ndarray, str]]


def label_variables(
    labels: Labels, cut: Sequence[Gathered], like: xr.Dataset | None, problems: list[str]
) -> list[dict[str, xr.DataArray]]:
    """The labels of each session as variables: (trial,), of behaviour (trial, time).

    Problems are appended: one class, no value, text where a number must be.
    """
    signals = [_signals(one, number, labels) for number, one in enumerate(cut)]
    made: list[dict[str, xr.DataArray]] = [{} for _ in cut]
    for label, found in labels.items():
        kept = [
            None if one is None else Found(one.values[mine.trials], one.origin, one.says, one.note)
            for one, mine in zip(found, cut, strict=True)
        ]
        earlier = None if like is None or label.name not in like else like[label.name]
        try:
            if any(one is not None and one.origin == BEHAVIOUR for one in kept):
                variables = _behaviour(label, kept, cut, signals)
            else:
                variables = coded(label, kept, [one.blank for one in cut], earlier=earlier)
        except BadInput as error:
            problems.append(str(error))
            continue
        for mine, variable in zip(made, variables, strict=True):
            mine[label.name] = variable
    return made


def _signals(one: Gathered, number: int, labels: Labels) -> Signals:
    wanted = [
        label.name
        for label, found in labels.items()
        if (mine := found[number]) is not None and mine.origin == BEHAVIOUR
    ]
    assert one.windows is not None
    return trial_signals(one.session, one.windows, wanted)


def _behaviour(
    label: AskedLabel,
    found: Sequence[Found | None],
    cut: Sequence[Gathered],
    signals: Sequence[Signals],
) -> list[xr.DataArray]:
    known = [one for one in found if one is not None]
    if any(one.origin != BEHAVIOUR for one in known):
        raise BadInput(
            f"label '{label.name}' is a behaviour signal in one session and no such thing in another"
        )
    kinds = {held[label.name][1] for held in signals if label.name in held}
    kind = label.kind or (names.CIRCULAR if kinds == {names.CIRCULAR} else names.CONTINUOUS)
    if kind == names.CATEGORY:
        raise BadInput(f"label '{label.name}' is a behaviour signal, so it can be no category")
    attrs: dict[str, Any] = {names.KIND: kind}
    if kind == names.CIRCULAR:
        attrs[names.PERIOD] = label.period or 2 * np.pi
    values = [
        held[label.name][0] if label.name in held else _nothing(one)
        for held, one in zip(signals, cut, strict=True)
    ]
    if not any(np.isfinite(one).any() for one in values):
        raise BadInput(f"label '{label.name}' has no value in any trial")
    dims = (names.TRIAL, names.TIME)
    return [xr.DataArray(one, dims=dims, attrs=dict(attrs)) for one in values]


def _nothing(one: Gathered) -> np.ndarray:
    assert one.windows is not None
    return np.full((len(one.blank), one.windows.n_bins), np.nan, dtype=np.float32)

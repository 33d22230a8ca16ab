"""Covariates, conditions and events as one integer per bin: the common language of all associations.

Coding a variable once per bin, instead of testing each of its values against all bins, is what
makes thousands of latents × hundreds of conditions affordable.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.sessions.join import sessions_of
from nwbsparse.binning.split import part
from nwbsparse.binning.variables import conditions_of, covariates_of, events_of

ROUNDING = 1e-9
"""Share of the range below which an edge is 0 but for rounding."""
QUANTILES = 10
CIRCLE = 12
LINE = 20
SIDE = 10
"""Tuning bins of a continuous, circular, 1-D position and (per axis) 2-D position covariate."""
MIN_OCCUPANCY = 0.5
"""Seconds of training data below which a tuning bin is not used."""
EVENT = ("event", "none")
"""The two conditions of a kind of event: bins that hold one, and those that hold none."""


@dataclass(frozen=True)
class Coded:
    """A variable as tuning bins."""

    name: str
    kind: str
    """names.CONTINUOUS, CIRCULAR, POSITION, PERI_EVENT or CATEGORICAL."""
    codes: np.ndarray
    """(time,) int32, −1 where the variable is not known."""
    labels: tuple[str, ...]
    """What each code stands for."""
    edges: tuple[np.ndarray, ...] = ()
    """Of the tuning bins, one array per axis; empty for conditions."""
    shape: tuple[int, ...] = ()
    """Of the tuning curve: one number, or (y, x) for a map."""
    unit: str = ""
    table: str | None = None
    """The interval table within whose rows the variable is constant; None when it moves freely."""
    null: str = ""
    """The null that was asked for by name; '' for the one that fits."""
    typical: tuple[np.ndarray, ...] = ()
    """The value that stands for each tuning bin, one array per axis; empty: its centre."""
    axes: tuple[int, ...] = (0,)
    """Which components these are of: of a position all that change, two at most."""

    @property
    def size(self) -> int:
        return len(self.labels)


def code_variables(binned: xr.Dataset) -> list[Coded]:
    """All covariates, conditions and events of a split dataset, coded; edges come from training bins.

    Continuous covariates are cut at their deciles, angles into 12 sectors, 1-D position into 20
    and 2-D position into 10 × 10 bins over the range visited. A kind of event is a condition: a bin
    holds one or none. Variables with fewer than two usable codes are left out: nothing can be said
    about a constant. What never changes within a session of several has the table 'sessions'.
    """
    train = part(binned, "train") | part(binned, "validation")
    coded = [_covariate(str(name), binned, train) for name in covariates_of(binned)]
    coded += [_condition(str(name), binned) for name in conditions_of(binned)]
    coded += [_event(str(name), binned) for name in events_of(binned)]
    session = sessions_of(binned)
    usable = [frequent(variable, binned, train) for variable in coded if variable is not None]
    return [
        replace(variable, table=names.SESSIONS) if _one_per_session(variable, session) else variable
        for variable in usable
        if variable is not None
    ]


def frequent(variable: Coded, binned: xr.Dataset, train: np.ndarray) -> Coded | None:
    """The variable, not known where its value is rare in training; None when fewer than two remain."""
    codes = variable.codes
    n = np.bincount(codes[train & (codes >= 0)], minlength=variable.size)
    rare = np.flatnonzero(n * float(binned.attrs[names.BIN_WIDTH]) < MIN_OCCUPANCY)
    if variable.size - len(rare) < 2:
        return None
    return replace(variable, codes=np.where(np.isin(codes, rare), -1, codes).astype(np.int32))


def _one_per_session(variable: Coded, session: np.ndarray) -> bool:
    if len(np.unique(session)) < 2:
        return False
    known = variable.codes >= 0
    pairs = np.unique(np.stack([session[known], variable.codes[known]]), axis=1)
    return pairs.shape[1] == len(np.unique(pairs[0]))


def _covariate(name: str, binned: xr.Dataset, train: np.ndarray) -> Coded | None:
    variable = binned[name]
    values = variable.values.reshape(len(variable), -1)
    kind, axes = variable.attrs[names.KIND], [0]
    seen = values[train & np.isfinite(values).all(axis=1)]
    if len(seen) < 2 or np.all(np.ptp(seen, axis=0) == 0):
        return None
    if kind == names.CIRCULAR:
        edges = [np.linspace(-np.pi, np.pi, CIRCLE + 1)]
    elif kind == names.POSITION:
        # a track along one axis is a line, whatever the others say
        axes = np.flatnonzero(np.ptp(seen, axis=0) > 0)[:2].tolist()
        edges = visited_edges(seen[:, axes], LINE if len(axes) == 1 else SIDE)
    elif values.shape[1] > 1:
        return None  # several columns that are no position: each tells nothing by itself
    else:
        edges = [quantile_edges(seen[:, 0], QUANTILES)]
    coded = code_values(binned[name], edges, axes=axes)
    if kind in (names.CIRCULAR, names.POSITION):
        return coded
    return replace(coded, typical=(_medians(seen[:, 0], edges[0]),))


def _medians(seen: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """(tuning bin,) median of the values in each.

    The centre of an outermost decile lies far from all values when one of them is extreme.
    """
    at = np.clip(np.searchsorted(edge, seen, side="right") - 1, 0, len(edge) - 2)
    inside = [seen[at == one] for one in range(len(edge) - 1)]
    return np.array([
        np.median(some) if len(some) else centre
        for some, centre in zip(inside, (edge[:-1] + edge[1:]) / 2, strict=True)
    ])  # fmt: skip


def visited_edges(seen: np.ndarray, n: int) -> list[np.ndarray]:
    """``n`` bins per axis (two at most) over the range in which 99 % of positions lie."""
    low, high = np.percentile(seen[:, :2], [0.5, 99.5], axis=0)
    return [np.linspace(a, b, n + 1) for a, b in zip(low, high, strict=True)]


def quantile_edges(seen: np.ndarray, n: int) -> np.ndarray:
    """Edges of ``n`` bins that hold equally many; of fewer where many values are equal."""
    cuts = np.unique(np.quantile(seen, np.linspace(0, 1, n + 1)))
    return cuts if len(cuts) > 2 else np.array([cuts[0], cuts.mean(), cuts[-1]])


def code_values(
    variable: xr.DataArray, edges: list[np.ndarray], *, axes: Sequence[int], clip: bool = True
) -> Coded:
    """A covariate cut at the given edges, one array for each of these axes; −1 where it is not known.

    Values beyond the edges belong to the outermost bins, unless ``clip`` is False: then they are
    taken as not known. A value at an edge belongs to the bin above it.
    """
    values = variable.values.reshape(len(variable), -1)
    good = np.isfinite(values).all(axis=1)
    if variable.attrs[names.KIND] == names.CIRCULAR:
        values = np.angle(np.exp(1j * values))
    per_axis = []
    for axis, edge in zip(axes, edges, strict=True):
        at = np.searchsorted(edge, values[:, axis], side="right") - 1
        if not clip:
            at = np.where(values[:, axis] == edge[-1], len(edge) - 2, at)
            good &= (at >= 0) & (at <= len(edge) - 2)
        per_axis.append(np.clip(at, 0, len(edge) - 2))
    shape = tuple(len(edge) - 1 for edge in reversed(edges))
    codes = np.ravel_multi_index(tuple(reversed(per_axis)), shape)
    return Coded(
        name=str(variable.name),
        kind=variable.attrs[names.KIND],
        codes=np.where(good, codes, -1).astype(np.int32),
        labels=tuple(_interval_label(index, edges, shape) for index in range(int(np.prod(shape)))),
        edges=tuple(edges),
        shape=shape,
        axes=tuple(axes),
        unit=variable.attrs.get(names.UNITS_OF_MEASURE, ""),
        table=variable.attrs.get(names.TABLE),
    )


def near(variable: Coded, codes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(bin,) whether two codes are alike: at most one tuning bin apart on every axis, or one category.

    Sectors of an angle are neighbours across ±π.
    """
    if variable.kind == names.CATEGORICAL:
        return codes == others
    if len(variable.shape) == 2:
        first, second = (np.unravel_index(one, variable.shape) for one in (codes, others))
        return np.all([np.abs(a - b) <= 1 for a, b in zip(first, second, strict=True)], axis=0)
    apart = np.abs(codes.astype(np.int64) - others)
    if variable.kind == names.PERI_EVENT:  # far from every event is next to nothing
        far = variable.size - 1
        apart = np.where((codes == far) != (others == far), variable.size, apart)
    if variable.kind == names.CIRCULAR:
        apart = np.minimum(apart, variable.size - apart)
    return apart <= 1


def _condition(name: str, binned: xr.Dataset) -> Coded:
    variable = binned[name]
    labels = tuple(json.loads(variable.attrs[names.CATEGORIES]))
    return Coded(
        name=name,
        kind=names.CATEGORICAL,
        codes=variable.values.astype(np.int32),
        labels=labels,
        shape=(len(labels),),
        table=variable.attrs.get(names.TABLE),
    )


def _event(name: str, binned: xr.Dataset) -> Coded:
    # more than one in a bin is rare; NaN stands for a session that did not record them
    n = binned[name].values
    codes = np.where(np.isnan(n), -1, n == 0).astype(np.int32)
    return Coded(name, names.CATEGORICAL, codes, EVENT, shape=(len(EVENT),))


def _interval_label(index: int, edges: list[np.ndarray], shape: tuple[int, ...]) -> str:
    at = reversed(np.unravel_index(index, shape))
    spans = zip(map(readable, edges), at, strict=True)
    return ", ".join(f"{e[i]:.4g} to {e[i + 1]:.4g}" for e, i in spans)


def readable(edges: np.ndarray) -> np.ndarray:
    """The edges for people: what is 0 but for rounding reads 0, and not 1.78e-15."""
    return np.where(np.abs(edges) < ROUNDING * np.ptp(edges), 0.0, edges)

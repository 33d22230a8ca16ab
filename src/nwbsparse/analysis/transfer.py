"""transfer(): a coder in another session of the same units, and which latents keep their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.behaviour.claims import NOT_TESTABLE
from nwbsparse.analysis.explain import explain
from nwbsparse.binning.sessions.join import ids_of
from nwbsparse.errors import BadInput, unknown
from nwbsparse.models.coder import SparseCoder
from nwbsparse.naming.unit_names import own_id
from nwbsparse.schema import check, with_step

ALIKE = 0.5
"""Correlation of the two tuning curves from which on a latent means the same."""
MIN_SHARED = 3
"""Tuning bins or conditions that both sessions must have."""


def transfer(
    coder: SparseCoder,
    other: xr.Dataset,
    attribution: xr.Dataset,
    matching: Mapping[Any, Any] | None = None,
) -> xr.Dataset:
    """Apply a coder to another session and say which latents keep their meaning there.

    The other session is encoded with the coder's weights, thresholds and normalisation, and
    explained anew by itself: nothing is carried over but the coder. A latent is ``kept`` when its
    association is found (q < alpha) in both sessions, with the same variable, and its tuning in the
    two sessions correlates by 0.5 or more: mean activation over the tuning bins of the first
    session that were visited in both, or for categories p_in over those that both have. The sign is
    part of it: a latent that is suppressed where it was active has a negative correlation.

    Args:
        coder: what was learned from the first session.
        other: split Binned dataset of the other one, with the same bin width.
        attribution: what :func:`nwbsparse.explain` gave for the first session.
        matching: {unit id of the coder: unit id here}; without it units of the same id are the same
            unit. Units whose ids repeat are known by their rows, and need it unless all units of both
            sessions are called alike. Units of the coder without a partner are encoded as not
            observed; of a coder that reconstructs other units than it encodes, those it reconstructs
            may all be missing.
            A coder of an embedding needs none: the other session must have an embedding of its own
            from the same model.

    Returns:
        Dataset with, per latent, ``kept`` (bool), ``tuning_correlation`` (NaN where it cannot be
        said), ``variable`` and ``variable_there``, ``condition`` and ``condition_there``,
        ``association_there``, ``association_there_q`` and ``status``: 'kept', 'not kept: why' or
        'not assessable: why'; attributes ``n_kept``, ``n_found`` (before) and ``n_units_matched``.

    Raises:
        BadInput: no unit is shared, two units are matched to one, an id is unknown, another bin
            width, the attribution is of another coder, or the session was not split.
    """
    check(attribution, names.ATTRIBUTION)
    if attribution.attrs[names.CODER_ID] != coder.id:
        raise BadInput(
            "the attribution is of another coder; explain the first session with this one"
        )
    width = float(other.attrs[names.BIN_WIDTH])
    if not np.isclose(width, coder.record.bin_width, rtol=1e-9, atol=0):
        raise BadInput(
            f"the coder was trained on bins of {coder.record.bin_width:g} s, these are of {width:g} s"
        )
    data, n_matched = _with_units_of(coder, other, matching)
    latents = encode(coder, data)
    there = explain(coder, data, latents)
    made = _compared(attribution, there)
    made.attrs = {
        names.CODER_ID: coder.id,
        "n_kept": int(made["kept"].sum()),
        "n_found": int((attribution["association_status"].values == "found").sum()),
        "n_units_matched": n_matched,
        names.SOURCE: str(other.attrs.get(names.SOURCE, "")),
    }
    return with_step(made, "transfer", {"n_units_matched": n_matched}, since=latents)


def _with_units_of(
    coder: SparseCoder, other: xr.Dataset, matching: Mapping[Any, Any] | None
) -> tuple[xr.Dataset, int]:
    """The session with the coder's units in their order; without a partner, not observed."""
    if not coder.record.of_units:
        if matching is not None:
            raise BadInput(
                "the coder reads an embedding and no units, so that there are none to match; leave "
                "matching= out"
            )
        return other, 0
    here = ids_of(other)
    wanted = list(dict.fromkeys((*coder.record.unit_ids, *coder.record.targets)))
    # a row says which unit it is within one recording, and in another with the same table
    alike = here == wanted
    same = {one: one for one in wanted if one in here and (alike or own_id(one) == one)}
    partner = same if matching is None else {str(a): str(b) for a, b in matching.items()}
    for ids, known, whose in (
        (partner.keys(), wanted, "the coder"),
        (partner.values(), here, "the other session"),
    ):
        for unit in ids:
            if unit not in known:
                raise unknown(unit, known, what="unit", of=whose)
    if not partner.keys() & set(coder.record.unit_ids):
        raise BadInput(
            "no unit of the other session has an id that the coder reads; say which are the same "
            "with matching={unit of the coder: unit here}"
        )
    if len(set(partner.values())) < len(partner):
        raise BadInput("two units of the coder are matched to one unit of the other session")
    place = {unit: at for at, unit in enumerate(here)}
    at = np.array([place[partner[unit]] if unit in partner else -1 for unit in wanted])
    found = at >= 0
    made = other.isel({names.UNIT: np.where(found, at, 0)})
    counts = np.where(found, made[names.COUNTS].values, 0).astype(made[names.COUNTS].dtype)
    seen = made[names.VALID].values if names.VALID in made else np.ones(counts.shape, dtype=bool)
    dims = (names.TIME, names.UNIT)
    made = made.assign({names.COUNTS: (dims, counts), names.VALID: (dims, seen & found)})
    own = {names.UNIT: np.arange(len(wanted)), names.UNIT_ID: (names.UNIT, np.array(wanted))}
    return made.assign_coords(own), len(partner)


def _compared(before: xr.Dataset, there: xr.Dataset) -> xr.Dataset:
    n = before.sizes[names.LATENT]
    correlation, status = np.full(n, np.nan), []
    for latent in range(n):
        was, now = _claim(before, latent), _claim(there, latent)
        if before["association_status"].values[latent] != "found":
            status.append("not assessable: no association in the first session")
            continue
        correlation[latent] = _tuning_correlation(before, there, latent, *was)
        said = str(there["association_status"].values[latent])
        if said.startswith(NOT_TESTABLE):
            status.append(f"not assessable: {said}")
        elif said != "found":
            status.append(f"not kept: association {said} in the other session")
        elif was[0] != now[0]:
            status.append(f"not kept: follows {now[0]} there")
        elif not np.isfinite(correlation[latent]):
            status.append("not assessable: the sessions share too few tuning bins or conditions")
        elif correlation[latent] < ALIKE:
            status.append("not kept: tuned otherwise")
        else:
            status.append("kept")
    words = np.array(status, dtype=object)
    columns = {
        "kept": words == "kept",
        "tuning_correlation": correlation,
        "variable": before["best_variable"].values,
        "variable_there": there["best_variable"].values,
        "condition": before["best_condition"].values,
        "condition_there": there["best_condition"].values,
        "association_there": there["association"].values,
        "association_there_q": there["association_q"].values,
        "status": words,
    }
    variables = {key: (names.LATENT, values) for key, values in columns.items()}
    return xr.Dataset(variables, coords={names.LATENT: before[names.LATENT].values})


def _claim(attribution: xr.Dataset, latent: int) -> tuple[str, str]:
    variable, condition = (
        str(attribution[f"best_{key}"].values[latent]) for key in ("variable", "condition")
    )
    return variable, condition


def _tuning_correlation(
    before: xr.Dataset, there: xr.Dataset, latent: int, variable: str, condition: str
) -> float:
    """Correlation of a latent's tuning in two sessions, over what both have."""
    if condition:
        first, second = (_by_condition(one, latent, variable) for one in (before, there))
        both = [name for name in first if name in second]
        if len(both) == 2:  # two points always correlate by 1 or −1: the sign is all they can say
            change = [values[both[0]] - values[both[1]] for values in (first, second)]
            return float(np.sign(change[0] * change[1]))
        curves = [np.array([values[name] for name in both]) for values in (first, second)]
    else:
        first_curve, second_curve = (
            before.get(f"tuning.{variable}"),
            there.get(f"tuning.{variable}"),
        )
        if first_curve is None or second_curve is None or first_curve.dims != second_curve.dims:
            return np.nan
        mine = first_curve.isel({names.LATENT: latent})
        theirs = second_curve.isel({names.LATENT: latent})
        # the bins were laid by each session: read the other's curve at the centres of the first
        theirs = theirs.astype(np.float64).interp({dim: mine[dim] for dim in mine.dims})
        curves = [mine.values.ravel().astype(np.float64), theirs.values.ravel()]
    good = np.isfinite(curves[0]) & np.isfinite(curves[1])
    if good.sum() < MIN_SHARED:
        return np.nan
    first, second = (curve[good] - curve[good].mean() for curve in curves)
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale > 0 else np.nan


def _by_condition(attribution: xr.Dataset, latent: int, variable: str) -> dict[str, float]:
    if names.CONDITION not in attribution.dims:
        return {}
    mine = np.flatnonzero(attribution["condition_variable"].values == variable)
    labels = attribution["condition_name"].values[mine]
    shares = attribution["p_in"].values[latent, mine]
    return {str(k): float(v) for k, v in zip(labels, shares, strict=True) if np.isfinite(v)}

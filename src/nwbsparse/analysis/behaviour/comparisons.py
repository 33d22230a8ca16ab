"""What latents are compared with: chosen covariates and conditions, coded, with their kind of null."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.association.nulls import BINS, LABELS, NULLS, SHIFT
from nwbsparse.analysis.behaviour.coding import EVENT, Coded, code_variables, frequent
from nwbsparse.analysis.behaviour.conjunctions import conjoin
from nwbsparse.analysis.behaviour.cut import Cut, as_conditions
from nwbsparse.analysis.behaviour.event_codes import code_event
from nwbsparse.binning.sessions.join import sessions_of
from nwbsparse.binning.variables import conditions_of, covariates_of, events_of
from nwbsparse.errors import BadInput, did_you_mean, unknown


@dataclass(frozen=True)
class Scope:
    """Everything that latents are compared with in one recording."""

    covariates: list[Coded]
    """Continuous, circular and position variables, as tuning bins."""
    conditions: list[Coded]
    """Categorical variables, events, covariates cut into conditions, conjunctions."""
    tested: list[Coded]
    """Of these, what a latent's one claim is about: covariates by their curve, events by the time
    before and after them, and what is a condition by itself. A whole session is no draw of anything,
    so what never changes within a session is not among them."""


def make_scope(
    binned: xr.Dataset,
    *,
    covariates: Sequence[str] | None = None,
    conditions: Sequence[str] | Mapping[str, Cut] | None = None,
    nulls: Mapping[str, str] | None = None,
    conjunctions: Sequence[tuple[str, str]] = (),
) -> Scope:
    """Choose and code what latents are compared with (see :func:`nwbsparse.explain`).

    Raises:
        BadInput: a name that is not in the data (the nearest is suggested), edges that do not rise,
            or a null that does not fit its variable.
    """
    all_covariates, all_conditions = (
        covariates_of(binned),
        conditions_of(binned) + events_of(binned),
    )
    wanted = _existing(covariates, all_covariates, "covariate")
    cuts = dict(conditions) if isinstance(conditions, Mapping) else {}
    as_condition = _existing(conditions, all_conditions + all_covariates, "condition")
    coded = code_variables(binned)
    coded = [_with_null(variable, dict(nulls or {}), binned) for variable in coded]
    _existing(nulls, all_conditions + all_covariates, "variable with a null")
    if conditions is None:  # covariates that are left out are left out altogether
        as_condition = [name for name in as_condition if name in (*all_conditions, *wanted)]
    made = as_conditions([v for v in coded if v.name in as_condition], binned, cuts)
    if conjunctions:
        every = as_conditions(coded, binned, cuts)
        made += conjoin(every, conjunctions, binned)
    curves = [v for v in coded if v.kind != names.CATEGORICAL and v.name in wanted]
    of_covariates = set(all_covariates)
    own = [v for v in made if v.name not in of_covariates]
    # latents may be active before or after an event, which a bin that holds it does not say
    events = {v.name: code_event(v.name, binned) for v in own if v.labels == EVENT}
    own = [
        _usable(replace(events[v.name], null=v.null), binned) if v.name in events else v
        for v in own
    ]
    return Scope(
        covariates=curves,
        conditions=made,
        tested=[v for v in (*curves, *own) if v is not None and v.table != names.SESSIONS],
    )


def _usable(variable: Coded, binned: xr.Dataset) -> Coded | None:
    return frequent(variable, binned, np.ones(binned.sizes[names.TIME], dtype=bool))


def _existing(chosen: Iterable[str] | None, known: Sequence[str], what: str) -> list[str]:
    if chosen is None:
        return list(known)
    if isinstance(chosen, str):
        raise BadInput(f"give a list of names, not the text {chosen!r}")
    chosen = list(chosen)
    for name in chosen:
        if name not in known:
            raise unknown(name, known, what=what)
    return chosen


def _with_null(variable: Coded, nulls: Mapping[str, str], binned: xr.Dataset) -> Coded:
    """The variable with the null that was asked for in place of its own."""
    kind = nulls.get(variable.name)
    if kind is None:
        return variable
    if kind == SHIFT:
        return replace(variable, table=None)
    tables = {
        str(name): one.values
        for name, one in binned.data_vars.items()
        if one.attrs.get(names.ROLE) == names.ROLE_INTERVAL
    }
    if kind == names.SESSIONS:
        tables.setdefault(names.SESSIONS, sessions_of(binned))
    if kind not in tables:
        if kind in NULLS:
            return _rearranged_by(variable, kind, tables)
        known = [*NULLS, *tables]
        raise BadInput(
            f"nulls: '{kind}' for '{variable.name}' is neither a null nor an interval table"
            f"{did_you_mean(kind, known)} (there are: {', '.join(known)})"
        )
    known = (variable.codes >= 0) & (tables[kind] >= 0)
    pairs = np.unique(np.stack([tables[kind][known], variable.codes[known]]), axis=1)
    if pairs.shape[1] != len(np.unique(pairs[0])):
        raise BadInput(
            f"nulls: '{variable.name}' changes within the rows of '{kind}', so its labels cannot be "
            "exchanged among them; leave it out, or use 'shift'"
        )
    outside = tables[kind] < 0
    return replace(variable, table=kind, codes=np.where(outside, -1, variable.codes))


def _rearranged_by(variable: Coded, null: str, tables: Mapping[str, np.ndarray]) -> Coded:
    """The variable with a registered null: over its trials where it has any, else over bins."""
    rows = NULLS.fact(null, "rows")
    of_trials = variable.table in tables and variable.table != names.SESSIONS
    if rows == LABELS and not of_trials:
        raise BadInput(
            f"nulls: '{null}' rearranges labels of trials, and '{variable.name}' is not constant in the "
            "rows of a table; use 'shift'"
        )
    table = variable.table if of_trials and rows != BINS else None
    return replace(variable, table=table, null=null)

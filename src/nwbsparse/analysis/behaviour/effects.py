"""All latents × all covariates and conditions: effect sizes on held-out bins, beside chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Entries
from nwbsparse.analysis.behaviour.chance import chance
from nwbsparse.analysis.behaviour.comparisons import Scope
from nwbsparse.analysis.behaviour.design import Ground
from nwbsparse.analysis.behaviour.tuning import behaviour_r2, tuning_curves
from nwbsparse.binning.split import part

ALWAYS = ("p_in", "p_out")
IF_ASSESSABLE = ("selectivity", "precision", "lift", "auroc")


def effects(
    entries: Entries, scope: Scope, data: xr.Dataset, ground: Ground
) -> tuple[xr.Dataset, dict[str, dict[str, object]]]:
    """Effect sizes of all conditions and covariates, and how each condition's null was drawn.

    Selectivity, precision, lift and AUROC are NaN where too little is known (fewer than 20 active
    bins or 5 episodes of the latent or the condition): they would mislead. p is uncorrected.
    """
    test, train = ground.testing, np.flatnonzero(part(data, "train"))
    held, fitted = entries.at(test), entries.at(train)
    by_chance = chance(held, scope.conditions, test, ground)
    effect, assessable = by_chance.effects, by_chance.assessable
    values = {key: getattr(effect, key) for key in ALWAYS}
    values |= {key: np.where(assessable, getattr(effect, key), np.nan) for key in IF_ASSESSABLE}
    values |= {
        "condition_r2": np.where(assessable, effect.r2, np.nan),
        "auroc_p_uncorrected": by_chance.p,
        "auroc_null_mean": by_chance.auroc_mean,
        "auroc_null_std": by_chance.auroc_std,
        "selectivity_null_mean": by_chance.selectivity_mean,
    }
    covariates = [variable.name for variable in scope.covariates]
    made = {key: ((names.LATENT, names.CONDITION), value) for key, value in values.items()}
    r2 = behaviour_r2(entries, data, covariates, part(data, "train"), part(data, "test"))
    made["r2"] = ((names.LATENT, names.COVARIATE), r2)
    n_sessions = len(np.unique(ground.session))
    dataset = xr.Dataset(made)
    if n_sessions > 1:
        dataset["session_eta2"] = (names.LATENT, session_eta2(held, ground.session[test]))
    curves = tuning_curves(held, scope.covariates, test)
    dataset = dataset.merge(curves).merge(_train(tuning_curves(fitted, scope.covariates, train)))
    return dataset.assign_coords(
        {
            names.COVARIATE: np.array(covariates, dtype=object),
            "condition_variable": _words([variable for variable, _ in effect.labels]),
            "condition_name": _words([condition for _, condition in effect.labels]),
            "condition_bins": (names.CONDITION, effect.n_in),
        }
    ), by_chance.how


def session_eta2(entries: Entries, session: np.ndarray) -> np.ndarray:
    """(channel,) share of the variance of the activity that lies between sessions; NaN if constant.

    Beside a property of sessions (genotype, day) it says how much any label of sessions could
    explain: sessions differ by themselves.
    """
    rows = [entries.table.T @ (session == one).astype(np.float64) for one in np.unique(session)]
    n = np.array([np.count_nonzero(session == one) for one in np.unique(session)])
    total, squares = np.stack(rows, axis=1), np.asarray(entries.table.power(2).sum(axis=0)).ravel()
    mean = total.sum(axis=1) / len(session)
    between = (n * (total / n - mean[:, None]) ** 2).sum(axis=1)
    whole = squares - len(session) * mean**2
    return np.divide(between, whole, out=np.full(len(mean), np.nan), where=whole > 1e-9 * squares)


def _words(values: Sequence[str]) -> tuple[str, np.ndarray]:
    return names.CONDITION, np.array(values, dtype=object)


def _train(curves: xr.Dataset) -> xr.Dataset:
    return curves.rename({name: f"train_{name}" for name in curves.data_vars})

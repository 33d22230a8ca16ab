"""All latents × all covariates and conditions: effect sizes, beside chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Activity
from nwbsparse.analysis.association.blocks import make_blocks
from nwbsparse.analysis.association.design import Design
from nwbsparse.analysis.behaviour.chance import chance
from nwbsparse.analysis.behaviour.comparisons import Scope
from nwbsparse.analysis.behaviour.information import spatial_information
from nwbsparse.analysis.behaviour.tuning import behaviour_r2, tuning_curves
from nwbsparse.binning.split import part

ALWAYS = ("p_in", "p_out")
IF_ASSESSABLE = ("selectivity", "precision", "lift", "auroc")
HALVES = (1, 2)


def effects(
    whole: Activity, scope: Scope, binned: xr.Dataset, design: Design
) -> tuple[xr.Dataset, dict[str, dict[str, object]]]:
    """Effect sizes of all conditions and covariates, and how each condition's null was drawn.

    On the assessed bins; tuning curves also in the even and in the odd blocks of them. ``r2`` alone
    is fitted on training bins and scored on test bins. Selectivity, precision, lift and AUROC are
    NaN where too little is known (fewer than 20 active bins or 5 episodes of the latent or the
    condition): they would mislead. p is uncorrected.
    """
    activity = whole if len(design.bins) == whole.n_bins else whole.at(design.bins)
    by_chance = chance(activity, scope.conditions, design)
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
    r2 = behaviour_r2(whole, binned, covariates, part(binned, "train"), part(binned, "test"))
    of_covariates = (names.LATENT, names.COVARIATE)
    made["r2"] = (of_covariates, r2)
    bits, bits_by_chance = spatial_information(activity, scope.covariates, design)
    made["spatial_information"] = (of_covariates, bits)
    made["spatial_information_null_mean"] = (of_covariates, bits_by_chance)
    dataset = xr.Dataset(made)
    if len(np.unique(design.session)) > 1:
        dataset["session_eta2"] = (names.LATENT, session_eta2(activity, design.session))
    dataset = dataset.merge(tuning_curves(activity, scope.covariates, design.bins))
    half = make_blocks(design.segment, design.bin_width) % 2
    for number in HALVES:
        some = np.flatnonzero(half == number - 1)
        curves = tuning_curves(activity.at(some), scope.covariates, design.bins[some])
        dataset = dataset.merge(_of_half(curves, number))
    return dataset.assign_coords(
        {
            names.COVARIATE: np.array(covariates, dtype=object),
            "condition_variable": _words([variable for variable, _ in effect.labels]),
            "condition_name": _words([condition for _, condition in effect.labels]),
            "condition_bins": (names.CONDITION, effect.n_in),
        }
    ), by_chance.how


def session_eta2(activity: Activity, session: np.ndarray) -> np.ndarray:
    """(channel,) share of the variance of the activity that lies between sessions; NaN if constant.

    Beside a property of sessions (genotype, day) it says how much any label of sessions could
    explain: sessions differ by themselves.
    """
    rows = [activity.table.T @ (session == one).astype(np.float64) for one in np.unique(session)]
    n = np.array([np.count_nonzero(session == one) for one in np.unique(session)])
    total, squares = np.stack(rows, axis=1), np.asarray(activity.table.power(2).sum(axis=0)).ravel()
    mean = total.sum(axis=1) / len(session)
    between = (n * (total / n - mean[:, None]) ** 2).sum(axis=1)
    whole = squares - len(session) * mean**2
    return np.divide(between, whole, out=np.full(len(mean), np.nan), where=whole > 1e-9 * squares)


def _words(values: Sequence[str]) -> tuple[str, np.ndarray]:
    return names.CONDITION, np.array(values, dtype=object)


def _of_half(curves: xr.Dataset, number: int) -> xr.Dataset:
    """The curves under the name of their half, without how often each bin was visited."""
    half = {name: str(name).replace("tuning.", f"tuning_half_{number}.", 1) for name in curves}
    visited = [name for name in curves if str(name).startswith("occupancy.")]
    return curves.drop_vars(visited).rename({k: v for k, v in half.items() if k not in visited})

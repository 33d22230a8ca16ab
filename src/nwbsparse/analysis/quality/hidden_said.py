"""Whether units have anything in common, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbsparse.training.hidden_units import LEAST_SHARED

LEAST_ERRORS = 2.0
"""Standard errors of R² of hidden units below which they share almost nothing."""
SHARES, NOTE = "shares", "hidden_units_note"
NOTHING, SOMETHING = "almost nothing", "something"
ALL_OTHERS = "ridge"
"""The regression on all visible units among the simpler models."""
CALLED = {
    "pca": "PCA",
    "factor_analysis": "factor analysis",
    "nmf": "NMF",
    ALL_OTHERS: "all units",
}


def shares(r2: float, error: float) -> str:
    """'something', or 'almost nothing': R² below 0.01, or below two standard errors; '' if unknown."""
    if not np.isfinite(r2):
        return ""
    certain = not np.isfinite(error) or r2 >= LEAST_ERRORS * error
    return SOMETHING if r2 >= LEAST_SHARED and certain else NOTHING


def is_nothing(r2: float, error: float) -> bool:
    """Whether it is surely almost nothing, not only not surely something."""
    return bool(r2 + LEAST_ERRORS * np.nan_to_num(error) < LEAST_SHARED)


def apart(more: tuple[float, float], less: tuple[float, float]) -> bool:
    """Whether one (R², error) is larger than another by two standard errors of their difference.

    Errors count as if they were independent, which is careful: good stretches are good for both.
    """
    error = float(np.hypot(np.nan_to_num(more[1]), np.nan_to_num(less[1])))
    return more[0] - less[0] > LEAST_ERRORS * error


def shared_said(metrics: Any) -> str:
    """What units tell of each other, in one sentence, beside simpler models.

    Args:
        metrics: what ``evaluate(…, detail="all")`` or ``hidden_units`` gave.

    Returns:
        'from the other units' patterns 6.2 % of …'; or that these units share almost nothing; or
        that these latents hold less than simpler models tell, or not surely anything; or why none
        could be hidden; '' for metrics that say nothing about hidden units.
    """
    if "hidden_unit_r2" not in metrics:
        note = str(metrics.attrs.get(NOTE, ""))
        return f"hidden units are not told: {note}" if note else ""
    r2, error = float(metrics["hidden_unit_r2"]), float(metrics["hidden_unit_r2_se"])
    if not np.isfinite(r2):
        return "hidden units are not told: no unit varies in these bins"
    known = {name: one for name, one in simpler_models(metrics).items() if np.isfinite(one[0])}
    beside = ", ".join(
        f"{CALLED.get(name, name)} {_percent(one[0])}" for name, one in known.items()
    )
    if metrics.attrs[SHARES] == NOTHING:
        telling = {name: one for name, one in known.items() if shares(*one) == SOMETHING}
        better = [
            CALLED.get(name, name) for name, one in telling.items() if apart(one, (r2, error))
        ]
        if better:
            tell = "tells" if len(better) == 1 and better[0] != CALLED[ALL_OTHERS] else "tell"
            return (
                f"these latents tell almost nothing of hidden units ({with_error(r2, error)} of their "
                f"fluctuations), of simpler models {_listed(better)} surely {tell} more ({beside}): what "
                "units share is not in these latents"
            )
        if telling:
            some = [f"{CALLED.get(name, name)} {with_error(*one)}" for name, one in telling.items()]
            return (
                f"these units share little: latents tell {with_error(r2, error)} of a hidden unit's "
                f"fluctuations, which is not surely more than nothing; simpler models surely tell "
                f"something ({_listed(some)}), but not surely more than the latents"
            )
        off = f" ± {_percent(error)}" if r2 >= LEAST_SHARED else ""
        return (
            f"these units share almost nothing ({_percent(r2)}{off} of a hidden unit's fluctuations "
            f"can be told; {beside}): what a latent follows is what its units follow"
        )
    pattern = "patterns" if metrics.sizes["latent"] > 1 else "pattern"
    return (
        f"from the other units' {pattern} {_percent(r2)} of a hidden unit's fluctuations can be told "
        f"({beside})"
    )


def shared_sentence(metrics: Any) -> str:
    """:func:`shared_said` with its capital and its full stop; '' where nothing is said."""
    said = shared_said(metrics)
    return f"{said[0].upper()}{said[1:]}." if said else ""


def with_error(r2: float, error: float) -> str:
    """'6.2 ± 0.8 %', with one standard error; 'none' where the mean would have done as well or better."""
    if r2 < 0.0005 or not np.isfinite(error):
        return _percent(r2)
    return f"{100 * r2:.1f} ± {100 * error:.1f}\u00a0%"


def simpler_models(metrics: Any) -> dict[str, tuple[float, float]]:
    """R² of each simpler model and its standard error."""
    r2, error = (metrics[f"hidden_baseline_r2{one}"].values for one in ("", "_se"))
    names = [str(name) for name in metrics["baseline"].values]
    return {name: (float(a), float(b)) for name, a, b in zip(names, r2, error, strict=True)}


def _listed(items: list[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _percent(share: float) -> str:
    """'6.2 %'; 'none' where the mean would have done as well or better."""
    return f"{100 * share:.1f}\u00a0%" if share >= 0.0005 else "none"

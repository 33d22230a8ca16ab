"""Whether units have anything in common, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbsparse.training.hidden_units import LEAST_SHARED

LEAST_ERRORS = 2.0
"""Standard errors of R² of hidden units below which they share almost nothing."""
SHARES, NOTE = "shares", "hidden_units_note"
NOTHING, SOMETHING = "almost nothing", "something"
CALLED = {
    "pca": "PCA",
    "factor_analysis": "factor analysis",
    "nmf": "NMF",
    "ridge": "all units",
}


def shares(r2: float, error: float) -> str:
    """'something', or 'almost nothing': R² below 0.01, or below two standard errors; '' if unknown."""
    if not np.isfinite(r2):
        return ""
    certain = not np.isfinite(error) or r2 >= LEAST_ERRORS * error
    return SOMETHING if r2 >= LEAST_SHARED and certain else NOTHING


def shared_said(metrics: Any) -> str:
    """What units tell of each other, in one sentence, beside simpler models.

    Args:
        metrics: what ``evaluate(…, detail="all")`` or ``hidden_units`` gave.

    Returns:
        'from the other units' patterns 6.2 % of …'; or that these units share almost nothing; or
        that these latents hold nothing of what simpler models tell; or why none could be hidden; ''
        for metrics that say nothing about hidden units.
    """
    if "hidden_unit_r2" not in metrics:
        note = str(metrics.attrs.get(NOTE, ""))
        return f"hidden units are not told: {note}" if note else ""
    r2 = float(metrics["hidden_unit_r2"])
    if not np.isfinite(r2):
        return "hidden units are not told: no unit varies in these bins"
    beside = ", ".join(
        f"{CALLED.get(str(name), str(name))} {_percent(value)}"
        for name, value in zip(
            metrics["baseline"].values, metrics["hidden_baseline_r2"].values, strict=True
        )
        if np.isfinite(value)
    )
    if metrics.attrs[SHARES] == NOTHING and _simpler_models_tell(metrics):
        return (
            f"these latents tell almost nothing of hidden units ({_percent(r2)} of their fluctuations), "
            f"of simpler models some tell more ({beside}): what units share is not in these latents"
        )
    if metrics.attrs[SHARES] == NOTHING:
        off = f" ± {_percent(float(metrics['hidden_unit_r2_se']))}" if r2 >= LEAST_SHARED else ""
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


def _simpler_models_tell(metrics: Any) -> bool:
    """Whether the units do share something, as one of the baselines says by the same rule."""
    r2, error = (metrics[f"hidden_baseline_r2{one}"].values for one in ("", "_se"))
    return any(shares(one, of) == SOMETHING for one, of in zip(r2, error, strict=True))


def _percent(share: float) -> str:
    """'6.2 %'; 'none' where the mean would have done as well or better."""
    return f"{100 * share:.1f}\u00a0%" if share >= 0.0005 else "none"

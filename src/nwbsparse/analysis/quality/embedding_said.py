"""What the controls of an embedding say, in sentences."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.quality.embedding_controls import OTHER_SEED

CONSISTENT = 0.8
"""R² from which another seed's embedding is called the same."""
UNMOVED = 1 - 1e-6
"""R² from which a seed changed nothing: the method starts from nothing random."""
CLOSE = 0.05
"""What a control must fall short by to count as worse."""


def embedding_said(metrics: xr.Dataset) -> list[str]:
    """Whether an embedding comes back from another seed, and what shuffled data tell beside it.

    Args:
        metrics: with what :func:`~nwbsparse.analysis.quality.embedding_controls.embedding_controls` gave.

    Returns:
        A sentence on the other seed; of an embedding that has seen behaviour one more for each variable
        that could be decoded. Empty where there is nothing of the kind.
    """
    if names.EMBEDDED not in metrics.coords:
        return []
    again = float(metrics["embedding_consistency"])
    if not np.isfinite(again):
        said = ["the embedding does not vary on test bins"]
    elif again >= UNMOVED:
        said = [
            "the embedding does not depend on a seed: another changes nothing, which proves nothing"
        ]
    elif again >= CONSISTENT:
        said = [
            f"another seed gives the same embedding, turned (Procrustes R² {again:.2f} on test bins)"
        ]
    else:
        said = [
            f"another seed gives another embedding (Procrustes R² {again:.2f} on test bins): read its dims "
            "as one of many views"
        ]
    controls = [str(name) for name in metrics[names.EMBEDDED].values[1:] if name != OTHER_SEED]
    if not controls:
        return said
    for at, target in enumerate(metrics["embedded_target"].values):
        for score, what in (("r2", "R²"), ("accuracy", "accuracy")):
            values = metrics[f"embedded_{score}"].values[:, at]
            found = dict(zip(metrics[names.EMBEDDED].values.tolist(), values.tolist(), strict=True))
            ours = found[names.EMBEDDING]
            if np.isfinite(ours):
                said.append(_beside(str(target), what, ours, [found[name] for name in controls]))
    return said


def _beside(target: str, what: str, ours: float, controls: list[float]) -> str:
    shown = " and ".join(f"{one:.2f}" for one in controls)
    better = ours - max(controls) > CLOSE
    verdict = "" if better else ": no better than what was trained on shuffled data"
    return (
        f"{target} is told from the embedding with {what} {ours:.2f} on test bins, with {shown} from "
        f"embeddings of shuffled activity and shuffled behaviour{verdict}"
    )

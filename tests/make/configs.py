"""Options of coders that are trained in one go, as tests of everything but the recipe want them."""

from __future__ import annotations

from typing import Any

from nwbsparse.options.config import Config
from nwbsparse.options.earlier import BEFORE_HIDING


def plain_config(**options: Any) -> Config:
    """One coder, nothing hidden, chosen or smoothed: z-scores, or counts for losses of counts."""
    scaling = "zscore" if options.get("loss", "mse") == "mse" else "none"
    if options.get("output", "identity") != "identity":
        scaling = "none"
    return Config(**BEFORE_HIDING | {"seeds": 1, "normalisation": scaling} | options)

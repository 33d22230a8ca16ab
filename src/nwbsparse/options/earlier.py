"""Options that earlier versions stored: what they meant, said in the options of today."""

from __future__ import annotations

from typing import Any

_SETTLED = (
    "bin_width", "window", "decoded", "n_latents", "k", "batch_size", "max_epochs", "k_aux",
    "normalisation", "output",
)  # fmt: skip
"""Options that are never left open once a coder is made."""


BEFORE_HIDING = {
    "smoothing": 0.0, "transform": "none", "mask": 0.0, "groups": "none", "sign": "free",
    "choose": "none", "replicates": 0,
}  # fmt: skip
"""What was done before units were hidden while training."""


def as_meant(values: dict[str, Any]) -> dict[str, Any]:
    """Stored options with what they meant by what the version that wrote them could not say.

    Where every choice is made, what is not said was not there to be chosen: nothing was hidden,
    smoothed or chosen by hidden units, rows had either sign, and the first seed was the result.
    Levels without ``level_terms`` were trained on the mean of their losses.
    """
    if not all(name in values for name in _SETTLED):
        return values
    levels = {"level_terms": "mean"} if values.get("levels") else {}
    roots = {"transform": "none"}  # for a while units were hidden, and counts read as they are
    absent = (BEFORE_HIDING if "mask" not in values else roots) | levels
    return absent | begun_as_meant(values)


def begun_as_meant(values: dict[str, Any]) -> dict[str, Any]:
    """Options that a version stored, open ones or not, with how it began and cut a pass into batches.

    Without ``last_batch`` bins that filled no batch were left out, and rows that were drawn uniformly
    had been brought to unit length before the first update.
    """
    if "last_batch" in values:
        return values
    start = {"initialisation": "uniform_unit"} if values.get("initialisation") == "uniform" else {}
    return values | start | {"last_batch": "drop"}

"""Options that earlier versions stored: what they meant, said in the options of today."""

from __future__ import annotations

from typing import Any

_SETTLED = (
    "bin_width", "window", "decoded", "n_latents", "k", "batch_size", "max_epochs", "k_aux",
    "normalisation", "output",
)  # fmt: skip
"""Options that are never left open once a coder is made."""


def as_meant(values: dict[str, Any]) -> dict[str, Any]:
    """Stored options with what they meant by what the version that wrote them could not say.

    Where every choice is made, levels without ``level_terms`` were trained before it existed: on
    the mean of their losses.
    """
    settled = all(name in values for name in _SETTLED)
    if settled and values.get("levels") and "level_terms" not in values:
        return values | {"level_terms": "mean"}
    return values

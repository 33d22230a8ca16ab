"""The outcome of explain() in one line, and why there is none where nothing could be assessed."""

from __future__ import annotations

import json
from collections import Counter

import xarray as xr


def explained_said(attribution: xr.Dataset) -> str:
    """What was found and what controls find, in one line; or why nothing could be assessed."""
    counts = json.loads(attribution.attrs["summary"])
    if not any(one["assessable"] for one in counts.values()):
        why = usual_reason(attribution)
        return "no association with behaviour could be assessed" + (f": {why}" if why else "")
    said = [f"{one['found']} of {one['assessable']} {name}" for name, one in counts.items()]
    return (
        f"associations that survive on held-out bins (q < {attribution.attrs['alpha']:g}): "
        + ", ".join(said)
    )


def usual_reason(attribution: xr.Dataset) -> str:
    """The reason that most of the latents that are not assessable share; '' where all are."""
    kinds = [str(status).partition(": ") for status in attribution["association_status"].values]
    reasons = Counter(why for kind, _, why in kinds if kind == "not assessable" and why)
    return reasons.most_common(1)[0][0] if reasons else ""

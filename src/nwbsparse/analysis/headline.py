"""headline(): what a person reads first of a result, in sentences."""

from __future__ import annotations

import json

import xarray as xr

from nwbsparse.analysis.behaviour.sentences import sentences
from nwbsparse.analysis.more_than_units import more_than_units
from nwbsparse.analysis.quality.hidden_said import shared_sentence

NO_BEHAVIOUR = "Nothing is said about behaviour: the recording holds no behaviour and no trials."


def headline(attribution: xr.Dataset, metrics: xr.Dataset) -> list[str]:
    """What was found in a recording, in the order in which a person wants to know it.

    How many latents are confirmed; whether they are more than single units; what units tell of each
    other, beside simpler models; variable by variable how strongly and how surely it is followed, and
    what all latents tell of it together, beside units, untrained latents and chance. The terminal, the
    report and ``metrics.json`` say the same.

    Args:
        attribution: what :func:`nwbsparse.explain` gave.
        metrics: what :func:`nwbsparse.evaluate` gave; with ``detail="all"`` it knows hidden units.
    """
    first, *more = sentences(attribution) or [_without(attribution)]
    answers = (more_than_units(attribution, metrics), shared_sentence(metrics))
    return [first, *(one for one in answers if one), *more]


def _without(attribution: xr.Dataset) -> str:
    """What stands in place of a finding: no behaviour, or results of a version before intervals."""
    if not any(attribution.sizes.get(dim, 0) for dim in ("covariate", "condition")):
        return NO_BEHAVIOUR
    latents = json.loads(attribution.attrs["summary"])["latents"]
    if not latents["assessable"]:
        return "None of the latents could be tested against the behaviour."
    return (
        f"{latents['found']:,} of {latents['assessable']:,} latents follow something in the behaviour, "
        "as an earlier version of nwbsparse tested it (once, on held-out bins). “nwbsparse explain” "
        "with “--write” adds intervals, and what units and chance tell."
    )

"""What a run says at the end of explain()."""

import json

import numpy as np
import xarray as xr

from nwbsparse.analysis.explain import explained_said, usual_reason


def outcome(status, *, assessable):
    summary = {"latents": {"found": 0, "assessable": assessable}}
    return xr.Dataset(
        {"association_status": ("latent", np.array(status, dtype=object))},
        attrs={"alpha": 0.05, "summary": json.dumps(summary)},
    )


def test_the_reason_that_most_latents_share_is_said_where_none_is_assessable():
    few = "not assessable: only 12 independent shifts (20 are needed)"
    said = explained_said(outcome([few, "not assessable: never active", few], assessable=0))
    assert said == (
        "no association with behaviour could be assessed: only 12 independent shifts (20 are needed)"
    )


def test_counts_are_said_where_one_is_assessable():
    made = outcome(["not found", "not assessable: never active"], assessable=1)
    assert explained_said(made).endswith("(q < 0.05): 0 of 1 latents")
    assert usual_reason(outcome(["not found", "found"], assessable=2)) == ""

"""What a person said about latents is no part of what a run made."""

import numpy as np
import pytest
import xarray as xr

from nwbsparse.results.label import before_labels, carried_over, relabelled


def attribution(labels):
    held = {"r": ("latent", np.arange(4.0))}
    if labels is not None:
        held["label"] = ("latent", np.array(labels, dtype=object))
    return xr.Dataset(held, coords={"latent": np.arange(4)})


@pytest.mark.parametrize("labels", [["left", "", "fast", ""], None])
def test_what_was_said_is_taken_back(labels):
    """Name, verdict, both on one latent, a name given back, and carried over to a new attribution."""
    made = attribution(labels)
    assert before_labels(made) == (made, 0)
    said = relabelled(made, 1, name="mine", verdict="accepted")
    said = relabelled(said, 2, verdict="rejected")
    said = relabelled(said, 3, name="gone")
    for one, n in ((said, 3), (relabelled(said, 3, name=""), 2), (carried_over(said, made), 3)):
        before, n_labelled = before_labels(one)
        assert before.drop_attrs().equals(made), list(before.data_vars)
        assert n_labelled == n

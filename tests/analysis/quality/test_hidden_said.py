"""What is said of hidden units is what the numbers and their errors say, of the latents and beside them."""

import numpy as np
import pytest
import xarray as xr

from nwbsparse.analysis.quality.hidden_said import shared_said, shares


def said_of(latents, **others):
    """The sentence for (R², error) of the latents and of simpler models."""
    r2, error = (np.array([one[at] for one in others.values()]) for at in (0, 1))
    return shared_said(
        xr.Dataset(
            {
                "hidden_unit_r2": latents[0], "hidden_unit_r2_se": latents[1],
                "hidden_baseline_r2": ("baseline", r2), "hidden_baseline_r2_se": ("baseline", error),
            },
            coords={"baseline": list(others), "latent": range(3)},
            attrs={"shares": shares(*latents)},
        )
    )  # fmt: skip


def test_a_model_that_tells_something_does_not_yet_tell_more():
    """The kind: 'more' said where a rule is passed that is not about the difference."""
    latents = (0.0205, 0.0141)
    simpler = {"pca": (0.0067, 0.0152), "factor_analysis": (0.0184, 0.012), "nmf": (0.0201, 0.0134)}
    said = said_of(latents, **simpler, ridge=(0.0273, 0.0089))
    assert "not surely more than nothing" in said and "(all units 2.7 ± 0.9\u00a0%)" in said
    assert said.endswith("but not surely more than the latents")
    assert "tell more" not in said and "is not in these latents" not in said


@pytest.mark.parametrize(
    ("others", "who"),
    [
        ({"ridge": (0.2, 0.01)}, "all units surely tell more"),
        ({"pca": (0.2, 0.01), "ridge": (0.0, 0.01)}, "PCA surely tells more"),
        ({"pca": (0.2, 0.01), "ridge": (0.2, 0.01)}, "PCA and all units surely tell more"),
    ],
)
def test_only_the_models_that_tell_more_are_said_to(others, who):
    said = said_of((0.004, 0.002), **others)
    assert who in said and said.endswith("what units share is not in these latents")


def test_where_no_model_tells_anything_units_share_almost_nothing():
    said = said_of((0.004, 0.002), pca=(0.001, 0.002), ridge=(-0.1, 0.002))
    assert (
        said.startswith("these units share almost nothing (0.4\u00a0%") and "all units none" in said
    )

"""What a run says of how its latents come back is what the consensus counts."""

import numpy as np
import pytest
import xarray as xr

from nwbsparse.runs.said import again_said


@pytest.mark.parametrize(
    ("stable", "said"),
    [
        ([True], "1 latent came back in 4 or more of 10 seeds, also in a consensus of 10 others"),
        (
            [False],
            "1 latent came back in 4 or more of 10 seeds, but not in a consensus of 10 others",
        ),
        (
            [True, False, True],
            "3 latents came back in 4 or more of 10 seeds; 2 of them also in a consensus of 10 others",
        ),
        (
            [False, False],
            "2 latents came back in 4 or more of 10 seeds; none of them also in a consensus of 10 others",
        ),
    ],
)
def test_a_consensus_takes_what_comes_back_in_four_of_ten_seeds(stable, said):
    """The kind: the name of another count (what all seeds have in common)."""
    flags = ("latent", np.array(stable))
    made = xr.Dataset({"stable": flags, "again": flags}, attrs={"n_seeds": 10})
    assert again_said(made) == said
    once = made.drop_vars("again")
    assert "consensus" not in again_said(once) and "4 or more of 10 seeds" in again_said(once)

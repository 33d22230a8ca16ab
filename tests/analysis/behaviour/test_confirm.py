"""Confirmed: stable, significant, and alike in both halves; every missing piece is said."""

import numpy as np
import pytest
import xarray as xr

from nwbsparse.analysis.behaviour.confirm import confirm, halves_agree
from nwbsparse.analysis.explain import explain
from nwbsparse.errors import BadInput


def made(q, halves, association=0.4, status=None):
    n = len(q)
    status = status or ["found" if one < 0.05 else "not found" for one in q]
    return xr.Dataset(
        {
            "weight": (("latent", "unit"), np.ones((n, 2))),
            "association": ("latent", np.full(n, association)),
            "association_q": ("latent", np.array(q, float)),
            "association_half_1": ("latent", np.array(halves, float)[:, 0]),
            "association_half_2": ("latent", np.array(halves, float)[:, 1]),
            "association_status": ("latent", np.array(status, dtype=object)),
        },
        coords={"latent": np.arange(n)},
        attrs={"alpha": 0.05, "coder_id": "abc"},
    )


def stable(values, coder_id="abc"):
    return xr.Dataset({"stable": ("latent", np.array(values))}, attrs={"coder_id": coder_id})


def test_each_of_the_three_conditions_is_needed():
    attribution = made(
        [0.01, 0.2, 0.01, 0.01, np.nan, 0.01],
        [(0.4, 0.3), (0.4, 0.4), (0.4, 0.1), (0.4, 0.4), (np.nan, np.nan), (0.5, np.nan)],
        status=["found", "not found", "found", "found", "not testable: never active", "found"],
    )
    found = confirm(attribution, stable([True, True, True, False, True, True]))
    assert found["confirmed"].values.tolist() == [True] + [False] * 5
    said = found["confirmed_status"].values
    assert said[0] == "confirmed"
    assert said[1] == "not confirmed: q is not below 0.05"
    assert said[2] == "not confirmed: 0.4 and 0.1 in the even and the odd blocks"
    assert said[3] == "not confirmed: it does not come back in other seeds"
    assert said[4] == "not testable: never active"
    assert said[5] == "not assessable: no activity in the even or in the odd blocks"
    assert found.attrs["n_confirmed_latents"] == 1


def test_without_seeds_nothing_is_confirmed_and_the_reason_is_said():
    found = confirm(made([0.01], [(0.4, 0.4)]))
    assert not found["confirmed"].any() and "n_confirmed_latents" not in found.attrs
    assert found["confirmed_status"].values[0].startswith("not assessable: one seed")
    again = confirm(found, stable([True]))
    assert again["confirmed"].all() and again.attrs["n_confirmed_latents"] == 1
    assert "n_confirmed_latents" not in confirm(again).attrs


@pytest.mark.parametrize(
    ("halves", "association", "alike"),
    [
        ((0.4, 0.4), 0.4, True),
        ((0.6, 0.2), 0.4, True),
        ((0.61, 0.19), 0.4, False),
        ((0.9, -0.1), 0.4, False),
        ((-0.4, -0.4), -0.4, False),
        ((0.0, 0.0), 0.0, False),
    ],
)
def test_the_rule_of_the_halves(halves, association, alike):
    assert halves_agree(np.array(halves), association) == alike


def test_the_stability_of_another_coder_is_refused():
    with pytest.raises(BadInput, match="of another coder"):
        confirm(made([0.01], [(0.4, 0.4)]), stable([True], "xyz"))


def test_place_cells_are_alike_in_the_even_and_the_odd_blocks(places):
    data, coder, latents = places
    everywhere = stable(np.ones(32, dtype=bool), coder.id)
    found = explain(coder, data, latents, stability=everywhere)
    is_found = found["association_status"].values == "found"
    assert found.attrs["n_confirmed_latents"] >= 0.8 * is_found.sum() >= 5
    assert not found["confirmed"].values[~is_found].any()
    whole = found["association"].values[is_found]
    mean = (found["association_half_1"].values + found["association_half_2"].values)[is_found] / 2
    np.testing.assert_allclose(mean, whole, atol=0.1)

"""Confirmed latents, their fields and their units: the right ones, and zero is a result."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.confirm import confirm
from nwbsparse.binning.split import part
from nwbsparse.results.results import Results
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.plots import latent_fields

PANELS = 7
"""Of a row: two fields, their scale, units, and the fields of three units."""


@pytest.fixture(scope="module")
def confirmed(made: tuple[Results, xr.Dataset]) -> xr.Dataset:
    """The attribution as if every latent had come back in all seeds."""
    a = made[0].attribution
    n = a.sizes["latent"]
    stable = xr.Dataset(
        {"stable": ("latent", np.ones(n, dtype=bool))},
        attrs={names.CODER_ID: a.attrs[names.CODER_ID]},
    )
    return confirm(a, stable)


def test_confirmed_latents_stand_in_order_above_what_all_tell_together(
    made: tuple[Results, xr.Dataset], confirmed: xr.Dataset
) -> None:
    mine = confirmed["confirmed"].values & (confirmed["best_variable"].values == "position")
    assert mine.any()  # place cells on a circle
    drawn = latent_fields(confirmed, made[1])
    n = min(int(mine.sum()), 8)
    assert len(drawn) == n * PANELS + 1
    said = [drawn[i * PANELS].texts[0].get_text() for i in range(n)]
    latents = [int(one.split("\n")[0].removeprefix("latent ")) for one in said]
    assert mine[latents].all() and all("\nconfirmed" in one for one in said)
    q = confirmed["association_q"].values[latents]
    assert (np.diff(q) >= 0).all()
    rows = [t.get_text() for t in drawn[-1].get_yticklabels()]
    told = json.loads(confirmed.attrs["summary"])["variables"]["position"]["together"]
    assert rows[0] == f"{told['n']} latents" and rows[-1] == "all units"
    said = [text.get_text() for text in drawn[-1].texts]
    assert said[0] == f"{told['share']['latents']:.0%}".replace("%", " %") and "chance" in said
    data_uri(drawn[0])


def test_the_fields_are_those_of_the_latent_and_of_its_units(
    made: tuple[Results, xr.Dataset], confirmed: xr.Dataset
) -> None:
    binned = made[1]
    drawn = latent_fields(confirmed, binned, latents=np.array([3]))
    even, odd = (np.ma.asarray(ax.images[0].get_array()) for ax in drawn[:2])
    np.testing.assert_allclose(even, confirmed["tuning_half_1.position"].values[3])
    np.testing.assert_allclose(odd, confirmed["tuning_half_2.position"].values[3])
    assert drawn[0].images[0].norm.vmax == drawn[1].images[0].norm.vmax
    carried = (confirmed["weight"] * confirmed["z"]).values[3]
    strongest = int(np.nanargmax(carried))
    assert drawn[4].get_title("left").startswith(f"unit {binned['unit_id'].values[strongest]}")
    # the unit's rate, place by place, by hand
    position, test = binned["position"].values, part(binned, "test")
    at = []
    for axis, name in enumerate(("position_x", "position_y")):
        centres = confirmed[name].values
        step = centres[1] - centres[0]
        at.append(
            np.clip(((position[:, axis] - centres[0]) / step + 0.5) // 1, 0, len(centres) - 1)
        )
    use = test & np.isfinite(position).all(axis=1)
    counts = binned["counts"].values[:, strongest] / binned.attrs[names.BIN_WIDTH]
    picture = np.ma.filled(np.ma.asarray(drawn[4].images[0].get_array(), dtype=float), np.nan)
    known = 0
    for y, x in np.ndindex(picture.shape):
        here = use & (at[0] == x) & (at[1] == y)
        if np.isfinite(picture[y, x]) and here.sum() > 20:
            known += 1
            assert picture[y, x] == pytest.approx(counts[here].mean(), rel=0.1, abs=0.05)
    assert known > 5


def test_zero_is_a_result_and_one_seed_is_none(
    made: tuple[Results, xr.Dataset], confirmed: xr.Dataset
) -> None:
    none = confirmed.assign(confirmed=confirmed["confirmed"] & False)
    drawn = latent_fields(none, made[1])
    assert (
        len(drawn) == 2 and "no confirmed latent follows position" in drawn[0].texts[0].get_text()
    )
    assert [t.get_text() for t in drawn[-1].get_yticklabels()][-1] == "all units"
    one_seed = latent_fields(made[0].attribution, made[1])
    assert "several seeds" in one_seed[0].texts[0].get_text()
    asked = latent_fields(made[0].attribution, made[1], latents=[0])
    assert "\nnot confirmed" in asked[0].texts[0].get_text()


def test_more_than_eight_latents_are_cut_and_it_is_said(
    made: tuple[Results, xr.Dataset], confirmed: xr.Dataset
) -> None:
    drawn = latent_fields(confirmed, made[1], latents=range(12))
    assert len(drawn) == 8 * PANELS + 1 and "8 of 12 latents shown" in drawn[-1].get_title("right")


def test_a_position_on_a_line_is_a_curve(
    made: tuple[Results, xr.Dataset], confirmed: xr.Dataset
) -> None:
    drawn = latent_fields(confirmed, made[1], "position_speed", latents=[0])
    np.testing.assert_allclose(
        np.asarray(drawn[0].lines[0].get_ydata()),
        confirmed["tuning_half_1.position_speed"].values[0],
    )
    assert not drawn[0].images
    data_uri(drawn[0])

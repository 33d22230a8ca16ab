"""A coder in another session: what keeps its meaning, with units matched or missing."""

import numpy as np
import pytest

from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.transfer import transfer
from nwbsparse.errors import BadInput

POSITION = ("position", "speed", "movement_direction")


@pytest.fixture(scope="module")
def attribution(places):
    data, coder, latents = places
    return explain(coder, data, latents)


@pytest.fixture(scope="module")
def same(places, attribution):
    data, coder, _ = places
    return transfer(coder, data, attribution)


def test_in_the_same_session_everything_that_was_found_is_kept(same, attribution):
    found = attribution["association_status"].values == "found"
    assert same.attrs["n_found"] == found.sum() >= 5
    assert same.attrs["n_kept"] == same["kept"].values.sum() >= 0.9 * found.sum()
    assert not same["kept"].values[~found].any()
    assert same.attrs["n_units_matched"] == 18
    assert (same["tuning_correlation"].values[same["kept"].values] > 0.5).all()


def test_units_are_found_by_their_partners_whatever_their_order_and_names(
    places, attribution, same
):
    data, coder, _ = places
    order = np.random.default_rng(0).permutation(18)
    other = data.isel(unit=order).assign_coords(
        unit_id=("unit", [f"new{unit}" for unit in data["unit_id"].values[order]])
    )
    matching = {unit: f"new{unit}" for unit in data["unit_id"].values}
    found = transfer(coder, other, attribution, matching)
    np.testing.assert_array_equal(found["kept"], same["kept"])
    np.testing.assert_allclose(found["tuning_correlation"], same["tuning_correlation"], atol=1e-6)


def test_swapped_units_and_the_behaviour_of_another_time_keep_nothing(places, attribution):
    data, coder, _ = places
    other = data.assign({name: data[name].roll(time=5000) for name in POSITION})
    assert transfer(coder, other, attribution).attrs["n_kept"] <= 1
    ids = list(data["unit_id"].values)
    found = transfer(coder, data, attribution, dict(zip(ids, np.roll(ids, 1), strict=True)))
    assert found.attrs["n_kept"] <= 2
    assert any(one.startswith("not kept") for one in found["status"].values)


def test_a_unit_without_partner_is_not_observed(places, attribution):
    data, coder, _ = places
    ids = data["unit_id"].values
    found = transfer(coder, data.isel(unit=slice(1, None)), attribution)
    assert found.attrs["n_units_matched"] == 17
    top = attribution["weight"].values.argmax(axis=1)
    carried = found["kept"].values & (attribution["likeness"].values > 0.8)
    assert carried.any() and not (top[carried] == 0).any(), ids[0]


def test_what_does_not_fit_is_refused(places, attribution):
    data, coder, _ = places
    ids = data["unit_id"].values
    renamed = data.assign_coords(unit_id=("unit", [f"x{unit}" for unit in ids]))
    with pytest.raises(BadInput, match="no unit of the other session has an id"):
        transfer(coder, renamed, attribution)
    with pytest.raises(BadInput, match="the coder has no unit '99'"):
        transfer(coder, data, attribution, {99: ids[0]})
    with pytest.raises(BadInput, match="the other session has no unit '99'"):
        transfer(coder, data, attribution, {ids[0]: 99})
    with pytest.raises(BadInput, match="two units"):
        transfer(coder, data, attribution, {ids[0]: ids[0], ids[1]: ids[0]})
    with pytest.raises(BadInput, match="of another coder"):
        transfer(coder, data, attribution.assign_attrs(coder_id="x"))
    with pytest.raises(BadInput, match=r"bins of 0\.1 s, these are of 0.2 s"):
        transfer(coder, data.assign_attrs(bin_width=0.2), attribution)

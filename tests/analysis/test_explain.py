"""explain(): found where something was planted, silent where nothing was, beside its controls."""

import json

import numpy as np
import pytest
import torch
import xarray as xr

from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.behaviour.sentences import sentences
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.errors import BadInput

POSITION = ("position", "speed", "movement_direction")


@pytest.fixture(scope="module")
def attribution(places):
    data, coder, latents = places
    return explain(coder, data, latents)


def summary(attribution):
    return json.loads(attribution.attrs["summary"])


def test_latents_of_place_cells_are_found_with_position(attribution):
    weight = attribution["weight"].values
    of_place = np.isin(weight.argmax(axis=1), [0, 1, 2, 4, 5, 6, 7, 8, 9])
    strong = of_place & (weight.max(axis=1) > 0.7)
    assert strong.sum() >= 5
    assert (attribution["best_variable"].values[strong] == "position").all()
    assert (attribution["association_status"].values[strong] == "found").all()
    assert (attribution["association_q"].values[strong] < 0.05).all()


def test_the_behaviour_of_another_time_explains_nothing(places):
    data, coder, latents = places
    other = data.assign({name: data[name].roll(time=5000) for name in POSITION})
    found = explain(coder, other, latents)
    assert found.attrs["n_explained_latents"] <= 1
    assert summary(found)["latents"]["assessable"] >= 30
    share = summary(found)["variables"]["position"]["together"]["share"]
    assert (
        abs(share["latents"] - summary(found)["variables"]["position"]["together"]["chance"]) < 0.03
    )


def test_the_summary_tells_each_variable_beside_units_and_untrained_latents(attribution):
    told = summary(attribution)
    q = attribution["association_q"].values
    assert told["latents"]["channels"] == 32
    assert told["latents"]["found"] == attribution.attrs["n_explained_latents"] == (q < 0.05).sum()
    assert told["latents"]["assessable"] == np.isfinite(q).sum()
    assert sum(told["latents"]["by_variable"].values()) == told["latents"]["found"]
    place = told["variables"]["position"]
    assert place["testable"] >= 30 and place["kind"] == "shifts"
    strongest = place["strongest"]
    assert strongest["low"] < strongest["r"] < strongest["high"]
    assert strongest["r"] == pytest.approx(np.nanmax(attribution["association"].values), abs=1e-4)
    assert 7 <= place["different"]["latents"] <= 10
    share = place["together"]["share"]
    assert share["latents"] > share["untrained"] > place["together"]["chance"]
    assert place["together"]["p"]["untrained"] < 0.05


def test_every_latent_has_an_r_with_every_variable_and_an_interval(attribution):
    r, low, high = (attribution[key].values for key in ("r", "r_low", "r_high"))
    assert r.shape == (32, len(POSITION))
    good = np.isfinite(r)
    assert good.all() and (low[good] < r[good]).all() and (r[good] < high[good]).all()
    best = attribution["candidate_variable"].values[np.nanargmax(r, axis=1)]
    found = attribution["association_status"].values == "found"
    assert (attribution["best_variable"].values[found] == best[found]).mean() > 0.8
    assert np.isfinite(attribution["r_p"].values).all()
    assert (attribution["r_memory"].values > 0).all()


def test_the_same_inputs_give_the_same_attribution(places, attribution):
    data, coder, latents = places
    again = explain(coder, data, latents)
    xr.testing.assert_identical(again, attribution)


@pytest.mark.fault(46)
def test_a_silent_unit_is_never_ranked(places, attribution):
    for name in ("z", "correlation", "correlation_p"):
        assert np.isnan(attribution[name].values[:, 3]).all()
    assert not (attribution["best_unit"] == 3).any()
    assert not (attribution["like_unit"] == 3).any()
    assert np.isfinite(attribution["z"].values[:, 0]).any()


def test_latents_that_cannot_be_tested_say_so(places):
    data, coder, latents = places
    quiet = latents.copy(deep=True)
    quiet["activation"].values[:, :2] = 0
    quiet["activation"].values[100:110, 1] = 1
    found = explain(coder, data, quiet)
    status = found["association_status"].values
    assert status[0] == "not testable: never active"
    assert status[1].endswith(": active in 1 stretch, 5 are needed")
    for name in ("association_p", "association_q"):
        assert np.isnan(found[name].values[:2]).all()
    assert np.isnan(found["association"].values[0]) and np.isfinite(found["association"].values[1])
    assert found["best_variable"].values[0] == "" and found["best_unit"].values[0] == -1


def test_what_is_too_short_has_r_and_says_how_much_longer_would_do(places):
    data, coder, latents = places
    slow = data.copy(deep=True)
    slow["speed"].values[:] = np.floor(np.linspace(0, 2.99, len(slow["time"])))
    found = explain(coder, slow, latents, covariates=["speed"])
    told = summary(found)["variables"]["speed"]
    assert told["testable"] == 0
    assert "5 are needed (15 × its memory of" in told["hindrance"]
    assert told["hindrance"].endswith("minutes or more would do")
    assert np.isfinite(told["strongest"]["r"]) and np.isfinite(told["strongest"]["by_chance"])
    assert found["association_status"].values[5].startswith("not testable: ")
    said = " ".join(sentences(found))
    assert "None of 32 latents could be tested" in said and "not testable:" in said


def test_constant_covariates_are_left_out(attribution):
    assert list(attribution["covariate"].values) == list(POSITION)
    assert "temperature" not in attribution["candidate_variable"].values
    assert "tuning.temperature" not in attribution


def test_without_any_behaviour_units_are_still_attributed(places):
    data, coder, latents = places
    bare = data.drop_vars([*POSITION, "temperature"])
    found = explain(coder, bare, latents)
    assert found.attrs["n_explained_latents"] == 0
    assert found.sizes.get("candidate", 0) == 0
    assert (found["best_variable"] == "").all() and np.isnan(found["association_p"]).all()
    assert summary(found)["latents"]["assessable"] == summary(found)["latents"]["found"] == 0
    assert summary(found)["variables"] == {} and sentences(found) == []
    assert np.isfinite(found["weight"]).all() and np.isfinite(found["correlation"][:, 0]).any()


def test_conditions_of_trials_are_explained(trial_places, places):
    _, coder, _ = places
    found = explain(coder, trial_places)
    labels = list(
        zip(*(found[f"condition_{key}"].values for key in ("variable", "name")), strict=True)
    )
    assert ("trials.side", "left") in labels and ("speed", "low") in labels
    left = labels.index(("trials.side", "left"))
    best = int(found["weight"].values[:, 16].argmax())
    activation = dense(encode(coder, trial_places))
    side = trial_places["trials.side"].values
    active = activation[:, best] > 0
    assert found["p_in"].values[best, left] == pytest.approx(active[side == 0].mean())
    assert found["p_out"].values[best, left] == pytest.approx(active[side == 1].mean())
    assert found["condition_bins"].values[left] == (side == 0).sum()
    assert found["selectivity"].values[best, left] > 0.6


def test_tuning_is_that_of_all_bins_and_of_each_half_of_the_blocks(places, attribution):
    data, _, _ = places
    known = np.isfinite(data["position"].values).all(axis=1)
    assert 0.9 * known.sum() < int(attribution["occupancy.position"].sum()) <= known.sum()
    whole = attribution["tuning.position"].values
    halves = [attribution[f"tuning_half_{one}.position"].values for one in (1, 2)]
    seen = np.isfinite(halves[0]) & np.isfinite(halves[1])
    between = np.minimum(*halves) - 1e-4 <= whole
    assert between[seen].all() and (whole <= np.maximum(*halves) + 1e-4)[seen].all()
    strong = int(np.nanargmax(attribution["association"].values))
    both = np.isfinite(halves[0][strong]) & np.isfinite(halves[1][strong])
    assert np.corrcoef(halves[0][strong][both], halves[1][strong][both])[0, 1] > 0.8


def test_spatial_information_is_larger_than_by_chance_for_place_latents(attribution):
    at = list(attribution["covariate"].values).index("position")
    bits = attribution["spatial_information"].values[:, at]
    chance = attribution["spatial_information_null_mean"].values[:, at]
    strong = attribution["association"].values > 0.5
    assert strong.sum() >= 5 and (bits[strong] > chance[strong] + 0.3).all()
    assert np.isnan(attribution["spatial_information"].values[:, at + 1]).all(), "speed is no place"


def identity(coder):
    """A coder whose latents are the counts of the units, and no more."""
    copy = type(coder)(coder.record)
    copy.load_state_dict(coder.state_dict())
    n = coder.n_units
    with torch.no_grad():
        for matrix in (copy.dictionary, copy.encoder_weight):
            matrix.zero_()
            matrix[:n].copy_(torch.eye(n))
        for vector in (copy.offset, copy.pre_bias, copy.encoder_bias, copy.threshold):
            vector.zero_()
        copy.scale.fill_(1.0)
    return copy.eval()


def test_latents_that_are_single_units_are_flagged(places):
    data, coder, _ = places
    found = explain(identity(coder), data)
    fires = np.delete(np.arange(18), 3)
    assert found["single_unit"].values[fires].all()
    np.testing.assert_array_equal(found["like_unit"].values[fires], fires)
    np.testing.assert_allclose(found["likeness"].values[fires], 1.0, atol=1e-6)
    assert not found["single_unit"].values[[3, *range(18, 32)]].any()
    same = found["best_unit_association"].values
    place = [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert (same[place] >= found["association"].values[place] - 0.2).all()


def test_a_latent_of_one_unit_has_nothing_left_without_it(places):
    data, coder, _ = places
    found = explain(identity(coder), data)
    assert np.isnan(found["correlation"].values[0, 0])
    z = found["z"].values
    assert np.nanargmax(z[0]) == 0 and z[0, 0] > 1


def test_inputs_stay_as_they_were(places):
    data, coder, latents = places
    before = data.copy(deep=True), latents.copy(deep=True), coder.id
    explain(coder, data, latents)
    encode(coder, data)
    evaluate(coder, data)
    xr.testing.assert_identical(data, before[0])
    xr.testing.assert_identical(latents, before[1])
    assert coder.id == before[2]


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_a_unit_that_holds_most_spikes_is_named(places, share):
    data, coder, latents = places
    loud = data.copy(deep=True)
    rest = int(np.delete(loud["counts"].values, 12, axis=1).sum())
    loud["counts"] = loud["counts"].astype(np.int32)
    loud["counts"].values[:, 12] = round(rest * share / (1 - share) / data.sizes["time"])
    notes = json.loads(explain(coder, loud, latents).attrs["notes"])
    assert [("unit 22 holds" in note) for note in notes] == [True] * (share > 0.5)


def test_what_to_compare_with_can_be_said(trial_places, places):
    _, coder, _ = places
    found = explain(
        coder,
        trial_places,
        covariates=["position"],
        conditions={"trials.side": None, "speed": 4},
        nulls={"trials.side": "shift"},
        conjunctions=[("trials.side", "speed")],
    )
    assert list(found["covariate"].values) == ["position"]
    assert "tuning.position" in found and "tuning.speed" not in found
    variables = dict.fromkeys(found["condition_variable"].values)
    assert list(variables) == ["speed", "trials.side", "trials.side & speed"]
    assert (found["condition_variable"] == "speed").sum() == 4
    told = json.loads(found.attrs["nulls"])
    assert told["trials.side"]["kind"] == told["trials.side & speed"]["kind"] == "shifts"
    assert set(found["candidate_variable"].values) == {
        "position",
        "trials.side",
        "trials.side & speed",
    }
    p = found["auroc_p_uncorrected"].values
    assessable = np.isfinite(found["auroc"].values)
    assert (np.isfinite(p) <= assessable).all() and np.nanmin(p) == pytest.approx(1 / 101)
    asked = json.loads(found.attrs["history"])[-1]["parameters"]
    assert asked["conditions"] == {"trials.side": None, "speed": 4}
    assert asked["conjunctions"] == [["trials.side", "speed"]]


def test_an_unknown_name_is_an_error_that_says_what_there_is(places):
    data, coder, latents = places
    with pytest.raises(BadInput, match="no covariate 'positon'; did you mean 'position'"):
        explain(coder, data, latents, covariates=["positon"])


def test_without_seeds_nothing_is_confirmed(attribution):
    assert not attribution["confirmed"].any() and "n_confirmed_latents" not in attribution.attrs
    assert set(attribution["confirmed_status"].values[attribution["association_q"] < 1]) == {
        "not assessable: one seed says nothing about stability; train 5 (seeds=5)"
    }

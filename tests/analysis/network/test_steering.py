"""Dims of a variable set to another condition make the network answer that one."""

import numpy as np
import pytest
import torch

from make.planted_network import N_DIMS, SITE
from nwbsparse.analysis.network.site_channels import SiteChannels, raw_dims
from nwbsparse.analysis.network.steered_answers import (
    other_conditions,
    profiles,
    set_to,
    target_effect,
)
from nwbsparse.analysis.network.steering import ENTANGLED, NOT_ENCODED, STEERABLE, outcome, steering
from nwbsparse.errors import BadInput
from nwbsparse.splice.heads import Head


@pytest.fixture(scope="module")
def steered(known):
    _, sessions, model = known
    return steering(model, sessions, raw_dims("latents"), at=SITE, doses=(0, 1, 2))


def test_the_other_condition_is_answered_and_the_rest_stays(steered):
    own = steered.sel(representation="latents")
    assert (own.target.sel(dose=1) > 0.95).all()
    assert (own.worst_off_target_area < 0.05).all()
    assert (own.outcome == STEERABLE).all()


def test_rotated_dims_move_others_too(known):
    _, sessions, model = known
    generator = torch.Generator().manual_seed(1)
    turn = torch.linalg.qr(torch.randn(N_DIMS, N_DIMS, generator=generator))[0]
    turned = SiteChannels("latents", lambda x: x @ turn, lambda z: z @ turn.T)
    found = steering(model, sessions, turned, at=SITE, doses=(0, 2), counts=(5,))
    outcomes = found.outcome.sel(representation=["latents", "raw dims"])
    assert (outcomes.sel(representation="latents") == ENTANGLED).any()
    assert (outcomes.sel(representation="raw dims") == STEERABLE).sum() > 0


def test_outcomes_have_their_bounds():
    assert outcome(0.5, 0.25) == STEERABLE
    assert outcome(0.5, 0.26) == ENTANGLED
    assert outcome(0.49, 0.0) == ENTANGLED
    assert outcome(0.09, 0.0) == NOT_ENCODED
    assert outcome(float("nan"), 0.0) == NOT_ENCODED
    assert outcome(0.8, float("nan")) == STEERABLE


def test_another_condition_is_never_the_one_that_was_shown():
    shown = np.array([0, 1, 2, -1] * 50)
    wanted = other_conditions(shown, np.array([0, 1, 2]), np.random.default_rng(0))
    assert (wanted[shown < 0] == -1).all()
    assert (wanted[shown >= 0] != shown[shown >= 0]).all()
    assert set(wanted[shown >= 0]) == {0, 1, 2}
    alone = other_conditions(np.array([0, 0]), np.array([0, 0]), np.random.default_rng(0))
    assert (alone == -1).all()


def test_latents_are_set_trial_by_trial_over_several_passes():
    values = profiles(torch.tensor([[[1.0, 5.0]], [[3.0, 5.0]], [[8.0, 5.0]]]), np.array([0, 0, 1]))
    assert torch.equal(values[:, 0, 0], torch.tensor([2.0, 8.0]))
    change = set_to([0], values, np.array([1, -1, 0]), 0.5)
    first, second = change(torch.full((2, 1, 2), 7.0)), change(torch.full((1, 1, 2), 7.0))
    assert first[:, 0].tolist() == [[4.0, 7.0], [7.0, 7.0]]
    assert second[:, 0].tolist() == [[1.0, 7.0]]


def test_effect_of_numbers_is_the_share_of_the_way():
    head = Head("continuous")
    before = torch.tensor([[0.0], [0.0], [2.0], [2.0]])
    shown, wanted = np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])
    after = torch.tensor([[1.0], [1.0], [1.0], [1.0]])
    assert target_effect(head, before, after, shown, wanted) == pytest.approx(0.5)
    assert target_effect(head, before, before, shown, wanted) == 0.0


def test_effect_of_categories_is_a_share_of_their_probability():
    head = Head("category", 2)
    before = torch.tensor([[9.0, -9.0], [-9.0, 9.0]])
    shown, wanted = np.array([0, 1]), np.array([1, 0])
    assert target_effect(head, before, before.flip(1), shown, wanted) == pytest.approx(1.0)
    unsure = torch.zeros(2, 2)
    assert target_effect(head, before, unsure, shown, wanted) == pytest.approx(0.5, abs=1e-3)
    assert np.isnan(target_effect(head, unsure, before, shown, wanted))


def test_doses_that_do_not_grow_from_nothing_are_refused(known):
    _, sessions, model = known
    for doses in ((0.5, 1.0), (0.0,), (0.0, 1.0, 1.0)):
        with pytest.raises(BadInput, match="grow from 0"):
            steering(model, sessions, raw_dims(), at=SITE, doses=doses)

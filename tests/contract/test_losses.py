"""What every loss must do, whoever brings it."""

import pytest
import torch

from nwbsparse.models.losses import LOSSES, reconstruction_loss
from nwbsparse.options.legality import LEGAL_TARGETS, targets_of

KINDS = pytest.mark.parametrize("kind", [*LOSSES])
MODELS, BINS, UNITS = 2, 5, 3
GIVEN = {None: (), "tau": (1.0,), "dispersion": (torch.full((MODELS, UNITS), 0.5),)}


def given(kind):
    """Rates near counts, and what else the loss needs."""
    draw = torch.Generator().manual_seed(0)
    counts = torch.poisson(torch.full((BINS, UNITS), 2.0), generator=draw)
    rates = counts + 0.3 * torch.rand(MODELS, BINS, UNITS, generator=draw)
    return rates, counts, GIVEN[LOSSES.fact(kind, "needs")]


@KINDS
def test_it_is_like_one_of_ours_and_legal_with_its_targets(kind):
    assert targets_of(kind) == LEGAL_TARGETS[LOSSES.fact(kind, "like")]


@KINDS
def test_every_entry_counts_by_itself_and_finitely(kind):
    rates, counts, more = given(kind)
    term = LOSSES[kind](rates, counts, *more)
    assert term.shape == rates.shape and torch.isfinite(term).all()
    other = rates.clone()
    other[0, 0, 0] += 1
    changed = LOSSES[kind](other, counts, *more) != term
    assert changed[0, 0, 0] and int(changed.sum()) == 1


@KINDS
def test_what_was_not_observed_has_no_loss_and_no_gradient(kind):
    rates, counts, more = given(kind)
    valid = torch.ones(BINS, UNITS, dtype=torch.bool)
    valid[1, 2] = False
    rates.requires_grad_()
    loss = reconstruction_loss(kind, rates, counts, valid, *more)
    assert loss.shape == (MODELS,)
    loss.sum().backward()
    assert (rates.grad[:, 1, 2] == 0).all() and torch.isfinite(rates.grad).all()
    assert (rates.grad[:, valid] != 0).any()


@KINDS
def test_what_is_far_off_costs_more_than_what_is_near(kind):
    rates, counts, more = given(kind)
    near, far = (reconstruction_loss(kind, by * rates, counts, None, *more) for by in (1, 5))
    assert (far > near).all()

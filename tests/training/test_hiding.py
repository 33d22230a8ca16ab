"""Entries hidden while training: which, how many, and that nothing but a counter decides it."""

import numpy as np
import pytest
import torch

from make.coders import make_coder, windows
from make.configs import plain_config
from make.fits import KINDS
from make.sessions import make_binned, planted
from nwbsparse.errors import BadInput
from nwbsparse.models.stack import Stack
from nwbsparse.training.bins import Batch
from nwbsparse.training.fit import fit, fit_many
from nwbsparse.training.hiding import Hiding, unit_groups

APART = torch.arange(6)


def test_a_counter_and_a_key_decide_and_nothing_else():
    hiding = Hiding(0.25, APART, 3)
    counters = [0, 1, 7, 2**40, 2**63 + 5]
    first = {counter: hiding.entries(counter, 200) for counter in counters}
    for counter in reversed(counters):
        assert torch.equal(Hiding(0.25, APART, 3).entries(counter, 200), first[counter])
    drawn = [*first.values(), Hiding(0.25, APART, 4).entries(0, 200)]
    for at, one in enumerate(drawn):
        for other in drawn[at + 1 :]:
            assert 0.2 < float((one != other).double().mean()) < 0.55, "as independent draws differ"


def test_no_random_state_is_read_or_moved():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = Hiding(0.25, APART, 3).entries(5, 50)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert torch.equal(Hiding(0.25, APART, 3).entries(5, 50), one)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
def test_the_share_is_that_of_all_entries(share):
    hidden = Hiding(share, APART, 0).entries(0, 40_000).double()
    spread = np.sqrt(share * (1 - share))
    assert float(hidden.mean()) == pytest.approx(share, abs=4 * spread / np.sqrt(hidden.numel()))
    for units in hidden.mean(dim=0):
        assert float(units) == pytest.approx(share, abs=5 * spread / np.sqrt(40_000))
    apart = np.corrcoef(hidden.numpy().T)[np.triu_indices(6, 1)]
    assert np.abs(apart).max() < 0.03, "each unit by itself"


def test_groups_are_hidden_together():
    group = torch.tensor([0, 1, 0, 2, 1, 0])
    hidden = Hiding(0.25, group, 0).entries(3, 4000)
    for number in range(3):
        own = hidden[:, group == number]
        assert torch.equal(own.any(dim=1), own.all(dim=1))
        assert float(own.double().mean()) == pytest.approx(0.25, abs=0.03)
    assert not torch.equal(hidden[:, 0], hidden[:, 1])


@pytest.mark.parametrize("decoded", ["all", "last"])
def test_in_all_bins_of_a_window(decoded):
    coder = make_coder(encoder="window", window=4, decoded=decoded, normalisation="zscore")
    y, target = windows(coder, 50)
    y = y + 1  # or what happens to be zero would look hidden
    given = Batch(y, target, None)
    hiding = Hiding(0.25, APART, 0)
    batch, hidden = hiding.applied(given, 9, torch.zeros(6)), hiding.entries(9, 50)
    assert torch.equal(batch.y == 0, hidden[:, None].expand(y.shape))
    torch.testing.assert_close(batch.y, torch.where(hidden[:, None], 0.0, y / 0.75))
    n_decoded = 4 if decoded == "all" else 1
    assert torch.equal(
        batch.valid.view(50, n_decoded, 6), hidden[:, None].expand(-1, n_decoded, -1)
    )
    assert torch.equal(batch.target, target)
    assert batch.weight == 4.0
    assert given.valid is None
    assert torch.equal(given.y, y), "the batch that was given stays"


def test_what_was_not_observed_is_not_asked_for():
    coder = make_coder(normalisation="zscore")
    y, target = windows(coder, 300)
    observed = torch.rand(300, 6, generator=torch.Generator().manual_seed(0)) < 0.5
    hiding = Hiding(0.25, APART, 0)
    asked = hiding.applied(Batch(y, target, observed), 0, torch.zeros(6)).valid
    assert torch.equal(asked, hiding.entries(0, 300) & observed)


@pytest.mark.parametrize("kind", ["batch_topk", "l1", "gated", "levels"])
def test_the_loss_is_in_the_mean_that_of_all_entries(kind):
    """Of one prediction: what is asked for changes, what is seen does not."""
    coder = make_coder(n_units=6, **(KINDS[kind] | {"normalisation": "zscore"}))
    y, target = windows(coder, 64)
    stack = Stack([coder])
    penalty_free = float(stack.forward(y, target, None).loss.detach())
    hiding = Hiding(0.25, APART, 0)
    losses = []
    for counter in range(400):
        asked = hiding.entries(counter, 64)
        losses.append(float(stack.forward(y, target, asked, weight=4.0).loss.detach()))
    error = np.std(losses) / np.sqrt(len(losses))
    assert np.mean(losses) == pytest.approx(penalty_free, abs=4 * error)
    assert error < 0.03 * penalty_free


def test_where_nothing_is_centred_hidden_is_the_mean():
    """Of counts as they are, with their mean taken off before they are encoded (recipe, 3)."""
    data = make_binned(planted(600))
    config = plain_config(
        normalisation="none", mask=0.25, n_latents=8, k=2, batch_size=64, max_epochs=1
    )
    coder = fit(data, config)
    assert float(coder.pre_bias.min()) > 0
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        forward = Stack.forward

        def looking(stack, y, *given, **more):
            seen.append((y - stack.coders[0].pre_bias).detach())
            return forward(stack, y, *given, **more)

        patch.setattr(Stack, "forward", looking)
        fit(data, config)
    batch = next(one for one in seen if len(one) == 64)
    assert float((batch == 0).double().mean()) == pytest.approx(0.25, abs=0.05)


MASKED = {"mask": 0.25, "normalisation": "scaled", "sign": "nonnegative"}
MEMBERS = [
    {"seed": 1, "learning_rate": 1e-3, "clip": 0.0, "aux_weight": 0.3},
    {"seed": 2, "learning_rate": 2e-2, "clip": 0.05, "dead_window": 5},
]
PENALISED = ("l1", "exponential", "jumprelu", "gated")
LEFT_OUT = ("resample", "transcoder")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in LEFT_OUT])
def test_a_member_of_a_stack_learns_what_it_learns_alone(kind):
    data = make_binned(planted(700)).assign_coords(group=("unit", np.arange(16) // 2))
    exact = {"batch_size": 64, "max_epochs": 3, "precision": "float64", "dead_window": 9}
    weights = [{"penalty_weight": w} if kind in PENALISED else {} for w in (0.03, 0.3)]
    configs = [
        plain_config(**KINDS[kind] | exact | MASKED | {"groups": "found"} | one | more)
        for one, more in zip(MEMBERS, weights, strict=True)
    ]
    together = fit_many(data, configs)
    assert together[0].config.mask == 0.25
    for one, config in zip(together, configs, strict=True):
        alone = fit(data, config)
        for name, value in alone.state_dict().items():
            torch.testing.assert_close(one.state_dict()[name], value, rtol=0, atol=1e-10, msg=name)
        for row, other in zip(one.record.history, alone.record.history, strict=True):
            assert row == pytest.approx(other, rel=1e-10, abs=1e-10)
    unmasked = fit(data, configs[0].replace(mask=0.0))
    assert not torch.allclose(unmasked.dictionary, together[0].dictionary, atol=1e-3)


def test_dictionaries_are_nonnegative_with_rows_of_unit_length():
    data = make_binned(planted(700))
    coder = fit(data, plain_config(**MASKED, n_latents=12, k=2, batch_size=64, max_epochs=4))
    rows = coder.dictionary.detach()
    assert float(rows.min()) == 0
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(12))


def test_groups_of_units():
    data = make_binned(planted(300))
    assert unit_groups("found", data).tolist() == list(range(16)), "nobody looked for any"
    data = data.assign_coords(
        group=("unit", [5, 5, *range(10, 24)]), shank=("unit", ["b", "a"] * 8)
    )
    assert unit_groups("found", data)[:3].tolist() == [unit_groups("found", data)[0]] * 2 + [
        unit_groups("found", data)[2]
    ]
    assert len(np.unique(unit_groups("found", data))) == 15
    assert unit_groups("none", data).tolist() == list(range(16))
    assert unit_groups("shank", data).tolist() == [1, 0] * 8
    with pytest.raises(BadInput, match="did you mean 'shank'"):
        unit_groups("shanks", data)

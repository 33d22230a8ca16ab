"""Many coders trained at once: each learns what it would have learned alone."""

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.fits import KINDS, everything
from make.sessions import make_binned, planted
from nwbsparse.errors import BadInput
from nwbsparse.training import memory as fitting
from nwbsparse.training.engine import TrainingDiverged
from nwbsparse.training.fit import fit, fit_many

EXACT = {"batch_size": 64, "max_epochs": 3, "precision": "float64", "dead_window": 9}
MEMBERS = [
    {"seed": 0},
    {"seed": 1, "learning_rate": 1e-3, "weight_decay": 0.05, "clip": 0.0, "aux_weight": 0.3},
    {"seed": 2, "learning_rate": 2e-2, "clip": 0.05, "dead_window": 5, "patience": 2},
]
WEIGHTS, WIDTHS = (0.03, 0.3, 1.0), (0.01, 0.1, 0.5)
PENALISED = {
    "l1": [{"penalty_weight": weight} for weight in WEIGHTS],
    "gated": [{"penalty_weight": weight} for weight in WEIGHTS],
    "exponential": [
        {"penalty_weight": w, "bandwidth": b} for w, b in zip(WEIGHTS, WIDTHS, strict=True)
    ],
    "jumprelu": [
        {"penalty_weight": w, "bandwidth": b} for w, b in zip(WEIGHTS, WIDTHS, strict=True)
    ],
}


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(700))


def members(kind, **options):
    own = PENALISED.get(kind, [{}] * len(MEMBERS))
    return [
        plain_config(**(KINDS[kind] | EXACT | options | one | more))
        for one, more in zip(MEMBERS, own, strict=True)
    ]


def distance(one, other):
    """The largest difference between any two numbers of the coders."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a.double() - b.double()).abs().max()) for a, b in pairs)


def alike(one, other, *, within=1e-10):
    """Same options, same weights, same course of the training."""
    assert one.config == other.config
    assert distance(one, other) < within
    histories = one.record.history, other.record.history
    assert len(histories[0]) == len(histories[1])
    for rows in zip(*histories, strict=True):
        for name, value in rows[0].items():
            assert rows[1][name] == pytest.approx(value, rel=within, abs=within), name


@pytest.mark.parametrize("epochs", [3, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_in_double_precision_a_member_is_its_single_fit(kind, epochs, data):
    configs = members(kind, max_epochs=epochs)[1:]
    found = fit_many(data, configs)
    for one, config in zip(found, configs, strict=True):
        alike(one, fit(data, config))
    apart = [distance(found[0], other) for other in found[1:]]
    assert min(apart) > 0.005, "members must differ, or the test compares nothing"


@pytest.mark.parametrize("revival", ["paper", "none"])
def test_so_it_is_with_every_revival(revival, data):
    configs = members("batch_topk", revival=revival, dead_window=3)
    for one, config in zip(fit_many(data, configs), configs, strict=True):
        alike(one, fit(data, config))


def test_so_it_is_where_units_were_not_always_observed(data):
    valid = np.random.default_rng(0).random(data["counts"].shape) < 0.9
    data = data.assign(valid=(("time", "unit"), valid))
    configs = members("window", loss="poisson")[1:]
    for one, config in zip(fit_many(data, configs), configs, strict=True):
        alike(one, fit(data, config))


def test_so_it_is_with_another_recording_as_target(data):
    target = make_binned(planted(700, seed=3)[:, :5])
    configs = members("batch_topk")[:2]
    for one, config in zip(fit_many(data, configs, target=target), configs, strict=True):
        alike(one, fit(data, config, target=target))


@pytest.mark.parametrize("kind", ["batch_topk", "topk", "exponential", "transformer"])
def test_in_single_precision_it_is_for_twenty_updates(kind, data):
    configs = members(kind, precision="float32", batch_size=80, max_epochs=5)[1:]
    for one, config in zip(fit_many(data, configs), configs, strict=True):
        alone = fit(data, config)
        assert alone.record.history[-1]["update"] == 20
        assert distance(one, alone) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["batch_topk", "exponential", "levels", "transformer"])
def test_and_as_good_in_the_end(kind, data):
    configs = members(kind, precision="float32", max_epochs=40)
    for one, config in zip(fit_many(data, configs), configs, strict=True):
        last, alone = (made.record.history[-1] for made in (one, fit(data, config)))
        assert last["validation_loss"] == pytest.approx(alone["validation_loss"], rel=0.05)
        assert last["r2"] == pytest.approx(alone["r2"], abs=0.03)


def test_members_that_stop_early_leave_the_others_as_if_alone(data):
    # too high a rate gets no better, sooner or later; one goes on to the end
    rates = (0.3, 0.3, 0.2, 5e-3)
    configs = [
        plain_config(
            **KINDS["batch_topk"] | EXACT | {"max_epochs": 15},
            schedule="constant",
            learning_rate=rate,
            seed=seed,
            patience=2 + 2 * (seed == 1),
        )
        for seed, rate in enumerate(rates)
    ]
    found = fit_many(data, configs)
    ends = [one.record.history[-1]["update"] for one in found]
    assert len(set(ends)) >= 3, f"they must stop at different times, not {ends}"
    for one, config in zip(found, configs, strict=True):
        alike(one, fit(data, config))


@pytest.mark.fault(50)
@pytest.mark.parametrize("kind", ["batch_topk", "topk", "l1", "jumprelu"])
def test_a_member_that_diverges_harms_no_other(kind, data):
    configs = members(kind)
    configs[1] = configs[1].replace(learning_rate=1e6)
    found = fit_many(data, configs)
    with pytest.raises(TrainingDiverged) as alone:
        fit(data, configs[1])
    assert isinstance(found[1], TrainingDiverged)
    assert str(found[1]) == str(alone.value)
    for at in (0, 2):
        alike(found[at], fit(data, configs[at]))


def test_all_of_them_may_diverge(data):
    configs = [plain_config(**KINDS["l1"] | EXACT, learning_rate=rate) for rate in (1e6, 1e7)]
    assert all(isinstance(one, TrainingDiverged) for one in fit_many(data, configs))


def mixed():
    """Options of several shapes, in no order."""
    small = {"batch_size": 128, "max_epochs": 2}
    return [
        plain_config(**KINDS["window"], **small, seed=1),
        plain_config(**KINDS["batch_topk"], **small, seed=1),
        plain_config(**KINDS["batch_topk"], **small, learning_rate=1e6),
        plain_config(**KINDS["l1"], **small, penalty_weight=0.2),
        plain_config(**KINDS["window"], **small, seed=2),
        plain_config(**KINDS["batch_topk"], **(small | {"batch_size": 100})),
        plain_config(**(KINDS["batch_topk"] | {"k": 2}), **small, seed=1),
        plain_config(**KINDS["batch_topk"], **small, seed=1),
        plain_config(**KINDS["batch_topk"], **small, seed=1, order_seed=1),
        plain_config(**KINDS["transcoder"], **small),
        plain_config(**KINDS["l1"], **small, penalty_weight=0.3),
    ]


def matches(one, config, data):
    """Whether it is what this config gives alone."""
    if isinstance(one, TrainingDiverged):
        return config.learning_rate == 1e6
    alone = fit(data, config)
    assert one.config == alone.config
    return distance(one, alone) < 1e-5


def test_results_come_in_the_order_of_the_options(data):
    configs = mixed()
    for one, config in zip(fit_many(data, configs), configs, strict=True):
        assert matches(one, config, data)
    assert fit_many(data, []) == []


def test_parts_that_fit_the_cache_change_nothing(data, monkeypatch):
    configs = [plain_config(**KINDS["topk"] | EXACT, seed=s, device="cpu") for s in range(3)]
    alone = [everything(fit(data, config)) for config in configs]
    for cache in (1, 2 * 4 * 64 * 32, 10**9):  # one model, two, all at once
        monkeypatch.setattr(fitting, "CACHE", cache)
        assert [everything(one) for one in fit_many(data, configs)] == alone


def test_progress_counts_models(data):
    seen = []
    fit_many(data, mixed(), progress=lambda stage, done, total, /, **_: seen.append((done, total)))
    assert [total for _, total in seen] == [11] * len(seen)
    done = [one for one, _ in seen]
    assert done == sorted(done) and done[-1] == 11


def test_options_that_cannot_work_are_refused_before_anything_is_trained(data):
    def never(*_, **__):
        raise AssertionError("trained before all options were looked at")

    configs = [plain_config(**KINDS["l1"]), plain_config(batch_size=10_000)]
    with pytest.raises(BadInput, match="batch 10000 >"):
        fit_many(data, configs, progress=never)


def test_the_global_random_state_is_left_alone(data):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit_many(data, mixed()[:3])
    assert torch.equal(torch.rand(3), expected)

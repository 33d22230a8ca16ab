"""Training on a GPU: every kind of coder learns there what it learns on a CPU.

In double precision a short training gives the same numbers, where no two entries tie at the edge of
a selection: of those a GPU may keep others. In single precision trainings part after some updates,
and what they reach is compared.
"""

import warnings

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.fits import KINDS, at_start_of_update, raises
from make.patterns import masked_config, planted_patterns
from make.sessions import make_binned, planted
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.quality.stability import fit_seeds, stability_of
from nwbsparse.errors import EnvironmentProblem
from nwbsparse.models.device import available_bytes, pick_device
from nwbsparse.options.legality import PENALISED
from nwbsparse.training import choose as choosing
from nwbsparse.training import learn as learning
from nwbsparse.training import memory as fitting
from nwbsparse.training import replay as replaying
from nwbsparse.training.engine import SYNC, TrainingDiverged
from nwbsparse.training.fit import fit, fit_many

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="this machine has no CUDA device"
)

SHORT = {"batch_size": 64, "max_epochs": 6, "dead_window": 9, "precision": "float64"}
LONG = {"batch_size": 128, "max_epochs": 40}
WITHOUT_TIES = ("batch_topk", "topk", "l1", "exponential", "jumprelu", "gated", "levels", "window",
                "transformer", "transformer_before", "resample")  # fmt: skip
SAME = 1e-5
"""Largest difference in double precision: step sizes are rounded to single precision on a GPU."""
STEEP = 0.01
"""The same of the exponential penalty, which makes ten thousand times as much of what is rounded."""


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(900))


@pytest.fixture(scope="module")
def longer():
    return make_binned(planted(3000))


@pytest.fixture(scope="module")
def patterns():
    return planted_patterns()


def on(device, kind, *options, **more):
    """A config of a kind on a device."""
    settled = {"device": device}
    for one in (SHORT, KINDS[kind], *options, more):
        settled |= one
    return plain_config(**settled)


def distance(one, other):
    """The largest difference between any two numbers of the coders."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a.double() - b.double()).abs().max()) for a, b in pairs)


def best_of(coder, name="r2"):
    """A number of the check whose weights were kept."""
    return min(coder.record.history, key=lambda row: row["validation_loss"])[name]


def test_automatic_is_the_gpu_where_there_is_one():
    assert pick_device("auto").type == pick_device("cuda").type == "cuda"


def test_a_coder_comes_back_on_the_cpu_and_encodes_there_as_on_the_gpu(longer):
    coder = fit(longer, plain_config(n_latents=32, k=3, **LONG, device="cuda"))
    assert {one.device.type for one in coder.state_dict().values()} == {"cpu"}
    assert not coder.training
    here = dense(encode(coder, longer))
    there = coder.to("cuda")(torch.from_numpy(longer["counts"].values).cuda()).cpu().numpy()
    coder.cpu()
    # what lies at the threshold may fall to either side
    assert (np.abs(here - there) > 1e-4).mean() < 1e-4
    train = longer["split"].values == 0
    assert (here[train] > 0).sum(axis=1).mean() == pytest.approx(3, rel=0.02)


@pytest.mark.parametrize("kind", WITHOUT_TIES)
def test_in_double_precision_a_short_training_gives_the_same_numbers(kind, data):
    there, here = (fit(data, on(device, kind)) for device in ("cuda", "cpu"))
    within = STEEP if kind == "exponential" else SAME
    assert distance(there, here) < within
    for one, other in zip(there.record.history, here.record.history, strict=True):
        assert one == pytest.approx(other, rel=within, abs=within)


@pytest.mark.parametrize("revival", ["paper", "none"])
def test_so_it_does_with_every_revival(revival, data):
    options = {"revival": revival, "dead_window": 3}
    there, here = (fit(data, on(device, "topk", options)) for device in ("cuda", "cpu"))
    assert distance(there, here) < SAME


@pytest.mark.parametrize("loss", ["msle", "poisson", "negative_binomial"])
def test_so_it_does_with_every_loss_where_units_were_not_always_observed(loss, data):
    valid = np.random.default_rng(0).random(data["counts"].shape) < 0.9
    given = data.assign(valid=(("time", "unit"), valid))
    there, here = (fit(given, on(device, "l1", loss=loss)) for device in ("cuda", "cpu"))
    assert distance(there, here) < 1e-4  # log Γ is another there


def test_so_it_does_with_another_recording_as_target(data):
    target = make_binned(planted(900, seed=3)[:, :5])
    there, here = (fit(data, on(device, "l1"), target=target) for device in ("cuda", "cpu"))
    assert distance(there, here) < SAME


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reaches_what_it_reaches_on_a_cpu(kind, longer):
    options = {"precision": "float32", "dead_window": 200, **LONG}
    there, here = (fit(longer, on(device, kind, options)) for device in ("cuda", "cpu"))
    assert best_of(there) == pytest.approx(best_of(here), abs=0.03)
    # of penalised kinds nothing says how many are active: that parts like any other number
    within = 0.15 if here.config.sparsifier in PENALISED else 0.01
    assert best_of(there, "l0") == pytest.approx(best_of(here, "l0"), rel=within)


def test_short_products_reach_as_much(longer):
    full, short = (
        fit(longer, on("cuda", "batch_topk", LONG, precision=precision, dead_window=200))
        for precision in ("float32", "bfloat16")
    )
    assert best_of(short) == pytest.approx(best_of(full), abs=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_updates_that_are_replayed_are_those_that_are_acted_out(kind, data, monkeypatch):
    # dead latents come and go: both recordings are used
    config = on("cuda", kind, max_epochs=12)
    replayed = fit(data, config)
    monkeypatch.setattr(replaying, "FIRST", 10**9)
    assert distance(replayed, fit(data, config)) < 1e-9


MEMBERS = [
    {"seed": 0},
    {"seed": 1, "learning_rate": 1e-3, "weight_decay": 0.05, "clip": 0.0, "aux_weight": 0.3},
    {"seed": 2, "learning_rate": 2e-2, "clip": 0.05, "dead_window": 5, "patience": 2},
]


@pytest.mark.parametrize("kind", ["batch_topk", "topk", "l1", "jumprelu", "levels", "window"])
def test_a_member_of_a_stack_is_its_single_fit(kind, data):
    configs = [on("cuda", kind, member) for member in MEMBERS]
    found = fit_many(data, configs)
    for one, config in zip(found, configs, strict=True):
        assert distance(one, fit(data, config)) < SAME
    assert distance(found[0], found[1]) > 0.005, "members must differ, or nothing is compared"


def test_a_member_that_diverges_or_stops_early_harms_no_other(data):
    rates = (1e6, 0.3, 0.2, 5e-3)
    configs = [
        on("cuda", "topk", seed=seed, learning_rate=rate, schedule="constant", patience=2,
           max_epochs=15)
        for seed, rate in enumerate(rates)
    ]  # fmt: skip
    found = fit_many(data, configs)
    assert isinstance(found[0], TrainingDiverged)
    assert "in one of the last" in str(found[0])
    ends = [one.record.history[-1]["update"] for one in found[1:]]
    assert len(set(ends)) > 1, "they must stop at different times"
    for one, config in zip(found[1:], configs[1:], strict=True):
        assert distance(one, fit(data, config)) < SAME


def test_stacks_that_take_too_much_are_trained_in_parts(data, monkeypatch):
    configs = [on("cuda", "topk", seed=seed) for seed in range(3)]
    together = fit_many(data, configs)
    sizes = []
    original = fitting.check_fits

    def noting(*given, models):
        sizes.append(models)
        original(*given, models=models)

    for module in ("nwbsparse.training.train.check_fits", "nwbsparse.training.prepare.check_fits"):
        monkeypatch.setattr(module, noting)
    monkeypatch.setattr(fitting, "available_bytes", lambda device: 1)
    apart = fit_many(data, configs)
    assert max(sizes) == 1
    assert max(distance(*pair) for pair in zip(apart, together, strict=True)) < SAME


def test_seeds_are_their_single_fits(patterns):
    config = masked_config(replicates=0, seeds=3, device="cuda", precision="float64", max_epochs=5)
    found = fit_seeds(patterns[0], config)
    for seed, one in enumerate(found.coders):
        alone = fit(patterns[0], config.replace(seed=seed, seeds=1))
        assert distance(one, alone) < SAME


@pytest.mark.parametrize("kind", ["batch_topk", "jumprelu", "resample"])
def test_stopped_and_resumed_it_is_the_same(kind, data, tmp_path):
    config = on("cuda", kind)
    expected = fit(data, config)
    for number in (5, 13, 17):
        with pytest.MonkeyPatch.context() as patch:
            at_start_of_update(patch, number, raises(2))  # SIGINT
            with pytest.raises(KeyboardInterrupt):
                fit(data, config, checkpoint=tmp_path, resume=True)
    made = fit(data, config, checkpoint=tmp_path, resume=True)
    assert distance(made, expected) < SAME
    assert len(made.record.history) == len(expected.record.history)


def test_hidden_entries_are_those_that_are_hidden_on_a_cpu(patterns):
    options = {"seeds": 1, "replicates": 0, "precision": "float64", "max_epochs": 3}
    there, here = (
        fit(patterns[0], masked_config(**options, device=device)) for device in ("cuda", "cpu")
    )
    assert distance(there, here) < SAME


def test_the_recipe_finds_what_was_planted(patterns):
    data, planted_rows = patterns
    coder = fit(data, masked_config(device="cuda"))
    wanted = planted_rows / data["counts"].values[data["split"].values == 0].std(axis=0)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert 4 <= coder.n_latents <= 5
    assert (wanted @ coder.dictionary.detach().numpy().T).max(axis=1).min() > 0.95
    assert int(stability_of(coder)["stable"].sum()) >= 4


def test_what_is_open_is_chosen_and_resumes(patterns, monkeypatch, tmp_path):
    monkeypatch.setattr(learning, "SEED_UPDATES", 30)
    monkeypatch.setattr(learning, "REFIT_UPDATES", 20)
    for name, value in {"UPDATES": 20, "SIGMAS": (0.0, 0.1), "SIZES": (4, 8, 16)}.items():
        monkeypatch.setattr(choosing, name, value)
    config = masked_config(
        choose="all", smoothing=None, mask=None, n_latents=None, k=None, seeds=2, device="cuda",
        precision="float64",
    )  # fmt: skip
    expected = fit(patterns[0], config)
    with pytest.MonkeyPatch.context() as patch:
        at_start_of_update(patch, 170, raises(2))
        with pytest.raises(KeyboardInterrupt):
            fit(patterns[0], config, checkpoint=tmp_path)
    made = fit(patterns[0], config, checkpoint=tmp_path, resume=True)
    assert made.record.options == expected.record.options
    assert distance(made, expected) < SAME


@pytest.mark.parametrize("kind", ["batch_topk", "topk", "l1", "levels"])
def test_of_ten_updates_few_wait_for_the_gpu(kind, longer):
    options = KINDS[kind] | {"mask": 0.25, "batch_size": 200, "dead_window": 3, "patience": 1000}
    per_epoch = int((longer["split"].values == 0).sum()) // 200
    waits = [
        waits_of(lambda n=n: fit(longer, plain_config(**options, max_epochs=n, device="cuda")))
        for n in (40, 40, 80)  # the first also makes what later ones find
    ]
    more = 40 * per_epoch
    assert waits[2] - waits[1] < 3 * more / SYNC, f"{waits[1:]} waits, {more} more updates"


def waits_of(act):
    """How many times the host waited for the GPU."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            act()
        finally:
            torch.cuda.set_sync_debug_mode(before)
    return sum("synchronizing CUDA operation" in str(one.message) for one in said)


def test_what_torch_keeps_of_an_earlier_training_counts_as_free():
    device = torch.device("cuda")
    torch.cuda.empty_cache()
    before = available_bytes(device)
    table = torch.empty(500_000_000, dtype=torch.uint8, device=device)
    assert before - available_bytes(device) > 400_000_000
    del table
    assert before - available_bytes(device) < 100_000_000


def test_a_coder_that_does_not_fit_is_refused(data):
    config = plain_config(n_latents=2_000_000_000, k=4, device="cuda", max_epochs=1)
    with pytest.raises(EnvironmentProblem, match="GB on cuda"):
        fit(data, config)

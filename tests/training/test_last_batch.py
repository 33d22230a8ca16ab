"""The bins of a pass that fill no batch: left out of it, or a smaller batch of their own."""

import signal
from itertools import chain

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.fits import KINDS, at_start_of_update, everything, raises
from make.sessions import make_binned, planted
from nwbsparse.errors import BadInput
from nwbsparse.options.automatic import updates_per_epoch
from nwbsparse.options.config import Config
from nwbsparse.options.presets import preset
from nwbsparse.training import train as fitting
from nwbsparse.training.engine import Training
from nwbsparse.training.fit import fit, fit_many
from nwbsparse.training.prepare import new_coders

RUN = {"batch_size": 64, "max_epochs": 3}


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(700))


def visited(data, **options):
    """The bins of each batch of a training, and the updates that its record speaks of."""
    seen = []
    act = Training._act
    with pytest.MonkeyPatch.context() as patch:

        def noting(self, index, *given):
            seen.append(index.tolist())
            return act(self, index, *given)

        patch.setattr(Training, "_act", noting)
        coder = fit(data, plain_config(n_latents=24, k=3, **RUN | options))
    return seen, coder.record.history[-1]["update"]


def test_kept_every_bin_is_visited_once_in_every_pass(data):
    train = np.flatnonzero(data["split"].values == 0)
    assert len(train) % 64, "or nothing is left"
    batches, updates = visited(data, last_batch="keep")
    per_pass = -(-len(train) // 64)
    assert len(batches) == updates == 3 * per_pass
    for at in range(0, updates, per_pass):
        of_pass = batches[at : at + per_pass]
        assert sorted(chain(*of_pass)) == train.tolist()
        assert [len(one) for one in of_pass] == [64] * (per_pass - 1) + [len(train) % 64]


def test_dropped_all_batches_are_whole(data):
    batches, updates = visited(data)
    n_train = int((data["split"].values == 0).sum())
    assert len(batches) == updates == 3 * (n_train // 64)
    assert {len(one) for one in batches} == {64}


def test_where_nothing_is_left_both_are_the_same(data):
    n_train = int((data["split"].values == 0).sum())
    whole = next(size for size in range(20, n_train) if n_train % size == 0)
    made = [
        fit(data, plain_config(n_latents=24, k=3, max_epochs=2, batch_size=whole, last_batch=last))
        for last in ("keep", "drop")
    ]
    assert everything(made[0])[1] == everything(made[1])[1]
    assert made[0].id == made[1].id, "nor is it part of what a coder is"


@pytest.mark.parametrize(
    ("n_train", "size", "kept"), [(64, 64, 1), (65, 64, 2), (127, 64, 2), (128, 64, 2), (1, 1, 1)]
)
def test_updates_of_a_pass(n_train, size, kept):
    assert updates_per_epoch(n_train, size, "keep") == kept
    assert updates_per_epoch(n_train, size, "drop") == n_train // size


@pytest.mark.parametrize(
    "kind", ["batch_topk", "topk", "exponential", "jumprelu", "levels", "window"]
)
def test_a_member_of_a_stack_is_its_single_fit_with_smaller_batches_too(kind, data):
    options = KINDS[kind] | RUN | {"last_batch": "keep", "precision": "float64"}
    configs = [plain_config(**options, seed=seed) for seed in (0, 1)]
    for found, config in zip(fit_many(data, configs), configs, strict=True):
        alone = fit(data, config)
        for name, tensor in alone.state_dict().items():
            torch.testing.assert_close(found.state_dict()[name], tensor, atol=1e-9, rtol=1e-9)


def test_hidden_entries_go_with_smaller_batches(data):
    options = RUN | {"mask": 0.25, "groups": "none", "last_batch": "keep"}
    assert fit(data, plain_config(n_latents=24, k=3, **options)).record.history


@pytest.mark.parametrize("kind", ["batch_topk", "topk", "l1"])
def test_stopped_anywhere_it_goes_on_to_the_same_bytes(kind, data, tmp_path):
    config = plain_config(**KINDS[kind], **RUN, last_batch="keep")
    expected = fit(data, config)
    per_pass = expected.record.history[-1]["update"] // RUN["max_epochs"]
    for at, update in enumerate((per_pass - 1, per_pass, per_pass + 1, 2 * per_pass)):
        folder = tmp_path / str(at)
        with pytest.MonkeyPatch.context() as patch:
            at_start_of_update(patch, update, raises(signal.SIGTERM))
            with pytest.raises(KeyboardInterrupt):
                fit(data, config, checkpoint=folder, resume=True)
        assert everything(fit(data, config, checkpoint=folder, resume=True)) == everything(expected)


@pytest.mark.parametrize("last", ["keep", "drop"])
def test_the_published_recipe_is_the_loop_that_anyone_would_write(last):
    """Torch's own layers, top-k, loss and Adam from the same start in the same order, 64 bits."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((330, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    data = make_binned(rows).assign_coords(split=("time", np.zeros(len(rows), np.int8)))
    options = preset("naik2025-code") | {
        "k": 5, "batch_size": 64, "max_epochs": 4, "precision": "float64", "last_batch": last,
    }  # fmt: skip
    config = Config(**options)
    start = new_coders(data, [config])[0]
    encoder, decoder = torch.nn.Linear(8, 64).double(), torch.nn.Linear(64, 8).double()
    with torch.no_grad():
        encoder.weight.copy_(start.encoder_weight)
        encoder.bias.copy_(start.encoder_bias)
        decoder.weight.copy_(start.dictionary.t())
        decoder.bias.copy_(start.decoder_bias)
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
    table, order = torch.from_numpy(rows), torch.Generator().manual_seed(0)
    for _ in range(4):
        for index in torch.randperm(330, generator=order).split(64):
            if len(index) < 64 and last == "drop":
                continue
            active = torch.relu(encoder(table[index]))
            kth = active.topk(5, dim=1).values[:, -1:]
            predicted = decoder(torch.where(active >= kth, active, 0.0))
            optimiser.zero_grad()
            ((predicted - table[index]) ** 2).sum(dim=1).mean().backward()
            optimiser.step()
    coder = fit(data, config)
    for ours, theirs in (
        (coder.encoder_weight, encoder.weight),
        (coder.encoder_bias, encoder.bias),
        (coder.dictionary, decoder.weight.t()),
        (coder.decoder_bias, decoder.bias),
    ):
        torch.testing.assert_close(ours.detach(), theirs.detach(), atol=1e-9, rtol=0)


def stopped_by_a_version_before(data, config, initialisation, folder):
    """Leave the checkpoint of a version that had no word for the last batch."""
    identity = fitting._identity

    def earlier(*given):
        stored = {key: value for key, value in identity(*given).items() if key != "last_batch"}
        return stored | {"initialisation": initialisation}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "_identity", earlier)
        at_start_of_update(patch, 12, raises(signal.SIGTERM))
        with pytest.raises(KeyboardInterrupt):
            fit(data, config, checkpoint=folder, resume=True)


@pytest.mark.parametrize(("now", "then"), [("tied", "tied"), ("uniform_unit", "uniform")])
def test_a_checkpoint_of_before_goes_on(now, then, data, tmp_path):
    config = plain_config(n_latents=24, k=3, rows="free", initialisation=now, **RUN)
    stopped_by_a_version_before(data, config, then, tmp_path)
    made = fit(data, config, checkpoint=tmp_path, resume=True)
    assert everything(made) == everything(fit(data, config))


def test_but_not_as_what_uniform_means_now(data, tmp_path):
    config = plain_config(n_latents=24, k=3, rows="free", initialisation="uniform_unit", **RUN)
    stopped_by_a_version_before(data, config, "uniform", tmp_path)
    with pytest.raises(BadInput, match=r"initialisation \('uniform_unit' then, 'uniform' now\)"):
        fit(data, config.replace(initialisation="uniform"), checkpoint=tmp_path, resume=True)

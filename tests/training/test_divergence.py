"""A loss that leaves the rails stops its training at once and keeps what was good before."""

import math

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.fits import KINDS
from make.sessions import make_binned, planted
from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.models.losses import reconstruction_loss
from nwbsparse.models.schedule import step_size
from nwbsparse.training import engine
from nwbsparse.training.engine import TrainingDiverged
from nwbsparse.training.fit import fit

RUN = {"batch_size": 64, "max_epochs": 4}
TOTAL = 32


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(900))


def explode_at(monkeypatch, update, factor):
    """Make one update take a step that no training survives."""

    def exploding(at, total, kind):
        return factor if at == update else step_size(at, total, kind)

    monkeypatch.setattr(engine, "step_size", exploding)


def held_out_loss(coder, data):
    counts = torch.from_numpy(data["counts"].values[data["split"].values == names.TEST])
    with torch.no_grad():
        y = coder.normalise(counts)
        made = coder.decode(coder.activate(coder.pre_activation(y)))
        return float(reconstruction_loss(coder.config.loss, made, y))


@pytest.mark.fault(50)
@pytest.mark.parametrize("kind", ["batch_topk", "topk", "l1", "jumprelu", "gated", "transformer"])
def test_a_diverging_training_stops_at_the_next_update_and_says_what_to_change(kind, data):
    seen = []

    def watch(stage, done, total, /, **numbers):
        seen.append(done)

    with pytest.raises(TrainingDiverged) as caught:
        fit(data, plain_config(**KINDS[kind], **RUN, learning_rate=1e6), progress=watch)
    said = str(caught.value)
    assert len(seen) <= 2
    assert f"of {TOTAL}" in said
    assert "smaller --learning-rate than 1000000.0" in said
    assert caught.value.exit_code == 2


@pytest.mark.fault(50)
def test_the_message_names_update_and_bins(data, monkeypatch):
    explode_at(monkeypatch, 9, 1e9)  # the tenth
    with pytest.raises(TrainingDiverged) as caught:
        fit(data, plain_config(**KINDS["batch_topk"], **RUN, device="cpu"))
    found = str(caught.value)
    assert "at update 11 of 32" in found
    bins = np.array(found.partition("bins [")[2].partition("]")[0].split(","), dtype=int)
    assert len(bins) == 3
    assert (data["split"].values[bins] == names.TRAIN).all()


@pytest.mark.fault(49)
@pytest.mark.fault(50)
@pytest.mark.parametrize("factor", [1e9, math.inf, math.nan])
@pytest.mark.parametrize("update", [1, 9, TOTAL - 2])
def test_the_error_carries_the_last_good_state(factor, update, data, monkeypatch):
    explode_at(monkeypatch, update, factor)
    states, losses = [], []

    def keep(now):
        if now.members:
            states.append(now.stack.snapshot(0))
            losses.append(now.everyone[0].history[-1]["validation_loss"])

    with pytest.raises(TrainingDiverged) as caught:
        fit(data, plain_config(**KINDS["batch_topk"], **RUN), callbacks=[keep])
    coder = caught.value.coder
    assert coder is not None
    best = int(np.nanargmin(losses[:update]))
    for name, weight in states[best].items():
        assert torch.equal(coder.state_dict()[name], weight.cpu()), name
    assert math.isfinite(held_out_loss(coder, data))
    assert 0 < float(coder.threshold[0]) < 100, "it can be used: its threshold was found"
    assert not coder.training


@pytest.mark.fault(50)
@pytest.mark.parametrize("factor", [1e9, math.inf, math.nan])
def test_without_a_good_state_the_error_carries_none(factor, data, monkeypatch):
    explode_at(monkeypatch, 0, factor)
    with pytest.raises(TrainingDiverged) as caught:
        fit(data, plain_config(**KINDS["batch_topk"], **RUN))
    assert caught.value.coder is None


@pytest.mark.fault(49)
@pytest.mark.parametrize("factor", [math.inf, math.nan])
def test_a_last_update_that_breaks_everything_does_not_pass_for_a_result(factor, data, monkeypatch):
    explode_at(monkeypatch, TOTAL - 1, factor)
    with pytest.raises(TrainingDiverged, match="at update 32 of 32") as caught:
        fit(data, plain_config(**KINDS["batch_topk"], **RUN))
    coder = caught.value.coder
    assert all(torch.isfinite(tensor).all() for tensor in coder.state_dict().values())


@pytest.mark.fault(49)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", [names.TRAIN, names.VALIDATION, names.TEST])
def test_counts_that_are_not_finite_are_refused_with_their_bin(bad, part, data):
    at = np.flatnonzero(data["split"].values == part)[[3, 7]]
    counts = data["counts"].values.astype(np.float32)
    counts[at, 5] = bad
    with pytest.raises(BadInput, match=f"not finite in 2 bins, the first is bin {at[0]}"):
        fit(
            data.assign(counts=(("time", "unit"), counts)),
            plain_config(**KINDS["batch_topk"], **RUN),
        )


@pytest.mark.fault(49)
def test_so_are_those_of_a_target(data):
    counts = data["counts"].values.astype(np.float64)
    counts[77, 1] = np.nan
    target = data.assign(counts=(("time", "unit"), counts))
    with pytest.raises(BadInput, match="not finite in 1 bins, the first is bin 77"):
        fit(data, plain_config(**KINDS["batch_topk"], **RUN), target=target)


def test_a_hard_start_is_no_divergence(data):
    # the first loss is tiny and the next ones much larger: 1,000 times next to nothing is nothing
    counts = np.zeros((900, 4), np.float32)
    counts[::50, 0] = 1e-3
    made = fit(
        make_binned(counts),
        plain_config(n_latents=8, k=1, normalisation="none", pre_bias="none", **RUN),
    )
    assert all(torch.isfinite(tensor).all() for tensor in made.state_dict().values())


@pytest.mark.fault(50)
@pytest.mark.parametrize("factor", [1e9, 1e14, math.inf, math.nan])
def test_nothing_is_resampled_from_what_is_lost(factor, data, monkeypatch):
    explode_at(monkeypatch, 9, factor)
    with pytest.raises(TrainingDiverged) as caught:
        fit(data, plain_config(**KINDS["resample"], **RUN))
    assert math.isfinite(held_out_loss(caught.value.coder, data))

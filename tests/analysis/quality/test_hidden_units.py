"""How well hidden units are told: planted populations, and slow references."""

import json

import numpy as np
import pytest
import torch
from scipy.special import xlogy

from make.coders import make_coder
from make.configs import plain_config
from make.embedded_recordings import projected
from make.hidden import (
    N_UNITS,
    copying,
    independent,
    knowing,
    scaled_coder,
    shared,
    two_sessions,
)
from make.sessions import make_binned, planted
from nwbsparse.analysis.quality import hidden_bins
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.analysis.quality.hidden_said import shared_said
from nwbsparse.analysis.quality.hidden_units import hidden_units
from nwbsparse.embedding.attach import with_embedding
from nwbsparse.training.bins import windows_of
from nwbsparse.training.fit import fit
from nwbsparse.training.hidden_units import folds_of, hidden_scores

TEST = 2


@pytest.fixture(scope="module")
def data():
    return make_binned(shared(), test=0.3)


def by_hand(coder, data, *, zero=None):
    """(y, ŷ, mean) of the test bins in standard deviations, fold after fold, all bins at once."""
    counts = data["counts"].values.astype(np.float64)
    parts = data["split"].values
    train = counts[parts == 0]
    mean, sd = train.mean(axis=0), train.std(axis=0)
    y = coder.normalise(torch.from_numpy(counts[parts == TEST]))
    fold = folds_of(np.arange(counts.shape[1]))
    made = np.zeros(y.shape)
    for number in range(4):
        hidden = fold == number
        seen = y.clone()
        seen[:, hidden] = 0
        with torch.no_grad():
            active = coder.activate(coder.pre_activation(seen / (1 - hidden.mean())))
            if zero is not None:
                active[:, zero] = 0
            made[:, hidden] = coder.decode(active).numpy()[:, hidden]
    return counts[parts == TEST] / sd, made, mean / sd, sd


def test_the_score_is_that_of_every_fold_hidden_in_all_bins(data):
    coder = knowing(data)
    found = hidden_units(coder, data, detail="all")
    y, made, mean, sd = by_hand(coder, data)
    error, around = ((y - made) ** 2).sum(axis=0), ((y - mean) ** 2).sum(axis=0)
    assert float(found["hidden_unit_r2"]) == pytest.approx(1 - error.sum() / around.sum(), rel=1e-5)
    np.testing.assert_allclose(found["unit_hidden_r2"], 1 - error / around, rtol=1e-4)
    counts, rate = y * sd, np.maximum(made * sd, 1e-3 * mean * sd)
    null = counts.mean(axis=0)
    gained = (xlogy(counts, rate / null) - (rate - null)).sum(axis=0) / np.log(2)
    np.testing.assert_allclose(found["unit_hidden_bits"], gained / counts.sum(axis=0), rtol=1e-4)
    assert float(found["hidden_unit_bits"]) == pytest.approx(gained.sum() / counts.sum(), rel=1e-4)


def test_it_is_the_score_by_which_training_chooses():
    data = make_binned(planted(2000), test=0.3)
    config = plain_config(
        n_latents=8, k=2, mask=0.25, normalisation="scaled", sign="nonnegative", smoothing=0.2,
        max_epochs=10, batch_size=128,
    )  # fmt: skip
    coder = fit(data, config)
    index = torch.from_numpy(np.flatnonzero(data["split"].values == TEST))
    wanted = hidden_scores([coder], windows_of(coder.record, data), index, np.arange(16))[0]
    found = hidden_units(coder, data)
    assert float(found["hidden_unit_r2"]) == pytest.approx(wanted.r2, abs=1e-5)
    assert float(found["hidden_unit_r2_se"]) == pytest.approx(wanted.standard_error, rel=1e-3)


def test_a_latent_is_worth_what_is_lost_without_it(data):
    coder = knowing(data)
    found = hidden_units(coder, data, detail="all")
    y, made, mean, _ = by_hand(coder, data)
    around = ((y - mean) ** 2).sum(axis=0)
    for latent in range(coder.n_latents):
        without = by_hand(coder, data, zero=latent)[1]
        lost = ((y - without) ** 2 - (y - made) ** 2).sum(axis=0)
        pooled = lost.sum() / around.sum()
        assert float(found["hidden_gain"][latent]) == pytest.approx(pooled, abs=1e-5)
        np.testing.assert_allclose(found["hidden_gain_unit"][latent], lost / around, atol=1e-5)
    assert (found["hidden_gain"] > 0.01).all()
    assert "hidden_gain_unit" not in hidden_units(coder, data)


def test_a_coder_that_knows_assemblies_tells_units_and_one_that_copies_does_not(data):
    knows, copies = (evaluate(make(data), data, detail="all") for make in (knowing, copying))
    assert float(copies["r2"]) > 0.999
    assert float(knows["hidden_unit_r2"]) > 0.15
    assert float(knows["hidden_unit_bits"]) > 0.1
    assert float(copies["hidden_unit_r2"]) < float(knows["hidden_unit_r2"]) - 0.1
    assert knows.attrs["shares"] == "something"
    assert shared_said(knows).startswith("from the other units' patterns ")
    assert "PCA" in shared_said(knows) and "all units" in shared_said(knows)
    # the units do share something, and it must not be said that they do not
    assert copies.attrs["shares"] == "almost nothing"
    assert "simpler models" in shared_said(copies)


def test_of_independent_units_nothing_is_told():
    data = make_binned(independent(), test=0.3)
    found = hidden_units(knowing(data), data)
    error = float(found["hidden_unit_r2_se"])
    assert float(found["hidden_unit_r2"]) <= 2 * error
    assert (found["hidden_baseline_r2"] <= 0.01).all()
    assert found.attrs["shares"] == "almost nothing"
    assert shared_said(found).startswith("these units share almost nothing (")


def test_copies_of_one_unit_are_told_unless_they_are_hidden_together():
    each = independent(n_bins=3000)[:, :12]
    data = make_binned(np.repeat(each, 2, axis=1), test=0.3)
    pairs = np.repeat(np.eye(12), 2, axis=1)
    coder = scaled_coder(data, pairs, gain=1.0)
    alone = hidden_units(coder, data)
    grouped = data.assign_coords(group=("unit", np.repeat(np.arange(12), 2)))
    together = hidden_units(coder, grouped)
    assert float(alone["hidden_unit_r2"]) > 0.2
    assert float(alone["hidden_baseline_r2"].sel(baseline="ridge")) > 0.5
    assert float(together["hidden_unit_r2"]) < 0.01
    assert (together["hidden_baseline_r2"] < 0.01).all()
    assert together.attrs["hidden_groups"] == 12


def test_pieces_give_what_the_whole_gives(data, monkeypatch):
    coder = knowing(data)
    whole = hidden_units(coder, data, detail="all")
    monkeypatch.setattr(hidden_bins, "CHUNK", 97)
    pieces = hidden_units(coder, data, detail="all")
    for name in whole.data_vars:
        np.testing.assert_allclose(pieces[name], whole[name], rtol=1e-3, atol=1e-5, err_msg=name)


def test_units_that_hardly_fire_take_no_part_and_are_named(data):
    counts = data["counts"].values.copy()
    counts[:, 3] = 0
    counts[::400, 3] = 1
    rare = data.assign(counts=(("time", "unit"), counts))
    found = hidden_units(knowing(rare), rare, detail="all")
    assert json.loads(found.attrs["hidden_units_left_out"]) == ["3"]
    for name in ("unit_hidden_r2", "unit_hidden_bits"):
        assert np.flatnonzero(np.isnan(found[name])).tolist() == [3]
    assert np.isnan(found["hidden_gain_unit"][:, 3]).all()
    assert np.isfinite(found["hidden_gain"]).all()
    assert float(found["hidden_unit_r2"]) > 0.15


def test_one_unit_has_none_to_tell_it():
    data = make_binned(shared()[:, :1])
    coder = scaled_coder(data, np.ones((1, 1)), gain=1.0)
    found = evaluate(coder, data, detail="all")
    assert "hidden_unit_r2" not in found
    assert "one unit takes part" in shared_said(found)


def test_one_latent_is_one_pattern(data):
    found = hidden_units(scaled_coder(data, np.ones((1, N_UNITS)), gain=0.6), data)
    assert found.sizes["latent"] == 1 and found.attrs["hidden_baseline_rank"] == 1
    assert "patterns" not in shared_said(found)


def test_traces_have_no_bits_and_signed_ones_no_non_negative_factors(data):
    rng = np.random.default_rng(0)
    traces = (data["counts"].values - 0.5 + 0.3 * rng.standard_normal(data["counts"].shape)).astype(
        np.float32
    )
    data = data.assign(counts=(("time", "unit"), traces))
    found = hidden_units(knowing(data), data)
    assert float(found["hidden_unit_r2"]) > 0.1
    assert not [name for name in found.data_vars if "bits" in str(name)]
    r2 = found["hidden_baseline_r2"]
    assert r2["baseline"].values[np.isnan(r2.values)].tolist() == ["nmf"]
    assert "NMF" not in shared_said(found)


def test_units_of_another_session_count_neither_way():
    data = two_sessions()
    found = fit(
        data,
        plain_config(
            n_latents=16, k=1, mask=0.25, normalisation="scaled", sign="nonnegative",
            max_epochs=60, batch_size=128,
        ),
    )  # fmt: skip
    scores = hidden_units(found, data)
    assert float(scores["hidden_unit_r2"]) > 0.1
    assert (scores["hidden_baseline_r2"] > 0.1).all()
    # what stands where nothing was observed does not matter
    filled = np.where(data["valid"].values, data["counts"].values, 9).astype(np.uint8)
    again = hidden_units(found, data.assign(counts=(("time", "unit"), filled)))
    for name in scores.data_vars:
        np.testing.assert_allclose(again[name], scores[name], rtol=1e-5, atol=1e-7, err_msg=name)


@pytest.mark.parametrize(
    "options", [{"loss": "poisson"}, {"encoder": "window", "window": 3}, {"decoder": "convolution"}]
)
def test_other_coders_are_scored_too(options, data):
    ids = np.array([f"u{unit}" for unit in range(N_UNITS)])
    named = data.assign_coords(unit_id=("unit", ids))
    found = evaluate(make_coder(n_units=N_UNITS, **options), named, detail="all")
    assert np.isfinite(found["unit_hidden_r2"]).all()
    assert np.isfinite(found["hidden_gain"]).all()
    assert (found["hidden_baseline_r2"] > 0.1).all()


def test_coders_from_which_nothing_can_be_hidden_say_why():
    counts = make_binned(planted(800))
    data = with_embedding(counts, projected(counts), method="projection")
    coder = fit(
        data, plain_config(reads="embedding", n_latents=8, k=2, max_epochs=1, batch_size=64)
    )
    found = evaluate(coder, data, detail="all")
    assert not [name for name in found.variables if "hidden" in str(name)]
    assert "embedding" in found.attrs["hidden_units_note"]
    apart = fit(
        counts, plain_config(target_units="0,1", n_latents=8, k=2, max_epochs=1, batch_size=64)
    )
    later = fit(counts, plain_config(lag=1, n_latents=8, k=2, max_epochs=1, batch_size=64))
    assert "other units" in shared_said(evaluate(apart, counts, detail="all"))
    assert "another bin" in shared_said(evaluate(later, counts, detail="all"))
    assert shared_said(evaluate(later, counts)) == ""

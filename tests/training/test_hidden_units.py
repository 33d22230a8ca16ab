"""How well hidden units are told: against the definition, written out, and coders that are known."""

import numpy as np
import pytest
import torch

from make.patterns import planted_patterns
from make.sessions import make_binned
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.automatic import resolve
from nwbsparse.options.config import Config
from nwbsparse.training import hidden_units as scoring
from nwbsparse.training.bins import windows_of
from nwbsparse.training.fit import fit
from nwbsparse.training.hidden_units import HiddenScore, folds_of, hidden_scores, target_scores
from nwbsparse.training.start import untrained


def linear_coder(data, encoder, rows, *, bias=None, **options):
    """An l1 coder (ReLU, no threshold) of given weights; it reconstructs the mean besides."""
    given = {"mask": 0.25, "sparsifier": "l1", "precision": "float64", "smoothing": 0.0, "k": 1}
    given["transform"] = "none"
    config = Config(**given | {"n_latents": len(rows), "sign": "free"} | options)
    counts = data["counts"].values
    settled = resolve(config, counts, n_train=len(counts), bin_width=0.1)
    ids = tuple(data["unit_id"].values.tolist())
    record = CoderRecord(config=settled, unit_ids=ids, bin_width=0.1)
    coder = untrained(record, data).eval()
    with torch.no_grad():
        coder.encoder_weight.copy_(torch.as_tensor(encoder))
        coder.dictionary.copy_(torch.as_tensor(rows))
        coder.encoder_bias.copy_(torch.zeros(len(rows)) if bias is None else torch.as_tensor(bias))
    return coder


def scored(coders, data, group=None, *, part="validation"):
    windows = windows_of(coders[0].record, data)
    group = np.arange(data.sizes["unit"]) if group is None else group
    return hidden_scores(coders, windows, getattr(windows, part), group)


def test_the_arithmetic_of_a_score():
    error = np.array([[1.0, 0.0], [2.0, 6.0]])
    around = np.array([[4.0, 0.0], [4.0, 8.0]])
    score = HiddenScore(error, around)
    assert score.r2 == pytest.approx(1 - 9 / 16)
    np.testing.assert_allclose(score.unit_r2, [1 - 3 / 8, 1 - 6 / 8])
    gained = np.array([3.0, 4.0]) * 2 / 16
    assert gained.mean() == pytest.approx(score.r2)
    assert score.standard_error == pytest.approx(gained.std(ddof=1) / np.sqrt(2))
    nothing = HiddenScore(np.zeros((3, 2)), np.zeros((3, 2)))
    assert np.isnan([nothing.r2, nothing.standard_error, *nothing.unit_r2]).all()
    assert np.isnan(HiddenScore(error[1:], around[1:]).standard_error)
    one_silent = HiddenScore(np.array([[1.0, 0.5]]), np.array([[2.0, 0.0]]))
    assert one_silent.unit_r2[0] == 0.5
    assert np.isnan(one_silent.unit_r2[1])


def test_groups_are_dealt_to_four_folds_whole_and_evenly():
    group = np.repeat(np.arange(10), 3)
    fold = folds_of(group)
    assert sorted(np.unique(fold)) == [0, 1, 2, 3]
    assert all(len(np.unique(fold[group == number])) == 1 for number in range(10))
    assert sorted(np.bincount(fold[::3])) == [2, 2, 3, 3]
    np.testing.assert_array_equal(folds_of(group), fold)
    np.testing.assert_array_equal(folds_of(group * 7 + 2), fold)


def twins(n=3000, seed=0):
    """Units of which each has a twin of the same counts in another fold; and who is whose."""
    fold = folds_of(np.arange(8))
    order = np.argsort(fold, kind="stable")  # folds 0 0 1 1 2 2 3 3
    partner = np.empty(8, int)
    partner[order] = order[[2, 3, 0, 1, 6, 7, 4, 5]]
    rng = np.random.default_rng(seed)
    counts = rng.poisson(1.0, (n, 8)).astype(np.uint8)
    for unit in range(8):
        counts[:, unit] = counts[:, min(unit, partner[unit])]
    return make_binned(counts), partner


def test_a_coder_that_reads_the_twin_knows_all_and_one_that_reads_the_unit_nothing():
    data, partner = twins()
    train = data["counts"].values[data["split"].values == 0].astype(float)
    centre = train.mean(axis=0) / train.std(axis=0)
    identity = np.eye(8)
    # a = .75·z + mean/sd: the counts of the twin in standard deviations; the bias has the mean
    reads_twin = linear_coder(data, 0.75 * identity[partner], identity, bias=centre)
    copies = linear_coder(data, 0.75 * identity, identity, bias=centre)
    with torch.no_grad():
        for coder in (reads_twin, copies):
            coder.decoder_bias.zero_()
    known, copied = scored([reads_twin, copies], data)
    assert known.r2 == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(known.unit_r2, 1.0, atol=1e-9)
    assert copied.r2 == pytest.approx(0.0, abs=1e-9)


def test_a_copying_coder_never_scores_above_zero():
    data, _ = planted_patterns(2000)
    identity = np.eye(24)
    copies = linear_coder(data, identity, identity)
    louder = linear_coder(data, 3 * identity, identity, bias=np.full(24, 0.5))
    for part in ("train", "validation"):
        assert all(one.r2 <= 1e-12 for one in scored([copies, louder], data, part=part))


def by_hand(coder, data, group, *, part):
    """Recipe 4, in the words of numpy: R² of each unit and of all."""
    weights = {name: value.double().numpy() for name, value in coder.state_dict().items()}
    counts = data["counts"].values.astype(float)
    train = counts[data["split"].values == 0]
    y = counts / train.std(axis=0)
    x = (counts - train.mean(axis=0)) / train.std(axis=0)
    bins, fold = data["split"].values == part, folds_of(group)
    made = np.zeros_like(y)
    for number in range(4):
        visible = fold != number
        z = np.where(visible, x, 0) / visible.mean()
        pi = z @ weights["encoder_weight"].T + weights["encoder_bias"]
        if coder.config.sparsifier == "batch_topk":
            active = np.where((pi > 0) & (pi >= weights["threshold"]), pi, 0)
        else:
            active = np.maximum(pi, 0)
        made[:, ~visible] = (active @ weights["dictionary"] + weights["decoder_bias"])[:, ~visible]
    error = ((y - made) ** 2)[bins].sum(axis=0)
    around = ((y - y[data["split"].values == 0].mean(axis=0)) ** 2)[bins].sum(axis=0)
    return 1 - error / around, 1 - error.sum() / around.sum()


@pytest.mark.parametrize("sparsifier", ["l1", "batch_topk"])
@pytest.mark.parametrize("grouped", [False, True])
def test_it_is_the_definition(sparsifier, grouped):
    data, _ = planted_patterns(2000)
    rng = np.random.default_rng(0)
    group = np.arange(24) // (3 if grouped else 1)
    coders = [
        linear_coder(
            data, rng.standard_normal((6, 24)) / 4, rng.random((6, 24)) / 4,
            bias=rng.standard_normal(6), sparsifier=sparsifier,
        )
        for _ in range(2)
    ]  # fmt: skip
    with torch.no_grad():
        for coder in coders:
            coder.threshold.fill_(0.3)
    for part, code in (("train", 0), ("validation", 1)):
        for coder, found in zip(coders, scored(coders, data, group, part=part), strict=True):
            units, pooled = by_hand(coder, data, group, part=code)
            np.testing.assert_allclose(found.unit_r2, units, rtol=1e-8)
            assert found.r2 == pytest.approx(pooled, rel=1e-8)


def test_the_scale_of_a_unit_means_nothing():
    data, patterns = planted_patterns(2000)
    rows = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    louder = data["counts"].values.astype(np.uint16)
    louder[:, ::3] *= 7
    other = data.assign(counts=(("time", "unit"), louder))
    one, two = (scored([linear_coder(some, rows, rows)], some)[0] for some in (data, other))
    assert one.r2 > 0.05
    assert one.r2 == pytest.approx(two.r2, rel=1e-9)
    np.testing.assert_allclose(one.unit_r2, two.unit_r2, rtol=1e-9)


@pytest.mark.parametrize("loss", ["poisson", "negative_binomial", "msle"])
def test_nor_does_it_where_raw_counts_are_reconstructed(loss):
    """Pooled over standardised units (recipe, 4): a loud unit has no more to say than a quiet one."""
    data, patterns = planted_patterns(2000)
    counts = data["counts"].values.astype(np.uint16)
    counts[:, 0] *= 50
    data = data.assign(counts=(("time", "unit"), counts))
    rows = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    score = scored([linear_coder(data, rows, rows, loss=loss)], data)[0]
    total = score.around.sum(axis=0)
    assert total[0] < 3 * np.median(total)


def test_pieces_change_nothing(monkeypatch):
    data, patterns = planted_patterns(2000)
    coder = linear_coder(data, patterns, patterns)
    whole = scored([coder], data)[0]
    monkeypatch.setattr(scoring, "CHUNK", 13)
    pieces = scored([coder], data)[0]
    np.testing.assert_allclose(pieces.error, whole.error, rtol=1e-10)
    np.testing.assert_allclose(pieces.around, whole.around, rtol=1e-10)


def test_what_was_not_observed_does_not_count():
    data, patterns = planted_patterns(2000)
    rows = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    valid = np.random.default_rng(0).random(data["counts"].shape) < 0.7
    wild = np.where(valid, data["counts"].values, 200).astype(np.uint8)
    scores = []
    for counts in (data["counts"].values, wild):
        some = data.assign(counts=(("time", "unit"), counts), valid=(("time", "unit"), valid))
        scores.append(scored([linear_coder(some, rows, rows)], some)[0])
    np.testing.assert_allclose(scores[0].error, scores[1].error, rtol=1e-10)
    assert scores[0].r2 > 0.02


def test_a_unit_that_hardly_fires_takes_no_part():
    """Fewer than twenty bins of training: not scored, and nothing is made of it."""
    data, _ = planted_patterns(2000)
    counts = data["counts"].values.copy()
    counts[:, 5] = 0
    counts[np.flatnonzero(data["split"].values == 0)[::150][:9], 5] = 1
    counts[np.flatnonzero(data["split"].values == 1)[::20], 5] = 1
    data = data.assign(counts=(("time", "unit"), counts))
    rng = np.random.default_rng(0)
    coder = linear_coder(data, rng.standard_normal((6, 24)), rng.random((6, 24)))
    score = scored([coder], data)[0]
    assert score.around[:, 5].sum() == 0
    assert np.isnan(score.unit_r2[5])
    assert float(coder.normalise(torch.full((1, 24), 9))[0, 5].abs()) < 1e-20


def test_of_other_targets_nothing_is_hidden():
    data, patterns = planted_patterns(2000)
    rows = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    coder = linear_coder(data, np.eye(24), np.eye(24), mask=0.0)
    windows = windows_of(coder.record, data)
    copied = target_scores([coder], windows, windows.validation)[0]
    assert copied.r2 > 0.5, "it sees what it reconstructs"
    weak = target_scores([linear_coder(data, rows, rows, mask=0.0)], windows, windows.validation)[0]
    assert weak.r2 < copied.r2


def test_coders_of_a_trained_kind_are_scored_as_they_encode():
    data, _ = planted_patterns(1500)
    config = Config(
        mask=0.25, encoder="window", window=3, n_latents=8, k=2, batch_size=128, max_epochs=1,
        smoothing=0.0, choose="none", seeds=1,
    )  # fmt: skip
    coder = fit(data, config)
    assert isinstance(coder, SparseCoder)
    score = scored([coder], data)[0]
    assert score.error.shape == (scoring.BLOCKS, 24)
    assert np.isfinite(score.r2)

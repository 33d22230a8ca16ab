"""Labels in words: the grammar, what is planted is said, and nothing is said where nothing is known."""

import json
import re

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter1d
from sklearn.metrics import roc_auc_score

from make.sessions import make_binned
from nwbsparse import names
from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.analysis.association.design import make_design
from nwbsparse.analysis.behaviour.clauses import Clause
from nwbsparse.analysis.behaviour.coding import Coded, readable
from nwbsparse.analysis.behaviour.comparisons import make_scope
from nwbsparse.analysis.behaviour.labels_in_words import labels_in_words

N = 12_000
GRAMMAR = re.compile(r"^[^()]+( while [^()]+)? \(AUROC [01]\.\d\d, n = [\d,]+\)$")


def walk(rng, low, high):
    made = gaussian_filter1d(rng.standard_normal(N), 8.0)
    order = np.argsort(np.argsort(made)) / N
    return (low + (high - low) * order).astype(np.float32)


@pytest.fixture(scope="module")
def made():
    """(data, activations, claims): one latent for each kind of clause, and three about nothing."""
    rng = np.random.default_rng(0)
    data = make_binned(rng.poisson(0.5, (N, 4)).astype(np.uint8), test=0.3)
    speed, place = walk(rng, 0, 1), walk(rng, 0, 2)
    heading = walk(rng, -np.pi, np.pi)
    plane = np.stack([walk(rng, 0, 1), walk(rng, 0, 1)], axis=1)
    side = rng.integers(0, 2, N // 60)[np.arange(N) // 60]
    lick = (rng.random(N) < 0.01).astype(np.uint8)
    since_lick = np.arange(N) - np.maximum.accumulate(np.where(lick > 0, np.arange(N), -N))
    covariate = {names.ROLE: names.ROLE_COVARIATE}
    categories = {names.CATEGORIES: json.dumps(["left", "right"])}
    data = data.assign(
        speed=("time", speed, {**covariate, names.KIND: names.CONTINUOUS, "units": "m/s"}),
        place=("time", place, {**covariate, names.KIND: names.POSITION, "units": "m"}),
        heading=("time", heading, {**covariate, names.KIND: names.CIRCULAR, "units": "rad"}),
        plane=(("time", "space"), plane, {**covariate, names.KIND: names.POSITION, "units": "m"}),
        side=(
            "time",
            side.astype(np.int32),
            {names.ROLE: names.ROLE_CONDITION, names.KIND: names.CATEGORICAL, **categories},
        ),
        lick=("time", lick, {names.ROLE: names.ROLE_EVENT}),
    )
    truth = [
        (speed > 0.7, "speed", ""),
        (speed < 0.2, "speed", ""),
        ((place > 1.0) & (place < 1.4), "place", ""),
        ((speed > 0.5) & (place > 1.2) & (place < 1.4), "place", ""),
        (np.abs(heading) > np.pi - np.pi / 6, "heading", ""),
        ((plane > 0.3).all(axis=1) & (plane < 0.6).all(axis=1), "plane", ""),
        (side == 1, "side", "right"),
        (since_lick < 5, "lick", ""),
        (np.zeros(N, bool), "speed", ""),
        (speed > 0.7, "speed", ""),
        (rng.random(N) < 0.1, "speed", ""),
        ((speed < 0.15) | (speed > 0.8), "speed", ""),
        ((place > 0.2) & (place < 0.4) | (place > 1.5) & (place < 1.7), "place", ""),
    ]
    often = np.stack([one for one, _, _ in truth], axis=1)
    active = (rng.random(often.shape) < 0.7) & often | (rng.random(often.shape) < 0.02)
    active[:, 8] = False
    activation = (active * rng.exponential(1.0, active.shape)).astype(np.float32)
    latents = xr.Dataset(
        {"activation": (("time", "latent"), activation)}, attrs={names.CODER_ID: "abc"}
    )
    status = np.array(["found"] * 9 + ["not found"] + ["found"] * 3, dtype=object)
    attribution = xr.Dataset(
        {
            "best_variable": ("latent", np.array([v for _, v, _ in truth], dtype=object)),
            "best_condition": ("latent", np.array([c for _, _, c in truth], dtype=object)),
            "association_status": ("latent", status),
        },
        attrs={names.CODER_ID: "abc"},
    )
    return data, latents, attribution, notify(data, latents, attribution)


def notify(data, latents, attribution):
    variables = {one.name: one for one in make_scope(data).tested}
    design = make_design(data, n_draws=1, seed=0)
    return labels_in_words(attribution, activity_of(latents), variables, design)


def numbers(text):
    return [float(one) for one in re.findall(r"-?\d+\.?\d*", text.partition(" (AUROC")[0])]


def test_what_is_planted_is_said_in_the_grammar(made):
    said = made[3]["label"].values
    assert said[0].startswith("speed > ") and "m/s" in said[0]
    assert numbers(said[0])[0] == pytest.approx(0.7, abs=0.03)
    assert said[1].startswith("speed < ") and numbers(said[1])[0] == pytest.approx(0.2, abs=0.03)
    assert said[2].startswith("place in [") and "] m (" in said[2]
    np.testing.assert_allclose(numbers(said[2]), [1.0, 1.4], atol=0.03)
    np.testing.assert_allclose(np.abs(numbers(said[4])), np.pi * 5 / 6, atol=0.3)
    assert numbers(said[4])[0] > 0 > numbers(said[4])[1], "the range goes through ±π"
    assert re.match(r"plane in \[[\d., ]+\] × \[[\d., ]+\] m \(", said[5])
    np.testing.assert_allclose(numbers(said[5]), [0.3, 0.6, 0.3, 0.6], atol=0.06)
    assert said[6].startswith("side = right (")
    assert re.match(r"0 to 0\.\d+ s after lick \(", said[7]), said[7]
    assert all(GRAMMAR.match(one) for one in said[:8]), said


def test_a_second_clause_is_added_where_it_holds_and_nowhere_else(made):
    said = made[3]["label"].values
    first, _, second = said[3].partition(" while ")
    assert first.startswith("place in [") and second.startswith("speed > ")
    assert numbers(second)[0] == pytest.approx(0.5, abs=0.11), "within one tuning bin"
    for latent in (0, 1, 2, 4, 5, 6, 7, 11, 12):
        assert " while " not in said[latent]


def test_two_ranges_are_joined_where_one_is_not_enough(made):
    said = made[3]["label"].values
    assert re.match(r"speed < [\d.]+ m/s or speed > [\d.]+ m/s \(", said[11]), said[11]
    low, high = numbers(said[11])
    assert low == pytest.approx(0.15, abs=0.06) and high == pytest.approx(0.8, abs=0.03)
    assert said[12].startswith("place in [") and " or place in [" in said[12]
    np.testing.assert_allclose(numbers(said[12]), [0.2, 0.4, 1.5, 1.7], atol=0.03)
    for latent in (0, 1, 2, 3, 4, 5, 6, 7):
        assert " or " not in said[latent]


def test_the_score_is_out_of_fold_and_n_is_of_all_bins(made):
    data, latents, _, found = made
    truth = data["side"].values == 1
    # every fold chooses the same category, so that the score is that of all bins
    expected = roc_auc_score(truth, latents["activation"].values[:, 6])
    assert found["label_auroc"].values[6] == pytest.approx(expected)
    assert found["label_bins"].values[6] == truth.sum()
    assert f"AUROC {expected:.2f}, n = {truth.sum():,}" in found["label"].values[6]


def test_a_latent_that_follows_nothing_scores_no_better_than_chance(made):
    """Its label is chosen to fit: only bins that had no part in the choice can tell."""
    data, latents, attribution, _ = made
    rng = np.random.default_rng(1)
    random = latents.copy(deep=True)
    random["activation"].values[:] = rng.permuted(latents["activation"].values, axis=0)
    scores = notify(data, random, attribution)["label_auroc"].values
    assert (scores[np.isfinite(scores)] < 0.53).all()


def test_where_nothing_is_found_nothing_is_said(made):
    found = made[3]
    for latent in (8, 9):
        assert found["label"].values[latent] == ""
        assert np.isnan(found["label_auroc"].values[latent])
        assert found["label_bins"].values[latent] == 0


def test_an_edge_that_is_zero_but_for_rounding_reads_zero():
    edges = np.array([-2.0, 1.78e-15, 0.25, 3.0])
    assert readable(edges).tolist() == [-2.0, 0.0, 0.25, 3.0]
    small = np.array([0.0, 1.5e-12, 3e-12])
    np.testing.assert_array_equal(readable(small), small)


@pytest.mark.parametrize(
    ("edges", "codes", "said"),
    [
        # the least value is 0, and so is, but for rounding, the edge above it
        ([0.0, 1e-17, 0.0046, 0.6], [0], "speed ≤ 0 m/s"),
        ([0.0, 1e-17, 0.0046, 0.6], [0, 1], "speed < 0.0046 m/s"),
        ([0.0, 1e-17, 0.0046, 0.6], [1, 2], "speed > 0 m/s"),
        ([-1e-17, 0.0, 0.0046, 0.6], [1, 2], "speed ≥ 0 m/s"),
        ([-0.4, -1e-17, 0.3, 0.6], [0], "speed < 0 m/s"),
        # edges that read alike in three digits are told apart
        ([1.0, 1.2341, 1.2342, 2.0], [1], "speed in [1.2341, 1.2342] m/s"),
        ([1.0, 1.2341, 1.5, 2.0], [1], "speed in [1.23, 1.5] m/s"),
        ([1.23411, 1.23412, 1.5, 2.0], [0], "speed < 1.23412 m/s"),
    ],
)
def test_an_edge_is_said_so_that_the_label_is_true(edges, codes, said):
    """The kind: a label made false by rounding its edges."""
    size = len(edges) - 1
    speed = Coded(
        "speed", names.CONTINUOUS, np.zeros(1, np.int32), tuple("abcdef"[:size]),
        edges=(np.array(edges),), shape=(size,), unit="m/s",
    )  # fmt: skip
    assert Clause(speed, np.array(codes)).words == said

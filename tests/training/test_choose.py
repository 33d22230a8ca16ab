"""Smoothing, size and k by the score of hidden units: the rules, on scores that are made up."""

import numpy as np
import pytest

from make.patterns import planted_patterns
from make.sessions import make_binned
from nwbsparse.options.config import Config
from nwbsparse.progress import silent
from nwbsparse.training import choose as choosing
from nwbsparse.training.choose import Candidate, choose
from nwbsparse.training.scores import folds_of_bins

GIVEN = {"mask": 0.25, "batch_size": 128}


@pytest.fixture(scope="module")
def data():
    return planted_patterns(3000)[0]


class Search:
    """A choice whose candidates are not trained: their scores are a function of theirs."""

    def __init__(self, monkeypatch, score):
        self.trained, self.stored, self.seeds = [], [], []

        def trained(search, configs, seeds):
            made = [
                search._named(one, score(search._named(one, 0.0, 0.0)), 0.01) for one in configs
            ]
            self.trained += made
            self.seeds += [seeds] * len(made)
            return made

        monkeypatch.setattr(choosing._Search, "_trained", trained)

    def __call__(self, data, known=(), **options):
        def tried(found):
            self.stored.append(list(found))

        config = Config(**{"choose": "all"} | GIVEN | options)
        return choose(data, config, progress=silent, known=list(known), tried=tried)


def size_score(best, *, k=2):
    """Scores that rise up to a size and stay there, best at one k."""
    return lambda one: 0.2 * min(one.n_latents / best, 1) - 0.001 * abs(one.k - k)


def sizes(found):
    return list(dict.fromkeys(one.n_latents for one in found))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({4: 0.1, 8: 0.191, 16: 0.2, 32: 0.199, 64: 0.19}, 8),
        ({4: 0.1, 8: 0.189, 16: 0.2, 32: 0.199, 64: 0.19}, 16),
        ({16: 0.1, 32: 0.15, 64: 0.2, 96: 0.202}, 64),
    ],
)
def test_the_smallest_size_of_95_percent_and_its_best_k(monkeypatch, data, scores, expected):
    search = Search(monkeypatch, lambda one: scores[one.n_latents] - 0.0005 * abs(one.k - 2))
    config, found = search(data, smoothing=0.0)
    assert (config.n_latents, config.k, config.smoothing) == (expected, 2, 0.0)
    chosen = [one for one in found if one.chosen]
    assert [(one.n_latents, one.k) for one in chosen] == [(expected, 2)]


def active(found):
    """Size → every k that was tried of it."""
    return {size: [one.k for one in found if one.n_latents == size] for size in sizes(found)}


def test_sizes_up_to_four_times_the_units_each_with_the_best_k_before_and_its_neighbours(
    monkeypatch, data
):
    search = Search(monkeypatch, size_score(100, k=5))
    _, found = search(data, smoothing=0.0)
    assert active(found) == {
        16: [1, 2, 3],
        32: [2, 3, 5],
        64: [3, 5, 8],
        96: [3, 5, 8],
    }, (  # fmt: skip
        "24 units: no more than 96"
    )
    assert set(search.seeds) == {2}


def test_smaller_sizes_are_tried_while_they_are_good_enough(monkeypatch, data):
    _, found = Search(monkeypatch, size_score(8, k=1))(data, smoothing=0.0)
    assert active(found) == {16: [1, 2, 3], 32: [1, 2], 64: [1, 2], 8: [1, 2], 4: [1]}
    _, found = Search(monkeypatch, size_score(16))(data, smoothing=0.0)
    assert sizes(found) == [16, 32, 64, 8]


def test_units_that_are_hardly_active_count_for_no_size(monkeypatch, data):
    counts = data["counts"].values.copy()
    counts[:, 10:] = 0
    few = data.assign(counts=(("time", "unit"), counts))
    _, found = Search(monkeypatch, size_score(100))(few, smoothing=0.0)
    assert sizes(found) == [16, 32, 40], "ten units: no more than 40"
    _, found = Search(monkeypatch, size_score(100))(
        data.assign_coords(group=("unit", np.arange(24) // 3)), smoothing=0.0
    )
    assert sizes(found) == [16, 32], "eight groups"


@pytest.mark.parametrize("score", [0.009, -0.02])
def test_where_units_share_almost_nothing_the_smallest_will_do(monkeypatch, data, score):
    config, found = Search(monkeypatch, lambda one: score - 0.001 * (one.n_latents < 16))(
        data, smoothing=0.0
    )
    assert (config.n_latents, config.k) == (4, 1)
    assert [one.n_latents for one in found if one.chosen] == [4]


def test_two_sizes_without_gain_end_it(monkeypatch):
    many = make_binned(np.random.default_rng(0).poisson(0.3, (3000, 100)).astype(np.uint8))
    search = Search(monkeypatch, size_score(8))
    config, found = search(many, smoothing=0.0)
    assert sizes(found)[:3] == [16, 32, 64]
    assert config.n_latents == 8


def test_a_best_score_below_zero_is_still_the_best(monkeypatch, data):
    search = Search(monkeypatch, lambda one: -0.01 * one.n_latents)
    config, _ = search(data, smoothing=0.0)
    assert config.n_latents == 4


def test_the_best_sigma_is_chosen_before_the_size(monkeypatch, data):
    search = Search(monkeypatch, lambda one: {0.25: 0.3, 0.1: 0.2}.get(one.smoothing, 0.1))
    config, found = search(data)
    assert config.smoothing == 0.25
    first = [one for one in found if (one.n_latents, one.k) == (16, 3)][:6]
    assert [one.smoothing for one in first] == [0.0, 0.05, 0.1, 0.25, 0.5, 1.0]
    assert search.seeds[:6] == [1] * 6
    assert {one.smoothing for one in found[6:]} == {0.25}


def test_of_equal_scores_the_smaller_sigma(monkeypatch, data):
    assert Search(monkeypatch, lambda _: 0.1)(data)[0].smoothing == 0.0


def test_sigma_is_no_less_than_half_a_bin_and_no_more_than_a_quarter_segment(monkeypatch):
    counts = np.random.default_rng(0).poisson(0.5, (3000, 10)).astype(np.uint8)
    search = Search(monkeypatch, lambda _: 0.1)
    for width, n_segments, expected in (
        (0.04, 1, [0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0]),
        (0.1, 1, [0.0, 0.05, 0.1, 0.25, 0.5, 1.0]),
        (0.5, 1, [0.0, 0.25, 0.5, 1.0]),
        (0.1, 150, [0.0, 0.05, 0.1, 0.25, 0.5]),  # 20 bins: half a second
        (0.1, 1500, [0.0, 0.05]),
    ):
        data = make_binned(counts, bin_width=width, gap=0.0)
        segment = np.arange(3000) * n_segments // 3000
        found = search(data.assign_coords(segment=("time", segment)))[1]
        assert list(dict.fromkeys(one.smoothing for one in found)) == expected


@pytest.mark.parametrize(
    ("given", "open_to_choice"),
    [
        ({"smoothing": 0.1, "n_latents": 12, "k": 2}, 0),
        ({"smoothing": 0.1, "n_latents": 12}, 3),
        ({"smoothing": 0.1, "k": 5}, 4),  # 16, 32, 64, 8: no 4, k would exceed it
        ({"choose": "size", "n_latents": 12, "k": 2}, 0),
        ({"n_latents": 12, "k": 2}, 6),
    ],
)
def test_what_is_given_stays(monkeypatch, data, given, open_to_choice):
    search = Search(monkeypatch, size_score(16))
    config, found = search(data, **given)
    assert len(found) == open_to_choice
    for name, value in given.items():
        assert getattr(config, name) == value
    assert None not in (config.smoothing, config.n_latents, config.k)
    if given.get("choose") == "size":
        assert config.smoothing == 0.0


def test_levels_are_not_chosen(monkeypatch, data):
    levels = ("4:1", "12:2")
    search = Search(monkeypatch, size_score(16))
    config, found = search(data, levels=levels, smoothing=0.0)
    assert (config.levels, config.n_latents, config.k, found) == (levels, None, None, [])
    config, found = search(data, levels=levels)
    assert config.levels == levels
    assert {one.n_latents for one in found} == {16}, "smoothing alone"


@pytest.mark.parametrize("sparsifier", ["l1", "jumprelu", "gated"])
def test_penalties_take_the_place_of_k(monkeypatch, data, sparsifier):
    search = Search(
        monkeypatch, lambda one: 0.2 * min(one.n_latents / 8, 1) - abs(one.penalty_weight - 0.1)
    )
    config, found = search(data, sparsifier=sparsifier, smoothing=0.0)
    assert (config.n_latents, config.penalty_weight) == (8, 0.1)
    assert {(one.k, one.penalty_weight) for one in found} == {(0, 0.03), (0, 0.1), (0, 0.3)}
    [chosen] = [one for one in found if one.chosen]
    assert (chosen.n_latents, chosen.penalty_weight) == (8, 0.1)
    config, found = search(data, sparsifier=sparsifier, smoothing=0.0, penalty_weight=0.5)
    assert config.penalty_weight == 0.5
    assert {one.penalty_weight for one in found} == {0.5}


def test_a_k_that_means_nothing_to_a_penalty_is_no_hindrance(monkeypatch, data):
    config, _ = Search(monkeypatch, lambda _: 0.1)(data, sparsifier="l1", k=20)
    assert config.n_latents >= config.k == 20


@pytest.mark.parametrize("given", [{}, {"k": 3}, {"smoothing": 0.1}, {"n_latents": 16}])
def test_what_is_known_is_not_trained_again_and_nothing_else_changes(monkeypatch, data, given):
    """One size and k is tried twice, with one seed for smoothing and with two for the size."""
    numbers = iter(np.random.default_rng(0).random(1000))
    search = Search(monkeypatch, lambda _: 0.1 + 0.1 * next(numbers))
    expected = search(data, **given)
    # as if every stack's training were repeatable: by what was asked and how often
    trained, seeds, stored = search.trained, search.seeds, search.stored
    assert stored[-1] == trained
    scores = {(n, *choosing._key(one)): one for n, one in zip(seeds, trained, strict=True)}
    for known in stored:
        again = Search(monkeypatch, lambda _: 0.0)

        def replay(found, configs, n, again=again):
            made = [scores[(n, *choosing._key(found._named(one, 0.0, 0.0)))] for one in configs]
            again.trained += made
            return made

        monkeypatch.setattr(choosing._Search, "_trained", replay)
        assert again(data, known, **given) == expected
        assert again.trained == trained[len(known) :]


def test_a_k_beyond_every_size_gets_as_many_latents(monkeypatch, data):
    config, _ = Search(monkeypatch, lambda _: 0.1)(data, k=100)
    assert (config.n_latents, config.k) == (100, 100)


def test_a_candidate_that_diverged_is_never_chosen(monkeypatch, data):
    def score(one):
        return np.nan if one.n_latents == 4 or one.smoothing == 0 else 0.1

    config, found = Search(monkeypatch, score)(data)
    assert config.smoothing == 0.05
    assert config.n_latents == 8
    assert any(np.isnan(one.score) for one in found)


def test_where_nothing_can_be_scored_the_smallest_is_taken(monkeypatch, data):
    config, _ = Search(monkeypatch, lambda _: np.nan)(data)
    assert (config.smoothing, config.n_latents, config.k) == (0.0, 4, 1)


def test_few_validation_bins_are_cross_validated():
    few = make_binned(np.ones((1500, 3), np.uint8), gap=0.0)
    parts = few["split"].values
    assert 0 < (parts == 1).sum() < 200
    folds = [one["split"].values for one in folds_of_bins(few)]
    own = (parts == 0) | (parts == 1)
    assert len(folds) == 5
    np.testing.assert_array_equal(sum((fold == 1).astype(int) for fold in folds), own.astype(int))
    for fold in folds:
        np.testing.assert_array_equal(fold[~own], parts[~own])
        assert ((fold == 0) | (fold == 1))[own].all()
        assert (fold == 1).sum() == pytest.approx(own.sum() / 5, abs=2)
    np.testing.assert_array_equal(few["split"].values, parts)
    many = make_binned(np.ones((4000, 3), np.uint8), gap=0.0)
    assert folds_of_bins(many) == [many]


@pytest.mark.parametrize("n_bins", [1200, 4000])
def test_candidates_are_trained_and_scored(monkeypatch, n_bins):
    data, _ = planted_patterns(n_bins)
    monkeypatch.setattr(choosing, "UPDATES", 40)
    monkeypatch.setattr(choosing, "SIZES", (4, 8))
    calls = []
    config, found = choose(
        data,
        Config(**GIVEN, smoothing=0.0),
        progress=lambda stage, done, total, /, **numbers: calls.append((stage, done, numbers)),
        known=[],
        tried=lambda _: None,
    )
    assert [(one.n_latents, one.k) for one in found] == [(8, 1), (8, 2), (4, 1)]
    assert all(isinstance(one, Candidate) and 0 < one.standard_error < 0.2 for one in found)
    assert max(one.score for one in found) > 0.02
    assert [one.chosen for one in found].count(True) == 1
    assert config.n_latents in (4, 8)
    assert [call[:2] for call in calls] == [("choose", 1), ("choose", 2)]
    assert calls[0][2]["r2"] == max(one.score for one in found[:2])


def test_test_bins_have_no_part_in_it(monkeypatch):
    data, _ = planted_patterns(1500)
    monkeypatch.setattr(choosing, "UPDATES", 10)
    monkeypatch.setattr(choosing, "SIZES", (4,))
    wild = data["counts"].values.copy()
    wild[data["split"].values == 2] = 9
    both = [
        choose(
            some, Config(**GIVEN, smoothing=0.2), progress=silent, known=[], tried=lambda _: None
        )
        for some in (data, data.assign(counts=(("time", "unit"), wild)))
    ]
    assert both[0] == both[1]

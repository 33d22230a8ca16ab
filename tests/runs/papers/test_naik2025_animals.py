"""The sources of a reproduction: what is one animal, and what cannot be used and why."""

import numpy as np
import pytest

from make.naik_animals import write_animals
from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.runs.papers.naik2025_animals import animals_of
from nwbsparse.runs.papers.naik2025_scores import random_network, shifted
from nwbsparse.runs.papers.naik2025_settings import Naik2025

pytestmark = pytest.mark.files
ASKED = Naik2025(dims=(4, 8))


def silent(_line):
    pass


@pytest.fixture
def folder(tmp_path):
    return write_animals(tmp_path, names=("sim", "other"), dims=(4, 8))


def test_a_folder_has_an_animal_per_name_and_one_can_be_picked(folder):
    assert [one.name for one in animals_of([folder], ASKED, silent)] == ["other", "sim"]
    [one] = animals_of([folder / "other"], ASKED, silent)
    assert (one.name, sorted(one.stored), one.recorded) == ("other", [4, 8], False)
    [small] = animals_of([folder / "other"], Naik2025(dims=(8,)), silent)
    assert sorted(small.stored) == [8]


def test_the_first_80_percent_are_trained_on_and_a_second_before_the_rest_is_not(folder):
    for source in ("rat-sim-25ms.npz", "other"):
        [one] = animals_of([folder / source], ASKED, silent)
        parts = one.binned[names.SPLIT].values
        np.testing.assert_array_equal(np.flatnonzero(parts == names.TEST), np.arange(560, 700))
        assert (parts == names.GAP).sum() == 40 and (parts[:520] == names.TRAIN).all()


def test_a_recording_and_embeddings_of_one_animal_are_joined_where_the_rows_add_up(folder):
    said = []
    sources = [folder / "rat-sim-25ms.npz", folder / "sim"]
    [one] = animals_of(sources, ASKED, said.append)
    assert (one.name, one.recorded, sorted(one.stored)) == ("sim", True, [4, 8])
    assert one.behaviours == ("position", "direction_runs.direction")
    for part in ("train", "valid"):
        for size in (4, 8):
            path = folder / f"sim-{size}-{part}.npy"
            np.save(path, np.load(path)[:-1])
    said.clear()
    two = animals_of(sources, ASKED, said.append)
    assert [one.name for one in two] == ["rat-sim-25ms", "sim"]
    assert said == [
        "sim: the stored embeddings have 698 rows, the recording rat-sim-25ms 700 bins; they stand for "
        "two animals"
    ]


def test_results_depend_on_what_is_in_the_files_and_on_nothing_else(folder, tmp_path):
    def digest(where):
        return animals_of([where / "sim"], ASKED, silent)[0].digest

    again = write_animals(tmp_path / "elsewhere", names=("sim", "other"), dims=(4, 8))
    assert digest(again) == digest(folder)
    np.save(again / "sim-4-valid.npy", np.load(again / "sim-4-valid.npy") * 1.001)
    assert digest(again) != digest(folder)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda path: path.unlink(), "sim-4-valid.npy is missing"),
        (lambda path: np.save(path, np.zeros((140, 3), np.float32)), r"shape \(140, 3\)"),
        (lambda path: np.save(path, np.full((140, 4), np.nan)), "not finite in 140 of 140 rows"),
        (lambda path: np.save(path, np.zeros((99, 4), np.float32)), "different rows"),
        (lambda path: np.save(path, np.array([{}]), allow_pickle=True), "never opened"),
    ],
)
def test_stored_embeddings_that_are_not_whole_are_refused(folder, change, why):
    change(folder / "sim-4-valid.npy")
    with pytest.raises(BadInput, match=why):
        animals_of([folder / "sim"], ASKED, silent)


def test_sources_that_are_none_say_what_was_expected(folder, tmp_path):
    with pytest.raises(BadInput, match="no source is given"):
        animals_of([], ASKED, silent)
    with pytest.raises(BadInput, match="holds no stored embedding of 5 dims"):
        animals_of([folder], Naik2025(dims=(5,)), silent)
    with pytest.raises(BadInput, match="two animals are called sim"):
        animals_of([folder / "sim", folder / "sim"], ASKED, silent)
    other = tmp_path / "npy"
    other.mkdir()
    np.save(other / "embedding.npy", np.zeros((9, 4)))
    with pytest.raises(BadInput, match=r"none is called NAME-DIMS-train\.npy"):
        animals_of([other], ASKED, silent)


def test_a_recording_without_position_or_direction_says_how_to_name_them(folder, tmp_path):
    there = dict(np.load(folder / "rat-sim-25ms.npz"))
    np.savez(tmp_path / "bare.npz", spikes=there["spikes"])
    with pytest.raises(BadInput, match="bare has no position; say with --position"):
        animals_of([tmp_path / "bare.npz"], ASKED, silent)
    np.savez(tmp_path / "still.npz", spikes=there["spikes"], position=there["position"])
    with pytest.raises(BadInput, match="still has no direction of running; say with --direction"):
        animals_of([tmp_path / "still.npz"], ASKED, silent)
    with pytest.raises(BadInput, match="no covariate 'place'"):
        animals_of([folder / "rat-sim-25ms.npz"], Naik2025(position="place"), silent)


def test_settings_that_cannot_be_are_refused_together():
    with pytest.raises(BadInput, match="2 problems"):
        Naik2025(seeds=0, dims=(8, 8))
    assert Naik2025().changed() == []
    assert Naik2025(max_epochs=5).changed() == ["max_epochs 5 (the paper: 50)"]


def test_the_shuffled_embedding_keeps_each_dim_and_stays_in_its_part(folder):
    [one] = animals_of([folder / "sim"], ASKED, silent)
    table = one.stored[8]
    made = shifted(one, table, 0)
    for value in (names.TRAIN, names.TEST):
        rows = one.part(value)
        np.testing.assert_array_equal(np.sort(made[rows], axis=0), np.sort(table[rows], axis=0))
    train = one.part(names.TRAIN)
    by = [
        next(n for n in range(train.sum()) if np.array_equal(np.roll(old, n), new))
        for old, new in zip(table[train].T, made[train].T, strict=True)
    ]
    assert len(set(by)) == 8, "each dim by an amount of its own"
    np.testing.assert_array_equal(made, shifted(one, table, 0))
    assert not np.array_equal(made, shifted(one, table, 1))


def test_the_random_network_is_a_vector_of_length_one_per_bin(folder):
    [one] = animals_of([folder / "rat-sim-25ms.npz"], ASKED, silent)
    made = random_network(one, 8, 64, 0)
    assert made.shape == (700, 8) and np.isfinite(made).all()
    lengths = np.linalg.norm(made, axis=1)
    assert np.allclose(lengths[lengths > 0.5], 1, atol=1e-5) and (lengths > 0.5).mean() > 0.95

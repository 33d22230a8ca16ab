"""The embeddings of a reproduction as CEBRA makes them: on training bins, from place and direction."""

import json

import numpy as np
import pytest

from make.naik_animals import write_animals
from nwbsparse import names
from nwbsparse.runs.papers.naik2025_animals import animals_of
from nwbsparse.runs.papers.naik2025_embeddings import chosen, embedding_of, settings_of
from nwbsparse.runs.papers.naik2025_settings import Naik2025

pytest.importorskip("cebra")
pytestmark = [pytest.mark.fits, pytest.mark.files, pytest.mark.slow]
ASKED = Naik2025(dims=(4,), iterations=3)
HOW = 3, "continuous"


def test_an_embedding_is_of_length_one_the_same_again_and_knows_nothing_of_held_out_bins(tmp_path):
    source = write_animals(tmp_path) / "rat-sim-25ms.npz"
    [one] = animals_of([source], ASKED, lambda _: None)
    made = embedding_of(one, chosen(4), *HOW)
    assert made.shape == (700, 4)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-4)
    np.testing.assert_array_equal(made, embedding_of(one, chosen(4), *HOW))
    there = dict(np.load(source))
    held = one.part(names.TEST)
    there["position"][held] = there["position"][held][::-1]
    np.savez(source, **there)
    [other] = animals_of([source], ASKED, lambda _: None)
    np.testing.assert_array_equal(made, embedding_of(other, chosen(4), *HOW))


def test_every_setting_of_the_sweep_is_another_embedding(tmp_path):
    [one] = animals_of([write_animals(tmp_path) / "rat-sim-25ms.npz"], ASKED, lambda _: None)
    settings = settings_of(one, ASKED)
    assert len({json.dumps(setting, sort_keys=True) for setting in settings}) == len(settings) == 5
    made = [embedding_of(one, setting, *HOW) for setting in settings]
    assert len({table.tobytes() for table in made}) == 5

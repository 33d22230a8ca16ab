"""What CEBRA is told of behaviour in a reproduction, and what can be asked of one."""

import numpy as np
import pytest

from make.naik_animals import write_animals
from nwbsparse import names
from nwbsparse.embedding.supervision import covariates_for
from nwbsparse.errors import BadInput
from nwbsparse.runs.papers.naik2025_animals import animals_of
from nwbsparse.runs.papers.naik2025_embeddings import with_direction_columns
from nwbsparse.runs.papers.naik2025_settings import Naik2025


@pytest.mark.files
def test_the_labels_are_position_and_a_column_for_each_direction_as_the_source_has_them(tmp_path):
    source = write_animals(tmp_path) / "rat-sim-25ms.npz"
    [animal] = animals_of([source], Naik2025(dims=(4,)), lambda _: None)
    binned, labels = with_direction_columns(animal)
    given = covariates_for(binned, labels, animal.part(names.TRAIN))
    assert set(given.kinds.values()) == {"continuous"} and given.discrete is None
    there = np.load(source)
    columns = {name: given.continuous[:, at] for at, name in enumerate(given.kinds)}
    place, direction = animal.behaviours
    np.testing.assert_allclose(columns[place], there["position"], atol=1e-6)
    np.testing.assert_array_equal(columns[f"{direction} = right"], there["right"])
    np.testing.assert_array_equal(columns[f"{direction} = left"], there["left"])
    assert set(binned.data_vars) - set(animal.binned.data_vars) == set(labels) - {place}


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"direction_as": "discreet"}, "did you mean 'discrete'"), ({"keep": ("latent",)}, "latents")],
)
def test_what_cannot_be_asked_is_refused(asked, said):
    with pytest.raises(BadInput, match=said):
        Naik2025(**asked)


def test_what_differs_from_the_paper_is_named_and_what_is_kept_is_no_difference():
    assert Naik2025(keep=("latents", "models")).changed() == []
    assert Naik2025(direction_as="discrete").changed() == [
        "direction_as discrete (the paper: continuous)"
    ]

"""Latents of the coder that a reproduction chooses, in an NWB file made from arrays of counts."""

import numpy as np
import pytest

import nwbsparse as ns
from make.naik_animals import write_animals
from nwbsparse.options.presets import preset

pytestmark = [pytest.mark.fits, pytest.mark.files, pytest.mark.slow]


def test_arrays_and_an_embedding_become_an_nwb_file_that_is_valid_and_comes_out_again(tmp_path):
    folder = write_animals(tmp_path / "animals")
    embedding = np.concatenate(
        [np.load(folder / f"sim-4-{part}.npy") for part in ("train", "valid")]
    )
    np.save(tmp_path / "sim-4.npy", embedding)
    options = preset("naik2025") | {
        "k": 8, "max_epochs": 2, "n_shifts": 50, "bin_width": 0.025, "blocks": 1, "validation": 0.02,
        "gap": 0.2,
    }  # fmt: skip
    done = ns.run(
        folder / "rat-sim-25ms.npz", tmp_path / "run", ns.Config(**options),
        embedding=tmp_path / "sim-4.npy", embedding_method="cebra", embedding_saw_behaviour="train",
        fields={
            "session_start": "2013-03-02T14:30:00+01:00", "subject_id": "sim", "sex": "M", "age": "P90D",
            "species": "Rattus norvegicus",
        },
    )  # fmt: skip
    [annotated] = (tmp_path / "run").glob("*_sparse.nwb")
    assert (tmp_path / "run/report.html").is_file()
    assert ns.validate(annotated).n_errors == 0
    opened = ns.open_results(annotated)
    np.testing.assert_array_equal(opened.embedding.values, embedding)
    assert opened.coder.n_latents == 32 and opened.config.k == 8
    assert opened.latents.sizes["latent"] == 32
    assert done.results.coder.id == opened.coder.id
    assert opened.session.units.sizes["unit"] == 8
    assert ns.reproduce(annotated, source=folder / "rat-sim-25ms.npz").same

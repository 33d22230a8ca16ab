"""Published numbers again: ``naik2025-code`` on the embeddings that they came from."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from make.configs import plain_config
from make.sessions import make_binned, planted
from nwbsparse.options.config import Config
from nwbsparse.options.presets import preset
from nwbsparse.training.fit import fit, fit_many

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from made_bins import Bins
from naik_code import KS, PUBLISHED, WITHIN, decoded, r2

DATA = os.environ.get("NWBSPARSE_DATA")


def test_bins_of_the_benchmarks_are_read_like_a_dataset():
    """They are no dataset: what training asks of one must be there, or no benchmark runs."""
    data = make_binned(planted(300))
    bins = Bins(data["counts"].values, data["split"].values)
    bins.attrs = dict(data.attrs)
    config = plain_config(n_latents=16, k=2, max_epochs=1, batch_size=64)
    made = [fit_many(bins, [config])[0], fit(data, config)]
    assert made[0].record.history == made[1].record.history


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="NWBSPARSE_DATA names no folder of recordings")
@pytest.mark.parametrize(("rat", "dims"), [("buddy", 8), ("buddy", 16), ("achilles", 64)])
def test_train_r2_is_the_published_one(rat, dims):
    """The two ends of what once differed, small and large dictionaries; all 24: ``naik_code.py``."""
    file = Path(DATA) / "rat-ca1-cebra-embeddings" / f"{rat}-{dims}-train.npy"
    rows = np.load(file, allow_pickle=False)
    data = Bins(rows, np.zeros(len(rows), np.int8))
    made = [(k, seed) for k in KS for seed in range(3)]
    options = preset("naik2025-code")
    found = fit_many(data, [Config(**(options | {"k": k, "seed": seed})) for k, seed in made])
    reached = np.reshape([r2(rows, decoded(coder, rows)) for coder in found], (len(KS), 3))
    np.testing.assert_allclose(reached.mean(axis=1), PUBLISHED[rat, dims], rtol=0, atol=WITHIN)

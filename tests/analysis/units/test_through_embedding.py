"""What each unit adds to a latent through the embedding: sums up, and is the product of both matrices."""

import numpy as np
import pytest

import nwbsparse as ns
from make.configs import plain_config
from make.sessions import make_binned, planted
from nwbsparse.analysis.units.attribute import attribute
from nwbsparse.models.encoders import WEIGHT

PLAIN = plain_config(n_latents=6, k=2, max_epochs=5, reads="embedding")


@pytest.fixture(scope="module")
def binned():
    return make_binned(planted(900), blocks=3, gap=0.5)


def test_of_a_linear_embedding_it_is_the_product_of_both_matrices(binned):
    data = ns.embed(binned, "pca", dims=4)
    coder = ns.fit(data, PLAIN)
    found = attribute(coder, data)
    assert found["through_embedding"].dims == ("latent", "unit")
    latents = ns.encode(coder, data)["activation"].values
    test = data["split"].values == 2
    counts = data["counts"].values.astype(np.float64)
    mean = counts[data["split"].values == 0].mean(axis=0)
    to_dims = ns.embedder_of(data).arrays["matrix"] / coder.scale.numpy()
    to_latent = to_dims @ coder.get_parameter(WEIGHT).detach().numpy().T  # (unit, latent)
    compared = 0
    for latent in range(6):
        active = np.flatnonzero(test & (latents[:, latent] > 0))
        if not 0 < len(active) <= 50:
            continue
        wanted = (counts[active] - mean).mean(axis=0) * to_latent[:, latent]
        got = found["through_embedding"].values[latent]
        np.testing.assert_allclose(np.nan_to_num(got), wanted, rtol=1e-3, atol=1e-4)
        compared += 1
    assert compared
    error = found["through_embedding_error"].values
    assert np.nanmax(error) < 1e-3


def test_through_a_network_the_sum_over_units_is_what_there_is_to_explain(binned):
    pytest.importorskip("cebra")
    data = ns.embed(
        binned,
        "cebra",
        dims=4,
        max_iterations=30,
        num_hidden_units=8,
        batch_size=64,
        time_offsets=2,
    )
    found = attribute(ns.fit(data, PLAIN), data)
    assert np.isfinite(found["through_embedding"]).any()
    assert np.nanmedian(found["through_embedding_error"]) < 0.05


def test_where_nothing_leads_back_it_is_not_there(binned):
    for method in ("nmf", "tsne"):
        given = {"max_iter": 250} if method == "tsne" else {}
        data = ns.embed(binned, method, dims=3, **given)
        assert "through_embedding" not in attribute(ns.fit(data, PLAIN), data)

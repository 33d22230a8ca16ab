"""Whether an embedding comes back from another seed, and what shuffled data tell beside it."""

import numpy as np
import pytest
import xarray as xr

import nwbsparse as ns
from make.sessions import make_binned, planted
from nwbsparse.analysis.quality.embedding_controls import embedding_controls, procrustes_r2
from nwbsparse.analysis.quality.embedding_said import embedding_said
from nwbsparse.errors import BadInput


@pytest.fixture(scope="module")
def binned():
    data = make_binned(planted(900), blocks=3, gap=0.5)
    phase = np.sin(np.linspace(0, 30 * np.pi, 900))
    data["counts"].values[:] = np.random.default_rng(0).poisson(
        3 * np.maximum(0, np.column_stack([phase, -phase] * 8))
    )
    attrs = {"role": "covariate", "kind": "continuous"}
    return data.assign(phase=("time", phase.astype(np.float32), attrs))


def test_pca_comes_back_and_needs_no_shuffling(binned):
    found = embedding_controls(ns.embed(binned, "pca", dims=3))
    assert found["embedded"].values.tolist() == ["embedding", "other_seed"]
    assert float(found["embedding_consistency"]) > 0.999
    assert float(found["embedded_r2"].sel(embedded="embedding", embedded_target="phase")) > 0.8
    assert embedding_said(found) == [
        "the embedding does not depend on a seed: another changes nothing, which proves nothing"
    ]


def test_a_supervised_one_stands_beside_shuffled_activity_and_behaviour(binned):
    pytest.importorskip("cebra")
    data = ns.embed(
        binned, "cebra", dims=3, covariates=["phase"], max_iterations=100, temperature=0.5,
        model_architecture="offset1-model", num_hidden_units=16,
    )  # fmt: skip
    found = embedding_controls(data)
    r2 = found["embedded_r2"].sel(embedded_target="phase").to_series()
    assert list(r2.index) == ["embedding", "other_seed", "shuffled_neural", "shuffled_labels"]
    assert r2["embedding"] > 0.6
    said = embedding_said(found)
    assert len(said) == 2 and said[1].startswith(
        f"phase is told from the embedding with R² {r2.iloc[0]:.2f}"
    )


def table(r2, again=0.9, named=("embedding", "other_seed", "shuffled_neural", "shuffled_labels")):
    n = len(named)
    nothing = np.full((n, 1), np.nan)
    return xr.Dataset(
        {
            "embedded_r2": (("embedded", "embedded_target"), np.array(r2, float).reshape(n, 1)),
            "embedded_accuracy": (("embedded", "embedded_target"), nothing),
            "embedding_consistency": again,
        },
        coords={"embedded": list(named), "embedded_target": ["speed"]},
    )


def test_every_sentence():
    assert embedding_said(xr.Dataset()) == []
    first, second = embedding_said(table([0.6, 0.6, 0.1, 0.0]))
    assert first.startswith("another seed gives the same embedding")
    assert second.endswith(
        "with 0.10 and 0.00 from embeddings of shuffled activity and shuffled behaviour"
    )
    first, second = embedding_said(table([0.6, 0.6, 0.58, 0.0], again=0.4))
    assert first.startswith("another seed gives another embedding (Procrustes R² 0.40")
    assert second.endswith(": no better than what was trained on shuffled data")
    assert embedding_said(table([np.nan] * 4, again=np.nan)) == [
        "the embedding does not vary on test bins"
    ]


def test_procrustes_finds_a_turn_a_size_and_a_place():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 3))
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    half = np.arange(200) < 100
    assert procrustes_r2(x, 2 * x @ turn + 5, half, ~half) == pytest.approx(1)
    assert procrustes_r2(rng.standard_normal((200, 3)), x, half, ~half) < 0.2
    assert np.isnan(procrustes_r2(np.ones((200, 3)), x, half, ~half))


def test_what_was_not_made_here_is_refused(binned):
    given = ns.with_embedding(binned, binned["counts"].values[:, :3], method="pca")
    with pytest.raises(BadInput, match="was not made by"):
        embedding_controls(given)
    with pytest.raises(BadInput, match="there is no embedding"):
        embedding_controls(binned)

"""Several recordings in one space: by their behaviour, or by the units they share; and one coder of it."""

import json

import numpy as np
import pytest
from sklearn.decomposition import PCA

import nwbsparse as ns
from make.configs import plain_config
from make.sessions import make_binned, planted
from nwbsparse.analysis.quality.embedding_controls import controls_of_sessions, embedding_controls
from nwbsparse.errors import BadInput

QUICK = {
    "cebra": {"max_iterations": 15, "num_hidden_units": 8, "batch_size": 64, "time_offsets": 2},
    "umap": {"n_epochs": 20, "n_neighbors": 5},
    "tsne": {"max_iter": 250, "perplexity": 5.0},
}


def session(seed):
    data = make_binned(planted(400, seed=seed), bin_width=0.1, blocks=3, gap=0.5)
    angle = np.linspace(0, 20 * np.pi, 400)
    role = {"role": "covariate"}
    return data.assign(
        phase=("time", np.sin(angle).astype(np.float32), role | {"kind": "continuous"}),
        side=("time", (angle // np.pi % 2).astype(np.int32),
              {"role": "condition", "categories": json.dumps(["left", "right"])}),
    ).assign_attrs(source=f"session {seed}")  # fmt: skip


@pytest.fixture(scope="module")
def both():
    return [session(0), session(1)]


@pytest.fixture(scope="module")
def shared(both):
    return ns.embed_sessions(both, method="pca", dims=3)


def test_recordings_of_other_units_come_into_one_space_by_behaviour(both):
    pytest.importorskip("cebra")
    first, second = both[0], both[1].isel(unit=slice(0, 9))
    for name in ("phase", "side"):
        made = ns.embed_sessions([first, second], covariates=[name], dims=3, **QUICK["cebra"])
        assert [one["embedding"].shape for one in made] == [(400, 3), (400, 3)]
        again = ns.embed(second, ns.embedder_of(made[1]))
        np.testing.assert_array_equal(again["embedding"], made[1]["embedding"])
    dealt = ns.embed_sessions(
        [first, second], covariates=["side"], dims=3, control="shuffled_labels", **QUICK["cebra"]
    )
    assert not np.allclose(dealt[0]["embedding"], made[0]["embedding"], atol=1e-3)


def test_of_the_same_units_one_fit_on_the_training_bins_of_all(both, shared):
    train = [one["counts"].values[one["split"].values == 0] for one in both]
    wanted = PCA(3).fit(np.concatenate(train).astype(float))
    for one, made in zip(both, shared, strict=True):
        table = wanted.transform(one["counts"].values.astype(float))
        np.testing.assert_allclose(
            np.abs(made["embedding"]), np.abs(table), atol=1e-4, err_msg="up to the sign of a dim"
        )
        assert json.loads(made["embedding"].attrs["parameters"])["n_sessions"] == 2
    assert ns.embedder_of(shared[0]).to_bytes() == ns.embedder_of(shared[1]).to_bytes()


@pytest.mark.parametrize(
    "method", ["cebra", "fa", "nmf", "tsne", pytest.param("umap", marks=pytest.mark.slow)]
)
def test_every_method_puts_the_same_units_into_one_space(method, both):
    if method in ("cebra", "umap"):
        pytest.importorskip("cebra" if method == "cebra" else "umap")
    made = ns.embed_sessions(both, method=method, dims=3, **QUICK.get(method, {}))
    assert [one["embedding"].shape for one in made] == [(400, 3), (400, 3)]
    assert all(np.isfinite(one["embedding"]).all() for one in made)
    said = json.loads(made[1]["embedding"].attrs["parameters"])
    assert said["fitted_on"] == ("all bins" if method == "tsne" else "train")


@pytest.mark.parametrize("method", ["fa", "cebra"])
def test_other_units_are_refused_without_behaviour(method, both):
    first, second = both
    fewer = second.isel(unit=slice(0, 9))
    with pytest.raises(
        BadInput, match=r"has 16, the second .session 1. 9, of which 9 have.*by their behaviour"
    ):
        ns.embed_sessions([first, fewer], method=method)
    with pytest.raises(BadInput, match="in another order"):
        ns.embed_sessions([first, second.isel(unit=slice(None, None, -1))], method=method)


def test_one_recording_is_refused(both):
    with pytest.raises(BadInput, match="two or more"):
        ns.embed_sessions(both[:1], covariates=["phase"])


def test_one_coder_reads_the_dims_of_all(both, shared):
    joined = ns.join_sessions(dict(zip("ab", shared, strict=True)))
    assert joined["embedding"].dims == ("time", "dim") and joined.sizes["time"] == 800
    np.testing.assert_array_equal(joined["embedding"][400:], shared[1]["embedding"])
    coder = ns.fit(joined, plain_config(reads="embedding", n_latents=8, k=2, max_epochs=2))
    assert coder.record.unit_ids == ("dim 0", "dim 1", "dim 2")
    for one in shared:  # a dim is the same in all, so the coder is of each as it is
        there = ns.encode(coder, one)["activation"].values
        at = slice(0, 400) if one is shared[0] else slice(400, 800)
        np.testing.assert_array_equal(there, ns.encode(coder, joined)["activation"].values[at])


def test_embeddings_that_are_not_of_one_space_are_not_joined(both, shared):
    apart = [ns.embed(one, "pca", dims=3) for one in both]
    with pytest.raises(BadInput, match=r"were made one by one.*embed_sessions"):
        ns.join_sessions(apart)
    with pytest.raises(BadInput, match="has none; embed all sessions or none"):
        ns.join_sessions([shared[0], both[1]])
    wider = ns.embed_sessions(both, method="pca", dims=4)
    with pytest.raises(BadInput, match="has 3 dims, that of 'session 1' 4"):
        ns.join_sessions([shared[0], wider[1]])
    applied = [apart[0], ns.embed(both[1], ns.embedder_of(apart[0]))]
    assert ns.join_sessions(applied)["embedding"].shape == (800, 3)


def test_controls_are_made_of_all_together(both, shared):
    found = controls_of_sessions(dict(zip("ab", shared, strict=True)))
    assert list(found) == ["a", "b"]
    for one in found.values():
        assert one["embedded"].values.tolist() == ["embedding", "other_seed"]
        assert float(one["embedding_consistency"]) > 0.999  # PCA has no seed
    with pytest.raises(BadInput, match=r"2 recordings into one space.*all of them"):
        embedding_controls(shared[0])

"""Embeddings: learned on training bins alone, nothing seen across edges, the same from bytes."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import NMF, PCA, FactorAnalysis

import nwbsparse as ns
from make.sessions import make_binned, planted
from nwbsparse.embedding.embedder import Embedder, embedder_from
from nwbsparse.embedding.rows import Rows, rows_of
from nwbsparse.embedding.supervision import covariates_for
from nwbsparse.errors import BadInput, IntegrityError

QUICK = {
    "cebra": {"max_iterations": 15, "num_hidden_units": 8, "batch_size": 64, "time_offsets": 2},
    "umap": {"n_epochs": 20, "n_neighbors": 5},
    "tsne": {"max_iter": 250, "perplexity": 5.0},
}
METHODS = (
    "cebra", "pca", "fa", "ica", "nmf", "tsne",
    pytest.param("umap", marks=pytest.mark.slow),  # what it compiles takes half a minute
)  # fmt: skip
APPLIED = ("cebra", "pca", "fa", "ica", "nmf")
"""Methods that embed other bins than those they were fitted on, from what is kept of them."""


def made(binned, method, **given):
    if method == "cebra":
        pytest.importorskip("cebra")
    if method == "umap":
        pytest.importorskip("umap")
    return ns.embed(binned, method, dims=3, **(QUICK.get(method, {}) | given))


@pytest.fixture(scope="module")
def binned():
    data = make_binned(planted(600), bin_width=0.1, blocks=3, gap=0.5)
    angle = np.linspace(0, 20 * np.pi, 600)
    role = {"role": "covariate"}
    return data.assign(
        phase=("time", np.sin(angle).astype(np.float32), role | {"kind": "continuous"}),
        side=("time", (angle // np.pi % 2).astype(np.int32),
              {"role": "condition", "categories": json.dumps(["left", "right"])}),
    )  # fmt: skip


@pytest.fixture(scope="module", params=METHODS)
def embedded(request, binned):
    return request.param, made(binned, request.param)


def test_a_row_per_bin_and_how_it_was_made(embedded, binned):
    method, data = embedded
    table, attrs = data["embedding"], data["embedding"].attrs
    assert table.dims == ("time", "dim") and table.shape == (600, 3) and table.dtype == np.float32
    assert np.isfinite(table).all() and attrs["method"] == method
    said = json.loads(attrs["parameters"])
    assert (said["dims"], said["seed"], said["smoothing"], said["control"]) == (3, 0, 0.0, None)
    assert said["fitted_on"] == ("all bins" if method == "tsne" else "train")
    assert "saw_behaviour" not in said
    assert "embedding" not in binned


def test_the_same_seed_gives_the_same_bits(embedded, binned):
    method, data = embedded
    again = made(binned, method)
    np.testing.assert_array_equal(again["embedding"], data["embedding"])
    if method in APPLIED:
        np.testing.assert_array_equal(again["embedder"], data["embedder"])


@pytest.mark.parametrize("method", [one for one in METHODS if one != "tsne"])
def test_what_is_held_out_is_not_learned_from(method, binned):
    """Kind: something of held-out bins reaches what is fitted."""
    train = binned["split"].values == 0
    other = binned.copy(deep=True)
    rng = np.random.default_rng(0)
    other["counts"].values[~train] = rng.integers(0, 9, (np.count_nonzero(~train), 16))
    for data in (binned, other):
        data.attrs["seen"] = float(made(data, method)["embedding"].values[train].sum(dtype=float))
    assert binned.attrs.pop("seen") == other.attrs.pop("seen")


@pytest.mark.parametrize("method", APPLIED)
def test_from_its_bytes_it_embeds_other_bins_alike(method, binned):
    data = made(binned, method)
    embedder = ns.embedder_of(data)
    assert embedder.to_bytes() == embedder_from(embedder.to_bytes()).to_bytes()
    applied = ns.embed(binned, embedder)
    np.testing.assert_array_equal(applied["embedding"], data["embedding"])
    moved = binned.assign_coords(split=("time", np.zeros(600, np.int8)))  # no edges of parts
    inner = np.flatnonzero(rows_of(binned).whole(*embedder.receptive_field))
    same = ns.embed(moved, embedder)["embedding"].values[inner]
    np.testing.assert_allclose(same, data["embedding"].values[inner], atol=1e-5)


@pytest.mark.parametrize("method", APPLIED)
def test_nothing_is_seen_across_the_edge_of_a_part(method, binned):
    embedder = ns.embedder_of(made(binned, method))
    test = binned["split"].values == 2
    other = binned.copy(deep=True)
    other["counts"].values[~test] = 7
    before, after = (ns.embed(one, embedder)["embedding"].values[test] for one in (binned, other))
    np.testing.assert_allclose(before, after, atol=1e-6)


def test_the_linear_ones_are_those_of_scikit_learn(binned):
    counts = binned["counts"].values.astype(np.float64)
    train = binned["split"].values == 0
    for method, model in (
        ("pca", PCA(3, random_state=0)),
        ("fa", FactorAnalysis(3, max_iter=1000, random_state=0)),
        ("nmf", NMF(3, init="nndsvda", max_iter=1000, random_state=0)),
    ):
        wanted = model.fit(counts[train]).transform(counts)
        found = made(binned, method)["embedding"].values
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=2e-3, err_msg=method)


def test_cebra_follows_the_behaviour_it_is_trained_by_and_its_control_does_not(binned):
    pytest.importorskip("cebra")
    phase = binned["phase"].values
    data = binned.copy(deep=True)
    rates = 3 * np.maximum(0, np.column_stack([phase, -phase] * 8))
    data["counts"].values[:] = np.random.default_rng(0).poisson(rates)
    train, test = (data["split"].values == part for part in (0, 2))
    told = {}
    for control in (None, "shuffled_labels", "shuffled_neural"):
        found = ns.embed(
            data, "cebra", dims=3, covariates=["phase"], control=control, max_iterations=120,
            model_architecture="offset1-model", num_hidden_units=16, temperature=0.5,
        )["embedding"]  # fmt: skip
        fitted = np.linalg.lstsq(
            np.column_stack([found[train], np.ones(train.sum())]), phase[train], rcond=None
        )[0]
        said = np.column_stack([found[test], np.ones(test.sum())]) @ fitted
        told[control] = 1 - ((phase[test] - said) ** 2).sum() / (phase[test] ** 2).sum()
        assert json.loads(found.attrs["parameters"])["saw_behaviour"] == "train"
    assert told[None] > 0.6 and told[None] > told["shuffled_labels"] + 0.1


@pytest.mark.parametrize(
    "given",
    [
        {"covariates": ["phase"]},
        {"covariates": ["side"]},
        {"covariates": ["phase", "side"]},
        {"covariates": ["phase"], "hybrid": True},
        {"covariates": ["phase"], "conditional": "delta_normal"},
        {
            "temperature_mode": "auto",
            "distance": "euclidean",
            "model_architecture": "offset5-model",
        },
        {"model_architecture": "offset4-model-2x-subsample"},
    ],
)
def test_every_way_of_cebra_runs(given, binned):
    found = made(binned, "cebra", **given)
    assert np.isfinite(found["embedding"]).all()
    kinds = {"phase": "continuous", "side": "discrete"}
    said = ns.embedder_of(found).settings["kinds"]
    assert said == {name: kinds[name] for name in given.get("covariates", ())}


def test_place_is_the_position_and_the_direction_where_there_is_one(binned):
    learned = binned["split"].values == 0
    placed = binned.assign(x=binned["phase"].assign_attrs(kind="position"))
    assert covariates_for(placed, ["place"], learned).kinds == {"x": "continuous"}
    directed = placed.assign({"trials.direction": placed["side"]})
    kinds = {"x": "continuous", "trials.direction": "discrete"}
    assert covariates_for(directed, ["place", "x"], learned).kinds == kinds
    named = placed.assign(place=placed["phase"])
    assert covariates_for(named, ["place"], learned).kinds == {"place": "continuous"}
    with pytest.raises(BadInput, match=r"has no position; name what .* phase, side"):
        covariates_for(binned, ["place"], learned)
    with pytest.raises(BadInput, match=r"several positions \(x, y\)"):
        covariates_for(placed.assign(y=placed["x"]), ["place"], learned)


def test_the_last_bin_aligned_sees_nothing_later(binned):
    found = made(binned, "cebra", align="last")
    embedder = ns.embedder_of(found)
    assert embedder.receptive_field == (9, 1)
    at = 250
    other = binned.copy(deep=True)
    other["counts"].values[at + 1 :] = 9
    again = ns.embed(other, embedder)["embedding"].values
    np.testing.assert_allclose(again[: at + 1], found["embedding"].values[: at + 1], atol=1e-6)


def test_bins_in_which_nothing_was_observed_have_no_embedding(binned):
    valid = np.ones((600, 16), bool)
    valid[100:110] = False
    valid[200:300, 3] = False
    data = binned.assign(valid=(("time", "unit"), valid))
    for method in ("pca", "cebra"):
        found = made(data, method)["embedding"].values
        unknown = np.isnan(found).all(axis=1)
        np.testing.assert_array_equal(np.flatnonzero(unknown), np.arange(100, 110))


def test_covariates_that_are_not_known_are_not_learned_from(binned):
    data = binned.copy(deep=True)
    data["phase"].values[:100] = np.nan
    assert np.isfinite(made(data, "cebra", covariates=["phase"])["embedding"]).all()
    data["phase"].values[:] = np.nan
    with pytest.raises(BadInput, match="'phase' is not known in any training bin"):
        made(data, "cebra", covariates=["phase"])
    data["phase"].values[:] = 2.5
    with pytest.raises(BadInput, match=r"never changes in the training bins \(always 2.5\)"):
        made(data, "cebra", covariates=["phase"])


@pytest.mark.parametrize(
    ("method", "given", "said"),
    [
        ("kebra", {}, "no embedding method 'kebra'; did you mean"),
        ("pca", {"covariates": ["phase"]}, "pca sees the activity alone"),
        ("cebra", {"covariates": ["fase"]}, "did you mean 'phase'"),
        (
            "cebra",
            {"max_iteration": 3},
            "no setting 'max_iteration'; did you mean 'max_iterations'",
        ),
        ("cebra", {"control": "shuffled_labels"}, "made with covariates"),
        ("cebra", {"control": "shuffled"}, "no control 'shuffled'"),
        ("cebra", {"model_architecture": "offset11-model"}, "architecture"),
        ("cebra", {"hybrid": True}, "name continuous covariates"),
        ("cebra", {"align": "first"}, "alignment"),
        ("pca", {"dims": 17}, "at most 16"),
        ("pca", {"dims": 0}, "dims is 0"),
        ("pca", {"smoothing": -1.0}, "smoothing is -1.0"),
    ],
)
def test_what_cannot_be_is_refused_in_words(method, given, said, binned):
    if method == "cebra":
        pytest.importorskip("cebra")
    with pytest.raises(BadInput, match=said):
        ns.embed(binned, method, **given)


def test_too_few_bins_for_the_receptive_field_and_no_split(binned):
    pytest.importorskip("cebra")
    short = make_binned(planted(60), blocks=4, gap=0.0)
    with pytest.raises(BadInput, match=r"only .* training bins have a whole window of 36 bins"):
        made(short, "cebra", model_architecture="offset36-model")
    with pytest.raises(BadInput, match=r"call nwbsparse\.split"):
        ns.embed(binned.drop_vars("split"), "pca")


def test_damaged_bytes_are_found():
    held = Embedder("pca", {"dims": 2}, {"matrix": np.eye(2)}).to_bytes()
    with pytest.raises(IntegrityError, match="the embedder is damaged"):
        embedder_from(held[:-5])
    with pytest.raises(IntegrityError):
        embedder_from(b"")
    later = held.replace(b'\\"format\\": 1', b'\\"format\\": 9')
    with pytest.raises(BadInput, match="format 9"):
        embedder_from(later)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.integers(0, 5), st.integers(1, 5), st.data(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_windows_stay_inside_their_stretch(lengths, before, after, data):
    stretch = np.repeat(np.arange(len(lengths)), lengths)
    n = len(stretch)
    known = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    rows = Rows(np.zeros((n, 2), np.float32), stretch, np.ones(n, bool), known)
    windows, whole = rows.windows(before, after), rows.whole(before, after)
    assert windows.shape == (n, before + after)
    assert (stretch[windows] == stretch[:, None]).all()
    for at in range(n):
        asked = range(at - before, at + after)
        inside = all(0 <= one < n and stretch[one] == stretch[at] and known[one] for one in asked)
        assert whole[at] == inside
        if inside:
            assert windows[at].tolist() == list(asked)

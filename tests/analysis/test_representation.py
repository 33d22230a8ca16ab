"""A method of the user's stands beside latents everywhere, under the same rules as ours."""

import json

import numpy as np
import pytest
import xarray as xr
from sklearn.decomposition import PCA

import nwbsparse as ns
from make.configs import plain_config
from make.hidden import shared
from make.sessions import make_binned
from nwbsparse.analysis.quality.hidden_units import hidden_units
from nwbsparse.analysis.representation import components, recorded_units
from nwbsparse.errors import BadInput

TRAIN = 0


def pca(binned, n=4):
    """As a user would write it."""
    counts = binned["counts"].values.astype(float)
    train = binned["split"].values == TRAIN
    return PCA(n, svd_solver="full").fit(counts[train]).transform(counts)


def noise(binned):
    return np.random.default_rng(0).standard_normal((binned.sizes["time"], 3))


MINE, NOISE = ns.Representation("mine", pca), ns.Representation("noise", noise)


@pytest.fixture(scope="module")
def data():
    counts = shared()
    level = np.sqrt(
        counts[:, ::2].mean(axis=1) + np.convolve(counts[:, 0], np.ones(30) / 30, "same")
    )
    attrs = {"role": "covariate", "kind": "continuous"}
    return make_binned(counts, test=0.3).assign(level=("time", level.astype(np.float32), attrs))


@pytest.fixture(scope="module")
def coder(data):
    return ns.fit(data, plain_config(n_latents=8, k=2, max_epochs=6, batch_size=256))


def test_a_table_and_the_function_that_makes_it_are_decoded_alike(data):
    table = ns.Representation("table", pca(data))
    labelled = ns.Representation("labelled", xr.DataArray(pca(data), dims=("time", "component")))
    found = ns.decode(data, ["level"], inputs=["counts", MINE, table, labelled, NOISE])
    assert found["input"].values.tolist() == ["counts", "mine", "table", "labelled", "noise"]
    r2 = dict(zip(found["input"].values, found["r2"].values[:, 0], strict=True))
    assert r2["mine"] == r2["table"] == r2["labelled"] > 0.1 > r2["noise"]


def test_latents_of_a_coder_can_be_given_as_any_other_table(data, coder):
    latents = ns.encode(coder, data)
    same = ns.Representation("again", lambda binned: ns.encode(coder, binned))
    found = ns.decode(data, ["level"], inputs=["latents", same], latents=latents)
    assert found["r2"].values[0] == found["r2"].values[1]


def test_what_hides_units_makes_the_method_anew_without_them(data):
    seen = []

    def watched(binned):
        seen.append(list(binned["unit_id"].values))
        return pca(binned)

    quick = plain_config(n_latents=8, k=2, max_epochs=2, batch_size=256)
    beside = [ns.Representation("watched", watched), NOISE]
    found = ns.cosmooth(data, quick, held_out=["1", "3"], beside=beside)
    assert found["source"].values.tolist()[-2:] == ["watched", "noise"]
    assert len(seen) == 1 and not {"1", "3"} & set(seen[0])
    bits = dict(zip(found["source"].values, found["bits_per_spike"].values, strict=True))
    assert bits["watched"] > 0.01 and bits["noise"] < 0.005


def test_hidden_units_are_told_by_a_method_that_never_saw_them(data, coder):
    beside = [MINE, NOISE, ns.Representation("units", recorded_units().made)]
    found = hidden_units(coder, data, beside=beside)
    r2 = dict(zip(found["baseline"].values, found["hidden_baseline_r2"].values, strict=True))
    alone = hidden_units(coder, data)
    for name in alone["baseline"].values:  # ours are what they were
        assert r2[name] == float(alone["hidden_baseline_r2"].sel(baseline=name))
    # a ridge on all visible units is the baseline 'ridge', made in another way
    assert r2["units"] == pytest.approx(r2["ridge"], abs=0.01)
    # four components hold the four assemblies: as much as all units tell
    assert r2["mine"] == pytest.approx(r2["ridge"], abs=0.03) and r2["mine"] > 0.15
    assert r2["noise"] < 0.005
    bits = found["hidden_baseline_bits"]
    assert float(bits.sel(baseline="mine")) > 0 > float(bits.sel(baseline="noise")) - 0.005


def test_a_table_of_all_units_cannot_tell_hidden_ones(data, coder):
    table = ns.Representation("table", pca(data))
    for asked in (
        lambda: ns.evaluate(coder, data, detail="all", beside=[table]),
        lambda: ns.cosmooth(data, plain_config(max_epochs=1), held_out=["1"], beside=[table]),
    ):
        with pytest.raises(BadInput, match="'table' is a table that was made from all units"):
            asked()


def test_scores_of_naik_stand_beside_other_methods(data, coder):
    found = ns.naik_scores(coder, data, beside=[MINE], n_shifts=5)
    assert found["source"].values.tolist() == ["latents", "untrained", "input", "mine"]
    assert np.isfinite(found["neuron_paper"].values).all()


def test_the_set_of_another_method_stands_beside_the_latents(data, coder):
    found = ns.explain(coder, data, beside=[MINE, NOISE])
    told = json.loads(found.attrs["summary"])["variables"]["level"]["together"]
    assert told["share"]["mine"] > told["chance"] + 0.05
    assert abs(told["share"]["noise"] - told["chance"]) < 0.06
    assert set(told["p"]) >= {"mine", "noise"}
    alone = json.loads(ns.explain(coder, data).attrs["summary"])["variables"]["level"]["together"]
    assert {key: told["share"][key] for key in alone["share"]} == alone["share"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda binned: np.zeros((3, 2)), r"'odd' has shape \(3, 2\)"),
        (lambda binned: np.zeros(binned.sizes["time"]), r"is needed"),
        (lambda binned: np.full((binned.sizes["time"], 2), np.nan), "not finite in"),
    ],
)
def test_what_is_no_table_of_all_bins_is_refused(data, made, said):
    with pytest.raises(BadInput, match=said):
        ns.decode(data, ["level"], inputs=[ns.Representation("odd", made)])


def test_names_are_told_apart(data, coder):
    ours = ns.Representation("counts", noise)
    with pytest.raises(BadInput, match="the name 'counts' is taken"):
        ns.decode(data, ["level"], inputs=[ours])
    with pytest.raises(BadInput, match="the name 'mine' is taken"):
        ns.explain(coder, data, beside=[MINE, MINE])
    with pytest.raises(BadInput, match="the name 'pca' is taken"):
        hidden_units(coder, data, beside=[components(3)])

"""An embedding beside the counts: what is taken, what is refused, and in which words."""

import json
import pickle

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import nwbsparse as ns
from make.configs import plain_config
from make.embedded_recordings import projected
from make.recordings import circle, write_recording
from nwbsparse.errors import BadInput


@pytest.fixture(scope="module")
def binned(tmp_path_factory):
    path = write_recording(tmp_path_factory.mktemp("embedded") / "rat.nwb", position=circle())
    return ns.to_bins(ns.read(path), 0.1)


def test_it_stands_beside_the_counts_and_says_how_it_was_made(binned):
    values = projected(binned)
    made = ns.with_embedding(binned, values, method="pca", parameters={"n": 5, "whiten": True})
    assert made["embedding"].dims == ("time", "dim") and made["embedding"].dtype == np.float32
    np.testing.assert_array_equal(made["embedding"], values)
    np.testing.assert_array_equal(made["dim"], np.arange(5))
    assert made["embedding"].attrs == {
        "method": "pca",
        "parameters": '{"n": 5, "whiten": true}',
    }
    last = json.loads(made.attrs["history"])[-1]
    assert last["step"] == "with_embedding"
    assert last["parameters"] == {
        "method": "pca",
        "parameters": {"n": 5, "whiten": True},
        "dims": 5,
    }
    assert "embedding" not in binned
    xr.testing.assert_identical(
        made.drop_vars(["embedding", "dim"]).drop_attrs(), binned.drop_attrs()
    )


def test_without_a_method_it_is_said_to_be_unknown(binned):
    made = ns.with_embedding(binned, projected(binned))
    assert made["embedding"].attrs == {"method": "unknown", "parameters": "{}"}


def test_an_array_a_dataarray_and_a_file_give_the_same(binned, tmp_path):
    values = projected(binned).astype(np.float64)
    np.save(tmp_path / "emb.npy", values)
    labelled = xr.DataArray(
        values.T,
        dims=("dim", "time"),
        coords={"time": binned["time"].values},
        attrs={"method": "umap", "parameters": {"n": 2}},
    )
    plain = ns.with_embedding(binned, values, method="umap", parameters={"n": 2})
    for other in (
        ns.with_embedding(binned, tmp_path / "emb.npy", method="umap", parameters={"n": 2}),
        ns.with_embedding(binned, str(tmp_path / "emb.npy"), method="umap", parameters={"n": 2}),
        ns.with_embedding(binned, labelled),
        ns.with_embedding(binned, plain["embedding"]),
    ):
        xr.testing.assert_identical(other, plain)


def test_another_one_takes_its_place(binned):
    made = ns.with_embedding(ns.with_embedding(binned, projected(binned)), projected(binned)[:, :2])
    assert made["embedding"].shape == (binned.sizes["time"], 2) and made.sizes["dim"] == 2


def test_other_lengths_are_said_with_the_call_that_makes_the_bins(binned):
    n = binned.sizes["time"]
    with pytest.raises(
        BadInput, match=rf"has {n - 3} rows, the recording {n} bins: 100 ms wide"
    ) as e:
        ns.with_embedding(binned, projected(binned)[3:])
    assert "nwbsparse.to_bins(nwbsparse.read(FILE), bin_width=0.1)" in str(e.value)
    with pytest.raises(BadInput, match="may be transposed"):
        ns.with_embedding(binned, projected(binned).T)


@pytest.mark.parametrize("shape", [(10,), (10, 2, 2), (10, 0), ()])
def test_other_than_two_dims_are_refused(binned, shape):
    with pytest.raises(BadInput, match=r"has shape \(.*\(bins, dims\) with 9.. bins is needed"):
        ns.with_embedding(binned, np.zeros(shape))


def test_values_that_are_not_finite_are_counted_and_the_first_is_said(binned):
    values = projected(binned)
    values[7, 1], values[9] = np.nan, np.inf
    time = float(binned["time"][7])
    with pytest.raises(
        BadInput, match=rf"not finite in 2 of 9.. bins, the first is bin 7 \({time:.3f}"
    ):
        ns.with_embedding(binned, values)


def test_bins_that_nobody_uses_may_lack_one(tmp_path):
    gaps = [[[0, 40], [45, 100]]] * 4
    path = write_recording(tmp_path / "gaps.nwb", position=circle(), obs_intervals=gaps)
    binned = ns.split(ns.to_bins(ns.read(path), 0.1))
    values = projected(binned)
    gap = binned["split"].values == -1
    assert gap.any()
    values[gap, 0] = np.nan
    made = ns.with_embedding(binned, values)
    assert np.isnan(made["embedding"].values[gap]).all()
    assert np.isfinite(made["embedding"].values[~gap]).all()
    coder = ns.fit(made, plain_config(reads="embedding", max_epochs=2))
    assert np.isfinite(ns.encode(coder, made)["activation"]).all()


@pytest.mark.parametrize(
    "values", [np.array([["a", "b"]]), np.ones((1, 2), complex), np.ones((1, 2), bool)]
)
def test_what_is_no_number_is_refused(binned, values):
    with pytest.raises(BadInput, match="not real numbers"):
        ns.with_embedding(binned, np.repeat(values, binned.sizes["time"], axis=0))


def test_times_of_other_bins_are_refused(binned):
    made = ns.with_embedding(binned, projected(binned))["embedding"]
    with pytest.raises(BadInput, match="other times than the bins: row 0 stands at"):
        ns.with_embedding(binned, made.assign_coords(time=made["time"] + 0.05))


def test_parameters_must_be_json(binned):
    with pytest.raises(BadInput, match="plain JSON"):
        ns.with_embedding(binned, projected(binned), parameters={"model": object()})
    wrong = xr.DataArray(projected(binned), dims=("time", "dim"), attrs={"parameters": "no json"})
    with pytest.raises(BadInput, match="no JSON object"):
        ns.with_embedding(binned, wrong)


def test_a_pickle_is_never_opened(binned, tmp_path):
    path = tmp_path / "emb.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BadInput, match="pickle"):
        ns.with_embedding(binned, path)
    path.write_bytes(pickle.dumps(projected(binned)))
    with pytest.raises(BadInput, match="not a NumPy array file"):
        ns.with_embedding(binned, path)
    with pytest.raises(BadInput, match="is missing"):
        ns.with_embedding(binned, tmp_path / "none.npy")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 7), st.sampled_from(["f2", "f4", "f8", "i2", "u1"]))
def test_whatever_is_finite_comes_back(seed, n_dims, kind):
    rng = np.random.default_rng(seed)
    binned = SMALL
    values = rng.integers(0, 100, (binned.sizes["time"], n_dims)).astype(kind)
    made = ns.with_embedding(binned, values)
    np.testing.assert_array_equal(made["embedding"], values.astype(np.float32))
    assert made["embedding"].dtype == np.float32


def _small():
    rng = np.random.default_rng(0)
    spikes = [np.sort(rng.uniform(0, 40, 60)) for _ in range(3)]
    return ns.to_bins(ns.read(spikes), 0.2)


SMALL = _small()

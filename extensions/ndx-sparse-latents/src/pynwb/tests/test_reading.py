"""Activations read the same from dense and sparse storage, whole or in part."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ndx_sparse_latents import bin_times, to_dense, to_scipy, window
from ndx_sparse_latents.testing import (
    mock_activations,
    mock_LatentActivationSeries,
    mock_LatentsTable,
    mock_SparseLatentActivations,
)


def sparse(dense, **time):
    """Store an array sparsely, in an object of no particular class."""
    bins, indices = np.nonzero(dense)
    counts = np.bincount(bins, minlength=len(dense))
    return SimpleNamespace(
        name="made",
        num_bins=dense.shape[0],
        num_latents=dense.shape[1],
        bin_width=0.02,
        values=dense[bins, indices],
        indices=indices.astype(np.uint16),
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64),
        **{"timestamps": None, "starting_time": 0.01, "rate": 50.0, **time},
    )


dense_arrays = arrays.arrays(
    np.float32,
    st.tuples(st.integers(0, 12), st.integers(1, 6)),
    elements=st.one_of(st.just(0.0), st.floats(0.125, 9.0, width=32)),
)


@given(dense_arrays, st.integers(-15, 15), st.one_of(st.none(), st.integers(-15, 15)))
def test_sparse_storage_loses_nothing(dense, start, stop):
    stored = sparse(dense)
    np.testing.assert_array_equal(to_dense(stored), dense)
    np.testing.assert_array_equal(to_dense(stored, start, stop), dense[start:stop])
    matrix = to_scipy(stored)
    assert matrix.shape == dense.shape
    assert matrix.nnz == np.count_nonzero(dense)
    np.testing.assert_array_equal(matrix.toarray(), dense)


@given(dense_arrays, st.floats(-1, 2), st.floats(0, 2))
def test_window_takes_the_bins_whose_centre_is_inside(dense, t0, length):
    stored = sparse(dense)
    inside = (bin_times(stored) >= t0) & (bin_times(stored) < t0 + length)
    times, values = window(stored, t0, t0 + length)
    np.testing.assert_array_equal(times, bin_times(stored)[inside])
    np.testing.assert_array_equal(values, dense[inside])


@pytest.mark.parametrize("name", ["dense", "sparse"])
def test_both_storages_agree_on_disk(models, name):
    model = models["sae"]
    stored = (model.latent_activation_series | model.sparse_latent_activations)[name]
    expected = mock_activations(50, 8)
    np.testing.assert_array_equal(to_dense(stored), expected)
    np.testing.assert_array_equal(to_scipy(stored).toarray(), expected)
    np.testing.assert_allclose(bin_times(stored), 0.01 + 0.02 * np.arange(50))
    times, values = window(stored, 0.2, 0.4)
    assert len(times) == 10
    np.testing.assert_array_equal(values, expected[10:20])


def test_gaps_are_kept(models):
    stored = models["sae"].sparse_latent_activations["with_gaps"]
    times, values = window(stored, 0.45, 2.05)
    np.testing.assert_allclose(times, [0.45, 0.47, 0.49, 2.01, 2.03])
    np.testing.assert_array_equal(values, mock_activations(50, 8)[22:27])
    assert len(window(stored, 0.6, 1.9)[0]) == 0


def test_only_the_window_is_read():
    class Recorded:
        def __init__(self, data):
            self.data, self.read = data, 0

        def __getitem__(self, key):
            self.read += len(self.data[key])
            return self.data[key]

    stored = sparse(np.ones((1000, 4), dtype=np.float32))
    stored.values, stored.indices = Recorded(stored.values), Recorded(stored.indices)
    stored.indptr = Recorded(stored.indptr)
    assert window(stored, 10.0, 10.1)[1].shape == (5, 4)
    assert (stored.values.read, stored.indices.read, stored.indptr.read) == (20, 20, 6)


def test_bin_starts_become_centres():
    latents = mock_LatentsTable()
    series = mock_LatentActivationSeries(latents, starting_time=1.0, rate=50.0)
    assert bin_times(series)[0] == 1.0
    series.fields["time_reference"] = "start"
    assert bin_times(series)[0] == pytest.approx(1.01)


def test_conversion_of_a_dense_series_is_applied():
    latents = mock_LatentsTable()
    series = mock_LatentActivationSeries(latents, rate=50.0, starting_time=0.0, conversion=2.0)
    np.testing.assert_array_equal(to_dense(series), 2 * mock_activations(50, 8))


def test_without_times_says_what_to_do():
    stored = mock_SparseLatentActivations(mock_LatentsTable(), rate=50.0)
    with pytest.raises(ValueError, match="to_dense"):
        bin_times(stored)


def test_window_that_ends_before_it_starts():
    with pytest.raises(ValueError, match="before it starts"):
        window(sparse(np.ones((3, 2), dtype=np.float32)), 1.0, 0.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("indptr", np.array([0, 2, 1, 6], dtype=np.uint64)),
        ("indptr", np.array([0, 2], dtype=np.uint64)),
        ("indices", np.full(6, 7, dtype=np.uint16)),
        ("values", np.ones(3, dtype=np.float32)),
    ],
)
def test_damage_is_noticed(field, value):
    stored = sparse(np.ones((3, 2), dtype=np.float32))
    setattr(stored, field, value)
    with pytest.raises(ValueError, match="damaged"):
        to_dense(stored)


def test_without_scipy_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ImportError, match="to_dense"):
        to_scipy(sparse(np.ones((3, 2), dtype=np.float32)))

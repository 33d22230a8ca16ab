"""Sparse activity is the same however it is kept, and in the bins that are chosen."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from nwbsparse import names
from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.errors import BadInput


def as_rows(table):
    made = sparse.csr_matrix(table)
    return xr.Dataset(
        {
            names.VALUE: (names.ENTRY, made.data),
            names.LATENT_INDEX: (names.ENTRY, made.indices.astype(np.uint16)),
            names.INDPTR: (names.TIME_EDGE, made.indptr.astype(np.uint64)),
        },
        coords={names.TIME: np.arange(len(table)), names.LATENT: np.arange(table.shape[1])},
    )


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 6))
def test_rows_and_tables_give_the_same_entries(seed, n_bins, n_channels):
    rng = np.random.default_rng(seed)
    table = rng.poisson(0.5, (n_bins, n_channels)).astype(np.float32)
    for kept in (table, as_rows(table)):
        found = activity_of(kept)
        np.testing.assert_array_equal(found.dense(np.arange(n_channels)), table)
        bins = np.flatnonzero(rng.random(n_bins) < 0.5)
        np.testing.assert_array_equal(found.at(bins).dense(np.arange(n_channels)), table[bins])
        for start, stop in zip(found.indptr[:-1], found.indptr[1:], strict=True):
            assert (np.diff(found.bins[start:stop]) > 0).all()
            assert (np.diff(found.by_value().value[start:stop]) >= 0).all()
    assert len(activity_of(table).value) == np.count_nonzero(table)


def test_negative_activations_are_refused_where_ranks_are_asked_for():
    with pytest.raises(BadInput, match="negative"):
        activity_of(np.array([[1.0], [-1.0]])).by_value()

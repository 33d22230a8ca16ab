"""Principal components of the population, found on training bins alone."""

import numpy as np
import xarray as xr
from sklearn.decomposition import PCA

from nwbsparse import names
from nwbsparse.analysis.statistics.components import principal_components
from sessions import make_binned, planted


def train_bins(data):
    return np.flatnonzero(data[names.SPLIT].values == names.TRAIN)


def test_they_are_those_of_the_standardised_training_bins():
    data = make_binned(planted(600))
    counts = data[names.COUNTS].values.astype(float)
    train = train_bins(data)
    spread = counts[train].std(axis=0)
    z = (counts - counts[train].mean(axis=0))[:, spread > 0] / spread[spread > 0]
    expected = PCA(3, svd_solver="full").fit(z[train]).transform(z)
    found = principal_components(data, most=3)
    assert found.shape == (600, 3)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_held_out_bins_have_no_part_in_them():
    data = make_binned(planted(600))
    other = data.copy(deep=True)
    held = data[names.SPLIT].values != names.TRAIN
    other[names.COUNTS].values[held] = other[names.COUNTS].values[held][::-1]
    train = train_bins(data)
    one, two = principal_components(data, most=4), principal_components(other, most=4)
    np.testing.assert_array_equal(one[train], two[train])


def test_where_a_unit_was_not_observed_its_count_says_nothing():
    data = make_binned(planted(600))
    valid = np.ones(data[names.COUNTS].shape, dtype=bool)
    valid[100:200, 0] = False
    data = data.assign({names.VALID: ((names.TIME, names.UNIT), valid)})
    other = data.copy(deep=True)
    other[names.COUNTS].values[100:200, 0] = 77
    np.testing.assert_array_equal(
        principal_components(data, most=4), principal_components(other, most=4)
    )


def test_a_silent_population_has_none():
    data = make_binned(planted(600))
    silent = data.assign({names.COUNTS: xr.zeros_like(data[names.COUNTS])})
    assert principal_components(silent, most=4).shape == (600, 0)

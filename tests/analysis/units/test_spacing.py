"""Long recordings are looked at every few bins: nulls then reckon with seconds, not with bins."""

import numpy as np
import pytest

from make.ablations import KINDS, recording
from make.coders import make_coder
from nwbsparse.analysis.apply.encode import batches
from nwbsparse.analysis.units import tables as units
from nwbsparse.analysis.units.tables import unit_attribution

EVERY = 10


@pytest.fixture(scope="module")
def long():
    """Bins of 20 ms: 10 s are 500 of them, and 50 of every tenth."""
    return recording(n=15_000)


def attributed(coder, data, bins):
    activation = np.concatenate([one.activation for one in batches(coder, data, bins)])
    return unit_attribution(coder, data, bins, activation)


def wider(data, bins):
    """The same bins as a recording of their own, whose bins are as wide as these lie apart."""
    step = int(np.median(np.diff(bins)))
    return data.isel(time=bins).assign_attrs(bin_width=data.attrs["bin_width"] * step)


@pytest.mark.parametrize("more", [1, 2], ids=["strided once", "strided twice"])
def test_shifts_are_as_long_as_the_bins_lie_apart(long, more, monkeypatch):
    coder = make_coder()
    bins = np.arange(0, 15_000, EVERY)
    alone = bins[::more]
    as_they_are = wider(long, alone)
    expected = attributed(coder, as_they_are, np.arange(len(alone)))["correlation_p"].values
    monkeypatch.setattr(units, "MAX_BINS", len(alone))
    found = attributed(coder, long, bins)["correlation_p"].values
    assert np.isfinite(expected).any()
    np.testing.assert_array_equal(found, expected)


def test_a_coder_of_windows_is_assessable_in_a_recording_that_is_looked_at_sparsely(
    long, monkeypatch
):
    """300 s hold 30 shifts of 10 s; they held three when every bin was taken to be ten long."""
    monkeypatch.setattr(units, "MAX_WINDOWS", 750)
    found = attributed(make_coder(**KINDS["window"]), long, np.arange(10, 15_000, EVERY))
    assert np.isfinite(found["correlation_p"].values).any()

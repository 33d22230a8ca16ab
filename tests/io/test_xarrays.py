"""xarray objects by the names of their dims: activity, behaviour and unit columns."""

import numpy as np
import pytest
import xarray as xr

from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.numpy import read_matrix
from nwbsparse.io.arrays.xarray import read_xarray
from recordings import line_of

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(0.7, (400, 5))
TRACES = RNG.normal(size=(400, 5))
CENTRES = (np.arange(400) + 0.5) * 0.05


def dataset():
    return xr.Dataset(
        {
            "rates": (("unit", "time"), TRACES.T),
            "speed": ("time", np.arange(400.0), {"units": "m/s"}),
            "place": (("time", "space"), RNG.random((400, 2)), {"kind": "position"}),
            "side": ("time", np.array(["L", "R"])[np.arange(400) // 100 % 2]),
            "region": ("unit", list("aabbc")),
            "template": (("unit", "sample"), np.ones((5, 7))),
        },
        coords={"time": CENTRES, "unit": [4, 5, 6, 7, 9]},
    )


def test_a_dataset_by_the_names_of_its_dims():
    session = read_xarray(dataset())
    assert session.traces is not None and session.traces.name == "rates"
    np.testing.assert_array_equal(session.traces.data, TRACES.astype(np.float32))
    np.testing.assert_array_equal(session.traces.times, CENTRES)
    assert session.units["unit_id"].values.tolist() == [4, 5, 6, 7, 9]
    assert session.units["region"].values.tolist() == list("aabbc")
    assert session.series["place"].kind == "position"
    assert session.intervals["side_runs"].sizes["interval"] == 4
    assert line_of(session, "other", "template").kept == 0


def test_a_data_array_of_counts():
    array = xr.DataArray(COUNTS, dims=("time", "unit"), attrs={"bin_width": 0.05})
    session = read_xarray(array)
    assert session.traces is not None and session.traces.bin_width == 0.05
    assert session.units["n_spikes"].values.tolist() == COUNTS.sum(0).tolist()


def test_what_to_bins_made_can_be_read_again():
    session = read_matrix(
        COUNTS, bin_width=0.05, series={"position": RNG.random(400), "right": CENTRES % 5 < 2}
    )
    binned = to_bins(session, 0.05)
    again = read_xarray(binned)
    assert again.traces is not None
    np.testing.assert_array_equal(again.traces.data, COUNTS)
    assert again.series["position"].kind == "position"
    table = again.intervals["right_runs_right_runs"]
    assert table.sizes["interval"] == session.intervals["right_runs"].sizes["interval"]


def test_bins_that_are_not_valid_were_not_observed():
    valid = np.ones(COUNTS.shape, dtype=bool)
    valid[100:200, 1] = False
    data = xr.Dataset(
        {"counts": (("time", "unit"), COUNTS), "valid": (("time", "unit"), valid)},
        coords={"time": CENTRES},
    )
    session = read_xarray(data)
    assert session.obs_intervals is not None
    np.testing.assert_allclose(session.obs_intervals[1], [[0, 5], [10, 20]], atol=1e-12)
    traces = read_xarray(data.assign(counts=data["counts"] + 0.5)).traces
    assert traces is not None and np.isnan(traces.data).sum() == 100


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (xr.Dataset({"a": ("neuron", [1])}), r"no variable has the dims \(time, unit\); found: a"),
        (dataset().assign(b=lambda d: d["rates"]), "Give activity=, one of rates, b"),
        (dataset().assign_coords(time=("time", CENTRES, {"units": "ms"})), "time is in 'ms'"),
        (dataset().drop_vars("time"), "no clock: give bin_width"),
    ],
)
def test_xarray_that_is_refused(data, message):
    with pytest.raises(BadInput, match=message):
        read_xarray(data)


def test_the_activity_can_be_named():
    data = dataset().assign(other=lambda d: d["rates"] * 2)
    session = read_xarray(data, activity="other")
    assert session.traces is not None and session.traces.name == "other"
    assert line_of(session, "other", "rates").kept == 0
    with pytest.raises(BadInput, match="'speed' is no variable with dims"):
        read_xarray(data, activity="speed")

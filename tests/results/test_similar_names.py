"""Names that a file cannot tell apart: what they name comes back under each of them."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from nwbsparse.results.results import open_results, write
from recordings import write_recording
from results.made import made_results


@pytest.mark.parametrize("mode", ["derived", "zarr"])
def test_names_that_a_file_cannot_tell_apart_stay_apart(tmp_path, mode):
    made = made_results(write_recording(tmp_path / "source.nwb"), n_bins=7, n_latents=5)
    values = np.arange(3.0)
    more = {
        "a/b": ("x/y", values),
        "a:b": ("x/y", values + 10),
        "a_b": ("x/y", values + 20),
        "c/d": ("x:y", np.arange(4.0)),
        "c:d": ("x_y", np.arange(5.0)),
        "id": ("x_y_", np.arange(6.0)),
        "colnames": ("x_y_", np.arange(6.0)),
    }
    coords = {"x/y": np.arange(3) + 100, "x:y": np.arange(4) + 200, "x_y": np.arange(5) + 300}
    metrics = made.metrics.assign(more).assign_coords(coords)
    path = tmp_path / ("a.nwb" if mode == "derived" else "a.nwb.zarr")
    opened = open_results(write(replace(made, metrics=metrics), path, mode)).metrics
    assert opened.sizes == metrics.sizes
    for name in [*more, *coords]:
        xr.testing.assert_identical(opened[name].variable, metrics[name].variable)

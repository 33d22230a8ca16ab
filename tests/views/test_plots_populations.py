"""Figures and words about latents that read some units and reconstruct others."""

import numpy as np
import pytest
import xarray as xr

from nwbsparse.views import plots
from nwbsparse.views.report.populations import reads_and_reconstructs
from sessions import make_binned

READ, MADE = [7, 3, 11, 5], [20, 30, 40]


@pytest.fixture
def table():
    """Latent 0 reads 3 and 11 and reconstructs 30; latent 1 is never active."""
    nan = np.full(4, np.nan)
    return xr.Dataset(
        {
            "encoder_attribution": (("latent", "input_unit"), [[0.1, 2.0, 1.0, -3.0], nan]),
            "input_z": (("latent", "input_unit"), [[-0.2, 1.5, 0.7, -0.4], nan]),
            "weight": (("latent", "unit"), [[-0.5, 0.8, 0.3], [0.6, 0.6, 0.5]]),
            "z": (("latent", "unit"), [[0.4, 1.2, -0.3], nan[:3]]),
        },
        coords={
            "input_unit": range(4),
            "input_unit_id": ("input_unit", READ),
            "unit": range(3),
            "unit_id": ("unit", MADE),
        },
    )


@pytest.fixture
def binned():
    order = [20, 7, 3, 30, 11, 40, 5]
    data = make_binned(np.ones((900, 7), np.uint8))
    region = ["CA1" if one in MADE else "DG" if one == 11 else "CA3" for one in order]
    depth = [float(one) for one in order]
    return data.assign_coords(
        unit_id=("unit", order), region=("unit", region), depth=("unit", depth)
    )


def labels(axis):
    return [one.get_text() for one in axis.get_ticklabels()]


def test_a_latent_is_said_with_both_populations(table, binned):
    said = reads_and_reconstructs(table, binned, 0)
    assert said == "Reads CA3 3, DG 11; reconstructs CA1 30."
    plain = binned.drop_vars("region")
    assert reads_and_reconstructs(table, plain, 0) == "Reads units 3 and 11; reconstructs unit 30."
    assert reads_and_reconstructs(table, binned, 1) == (
        "Reads no unit above others; reconstructs no unit above others."
    )
    assert reads_and_reconstructs(table.drop_dims("input_unit"), binned, 0) == ""


def test_units_that_are_read_are_drawn_by_what_they_add(table):
    ax = plots.read_units(table, 0, n=3)
    assert labels(ax.yaxis) == ["unit 5", "unit 3", "unit 11"]
    assert [bar.get_width() for bar in ax.patches] == [-3.0, 2.0, 1.0]
    assert "never active" in plots.read_units(table, 1).texts[0].get_text()
    alone = plots.read_units(table.drop_dims("input_unit"), 0)
    assert "reconstructs the units that it reads" in alone.texts[0].get_text()


def test_regions_and_depths_are_those_of_the_units_that_are_reconstructed(table, binned):
    assert labels(plots.weights_by_region(table, binned, 0).yaxis) == ["CA1"]
    ax = plots.weights_along_depth(table, binned, 0)
    drawn = np.concatenate([line.get_xydata() for line in ax.lines if line.get_marker() == "o"])
    assert sorted(map(tuple, drawn.tolist())) == [(-0.5, 20.0), (0.3, 40.0), (0.8, 30.0)]

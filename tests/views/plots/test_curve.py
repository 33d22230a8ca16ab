"""Tuning curves and maps where the data are odd: extreme bins, holes, a position on a line."""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.views import plots
from nwbsparse.views.drawing import data_uri


def tuned(y, seconds, first=None, second=None) -> xr.Dataset:
    """One latent over a place, bins of 1 s."""
    curves = {
        "tuning.place": y,
        "tuning_half_1.place": y if first is None else first,
        "tuning_half_2.place": y if second is None else second,
    }
    made = {key: ((names.LATENT, "place_bin"), np.atleast_2d(one)) for key, one in curves.items()}
    return xr.Dataset(
        made | {"occupancy.place": ("place_bin", np.asarray(seconds))},
        coords={"place_bin": np.arange(len(seconds)) * 1.0},
    )


def curve_of(table: xr.Dataset):
    return plots.tuning_curve(table, 0, "place", bin_width=1.0).child_axes[0]


def test_what_was_seen_for_a_moment_does_not_squeeze_the_curve() -> None:
    y = np.array([1.0, 2.0, 1.0, 50.0])
    curve = curve_of(tuned(y, [30, 30, 30, 0.5]))
    assert curve.get_ylim()[1] < 5
    assert "50" in [one.get_text() for one in curve.texts]


def test_a_half_far_above_the_curve_is_marked_at_the_edge() -> None:
    y = np.array([1.0, 2.0, 1.0])
    curve = curve_of(tuned(y, [30, 30, 30], first=[1.0, 2.0, 8.5]))
    assert curve.get_ylim()[1] < 5 and [one.get_text() for one in curve.texts] == ["8.5"]
    even = next(one for one in curve.lines if one.get_label() == "even blocks")
    assert np.isnan(np.asarray(even.get_ydata(), dtype=float)[2])


def test_a_peak_that_was_seen_for_long_is_drawn_whole() -> None:
    curve = curve_of(tuned(np.array([0.1, 0.1, 9.0]), [30, 30, 30]))
    assert curve.get_ylim()[1] > 9 and not curve.texts


def test_a_curve_with_holes_is_still_a_curve() -> None:
    curve = curve_of(tuned(np.array([1.0, np.nan, 2.0, np.nan, 1.0]), [9, 0, 9, 0, 9]))
    dotted = next(one for one in curve.lines if one.get_linestyle() == ":")
    assert np.asarray(dotted.get_xdata()).tolist() == [0, 2, 4]


def test_a_position_that_never_changes_along_an_axis_is_a_band() -> None:
    maps = np.full((1, 3, 4), np.nan)
    maps[0, :, 3] = [1.0, 2.0, 3.0]
    dims = (names.LATENT, "place_y", "place_x")
    table = xr.Dataset(
        {
            **{f"{one}.place": (dims, maps) for one in ("tuning", "tuning_half_1", "tuning_half_2")},
            "occupancy.place": (dims[1:], np.nan_to_num(maps[0]) * 10),
            "association": (names.LATENT, [0.5]),
        },
        coords={"place_y": [0.0, 10.0, 20.0], "place_x": np.full(4, 7.0)},
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plots.spatial_map(table, 0, "place")
        data_uri(ax)
        data_uri(plots.values_covered(table, "place", [0], bin_width=0.1))
    picture = ax.child_axes[0].images[0]
    assert np.asarray(picture.get_array()).shape == (3, 1)
    assert tuple(picture.get_extent()) == (5.5, 8.5, -5.0, 25.0)

"""Every figure: drawn without pyplot, on new axes or given ones, also when there is nothing."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from matplotlib import _pylab_helpers
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nwbsparse.results import Results
from nwbsparse.views import plots
from nwbsparse.views.drawing import data_uri

CANARY = "<script>alert('x')</script>"


def all_figures(results: Results, binned: xr.Dataset) -> dict[str, Axes]:
    a, m = results.attribution, results.metrics
    trials = "trials.side"
    return {
        "unit_r2": plots.unit_r2(m),
        "l0_histogram": plots.l0_histogram(m, 2),
        "density_histogram": plots.density_histogram(m),
        "training_history": plots.training_history(results.coder.record.history),
        "comparison_bars": plots.comparison_bars(json.loads(a.attrs["summary"])),
        "spatial_map": plots.spatial_map(a, 0, "position", unit="m"),
        "tuning_curve": plots.tuning_curve(a, 0, "position_speed", bin_width=0.1),
        "condition_bars": plots.condition_bars(a, 0, trials, condition=CANARY),
        "top_units": plots.top_units(a, 0),
        "latent_raster": plots.latent_raster(results.latents, binned, [0, 3], variable=trials),
    }


def test_every_figure_is_drawn_without_pyplot(made: tuple[Results, xr.Dataset]) -> None:
    drawn = all_figures(*made)
    assert set(drawn) == set(plots.__all__)
    for ax in drawn.values():
        assert isinstance(ax, Axes)
        assert data_uri(ax).startswith("data:image/svg+xml;base64,")
    a = made[0].attribution
    turning = plots.tuning_curve(a, 0, "position_movement_direction", bin_width=0.1, circular=True)
    assert data_uri(turning)
    assert not _pylab_helpers.Gcf.get_all_fig_managers()


def test_figures_are_drawn_on_given_axes(made: tuple[Results, xr.Dataset]) -> None:
    results, binned = made
    left, right = Figure().subplots(1, 2)
    assert plots.unit_r2(results.metrics, left) is left
    assert plots.latent_raster(results.latents, binned, [1], variable="position", ax=right) is right


def test_figures_say_when_there_is_nothing_to_draw(made: tuple[Results, xr.Dataset]) -> None:
    results, binned = made
    silent = results.metrics.copy()
    silent["unit_r2"] = np.nan * silent["unit_r2"]
    silent["density"] = 0 * silent["density"]
    for ax in (
        plots.unit_r2(silent),
        plots.density_histogram(silent),
        plots.training_history(()),
        plots.condition_bars(results.attribution, 0, "no such variable"),
        plots.latent_raster(results.latents, binned, []),
    ):
        assert len(ax.texts) == 1
        data_uri(ax)

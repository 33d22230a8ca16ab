"""Every figure: drawn without pyplot, on new axes or given ones, also when there is nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from matplotlib import _pylab_helpers
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nwbsparse.analysis.decoding.decode import decode
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.analysis.units.attribute import attribute
from nwbsparse.results.results import Results
from nwbsparse.views import plots
from nwbsparse.views.drawing import data_uri

CANARY = "<script>alert('x')</script>"
HOSTILE = ["$x^{", CANARY, "a_b\n\x00", "", "right $"]


def reading(unit_ids: list[str]) -> xr.Dataset:
    """A latent that reads units of these names."""
    added = np.arange(1.0, len(unit_ids) + 1)[None]
    return xr.Dataset(
        {name: (("latent", "input_unit"), added) for name in ("encoder_attribution", "input_z")},
        coords={
            "input_unit": np.arange(len(unit_ids)),
            "input_unit_id": ("input_unit", np.array(unit_ids, dtype=object)),
        },
    )


def with_choices(coder):
    """The coder as if its size had been chosen of six."""
    made = copy.copy(coder)
    tried = [
        {
            "smoothing": coder.config.smoothing, "n_latents": size, "k": k, "penalty_weight": 0.0,
            "score": 0.01 * size / (1 + k), "standard_error": 0.01, "chosen": (size, k) == (8, 1),
        }
        for size in (4, 8, 16)
        for k in (1, 2)
    ]  # fmt: skip
    made.record = replace(coder.record, learned={"candidates": tried})
    return made


@pytest.fixture(scope="module")
def drawn(made: tuple[Results, xr.Dataset]) -> dict[str, Axes | list[Axes]]:
    results, binned = made
    a, m, latents = results.attribution, results.metrics, results.latents
    trials = "trials.side"
    units = [HOSTILE[i % len(HOSTILE)] for i in range(binned.sizes["unit"])]
    placed = binned.assign_coords(
        region=("unit", np.array(units, dtype=object)),
        depth=("unit", np.linspace(0.0, 1000.0, len(units))),
    )
    table = attribute(results.coder, placed)
    scores = decode(
        binned, ["position_speed", trials], inputs=["counts", "latents"], latents=latents
    )
    return {
        "unit_r2": plots.unit_r2(m),
        "candidates": plots.candidates(with_choices(results.coder)),
        "hidden_units": plots.hidden_units(evaluate(results.coder, binned, detail="all")),
        "l0_histogram": plots.l0_histogram(m, 2),
        "density_histogram": plots.density_histogram(m),
        "training_history": plots.training_history(results.coder.record.history),
        "comparison_bars": plots.comparison_bars(json.loads(a.attrs["summary"])),
        "spatial_map": plots.spatial_map(a, 0, "position", unit="m"),
        "tuning_curve": plots.tuning_curve(a, 0, "position_speed", bin_width=0.1),
        "condition_bars": plots.condition_bars(a, 0, trials, condition=CANARY),
        "selectivity_bars": plots.selectivity_bars(a, 0, trials, condition=CANARY),
        "top_units": plots.top_units(a, 0),
        "read_units": plots.read_units(reading(units), 0),
        "weights_along_depth": plots.weights_along_depth(table, placed, 0),
        "weights_by_region": plots.weights_by_region(table, placed, 0),
        "ablation_heatmap": plots.ablation_heatmap(table),
        "values_covered": plots.values_covered(
            a, "position_speed", [0, 3], bin_width=0.1, unit="m/s"
        ),
        "rhythm": plots.rhythm(latents, binned, 0),
        "moments": plots.moments(latents, binned, a, 0),
        "latent_raster": plots.latent_raster(latents, binned, [0, 3], variable=trials),
        "activation_triggered": plots.activation_triggered(latents, binned, 0, trials),
        "peri_event": plots.peri_event(around_hostile_event(a.sizes["latent"]), CANARY),
        "reconstruction_examples": plots.reconstruction_examples(results.coder, binned, m),
        "spectrum": plots.spectrum(evaluate(results.coder, binned, detail="all")),
        "sweep_pareto": plots.sweep_pareto(swept()),
        "sweep_sizes": plots.sweep_sizes(swept()),
        "stability_matrix": plots.stability_matrix(seeds(a.sizes["latent"])),
        "decoding_comparison": plots.decoding_comparison(scores),
        "confusion_matrix": plots.confusion_matrix(scores, trials),
        "latent_fields": plots.latent_fields(a, binned, latents=[0, 1]),
    }


def around_hostile_event(n_latents: int) -> xr.Dataset:
    lags = {f"{CANARY}_lag": np.arange(-2, 4) * 0.1}
    mean = np.random.default_rng(0).uniform(size=(n_latents, 6))
    return xr.Dataset(
        {
            f"peri_event.{CANARY}": (("latent", f"{CANARY}_lag"), mean),
            f"peri_event_bins.{CANARY}": (f"{CANARY}_lag", np.full(6, 30.0)),
        },
        coords=lags,
    )


def swept(*, told: bool = True) -> xr.Dataset:
    """The table of a sweep of two sizes and two seeds, one of whose fits went wrong."""
    rng = np.random.default_rng(0)
    names = ["validation_r2", "validation_l0", "test_r2", "test_l0"]
    names += ["validation_hidden_unit_r2", "validation_hidden_unit_r2_se"] if told else []
    names += ["test_hidden_unit_r2"] if told else []
    numbers = {name: ("fit", np.append(rng.uniform(size=3), np.nan)) for name in names}
    status = np.array(["ok", "ok", "ok", "diverged"], dtype=object)
    return xr.Dataset(
        {**numbers, "status": ("fit", status), "n_latents_used": ("fit", np.array([8, 8, 16, 16]))},
        coords={
            "fit": np.arange(4),
            "n_latents": ("fit", np.array([8, 8, 16, 16])),
            "seed": ("fit", np.array([0, 1, 0, 1])),
        },
        attrs={"varying": '["n_latents", "seed"]'},
    )


def test_a_sweep_without_scores_says_that_there_are_none() -> None:
    for table in (swept(told=False), swept()[["status", "n_latents_used"]]):
        assert "hidden units" in plots.sweep_sizes(table).texts[0].get_text()
    empty = plots.sweep_pareto(swept()[["status"]])
    assert "no fit has a reconstruction" in empty.texts[0].get_text()


def seeds(n_latents: int, n_seeds: int = 2) -> xr.Dataset:
    rng = np.random.default_rng(0)
    match, agreement = rng.uniform(size=(2, n_latents, n_seeds))
    agreement[-1] = np.nan
    recurrence = ((match > 0.5) & (agreement >= 0.7)).mean(axis=1)
    both = ("latent", "seed")
    return xr.Dataset(
        {
            "match": (both, match),
            "agreement": (both, agreement),
            "recurrence": ("latent", recurrence),
            "stable": ("latent", recurrence >= 0.8),
        },
        coords={"latent": np.arange(n_latents), "seed": np.arange(1, n_seeds + 1)},
        attrs={"chance_match": 0.5},
    )


def all_axes(drawn: dict[str, Axes | list[Axes]]) -> Iterator[Axes]:
    for one in drawn.values():
        yield from one if isinstance(one, list) else [one]


def test_every_figure_is_drawn_without_pyplot(drawn: dict[str, Axes | list[Axes]]) -> None:
    assert set(drawn) == set(plots.__all__)
    assert len({id(ax) for ax in all_axes(drawn)}) >= len(plots.__all__)
    for ax in drawn.values():
        uri = data_uri(ax[0] if isinstance(ax, list) else ax)
        assert uri.startswith("data:image/svg+xml;base64,")
    assert not _pylab_helpers.Gcf.get_all_fig_managers()


def test_none_of_them_is_empty(drawn: dict[str, Axes | list[Axes]]) -> None:
    for name, one in drawn.items():
        ax = one[0] if isinstance(one, list) else one
        assert ax.has_data() or any(child.has_data() for child in ax.child_axes), name


def test_names_from_files_are_shown_as_they_are(drawn: dict[str, Axes | list[Axes]]) -> None:
    said = {
        text.get_text()
        for name in ("weights_by_region", "condition_bars", "selectivity_bars", "confusion_matrix")
        for text in [*drawn[name].get_yticklabels(), drawn[name].title]  # pyright: ignore
    }
    assert any(CANARY[:10] in one for one in said)
    assert any(r"right \$" in one for one in said)  # not read as a formula
    assert not any("\x00" in one or "\n" in one for one in said)


def test_angles_are_drawn_as_a_circle(made: tuple[Results, xr.Dataset]) -> None:
    a = made[0].attribution
    turning = plots.tuning_curve(a, 0, "position_movement_direction", bin_width=0.1, circular=True)
    assert data_uri(turning)


def test_figures_are_drawn_on_given_axes(made: tuple[Results, xr.Dataset]) -> None:
    results, binned = made
    left, right = Figure().subplots(1, 2)
    assert plots.unit_r2(results.metrics, left) is left
    assert plots.latent_raster(results.latents, binned, [1], variable="position", ax=right) is right
    a, b, c, d = Figure().subplots(1, 4)
    assert plots.stability_matrix(seeds(4), a) is a
    assert plots.selectivity_bars(results.attribution, 0, "trials.side", ax=b) is b
    assert plots.activation_triggered(results.latents, binned, 0, ax=c) is c
    assert plots.reconstruction_examples(results.coder, binned, results.metrics, ax=d) is d


def test_figures_say_when_there_is_nothing_to_draw(made: tuple[Results, xr.Dataset]) -> None:
    results, binned = made
    silent = results.metrics.copy()
    silent["unit_r2"] = np.nan * silent["unit_r2"]
    silent["density"] = 0 * silent["density"]
    a = results.attribution
    never = results.latents.assign(activation=0 * results.latents["activation"])
    event = around_hostile_event(3)
    for ax in (
        plots.unit_r2(silent),
        plots.hidden_units(results.metrics),
        plots.density_histogram(silent),
        plots.training_history(()),
        plots.condition_bars(a, 0, "no such variable"),
        plots.selectivity_bars(a, 0, "no such variable"),
        plots.latent_raster(results.latents, binned, []),
        plots.weights_along_depth(a, binned, 0),
        plots.weights_by_region(a, binned, 0),
        plots.ablation_heatmap(a.drop_vars("ablation", errors="ignore")),
        plots.activation_triggered(never, binned, 0),
        plots.peri_event(0 * event, CANARY),
        plots.reconstruction_examples(results.coder, binned, silent),
        plots.spectrum(results.metrics),
        plots.stability_matrix(seeds(4).isel(seed=[])),
        plots.latent_fields(a, binned, "no such variable")[0],
    ):
        assert len(ax.texts) == 1
        data_uri(ax)

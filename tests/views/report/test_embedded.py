"""Figures and words about coders of an embedding: dims are dims, and no weight is claimed on a unit."""

import numpy as np
import pytest

import nwbsparse as ns
from make.configs import plain_config
from make.embedded_recordings import QUICK, embedded
from make.recordings import circle, laps, write_recording
from nwbsparse.views import plots


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = write_recording(
        tmp_path_factory.mktemp("embedded") / "rat.nwb", position=circle(), trials=laps()
    )
    data = embedded(path)
    coder = ns.fit(data, plain_config(reads="embedding", **QUICK))
    latents = ns.encode(coder, data)
    metrics = ns.evaluate(coder, data, detail="all")
    attribution = ns.explain(coder, data, latents)
    results = ns.Results(
        ns.read(path), coder, latents, metrics, attribution, embedding=data["embedding"]
    )
    return data, results


def words(ax):
    """All text of a figure."""
    ax.figure.canvas.draw()
    return " ".join(
        text.get_text() for text in ax.figure.findobj(lambda one: hasattr(one, "get_text"))
    )


def test_bars_of_units_are_correlations(made):
    _, results = made
    ax = plots.top_units(results.attribution, 3)
    assert ax.get_xlabel() == "correlation"
    shown = sorted(abs(bar.get_width()) for bar in ax.patches)
    np.testing.assert_allclose(
        shown, np.sort(np.abs(results.attribution["correlation"].values[3])), rtol=1e-6
    )


def test_no_weight_along_the_probe_is_claimed(made):
    data, results = made
    located = data.assign_coords(depth=("unit", np.arange(4.0)), region=("unit", list("abab")))
    ax = plots.weights_along_depth(results.attribution, located, 0)
    assert "no weight on any unit" in words(ax)


def test_quality_speaks_of_dims(made):
    data, results = made
    assert plots.unit_r2(results.metrics).get_xlabel() == "dims, best first (5 shown)"
    assert "5 dims" in words(plots.spectrum(results.metrics))
    assert "dim 2" in words(plots.spectrum(results.metrics, unit=2))
    shown = words(plots.reconstruction_examples(results.coder, data, results.metrics))
    assert "dim 0" in shown and "unit" not in shown
    assert plots.ablation_heatmap(results.attribution).get_xlabel() == "dim"


def test_the_page_says_what_was_read(made, tmp_path):
    data, results = made
    page = ns.report(results, data, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "from an embedding of the population in 5 dims (projection)" in page
    assert "The recording holds 4 units" in page
    for never in ("decoder weights", "from the spikes alone", "R² of the population"):
        assert never not in page

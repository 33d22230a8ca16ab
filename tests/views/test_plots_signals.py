"""Reconstructions and spectra: the curves are those of the coder and of the metrics."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.encode import reconstruct
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput
from nwbsparse.results.results import Results
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.plots import reconstruction_examples, spectrum

Made = tuple[Results, xr.Dataset]


def test_examples_run_from_the_best_to_the_worst_unit_over_held_out_bins(made: Made) -> None:
    results, binned = made
    r2 = results.metrics["unit_r2"].values
    panels = reconstruction_examples(results.coder, binned, results.metrics, n_units=3).child_axes
    said = [panel.texts[0].get_text() for panel in panels]
    best, worst = np.nanargmax(r2), np.nanargmin(r2)
    ids = results.metrics["unit_id"].values
    assert said[0].startswith(f"unit {ids[best]}\n") and said[-1].startswith(f"unit {ids[worst]}\n")
    guess = reconstruct(results.coder, binned)
    times, drawn = panels[0].lines[1].get_data()
    bins = np.searchsorted(binned["time"].values, np.asarray(times))
    assert part(binned, "test")[bins].all() and (np.diff(bins) == 1).all()
    assert len(bins) == round(30 / binned.attrs[names.BIN_WIDTH])
    np.testing.assert_allclose(drawn, guess.values[bins, best], rtol=1e-5, atol=1e-5)
    counts = binned["counts"].values[:, best].astype(float)
    target = np.asarray(panels[0].lines[0].get_ydata(), dtype=float)
    assert np.corrcoef(counts[bins], target)[0, 1] > 0.999  # a z-score of the counts


def test_bins_in_which_a_unit_was_not_observed_are_gaps(made: Made) -> None:
    results, binned = made
    valid = np.ones(binned["counts"].shape, dtype=bool)
    valid[::7, 0] = False
    gappy = binned.assign(valid=(("time", "unit"), valid))
    metrics = evaluate(results.coder, gappy)
    panels = reconstruction_examples(results.coder, gappy, metrics, n_units=99).child_axes
    unit = next(p for p in panels if p.texts[0].get_text().startswith("unit 0\n"))
    times, drawn = unit.lines[1].get_data()
    bins = np.searchsorted(binned["time"].values, np.asarray(times))
    np.testing.assert_array_equal(np.isnan(np.asarray(drawn)), bins % 7 == 0)
    assert len(panels) == np.isfinite(metrics["unit_r2"].values).sum()


def spectra(n_units: int = 3) -> xr.Dataset:
    frequency = np.fft.rfftfreq(16, 0.1)
    power = np.outer(1 / (1 + frequency), np.arange(1, n_units + 1))
    dims = ("frequency", "unit")
    coherence = np.tile(np.linspace(0.2, 0.8, n_units), (len(frequency), 1))
    return xr.Dataset(
        {
            "spectrum": (dims, power),
            "spectrum_reconstruction": (dims, power / 2),
            "coherence": (dims, coherence),
            "spectrum_windows": ("unit", np.full(n_units, 20)),
        },
        coords={"frequency": frequency, "unit_id": ("unit", [f"u{i} $" for i in range(n_units)])},
        attrs={"target": "zscore"},
    )


def test_power_is_summed_and_coherence_is_the_median() -> None:
    above, below = spectrum(spectra()).child_axes
    inner = spectra().isel(frequency=slice(1, -1))
    x, y = above.lines[0].get_data()
    np.testing.assert_allclose(x, inner["frequency"].values)
    np.testing.assert_allclose(y, inner["spectrum"].values.sum(axis=1))
    np.testing.assert_allclose(np.asarray(above.lines[1].get_ydata()), np.asarray(y) / 2)
    np.testing.assert_allclose(np.asarray(below.lines[0].get_ydata()), 0.5)
    np.testing.assert_allclose(np.asarray(below.lines[1].get_ydata()), 1 / 20)
    assert "3 units" in below.get_xlabel()


def test_one_unit_is_drawn_by_its_id() -> None:
    ax = spectrum(spectra(), unit="u2 $")
    above, below = ax.child_axes
    inner = spectra().isel(frequency=slice(1, -1), unit=2)
    np.testing.assert_allclose(np.asarray(above.lines[0].get_ydata()), inner["spectrum"].values)
    np.testing.assert_allclose(np.asarray(below.lines[0].get_ydata()), 0.8)
    data_uri(ax)
    with pytest.raises(BadInput, match="u9"):
        spectrum(spectra(), unit="u9")


def test_units_without_windows_or_power_do_not_spoil_the_others() -> None:
    some = spectra()
    for name in ("spectrum", "spectrum_reconstruction", "coherence"):
        some[name][:, 0] = np.nan
    some["spectrum_windows"][0] = 0
    for name in ("spectrum", "spectrum_reconstruction"):
        some[name][:, 1] = 0.0
    some["coherence"][:, 1] = np.nan
    above, below = spectrum(some).child_axes
    np.testing.assert_allclose(np.asarray(below.lines[0].get_ydata()), 0.8)
    assert "1 units" not in below.get_xlabel() and "1 unit" in below.get_xlabel()
    data_uri(above)


def test_no_spectrum_says_why() -> None:
    short = spectra().drop_vars(["spectrum", "spectrum_reconstruction", "coherence"])
    assert "too short" in spectrum(short).texts[0].get_text()
    assert 'detail="all"' in spectrum(short.drop_vars("spectrum_windows")).texts[0].get_text()
    silent = spectra() * 0
    silent["spectrum_windows"] = spectra()["spectrum_windows"]
    assert "nothing varies" in spectrum(silent).texts[0].get_text()

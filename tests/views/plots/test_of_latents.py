"""Figures of latents: values they cover, rhythms that are there and that are not, strongest moments."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.views import plots
from nwbsparse.views.plots.moments import strongest_moments
from nwbsparse.views.plots.rhythm import rhythm_of

WIDTH = 0.1


def recording(activation: np.ndarray, *, segment: np.ndarray | None = None):
    """Latents (time, latent) and bins of 0.1 s that they are of."""
    n = len(activation)
    times = np.arange(n) * WIDTH
    latents = xr.Dataset(
        {names.ACTIVATION: ((names.TIME, names.LATENT), activation.astype(np.float32))},
        coords={names.TIME: times, names.LATENT: np.arange(activation.shape[1])},
    )
    binned = xr.Dataset(
        {names.COUNTS: ((names.TIME, names.UNIT), np.ones((n, 3), dtype=np.uint8))},
        coords={
            names.TIME: times,
            names.SEGMENT: (names.TIME, np.zeros(n, int) if segment is None else segment),
        },
        attrs={names.BIN_WIDTH: WIDTH},
    )
    return latents, binned


def bursts(period: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Activity of 0.2 s every ``period`` seconds, with a jitter of a bin, among noise."""
    out = np.maximum(rng.normal(size=n) - 1.5, 0)
    at = np.cumsum(rng.normal(period / WIDTH, 0.7, int(n * WIDTH / period))).round().astype(int)
    for one in at[(at > 0) & (at < n - 2)]:
        out[one : one + 2] += 2
    return out


@pytest.mark.parametrize("period", [1.0, 2.5, 4.0])
def test_a_rhythm_is_found_with_its_period(period: float) -> None:
    rng = np.random.default_rng(0)
    latents, binned = recording(bursts(period, 6000, rng)[:, None])
    assert rhythm_of(latents, binned, 0).period == pytest.approx(period, rel=0.06)


def test_noise_has_no_rhythm_and_neither_has_what_is_only_slow() -> None:
    rng = np.random.default_rng(1)
    noise = np.maximum(rng.normal(size=(4000, 30)) - 1, 0)
    slow = np.maximum(
        np.apply_along_axis(np.convolve, 0, rng.normal(size=(4000, 30)), np.ones(8), "same"), 0
    )
    for made in (noise, slow):
        latents, binned = recording(made)
        found = [rhythm_of(latents, binned, at).period for at in range(30)]
        assert np.isfinite(found).sum() <= 1


def test_pairs_of_bins_across_a_gap_are_not_compared() -> None:
    one = np.zeros((400, 1))
    one[199], one[200] = 1.0, 1.0
    joined = rhythm_of(*recording(one), 0).correlation[0]
    apart = rhythm_of(*recording(one, segment=np.repeat([0, 1], 200)), 0).correlation[0]
    assert joined > 0.3 and apart < 0.01


@pytest.mark.parametrize("n", [0, 3])
def test_a_latent_without_activity_or_bins_draws_something(n: int) -> None:
    latents, binned = recording(np.zeros((n, 1)))
    assert np.isnan(rhythm_of(latents, binned, 0).period)
    plots.rhythm(latents, binned, 0)
    assert not len(strongest_moments(latents, binned, 0))


def test_the_strongest_moments_are_apart() -> None:
    x = np.zeros((600, 1))
    x[[100, 101, 102, 300, 500, 590]] = np.array([[5.0], [6.0], [5.5], [3.0], [4.0], [1.0]])
    latents, binned = recording(x)
    assert strongest_moments(latents, binned, 0).tolist() == [101, 500, 300]


def test_covered_values_are_sorted_by_the_place_of_the_peak() -> None:
    centres = np.arange(6) * 0.5
    curves = np.exp(-((np.arange(6)[None] - np.array([4, 0, 2])[:, None]) ** 2.0))
    attribution = xr.Dataset(
        {
            "tuning.place": ((names.LATENT, "place_bin"), curves),
            "occupancy.place": ("place_bin", np.full(6, 50)),
            "association": (names.LATENT, np.array([0.5, 0.6, 0.4])),
            "condition_variable": ("condition", np.array(["side", "side"])),
        },
        coords={
            "place_bin": centres,
            "condition_name": ("condition", np.array(["left", "right"])),
            "condition_bins": ("condition", np.array([40, 60])),
            names.LATENT: np.arange(3),
        },
    )
    attribution["p_in"] = (
        (names.LATENT, "condition"),
        np.array([[0.1, 0.9], [0.8, 0.1], [0.3, 0.4]]),
    )
    ax = plots.values_covered(attribution, "place", [0, 1, 2], bin_width=0.1, unit="m")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["1", "2", "0"]
    picture = np.asarray(ax.images[0].get_array())
    assert (np.diff(picture.argmax(axis=1)) > 0).all() and picture.max() == 1
    side = plots.values_covered(attribution, "side", [0, 1], bin_width=0.1)
    assert [tick.get_text() for tick in side.get_yticklabels()] == ["1", "0"]
    none = plots.values_covered(attribution, "place", [], bin_width=0.1)
    assert "no latent follows place" in none.texts[0].get_text()
    with pytest.raises(BadInput, match="place"):
        plots.values_covered(attribution, "plaice", [0], bin_width=0.1)


def test_lags_longer_than_segments_are_not_drawn() -> None:
    rng = np.random.default_rng(2)
    pieces = np.repeat(np.arange(20), 30)
    found = rhythm_of(*recording(rng.random((600, 1)), segment=pieces), 0)
    assert 15 <= len(found.lag) < 30

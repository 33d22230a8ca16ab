"""Averages around onsets and events: the right bins, never across gaps, beside chance."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.plots import activation_triggered, peri_event

N, WIDTH = 4000, 0.1
ONSETS = np.arange(100, 3900, 60)


def recording(*, parts: np.ndarray | None = None, segment: np.ndarray | None = None) -> xr.Dataset:
    """A speed of 1 in the third bin after each onset; two turns and a condition that do nothing."""
    speed = np.zeros(N)
    speed[ONSETS + 3] = 1
    ones = np.full(N, names.TEST, dtype=np.int8)
    rng = np.random.default_rng(0)
    covariate = {names.ROLE: names.ROLE_COVARIATE, names.KIND: names.CONTINUOUS}
    side = {
        names.ROLE: names.ROLE_CONDITION,
        names.CATEGORIES: json.dumps(["left $", "<script>"]),
    }
    return xr.Dataset(
        {
            "counts": (("time", "unit"), rng.poisson(0.5, size=(N, 3)).astype(np.uint8)),
            "speed": ("time", speed, covariate | {names.UNITS_OF_MEASURE: "m/s"}),
            "heading": ("time", np.full(N, np.pi), covariate | {names.KIND: names.CIRCULAR}),
            "side": ("time", (np.arange(N) % 2).astype(np.int32), side),
            "lick": ("time", np.ones(N), {names.ROLE: names.ROLE_EVENT}),
        },
        coords={
            "time": (np.arange(N) + 0.5) * WIDTH,
            "segment": ("time", np.zeros(N, np.int32) if segment is None else segment),
            "split": ("time", ones if parts is None else parts),
            "unit_id": ("unit", np.arange(3)),
        },
        attrs={names.BIN_WIDTH: WIDTH},
    )


def active_from(onsets: np.ndarray, n_latents: int = 2) -> xr.Dataset:
    """The last latent is active for two bins from each onset."""
    activation = np.zeros((N, n_latents), dtype=np.float32)
    activation[np.concatenate([onsets, onsets + 1]), -1] = 2.0
    return xr.Dataset(
        {"activation": (("time", "latent"), activation)},
        coords={"time": recording()["time"], "level": ("latent", np.zeros(n_latents, np.int32))},
        attrs={names.BIN_WIDTH: WIDTH},
    )


def line(ax: object, which: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x, y = ax.lines[which].get_data()  # pyright: ignore
    return np.asarray(x), np.asarray(y)


def test_the_average_is_that_of_the_onsets_and_stands_out_of_chance() -> None:
    ax = activation_triggered(active_from(ONSETS), recording(), 1, "speed")
    lag, mean = line(ax)
    np.testing.assert_allclose(lag, np.arange(-10, 21) * WIDTH)
    np.testing.assert_allclose(mean, (np.arange(-10, 21) == 3).astype(float))
    band = ax.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() < 0.5  # shifted onsets are regular too, but meet the pulse rarely
    assert f"{len(ONSETS)} held-out onsets" in ax.get_title("left")


def test_an_onset_needs_quiet_before_it() -> None:
    second = np.sort(np.concatenate([ONSETS, ONSETS + 4]))
    title = activation_triggered(active_from(second), recording(), 1).get_title("left")
    assert f"{len(ONSETS)} held-out onsets" in title
    both = activation_triggered(active_from(second), recording(), 1, quiet=0.2).get_title("left")
    assert f"{2 * len(ONSETS)} held-out onsets" in both


def test_other_segments_and_parts_do_not_count() -> None:
    segment = np.searchsorted(ONSETS + 2, np.arange(N), side="right").astype(np.int32)
    _, mean = line(
        activation_triggered(active_from(ONSETS), recording(segment=segment), 1, "speed")
    )
    assert np.isnan(mean[12:]).all()  # the pulse lies in the next segment
    parts = np.full(N, names.TEST, dtype=np.int8)
    parts[: N // 2] = names.TRAIN
    ax = activation_triggered(active_from(ONSETS), recording(parts=parts), 1, "speed")
    assert f"{(ONSETS >= N // 2).sum()} held-out onsets" in ax.get_title("left")
    ax = activation_triggered(
        active_from(ONSETS), recording(parts=parts), 1, "speed", split="train"
    )
    assert f"{(ONSETS < N // 2).sum()} training onsets" in ax.get_title("left")


def test_bins_where_the_variable_is_not_known_are_left_out() -> None:
    data = recording()
    data["speed"][ONSETS[:10] + 3] = np.nan
    data["speed"][ONSETS + 5] = np.nan
    _, mean = line(activation_triggered(active_from(ONSETS), data, 1, "speed"))
    assert mean[13] == 1 and np.isnan(mean[15])
    nothing = activation_triggered(
        active_from(ONSETS), data.assign(speed=data["speed"] * np.nan), 1, "speed"
    )
    assert "not known around" in nothing.texts[0].get_text()


@pytest.mark.parametrize(
    ("variable", "labels", "value"),
    [
        ("heading", ["cosine", "sine"], -1.0),
        ("side", [r"left \$", "<script>"], None),
        ("lick", [], 1 / WIDTH),
    ],
)
def test_kinds_of_variables(variable: str, labels: list[str], value: float | None) -> None:
    ax = activation_triggered(active_from(ONSETS), recording(), 1, variable)
    legend = ax.get_legend()
    assert [t.get_text() for t in legend.get_texts()] == labels if legend else not labels
    _, mean = line(ax)
    if value is not None:
        np.testing.assert_allclose(mean, value)
    else:
        np.testing.assert_allclose(mean + line(ax, 1)[1], 1)
    data_uri(ax)


def test_the_population_rate_is_per_second_and_over_observed_units() -> None:
    data = recording()
    data["counts"][:] = 2
    valid = np.ones((N, 3), dtype=bool)
    valid[:, 0] = False
    data["valid"] = (("time", "unit"), valid)
    data["counts"][:, 0] = 200
    _, mean = line(activation_triggered(active_from(ONSETS), data, 1))
    np.testing.assert_allclose(mean, 2 / WIDTH)


def test_few_or_no_onsets_and_short_recordings() -> None:
    assert (
        "never becomes active"
        in activation_triggered(active_from(ONSETS), recording(), 0).texts[0].get_text()
    )
    once = activation_triggered(active_from(ONSETS[:1]), recording(), 1)
    assert "only once" in once.texts[0].get_text()
    parts = np.full(N, names.TRAIN, dtype=np.int8)
    parts[:250] = names.TEST  # 25 s: no shifts of 10 s to speak of
    ax = activation_triggered(active_from(ONSETS), recording(parts=parts), 1, "speed")
    assert not ax.collections and "chance" not in ax.get_title("left")


def test_unknown_variables_are_refused_with_a_suggestion() -> None:
    with pytest.raises(BadInput, match="'speed'"):
        activation_triggered(active_from(ONSETS), recording(), 1, "sped")


def around(n_latents: int) -> xr.Dataset:
    """Latent i peaks at lag i % 5."""
    mean = np.full((n_latents, 5), 0.1, dtype=np.float32)
    mean[np.arange(n_latents), np.arange(n_latents) % 5] = 1 + np.arange(n_latents) / n_latents
    return xr.Dataset(
        {
            "peri_event.cue": (("latent", "cue_lag"), mean),
            "peri_event_bins.cue": ("cue_lag", np.full(5, 40.0)),
        },
        coords={"cue_lag": np.arange(-2, 3) * 0.5},
    )


def test_latents_around_an_event_are_ordered_by_their_peak() -> None:
    ax = peri_event(around(7), "cue")
    picture = np.asarray(ax.images[0].get_array())
    assert (np.diff(picture.argmax(axis=1)) >= 0).all()
    np.testing.assert_allclose(picture.max(axis=1), 1)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["0", "5", "1", "6", "2", "3", "4"]
    assert "n = 40" in ax.get_xlabel()


def test_thousands_of_latents_are_thinned_and_it_is_said() -> None:
    ax = peri_event(around(4096), "cue")
    assert np.shape(ax.images[0].get_array())[0] == 60
    assert "60 of 4,096" in ax.get_ylabel()


def test_a_few_latents_are_lines() -> None:
    ax = peri_event(around(3), "cue", latents=np.array([2, 0]))
    np.testing.assert_allclose(line(ax)[1], around(3)["peri_event.cue"].values[2])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["latent 2", "latent 0"]  # pyright: ignore


def test_events_without_bins_and_unknown_events() -> None:
    empty = around(3)
    empty["peri_event_bins.cue"] = 0 * empty["peri_event_bins.cue"]
    empty["peri_event.cue"] = np.nan * empty["peri_event.cue"]
    assert "no event on these bins" in peri_event(empty, "cue").texts[0].get_text()
    with pytest.raises(BadInput, match="'cue'"):
        peri_event(around(3), "cu")

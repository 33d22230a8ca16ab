"""Activation around events, by hand."""

import numpy as np
import pytest
import xarray as xr

from nwbsparse.analysis.behaviour.peri_event import peri_event_activation
from nwbsparse.errors import BadInput


def made(activation, counts, split=None, segment=None):
    n = len(activation)
    data = xr.Dataset(
        {"tone": ("time", np.asarray(counts), {"role": "event"})},
        coords={
            "time": np.arange(n) * 0.5,
            "segment": ("time", np.zeros(n, int) if segment is None else np.asarray(segment)),
            "split": ("time", np.full(n, 2) if split is None else np.asarray(split)),
        },
        attrs={"bin_width": 0.5},
    )
    table = np.asarray(activation, np.float32)[:, None]
    return xr.Dataset({"activation": (("time", "latent"), table)}), data


def test_the_mean_before_and_after_by_hand():
    latents, data = made([0, 1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 2, 0, 0])
    found = peri_event_activation(latents, data, before=0.5, after=1.0)
    np.testing.assert_allclose(found["tone_lag"], [-0.5, 0, 0.5, 1.0])
    # one event in bin 2, two in bin 4
    np.testing.assert_allclose(found["peri_event.tone"][0], np.array([7, 10, 13, 16]) / 3)
    np.testing.assert_array_equal(found["peri_event_bins.tone"], [3, 3, 3, 3])


def test_other_parts_and_segments_do_not_count():
    latents, data = made(
        [9, 1, 2, 9, 9, 7], [0, 1, 1, 0, 1, 0], split=[0, 2, 2, 2, 0, 2], segment=[0, 0, 0, 1, 1, 1]
    )
    found = peri_event_activation(latents, data, before=0.5, after=0.5)
    np.testing.assert_array_equal(found["peri_event_bins.tone"], [1, 2, 1])
    np.testing.assert_allclose(found["peri_event.tone"][0], [1, 1.5, 2])


def test_nothing_is_nan_and_errors_say_what_there_is():
    latents, data = made([1, 2, 3], [0, 0, 0])
    assert np.isnan(peri_event_activation(latents, data)["peri_event.tone"]).all()
    with pytest.raises(BadInput, match="no event 'tones'; did you mean 'tone'"):
        peri_event_activation(latents, data, ["tones"])
    with pytest.raises(BadInput, match="before=-1"):
        peri_event_activation(latents, data, before=-1.0)

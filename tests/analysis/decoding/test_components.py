"""Positions of which one component says nothing: the kind of fault is to need all where any would do.

Members: a component that is NaN, one that never changes, and x that stands still where y moves.
"""

import numpy as np
import pytest

from make.recordings import line_of, write_recording
from nwbsparse import decode, read, split, to_bins
from nwbsparse.analysis.behaviour.coding import code_variables
from nwbsparse.binning.covariates import frozen_runs
from nwbsparse.session import Series

T = np.arange(0, 400, 0.05)
X = 50 + 45 * np.sin(T / 7)
STILL, NAN = np.full(len(T), 5.3), np.full(len(T), np.nan)


def recording(tmp_path, data):
    rng = np.random.default_rng(0)
    spikes = []
    for unit in range(12):
        n = rng.poisson(0.05 * (1 + 20 * np.exp(-((X - 8 * unit) ** 2) / 60)))
        spikes.append(np.sort(np.repeat(T, n) + rng.uniform(0, 0.05, n.sum())))
    return write_recording(
        tmp_path / "a.nwb", spike_times=spikes,
        position={"data": data, "timestamps": T, "unit": "cm"},
    )  # fmt: skip


@pytest.mark.parametrize("more", [(STILL,), (NAN,), (STILL, NAN), (STILL, STILL)])
def test_what_is_measured_is_decoded_and_mapped_as_if_it_were_alone(tmp_path, more):
    (tmp_path / "alone").mkdir()
    alone = split(to_bins(read(recording(tmp_path / "alone", X)), 0.1))
    session = read(recording(tmp_path, np.column_stack([X, *more])))
    binned = split(to_bins(session, 0.1))
    assert np.isfinite(binned["speed"]).mean() > 0.9
    expected = decode(alone, ["position"], inputs=["smoothed"])["r2"].item()
    assert expected > 0.5
    assert decode(binned, ["position"], inputs=["smoothed"])["r2"].item() == pytest.approx(expected)
    [coded] = [one for one in code_variables(binned) if one.name == "position"]
    [bare] = [one for one in code_variables(alone) if one.name == "position"]
    np.testing.assert_array_equal(coded.codes, bare.codes)
    assert coded.shape == bare.shape
    said = " ".join(line_of(session, "series", "/processing/behavior/Position/position").reasons)
    assert ("never measured" in said) == any(one is NAN for one in more)
    assert ("never changes" in said) == any(one is STILL for one in more)


def test_of_three_the_map_is_of_those_that_change(tmp_path):
    y = 20 * np.cos(T / 11)
    session = read(recording(tmp_path, np.column_stack([STILL, X, y])))
    [coded] = [
        one for one in code_variables(split(to_bins(session, 0.1))) if one.name == "position"
    ]
    assert coded.axes == (1, 2)
    assert len(coded.shape) == 2
    assert np.ptp(coded.edges[0]) > 50


def test_nothing_known_and_nothing_changing_stay_what_they_were(tmp_path):
    session = read(recording(tmp_path, np.column_stack([NAN, NAN])))
    assert session.series["position"].data.shape == (len(T), 2)
    session = read(recording(tmp_path, np.column_stack([STILL, STILL])))
    bins = split(to_bins(session, 0.1))
    assert decode(bins, ["position"], inputs=["counts"])["status"].item() == "constant"


def test_a_position_that_freezes_is_seen_by_whichever_component_moves():
    y = np.sin(T)
    y[2000:4000] = y[2000]
    for data in (np.column_stack([STILL, y]), np.column_stack([y, STILL])):
        assert frozen_runs(Series("position", T, data, kind="position")) == [(2000, 4000)]

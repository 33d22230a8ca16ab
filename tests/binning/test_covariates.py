"""Behaviour per bin: means, interpolation and derivatives with known answers, gaps left empty."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make.sessions import make_series
from nwbsparse import names
from nwbsparse.binning.covariates import align, derive, thaw
from nwbsparse.binning.grid import make_grid


def grid_to(stop, *, width=0.1, start=0.0):
    return make_grid(np.array([[start, stop]]), width)


def clock(rate, stop, start=0.0):
    return start + np.arange(round((stop - start) * rate)) / rate


def test_a_fast_signal_becomes_the_mean_of_each_bin():
    times = clock(40, 20)
    data = np.random.default_rng(0).normal(size=len(times))
    found = align(make_series("x", times, data), grid_to(20))
    np.testing.assert_allclose(found, data.reshape(200, 4).mean(axis=1), rtol=1e-5, atol=1e-7)
    assert found.dtype == np.float32


def test_a_slow_signal_is_interpolated_at_the_centre_of_each_bin():
    times = np.arange(0, 21.0)
    grid = grid_to(20)
    found = align(make_series("x", times, times**2), grid)
    np.testing.assert_allclose(found, np.interp(grid.centres, times, times**2), rtol=1e-6)


@settings(deadline=None, max_examples=50)
@given(
    rate=st.sampled_from([1.0, 3.0, 7.5, 10.0, 30.0, 39.06, 50.0, 100.0]),
    slope=st.floats(-50, 50),
    start=st.sampled_from([0.0, 1499.2, -300.0]),
)
def test_a_straight_line_stays_a_straight_line(rate, slope, start):
    times = clock(rate, start + 30, start - 3)
    grid = grid_to(start + 20, start=start)
    found = align(make_series("x", times, slope * (times - start)), grid)
    # a bin mean stands where its samples stand: at most half a bin from the centre
    allowed = abs(slope) * (0.05 if rate >= 10 else 0) + 1e-3
    np.testing.assert_allclose(found, slope * (grid.centres - start), atol=allowed)


def test_a_plane_has_two_columns_and_a_line_one():
    times = clock(50, 20)
    plane = align(make_series("p", times, np.column_stack([times, -times])), grid_to(20))
    assert plane.shape == (200, 2)
    np.testing.assert_allclose(plane[:, 0], -plane[:, 1])
    assert align(make_series("p", times, times[:, None]), grid_to(20)).shape == (200, 1)
    assert align(make_series("p", times, times), grid_to(20)).shape == (200,)


def test_nothing_is_invented_beyond_both_ends():
    times = clock(50, 15, 5)
    found = align(make_series("x", times, times), grid_to(20))
    assert np.isnan(found[:50]).all()
    assert np.isfinite(found[50:150]).all()
    assert np.isnan(found[150:]).all()


@pytest.mark.parametrize(
    ("max_gap", "filled"), [(None, False), (1.9, False), (2.1, True), (0.0, False)]
)
def test_a_gap_is_bridged_only_up_to_max_gap(max_gap, filled):
    times = clock(20, 20)
    times = times[(times <= 8.0) | (times >= 10.0)]
    found = align(make_series("x", times, times), grid_to(20), max_gap=max_gap)
    inside = found[81:100]
    assert np.isfinite(found[:80]).all()
    assert np.isfinite(found[100:]).all()
    if filled:
        np.testing.assert_allclose(inside, grid_to(20).centres[81:100], rtol=1e-5)
    else:
        assert np.isnan(inside).all()


def test_the_default_gap_is_three_median_steps():
    times = np.arange(0, 21.0)
    for missing, empty in (([5, 6], False), ([5, 6, 7], True)):
        kept = np.delete(times, missing)
        found = align(make_series("x", kept, kept), grid_to(20))
        assert np.isnan(found[45:75]).any() == empty


def test_samples_that_are_nan_leave_a_gap():
    times = clock(50, 20)
    data = times.copy()
    data[(times >= 5) & (times < 6)] = np.nan
    found = align(make_series("x", times, data), grid_to(20))
    assert np.isnan(found[50:60]).all()
    assert np.isfinite(np.delete(found, range(50, 60))).all()
    one_axis = np.column_stack([times, data])
    assert np.isnan(align(make_series("p", times, one_axis), grid_to(20))[50:60]).all()


@pytest.mark.parametrize("samples", [0, 1])
def test_a_signal_with_hardly_a_sample_is_nan_everywhere(samples):
    found = align(make_series("x", np.arange(samples), np.ones(samples)), grid_to(20))
    assert found.shape == (200,)
    assert np.isnan(found).all()


@pytest.mark.parametrize("rate", [5.0, 80.0])
def test_angles_are_averaged_around_the_circle(rate):
    times = clock(rate, 21, -1)
    wiggle = np.where(np.arange(len(times)) % 2 == 0, 0.2, -0.2)
    angle = (np.pi + wiggle) % (2 * np.pi)  # on both sides of the cut of atan2
    angle = np.where(angle > np.pi, angle - 2 * np.pi, angle)
    series = make_series("heading", times, angle, kind=names.CIRCULAR)
    found = align(series, grid_to(20))
    distance = np.abs(np.angle(np.exp(1j * (found - np.pi))))
    assert distance.max() < 0.21
    as_number = align(make_series("x", times, angle), grid_to(20))
    assert np.abs(np.angle(np.exp(1j * (as_number - np.pi)))).max() > 1


def test_a_turning_angle_passes_the_cut_smoothly():
    times = np.arange(-1, 22, 0.25)
    angle = np.angle(np.exp(1j * times))
    grid = grid_to(20)
    found = align(make_series("heading", times, angle, kind=names.CIRCULAR), grid)
    assert np.abs(np.angle(np.exp(1j * (found - grid.centres)))).max() < 0.01


@pytest.mark.fault(43)
def test_one_stamp_out_of_order_spoils_no_other_bin():
    times = np.arange(0, 41, 0.5)
    data = times.copy()
    times[40] -= 3.2  # 20.0 s is stamped 16.8 s
    grid = grid_to(40)
    found = align(make_series("x", times, data), grid)
    away = (grid.centres < 16) | (grid.centres > 21)
    np.testing.assert_allclose(found[away], grid.centres[away], rtol=1e-5)


def test_a_frozen_stretch_is_not_measured():
    times = clock(10, 200)
    data = np.random.default_rng(1).normal(size=len(times))
    data[500:900] = 7.0  # 40 s
    data[1000:1250] = 7.0  # 25 s: the animal may rest
    before = data.copy()
    thawed, line = thaw(make_series("x", times, data))
    assert np.isnan(thawed.data[500:900]).all()
    np.testing.assert_array_equal(
        np.delete(thawed.data, slice(500, 900)), np.delete(data, slice(500, 900))
    )
    np.testing.assert_array_equal(data, before)
    assert (line.found, line.kept, line.dropped) == (2000, 1600, 400)
    assert "frozen, so taken as not measured: 50.0 to 89.9 s" in line.reasons[0]
    assert len(line.reasons) == 1


def test_a_plane_is_frozen_only_where_both_axes_stand_still():
    times = clock(10, 200)
    data = np.random.default_rng(1).normal(size=(len(times), 2))
    data[500:900, 0] = 7.0
    thawed, line = thaw(make_series("p", times, data))
    assert line.dropped == 0
    np.testing.assert_array_equal(thawed.data, data)
    data[500:900, 1] = 7.0
    assert thaw(make_series("p", times, data))[1].dropped == 400


def test_a_coded_signal_may_stand_still_and_nan_is_no_freeze():
    times = clock(10, 200)
    coded = np.repeat([0.0, 1.0], 1000)
    assert thaw(make_series("lick", times, coded))[1].dropped == 0
    data = np.random.default_rng(1).normal(size=len(times))
    data[500:900] = np.nan
    _, line = thaw(make_series("x", times, data))
    assert line.dropped == 400
    assert line.reasons == ("400 samples are NaN",)


def inner(values, cut=50):
    """Away from both ends, where smoothing has no neighbour to lean on."""
    return values[cut:-cut]


@pytest.mark.parametrize("velocity", [0.3, -0.3])
def test_constant_running_on_a_line(velocity):
    times = clock(50, 30, 100 - 100)
    position = make_series("position", times, 5 + velocity * times, unit="m", kind=names.POSITION)
    made = {series.name: series for series in derive(position)}
    assert set(made) == {"speed", "velocity"}
    np.testing.assert_allclose(inner(made["speed"].data), 0.3, rtol=1e-9)
    np.testing.assert_allclose(inner(made["velocity"].data), velocity, rtol=1e-9)
    assert made["speed"].unit == "m/s"
    assert made["speed"].kind == made["velocity"].kind == names.CONTINUOUS


@pytest.mark.parametrize("heading", [0.0, 0.5, np.pi / 2, 2.5, -2.5, -np.pi / 2])
def test_constant_running_in_the_plane(heading):
    times = clock(50, 30)
    step = 0.2 * times[:, None] * [np.cos(heading), np.sin(heading)]
    made = {
        s.name: s for s in derive(make_series("p", times, step, kind=names.POSITION), prefix="p_")
    }
    assert set(made) == {"p_speed", "p_movement_direction"}
    np.testing.assert_allclose(inner(made["p_speed"].data), 0.2, rtol=1e-9)
    np.testing.assert_allclose(inner(made["p_movement_direction"].data), heading, atol=1e-6)
    assert made["p_movement_direction"].kind == names.CIRCULAR


def test_an_animal_at_rest_has_no_direction():
    times = clock(50, 40)
    x = np.where(times < 20, times, 20.0)
    made = {
        s.name: s
        for s in derive(make_series("p", times, np.column_stack([x, x]), kind=names.POSITION))
    }
    assert np.isnan(made["movement_direction"].data[1100:]).all()
    np.testing.assert_allclose(made["speed"].data[1100:], 0, atol=1e-9)
    assert np.isfinite(made["movement_direction"].data[50:900]).all()


def test_a_jump_across_a_gap_makes_no_speed():
    times = clock(50, 30)
    x = np.where(times < 10, 0.1 * times, 100 + 0.1 * times)
    for hole in (np.nan, None):
        data, stamps = x.copy(), times
        gap = (times >= 9.8) & (times < 10.2)
        if hole is None:
            data, stamps = data[~gap], stamps[~gap]
        else:
            data[gap] = hole
        speed = next(s.data for s in derive(make_series("p", stamps, data, kind=names.POSITION)))
        assert np.nanmax(speed) < 0.11


@pytest.mark.fault(43)
def test_a_duplicate_stamp_gives_no_infinite_speed():
    times = clock(50, 30)
    times[700] = times[701]
    made = derive(make_series("p", times, 0.2 * times, kind=names.POSITION))
    assert not np.isinf(made[0].data).any()
    np.testing.assert_allclose(made[0].data[50:600], 0.2, rtol=1e-9)


@pytest.mark.parametrize("values", [10, 1000], ids=["in steps", "smooth"])
def test_a_lap_that_ends_where_it_begins_is_not_run_back_in_an_instant(values):
    times = np.arange(0, 120, 0.1)
    along = (
        np.floor((times % 8) / 8 * values) / values * 2.0
    )  # 2 m in 8 s, then from the start again
    speed, velocity = derive(make_series("track", times, along, kind="position", unit="m"))
    assert np.nanmin(velocity.data) > -0.01
    assert np.nanmedian(speed.data) == pytest.approx(0.25, abs=0.26 if values == 10 else 0.01)
    assert np.nanmax(speed.data) < (2.0 if values == 10 else 0.5)
    back = derive(make_series("track", times, np.abs(along - 1.0), kind="position", unit="m"))[1]
    assert np.nanmin(back.data) < -0.2, "what moves back is seen to"


@pytest.mark.parametrize(
    ("name", "unit", "value", "kept"),
    [
        ("running_speed", "", 0.0, True),
        ("wheelVelocity", "", 0.0, True),
        ("paw", "cm/s", 0.0, True),
        ("wheel", "rad", 7.0, True),  # stands wherever it stopped
        ("running_speed", "", 7.0, False),  # stuck
        ("lever", "", 0.0, False),
    ],
)
def test_a_signal_that_stands_still_as_at_rest_is_kept_and_both_are_said(name, unit, value, kept):
    """The kind of fault: what does not change was not measured. Wheels and speeds have rest."""
    times = clock(10, 200)
    data = np.random.default_rng(1).normal(size=len(times))
    data[500:900] = value
    thawed, line = thaw(make_series(name, times, data, unit=unit))
    assert line.dropped == (0 if kept else 400)
    assert np.isfinite(thawed.data[500:900]).all() == kept
    said = "taken as rest (or was it not measured?)" if kept else "taken as not measured"
    assert f"{said}: 50.0 to 89.9 s" in line.reasons[0]

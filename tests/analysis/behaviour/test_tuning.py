"""Tuning curves by hand; behaviour R² against scikit-learn."""

import numpy as np
import pytest
import xarray as xr
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from nwbsparse import names
from nwbsparse.analysis.behaviour.coding import Coded, code_variables
from nwbsparse.analysis.behaviour.tuning import behaviour_r2, tuning_curves

ACTIVATION = np.array([[1, 0], [3, 0], [5, 2], [7, 9], [0, 4]], dtype=np.float32)


def coded(codes, edges, *, name="speed", kind=names.CONTINUOUS):
    edges = tuple(np.asarray(edge, dtype=float) for edge in edges)
    shape = tuple(len(edge) - 1 for edge in reversed(edges))
    labels = tuple(str(i) for i in range(int(np.prod(shape))))
    return Coded(name, kind, np.asarray(codes, np.int32), labels, edges=edges, shape=shape)


def test_a_tuning_curve_and_its_occupancy_by_hand():
    speed = coded([0, 0, 2, -1, 2], [[0, 1, 2, 4]])
    found = tuning_curves(ACTIVATION, [speed], np.arange(5))
    assert found["tuning.speed"].dims == ("latent", "speed_bin")
    np.testing.assert_array_equal(found["tuning.speed"], [[2, np.nan, 2.5], [0, np.nan, 3]])
    np.testing.assert_array_equal(found["occupancy.speed"], [2, 0, 2])
    np.testing.assert_allclose(found["speed_bin"], [0.5, 1.5, 3])


def test_an_extreme_value_does_not_move_the_curve():
    # deciles of values near 0 and one of -50: the centre of the first decile would be near -25
    rng = np.random.default_rng(0)
    speed = np.concatenate([[-50.0], rng.normal(size=199)])
    binned = xr.Dataset(
        {
            "speed": ("time", speed, {names.ROLE: names.ROLE_COVARIATE, names.KIND: names.CONTINUOUS}),
        },
        coords={
            "time": np.arange(200) * 1.0,
            names.SPLIT: ("time", np.full(200, names.TRAIN)),
            names.SEGMENT: ("time", np.zeros(200, int)),
        },
        attrs={names.BIN_WIDTH: 1.0},
    )  # fmt: skip
    found = tuning_curves(np.ones((200, 1), np.float32), code_variables(binned), np.arange(200))
    first, last = (float(found["speed_bin"][at]) for at in (0, -1))
    assert first == pytest.approx(np.median(np.sort(speed)[:20])) and last > 1
    assert int(found["occupancy.speed"][0]) == 20


def test_only_the_given_bins_count():
    speed = coded([0, 0, 2, -1, 2], [[0, 1, 2, 4]])
    bins = np.array([1, 2, 3])
    found = tuning_curves(ACTIVATION[bins], [speed], bins)
    np.testing.assert_array_equal(found["tuning.speed"], [[3, np.nan, 5], [0, np.nan, 2]])
    np.testing.assert_array_equal(found["occupancy.speed"], [1, 0, 1])


def test_a_map_has_y_before_x():
    # code = y * 3 + x
    place = coded(
        [0, 2, 2, 3, 5], [[0, 1, 2, 3], [0, 10, 20]], name="position", kind=names.POSITION
    )
    found = tuning_curves(ACTIVATION, [place], np.arange(5))
    assert found["tuning.position"].dims == ("latent", "position_y", "position_x")
    nan = np.nan
    np.testing.assert_array_equal(found["tuning.position"][0], [[1, nan, 4], [7, nan, 0]])
    np.testing.assert_array_equal(found["occupancy.position"], [[1, 0, 2], [1, 0, 1]])
    np.testing.assert_allclose(found["position_x"], [0.5, 1.5, 2.5])
    np.testing.assert_allclose(found["position_y"], [5, 15])


def test_conditions_have_no_tuning_curve():
    side = Coded("side", names.CATEGORICAL, np.zeros(5, np.int32), ("a", "b"), shape=(2,))
    assert not tuning_curves(ACTIVATION, [side], np.arange(5)).data_vars


@pytest.fixture
def behaving():
    rng = np.random.default_rng(1)
    n = 400
    activation = np.maximum(rng.standard_normal((n, 4)), 0).astype(np.float32)
    angle = np.pi * np.tanh(2 * activation[:, 0] - 1 + 0.3 * rng.standard_normal(n))
    place = np.stack([activation[:, 1] + rng.random(n), rng.random(n)], axis=1)
    speed = 30 + 5 * activation[:, 2] + rng.standard_normal(n)
    speed[::17] = np.nan
    data = xr.Dataset()
    for name, kind, values in (
        ("speed", "continuous", speed),
        ("place", "position", place),
        ("heading", "circular", angle),
        ("fixed", "continuous", np.full(n, 2.0)),
    ):
        dims = ("time", "space")[: values.ndim]
        data[name] = xr.DataArray(values.astype(np.float32), dims=dims, attrs={"kind": kind})
    train = np.arange(n) < 250
    return activation, data, train, np.arange(n) >= 260


def by_scikit_learn(x, y, train, test):
    good = np.isfinite(y).all(axis=1)
    train, test = train & good, test & good
    line = LinearRegression().fit(x[train, None], y[train])
    return r2_score(y[test], line.predict(x[test, None]), multioutput="uniform_average")


def test_behaviour_r2_equals_a_line_fitted_on_training_and_scored_on_test(behaving):
    activation, data, train, test = behaving
    found = behaviour_r2(activation, data, ["speed", "place", "heading"], train, test)
    heading = data["heading"].values.astype(float)
    targets = [
        data["speed"].values[:, None],
        data["place"].values,
        np.stack([np.sin(heading), np.cos(heading)], axis=1),
    ]
    x = activation.astype(float)
    expected = [
        [by_scikit_learn(x[:, latent], y.astype(float), train, test) for y in targets]
        for latent in range(4)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found[2, 0] > 0.8 and found[0, 0] < 0.05


def test_a_latent_that_never_changes_predicts_no_better_than_the_training_mean(behaving):
    activation, data, train, test = behaving
    activation[:, 3] = 1.5
    found = behaviour_r2(activation, data, ["speed"], train, test)[3, 0]
    speed = data["speed"].values[:, None].astype(float)
    expected = by_scikit_learn(np.full(len(speed), 1.5), speed, train, test)
    assert found == pytest.approx(expected, abs=1e-9) and found <= 0


def test_angles_are_compared_as_angles():
    rng = np.random.default_rng(0)
    activation = rng.random((300, 1)).astype(np.float32)
    angle = (np.pi - 0.2 + 0.4 * activation[:, 0]).astype(np.float32)  # crosses ±π
    wrapped = np.angle(np.exp(1j * angle)).astype(np.float32)
    train = np.arange(300) < 200
    scores = []
    for values in (angle, wrapped):
        data = xr.Dataset({"heading": ("time", values, {"kind": "circular"})})
        scores.append(behaviour_r2(activation, data, ["heading"], train, ~train)[0, 0])
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def test_a_constant_covariate_and_one_known_nowhere_say_nothing(behaving):
    activation, data, train, test = behaving
    data["unknown"] = data["speed"] * np.nan
    data["unknown"].attrs["kind"] = "continuous"
    found = behaviour_r2(activation, data, ["fixed", "unknown", "speed"], train, test)
    assert np.isnan(found[:, :2]).all() and np.isfinite(found[:, 2]).all()

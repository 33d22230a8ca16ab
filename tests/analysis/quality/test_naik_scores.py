"""Naik's scores: every reading by hand, and the controls that they stand beside."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from make.configs import plain_config
from make.sessions import make_binned, planted
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.quality.naik_scores import behaviour_scores, naik_scores, neuron_scores
from nwbsparse.analysis.statistics import correlation as pairs
from nwbsparse.analysis.statistics.correlation import Channels
from nwbsparse.errors import BadInput
from nwbsparse.training.fit import fit


def pearson(x, y):
    return pairs.pearson(Channels(x), y)


def line_r2(x, y, x_new, y_new):
    return pairs.line_r2(Channels(x), y, Channels(x_new), y_new)


def scores(x, units, behaviour):
    both = Channels(x), Channels(x)
    return neuron_scores(*both, units, units) | behaviour_scores(*both, behaviour, behaviour)


def test_correlations_equal_numpy_and_leave_out_unknown_bins():
    rng = np.random.default_rng(0)
    x, y = rng.exponential(size=(200, 4)), rng.standard_normal((200, 3))
    y[:, 0] += x[:, 1]
    np.testing.assert_allclose(pearson(x, y), np.corrcoef(x.T, y.T)[:4, 4:], atol=1e-12)
    y[::3, 2] = np.nan
    known = np.isfinite(y[:, 2])
    wanted = np.corrcoef(x[known].T, y[known, 2])[:4, 4]
    np.testing.assert_allclose(pearson(x, y)[:, 2], wanted, atol=1e-12)


def test_constants_have_no_correlation():
    x = np.full((50, 2), 0.1)
    x[:, 1] = np.arange(50)
    assert np.isnan(pearson(x, np.arange(50.0)[:, None])[0, 0])
    assert np.isnan(pearson(x, np.full((50, 1), 3.0))).all()


def test_r2_of_lines_equals_scikit_learn():
    rng = np.random.default_rng(1)
    x, x_new = rng.exponential(size=(300, 5)), 2 + rng.exponential(size=(100, 5))
    y, y_new = (one[:, :2] + rng.standard_normal((len(one), 2)) for one in (x, x_new))
    found = line_r2(x, y, x_new, y_new)
    for channel in range(5):
        for behaviour in range(2):
            model = LinearRegression().fit(x[:, [channel]], y[:, behaviour])
            wanted = r2_score(y_new[:, behaviour], model.predict(x_new[:, [channel]]))
            assert found[channel, behaviour] == pytest.approx(wanted, abs=1e-9)


@given(seed=st.integers(0, 10_000), n=st.integers(3, 60), n_new=st.integers(2, 60))
def test_lines_and_correlations_of_any_size_with_any_gaps(seed, n, n_new):
    rng = np.random.default_rng(seed)
    offset = 10.0 ** rng.integers(-2, 4)
    x, x_new = offset + rng.exponential(size=(n, 3)), offset + rng.exponential(size=(n_new, 3))
    y, y_new = rng.standard_normal((n, 2)), 5 + rng.standard_normal((n_new, 2))
    for one in (y, y_new):
        one[2:][rng.random((len(one) - 2, 2)) < 0.3] = np.nan  # two bins stay known
    r2, r = line_r2(x, y, x_new, y_new), pearson(x, y)
    for channel in range(3):
        for column in range(2):
            known, known_new = np.isfinite(y[:, column]), np.isfinite(y_new[:, column])
            own, target = x[known][:, [channel]], y[known, column]
            model = LinearRegression().fit(own, target)
            said = model.predict(x_new[known_new][:, [channel]])
            wanted = r2_score(y_new[known_new, column], said)
            assert r2[channel, column] == pytest.approx(wanted, rel=1e-4, abs=1e-4)
            assert r[channel, column] == pytest.approx(
                np.corrcoef(own[:, 0], target)[0, 1], abs=1e-5
            )


def test_a_constant_latent_predicts_the_training_mean():
    y = np.array([[0.0], [2.0], [4.0]])
    found = line_r2(np.zeros((3, 1)), y, np.zeros((2, 1)), np.array([[1.0], [3.0]]))
    assert found[0, 0] == pytest.approx(0.0)  # training mean 2, test mean 2


def test_the_readings_by_hand():
    """Two latents over two units and two behaviours, small enough to count on fingers."""
    x = np.array([[0, 0], [1, 0], [0, 1], [1, 1.0]])
    units = np.array([[0, 0], [1, 1], [0, 0], [1, 0.0]])
    behaviour = np.array([[0, 5], [2, 5], [0, 6], [2, 6.0]])
    found = scores(x, units, behaviour)
    r = 1 / np.sqrt(3)  # of a latent that is on in two bins with a unit that fires in one of them
    # |r|: latent 0 with the units 1 and r, latent 1 with them 0 and r
    assert found["neuron_paper"] == pytest.approx((1 + r) / 2)
    assert found["neuron_text"] == pytest.approx(((1 + r) / 2 + (0 + r) / 2) / 2)
    assert found["train_neuron_code"] == pytest.approx((1 + r + 0 + r) / 4)
    # R²: latent 0 is the first behaviour, latent 1 the second
    assert found["behaviour_paper"] == pytest.approx(1.0)
    assert found["behaviour_per_behaviour"] == pytest.approx(1.0)
    assert found["train_behaviour_code"] == pytest.approx((1 + 1 + 0) / 3)


def test_only_the_best_ten_and_three_count():
    rng = np.random.default_rng(2)
    x = rng.exponential(size=(400, 30))
    units = np.concatenate([x[:, :12] + 0.3 * rng.standard_normal((400, 12)), x[:, :1]], axis=1)
    behaviour = x[:, :5] + rng.standard_normal((400, 5))
    found = scores(x, units, behaviour)
    r = np.abs(np.corrcoef(x.T, units.T)[:30, 30:])
    assert found["neuron_paper"] == pytest.approx(np.sort(r.max(axis=1))[-10:].mean())
    assert found["neuron_text"] == pytest.approx(np.sort(r, axis=1)[:, -10:].mean())
    assert found["train_neuron_code"] == pytest.approx(np.sort(r.ravel())[-10:].mean())
    r2 = np.corrcoef(x.T, behaviour.T)[:30, 30:] ** 2
    assert found["behaviour_paper"] == pytest.approx(np.sort(r2.max(axis=1))[-3:].mean())
    assert found["behaviour_per_behaviour"] == pytest.approx(r2.max(axis=0).mean())
    assert found["train_behaviour_code"] == pytest.approx(np.sort(np.sqrt(r2).ravel())[-3:].mean())


@pytest.fixture(scope="module")
def recording():
    counts = planted(3000)
    data = make_binned(counts, bin_width=0.5)
    level = counts[:, :4].sum(axis=1).astype(np.float32)
    attrs = {"role": "condition", "kind": "categorical", "categories": json.dumps(["low", "high"])}
    return data.assign(
        level=("time", level, {"role": "covariate", "kind": "continuous"}),
        side=("time", (level > 2).astype(np.int32), attrs),
    )


@pytest.fixture(scope="module")
def trained(recording):
    return fit(recording, plain_config(n_latents=32, k=3, batch_size=128, max_epochs=8))


def test_the_controls_stand_beside_the_latents(trained, recording):
    found = naik_scores(trained, recording, n_shifts=50)
    assert found["source"].values.tolist() == ["latents", "untrained", "input"]
    assert found["behaviour"].values.tolist() == ["level", "side = low", "side = high"]
    latents, untrained, units = found["neuron_paper"].values
    assert units == pytest.approx(1.0), "the input is the units themselves"
    assert 0.05 < untrained < latents < 1
    assert (found["neuron_paper_p"].values == 1 / 51).all()
    assert (found["neuron_paper_null_mean"].values < 0.3).all()
    assert float(found["behaviour_paper"][0]) > float(found["behaviour_paper_null_mean"][0]) + 0.1


def test_they_are_the_scores_of_the_activations_on_test_bins(trained, recording):
    found = naik_scores(trained, recording, n_shifts=0)
    activation = dense(encode(trained, recording)).astype(float)
    test = recording["split"].values == 2
    r = np.abs(pearson(activation[test], recording["counts"].values[test].astype(float)))
    best = np.sort(r[np.isfinite(r).any(axis=1)].max(axis=1))[-10:]
    assert float(found["neuron_paper"][0]) == pytest.approx(best.mean())
    assert np.isnan(found["neuron_paper_p"]).all()


def test_behaviour_of_another_time_is_no_better_than_its_shifts(trained, recording):
    rng = np.random.default_rng(5)
    walk = np.convolve(rng.standard_normal(3000), np.ones(5) / 5, "same").astype(np.float32)
    attrs = {"role": "covariate", "kind": "continuous"}
    found = naik_scores(
        trained, recording.assign(level=("time", walk, attrs)), behaviours=["level"], n_shifts=50
    )
    assert (found["behaviour_paper_p"].values > 0.02).all()
    assert (found["behaviour_paper"].values < 0.1).all()


def test_what_changes_slowly_has_too_few_shifts_for_a_null(trained, recording):
    slow = np.sin(np.arange(3000) / 300).astype(np.float32)
    attrs = {"role": "covariate", "kind": "continuous"}
    found = naik_scores(trained, recording.assign(level=("time", slow, attrs)), n_shifts=5)
    status = json.loads(found.attrs["null_status"])
    assert status["neuron"] == "" and "independent shifts" in status["behaviour"]
    assert np.isnan(found["behaviour_paper_p"]).all()
    assert np.isfinite(found["behaviour_paper"]).all() and np.isfinite(found["neuron_text_p"]).all()


def test_a_coder_of_an_embedding_is_scored_on_the_units_of_the_recording(recording):
    mixed = recording["counts"].values @ np.random.default_rng(0).standard_normal((16, 4))
    embedded = make_binned(mixed.astype(np.float32), bin_width=0.5)
    coder = fit(embedded, plain_config(n_latents=16, k=2, batch_size=128, max_epochs=4))
    found = naik_scores(coder, embedded, population=recording, n_shifts=0)
    assert float(found["neuron_paper"].sel(source="input")) < 0.99
    assert found.sizes["behaviour"] == 3
    with pytest.raises(BadInput, match="same bins"):
        naik_scores(coder, embedded, population=recording.isel(time=slice(100)))


def test_without_behaviour_there_are_neuron_scores_alone(trained, recording):
    bare = recording.drop_vars(["level", "side"])
    found = naik_scores(trained, bare, n_shifts=2)
    assert "neuron_text" in found and "behaviour_paper" not in found


def test_a_silent_unit_does_not_disturb(trained, recording):
    silent = recording.copy(deep=True)
    silent["counts"].values[:, 7] = 0
    found = naik_scores(trained, silent, n_shifts=2)
    assert np.isfinite(found["neuron_text"]).all()


def test_an_unknown_behaviour_is_refused(trained, recording):
    with pytest.raises(BadInput, match="did you mean 'level'"):
        naik_scores(trained, recording, behaviours=["levle"])

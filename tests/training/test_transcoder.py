"""Some units from others, later bins from earlier ones, one recording from another."""

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.fits import everything
from make.sessions import make_binned, planted
from nwbsparse import names
from nwbsparse.analysis.apply.encode import reconstruct
from nwbsparse.errors import BadInput
from nwbsparse.training.fit import fit
from nwbsparse.training.populations import ids_of_populations
from nwbsparse.training.start import untrained_control

N_IN, N_OUT, N_EVENTS = 14, 8, 6
RUN = {"n_latents": 24, "k": 2, "batch_size": 128, "max_epochs": 20}
TARGETS = ",".join(str(unit) for unit in range(N_IN, N_IN + N_OUT))


def two_populations(*, delay=0, n=1800, seed=0):
    """Events that drive patterns over 14 units and, ``delay`` bins later, patterns over 8 others."""
    rng = np.random.default_rng(seed)
    events = rng.random((n, N_EVENTS)) < 0.12
    drive = rng.uniform(4, 8, (N_EVENTS, N_IN)) * (rng.random((N_EVENTS, N_IN)) < 0.4)
    follow = rng.uniform(6, 12, (N_EVENTS, N_OUT)) * (rng.random((N_EVENTS, N_OUT)) < 0.5)
    later = np.roll(events, delay, axis=0)
    rates = np.concatenate([events @ drive, later @ follow], axis=1)
    data = make_binned(rng.poisson(0.1 + rates).astype(np.uint8))
    region = ["CA1"] * N_IN + ["CA3"] * N_OUT
    return data.assign_coords(
        region=("unit", region), depth=("unit", np.arange(N_IN + N_OUT, dtype=float))
    )


@pytest.fixture(scope="module")
def data():
    return two_populations()


def held_out_r2(coder, data):
    """Of the reconstructed units, against the mean of the test bins, all of them together."""
    predicted = reconstruct(coder, data)
    lag, n = coder.config.lag, data.sizes["time"]
    own = np.flatnonzero(data["split"].values == names.TEST)
    own = own[(own + lag >= 0) & (own + lag < n)]
    own = own[np.isfinite(predicted.values[own]).all(axis=1)]
    columns = [data["unit_id"].values.tolist().index(one) for one in predicted["unit_id"].values]
    truth = data["counts"].values[own + lag][:, columns].astype(float)
    if coder.config.scaling[0] == "zscore":
        transcoder = coder.record.target_ids is not None
        offset = coder.target_offset if transcoder else coder.offset
        scale = coder.target_scale if transcoder else coder.scale
        truth = (truth - offset.numpy()) / scale.numpy()
    error = np.square(truth - predicted.values[own]).sum()
    return 1 - error / np.square(truth - truth.mean(axis=0)).sum()


def test_other_units_are_predicted_on_held_out_bins(data):
    coder = fit(data, plain_config(target_units=TARGETS, **RUN))
    assert held_out_r2(coder, data) > 0.6
    assert held_out_r2(untrained_control(coder, data), data) < 0.1
    # where there is nothing to predict from, nothing is predicted
    shuffled = data.copy(deep=True)
    order = np.random.default_rng(1).permutation(data.sizes["time"])
    shuffled["counts"].values[:, :N_IN] = shuffled["counts"].values[order, :N_IN]
    coder = fit(shuffled, plain_config(target_units=TARGETS, **RUN))
    assert held_out_r2(coder, shuffled) < 0.05


@pytest.mark.parametrize(
    "loss", ["poisson", pytest.param("negative_binomial", marks=pytest.mark.slow)]
)
def test_so_they_are_as_counts(loss, data):
    coder = fit(data, plain_config(target_regions="CA3", loss=loss, **RUN))
    assert held_out_r2(coder, data) > 0.5


def test_the_lag_of_the_planted_delay_predicts_best():
    data = two_populations(delay=3)
    lags = (0, 2, 3)
    found = [
        held_out_r2(fit(data, plain_config(target_units=TARGETS, lag=lag, **RUN)), data)
        for lag in lags
    ]
    assert lags[int(np.argmax(found))] == 3
    assert max(found) > 0.6
    assert sorted(found)[-2] < 0.1


def test_a_window_finds_a_delay_that_one_bin_cannot():
    data = two_populations(delay=2)
    window = {"encoder": "window", "window": 4, "decoded": "last"}
    options = {"target_units": TARGETS} | RUN | {"k": 6}
    assert held_out_r2(fit(data, plain_config(**options, **window)), data) > 0.4
    assert held_out_r2(fit(data, plain_config(**options)), data) < 0.1


def test_an_autoencoder_with_a_lag_predicts_the_same_units_later():
    rng = np.random.default_rng(0)
    state = np.cumsum(rng.random(1800) < 0.05) % 4  # stays for about twenty bins
    patterns = rng.uniform(0, 8, (4, 10)) * (rng.random((4, 10)) < 0.5)
    data = make_binned(rng.poisson(0.1 + patterns[state]).astype(np.uint8))
    coder = fit(data, plain_config(lag=1, **RUN))
    assert coder.lags == [1]
    assert coder.record.target_ids is None
    r2 = held_out_r2(coder, data)
    assert 0.4 < r2 < held_out_r2(fit(data, plain_config(**RUN)), data)


def test_the_dictionary_is_over_the_targets_and_the_encoder_over_the_others(data):
    run = RUN | {"max_epochs": 1}
    coder = fit(data, plain_config(target_units=TARGETS, lag=2, **run))
    assert coder.record.unit_ids == tuple(str(unit) for unit in range(N_IN))
    assert coder.record.target_ids == tuple(str(unit) for unit in range(N_IN, N_IN + N_OUT))
    assert (coder.n_units, coder.n_targets, coder.lags) == (N_IN, N_OUT, [2])
    assert coder.encoder_weight.shape == (24, N_IN)
    assert coder.dictionary.shape == (24, N_OUT)
    assert coder.decoder_bias.shape == (N_OUT,)
    window = {"encoder": "window", "window": 3}
    coder = fit(data, plain_config(target_units=TARGETS, lag=2, **run, **window))
    assert coder.lags == [0, 1, 2]
    assert coder.encoder_weight.shape == (24, 3 * N_IN)
    assert coder.weight.shape == (24, 3, N_OUT)
    assert torch.allclose(coder.dictionary.norm(dim=1), torch.ones(24), atol=1e-5)


def test_inputs_and_targets_are_each_scaled_by_their_own_training_bins(data):
    coder = fit(data, plain_config(target_units="2,16,5", **(RUN | {"max_epochs": 1})))
    counts = data["counts"].values[data["split"].values == names.TRAIN].astype(float)
    target, source = [2, 5, 16], [at for at in range(N_IN + N_OUT) if at not in (2, 5, 16)]
    for name, columns in (("", source), ("target_", target)):
        offset, scale = (getattr(coder, f"{name}{what}").numpy() for what in ("offset", "scale"))
        np.testing.assert_allclose(offset, counts[:, columns].mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(scale, counts[:, columns].std(axis=0), rtol=1e-5)


def test_regions_and_conditions_name_the_same_units_as_ids(data):
    by_ids = fit(data, plain_config(target_units=TARGETS, **(RUN | {"max_epochs": 2})))
    for named in (
        {"target_regions": "CA3"},
        {"target_units": "region == 'CA3'"},
        {"target_units": "depth >= 14"},
        {"target_units": ",".join(reversed(TARGETS.split(",")))},
    ):
        assert everything(
            fit(data, plain_config(**named, **(RUN | {"max_epochs": 2})))
        ) == everything(by_ids)


def test_another_dataset_on_the_same_bins_may_be_the_target(data):
    run = RUN | {"max_epochs": 2, "lag": 1}
    inside = fit(data, plain_config(target_units=TARGETS, **run))
    inputs, others = data.isel(unit=slice(N_IN)), data.isel(unit=slice(N_IN, None))
    apart = fit(inputs, plain_config(**run), target=others)
    assert apart.record.target_ids == inside.record.target_ids
    assert everything(apart)[0] == everything(inside)[0]
    # another day of the same units, by the same names
    day = others.assign_coords(unit_id=("unit", [str(unit) for unit in range(N_OUT)]))
    coder = fit(inputs, plain_config(**run), target=day)
    assert coder.record.target_ids == tuple(str(unit) for unit in range(N_OUT))
    assert torch.equal(coder.dictionary, inside.dictionary)


def test_unobserved_targets_carry_no_loss(data):
    valid = np.ones(data["counts"].shape, bool)
    valid[200:900, 3] = valid[400:1200, 17] = False
    made = []
    for filler in (0, 200):
        counts = np.where(valid, data["counts"].values, filler).astype(np.uint8)
        given = data.assign(counts=(("time", "unit"), counts), valid=(("time", "unit"), valid))
        made.append(
            fit(given, plain_config(target_units=TARGETS, lag=1, **(RUN | {"max_epochs": 2})))
        )
    assert everything(made[0]) == everything(made[1])


def test_a_target_that_never_fires_does_no_harm(data):
    silent = data.copy(deep=True)
    silent["counts"].values[:, [2, 16]] = 0
    coder = fit(silent, plain_config(target_units=TARGETS, **(RUN | {"max_epochs": 4})))
    assert all(torch.isfinite(tensor).all() for tensor in coder.state_dict().values())
    assert float(coder.target_scale[16 - N_IN]) == float(coder.scale[2]) == 1
    assert not coder.dictionary[:, 16 - N_IN].any(), "no latent writes a unit that never fired"
    assert not coder.encoder_weight[:, 2].any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target_units": "0,99"}, "there is no unit '99'"),
        ({"target_units": "depth > 100"}, "none of the 22 units are targets"),
        ({"target_units": "depth >= 0"}, "all of the 22 units are targets"),
        ({"target_regions": "V1"}, "no unit lies in V1; there are: CA1, CA3"),
        ({"target_regions": "CA1,CA3"}, "all of the 22 units are targets"),
        ({"target_units": "unknown > 1"}, "unknown"),
    ],
)
def test_targets_that_make_no_sense_are_refused(options, said, data):
    with pytest.raises(BadInput, match=said):
        fit(data, plain_config(**options, **RUN))


def test_regions_need_regions():
    with pytest.raises(BadInput, match="the units have no region"):
        fit(make_binned(planted(600)), plain_config(target_regions="CA1", **RUN))


def test_a_target_is_named_once(data):
    with pytest.raises(BadInput, match="give one"):
        plain_config(target_units="1", target_regions="CA1")
    with pytest.raises(BadInput, match="give one"):
        fit(data, plain_config(target_units="1", **RUN), target=data)


def test_a_target_must_stand_on_the_same_bins(data):
    with pytest.raises(BadInput, match="1799 bins, the recording 1800"):
        fit(data, plain_config(**RUN), target=data.isel(time=slice(1, None)))


def test_populations_are_named_in_the_order_of_the_data(data):
    config = plain_config(target_units="20,3,7", **RUN)
    inputs, targets = ids_of_populations(data, config)
    assert targets == ("3", "7", "20")
    assert inputs == tuple(str(unit) for unit in range(22) if unit not in (3, 7, 20))
    assert ids_of_populations(data, plain_config(**RUN)) == (
        tuple(str(unit) for unit in range(22)),
        None,
    )

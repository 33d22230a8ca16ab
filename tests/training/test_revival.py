"""Dead latents: each form of revival gives them something to do, and leaves the living alone."""

import pytest
import torch

from make.configs import plain_config
from make.fits import everything
from make.sessions import make_binned, planted
from nwbsparse.training.fit import fit

# too fast for so many latents: nearly half of them die
DEADLY = {"n_latents": 96, "k": 2, "batch_size": 64, "max_epochs": 10, "learning_rate": 2e-2}


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(1200))


@pytest.fixture(scope="module")
def unrevived(data):
    return fit(data, plain_config(**DEADLY, revival="none", dead_window=10))


def died(coder):
    return coder.record.history[-1]["dead_fraction"]


@pytest.mark.parametrize("revival", ["auxiliary", "paper"])
def test_fewer_latents_stay_dead(revival, data, unrevived):
    assert died(unrevived) > 0.3
    assert (
        died(fit(data, plain_config(**DEADLY, revival=revival, dead_window=10)))
        < died(unrevived) / 2
    )


@pytest.mark.parametrize("revival", ["auxiliary", "paper", "resample"])
def test_as_long_as_none_is_dead_nothing_happens(revival, data):
    options = DEADLY | {"max_epochs": 2, "dead_window": 1000}
    alive, plain = (fit(data, plain_config(**options, revival=one)) for one in (revival, "none"))
    assert everything(alive) == everything(plain)


@pytest.mark.parametrize("revival", ["auxiliary", "paper"])
def test_without_weight_nothing_happens(revival, data, unrevived):
    made = fit(data, plain_config(**DEADLY, revival=revival, dead_window=10, aux_weight=0.0))
    assert everything(made) == everything(unrevived)


@pytest.mark.parametrize(
    "revival", ["auxiliary", "resample", pytest.param("paper", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "shape",
    [
        {"encoder": "window", "window": 3},
        {"encoder": "transformer", "window": 3},
        {"encoder": "transformer", "window": 3, "attention": "model", "d_model": 8},
        {"decoder": "convolution", "window": 3},
        {"target_units": "1,2,3", "lag": 1},
        {"loss": "poisson"},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_every_kind_of_coder_can_be_revived(shape, revival, data):
    options = DEADLY | {"dead_window": 1, "max_epochs": 1} | shape
    made = fit(data, plain_config(**options, revival=revival))
    assert all(torch.isfinite(tensor).all() for tensor in made.state_dict().values())
    plain = fit(data, plain_config(**options, revival="none"))
    assert not torch.equal(made.dictionary, plain.dictionary), "none was revived"

"""What a coder begins with is what the options say, when training begins and not only when it is drawn.

The kind of fault: weights are drawn as an option says, and a later step of setting up (silencing units
that never change, unit length, biases at the mean) makes other weights of them. A test of the drawing
alone does not see it: with free rows, dictionaries drawn like a linear layer's began with rows of unit
length, several times too long for a large dictionary.
"""

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.sessions import make_binned, planted
from nwbsparse.options.config import Config
from nwbsparse.options.presets import preset
from nwbsparse.training.prepare import new_coders
from nwbsparse.training.start import untrained_control


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(400))


def begun(data, **options):
    return new_coders(data, [plain_config(n_latents=64, k=3, **options)])[0]


def as_linear_layers(coder):
    """Whether all weights lie within 1/√fan-in, and reach nearly that far."""
    n_latents, n_units = coder.encoder_weight.shape
    for weight, fan in (
        (coder.encoder_weight, n_units),
        (coder.encoder_bias, n_units),
        (coder.dictionary, n_latents),
        (coder.decoder_bias, n_latents),
    ):
        size = weight.detach().abs()
        if not 0.6 * fan**-0.5 < float(size.max()) <= fan**-0.5:
            return False
    return True


def lengths(coder):
    return coder.dictionary.detach().norm(dim=1).numpy()


@pytest.mark.parametrize("normalisation", ["none", "zscore"])
def test_free_uniform_rows_keep_the_lengths_they_were_drawn_with(data, normalisation):
    coder = begun(data, initialisation="uniform", rows="free", normalisation=normalisation)
    assert as_linear_layers(coder)
    assert as_linear_layers(untrained_control(coder, data)), "nor is the control another"


def test_the_published_preset_begins_as_two_linear_layers(data):
    """The preset itself, all its options together."""
    options = {key: value for key, value in preset("naik2025-code").items() if key != "batch_size"}
    assert as_linear_layers(new_coders(data, [Config(**options)])[0])


@pytest.mark.parametrize(
    "options",
    [
        {"initialisation": "uniform", "rows": "unit"},
        {"initialisation": "uniform_unit", "rows": "free"},
        {"initialisation": "tied", "rows": "unit"},
        {"initialisation": "random", "rows": "free"},
    ],
    ids=["kept so", "as it was", "tied", "random"],
)
def test_other_rows_begin_with_unit_length(data, options):
    coder = begun(data, **options)
    np.testing.assert_allclose(lengths(coder), 1, rtol=1e-5)
    drawn = options["initialisation"].startswith("uniform")
    assert (float(coder.decoder_bias.detach().abs().max()) > 0) == drawn


def test_what_uniform_was_differs_in_the_lengths_of_rows_alone(data):
    now, then = (
        begun(data, initialisation=kind, rows="free") for kind in ("uniform", "uniform_unit")
    )
    assert torch.equal(now.encoder_weight, then.encoder_weight)
    assert torch.equal(torch.nn.functional.normalize(now.dictionary, dim=1), then.dictionary)


def test_a_tied_encoder_is_still_tied_when_units_are_silent():
    counts = planted(400)
    counts[:, 3] = 2
    coder = begun(make_binned(counts), initialisation="tied")
    assert torch.equal(coder.encoder_weight, coder.dictionary)
    assert not coder.dictionary[:, 3].any()


def test_units_that_never_change_have_no_weights_whatever_the_start():
    counts = planted(400)
    counts[:, 3] = 2
    coder = begun(make_binned(counts), initialisation="uniform", rows="free")
    assert not coder.dictionary[:, 3].any() and not coder.encoder_weight[:, 3].any()
    kept = [unit for unit in range(counts.shape[1]) if unit != 3]
    assert float(coder.dictionary[:, kept].detach().abs().max()) <= 64**-0.5

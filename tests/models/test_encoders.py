"""Encoders against slow, obvious numpy: one bin, a window, and attention over several."""

import numpy as np
import pytest
import torch
from scipy.special import erf, softmax

from make.coders import make_coder, windows
from nwbsparse.errors import BadInput

LAGS = 3
MODEL = {"encoder": "transformer", "attention": "model", "window": LAGS, "d_model": 8,
         "n_heads": 2, "n_blocks": 2}  # fmt: skip
LATENT = {"encoder": "transformer", "attention": "latent", "window": LAGS, "n_heads": 4}
SEVERAL = {"window": {"encoder": "window", "window": LAGS}, "model": MODEL, "latent": LATENT}


def numbers(coder):
    return {name: parameter.detach().numpy() for name, parameter in coder.named_parameters()}


def normed(h, gain):
    centred = h - h.mean(axis=-1, keepdims=True)
    return gain * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)


def attended(h, qkv, out, heads):
    """What each bin of a window (lag, width) takes from itself and the bins before it."""
    width = h.shape[1]
    made = np.zeros_like(h)
    query, key, value = (h @ part.T for part in qkv.reshape(3, width, width))
    for head in range(heads):
        at = slice(head * width // heads, (head + 1) * width // heads)
        for now in range(len(h)):
            scores = [query[now, at] @ key[then, at] for then in range(now + 1)]
            weights = softmax(np.array(scores) / np.sqrt(width // heads))
            made[now, at] = sum(w * value[then, at] for then, w in enumerate(weights))
    return made @ out.T


def by_hand(coder, window):
    """Pre-activations of one window (lag, unit), b_pre taken off."""
    of = numbers(coder)
    weight, bias = of["encoder_weight"], of["encoder_bias"]
    if coder.config.encoder == "window":
        return weight @ window.reshape(-1) + bias
    if coder.config.attention == "latent":
        h = window @ weight.T + bias
        inside = normed(h + of["position"], of["norm1"])
        return (h + attended(inside, of["qkv"], of["out"], 4))[-1]
    h = window @ of["in_weight"].T + of["in_bias"] + of["position"]
    for block in ("block0_", "block1_"):
        inside = normed(h, of[block + "norm1"])
        h = h + attended(inside, of[block + "qkv"], of[block + "out"], 2)
        inside = normed(h, of[block + "norm2"]) @ of[block + "up"].T + of[block + "up_bias"]
        inside = inside * (1 + erf(inside / np.sqrt(2))) / 2
        h = h + inside @ of[block + "down"].T + of[block + "down_bias"]
    return weight @ normed(h, of["norm"])[-1] + bias


@pytest.mark.parametrize("options", SEVERAL.values(), ids=SEVERAL)
def test_pre_activations_follow_the_definition(options):
    coder = make_coder(**options)
    y, _ = windows(coder, 5)
    with torch.no_grad():
        found = coder.pre_activation(y).numpy()
    centred = y.numpy() - coder.pre_bias.numpy()
    expected = np.stack([by_hand(coder, window) for window in centred])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("options", SEVERAL.values(), ids=SEVERAL)
def test_a_code_depends_on_every_bin_of_its_window_and_on_their_order(options):
    coder = make_coder(**options)
    y, _ = windows(coder, 4)
    with torch.no_grad():
        before = coder.pre_activation(y)
        for lag in range(LAGS):
            other = y.clone()
            other[:, lag] += 1.0
            assert not torch.allclose(coder.pre_activation(other), before, atol=1e-4)
        assert not torch.allclose(coder.pre_activation(y.flip(1)), before, atol=1e-4)


def test_one_bin_is_encoded_as_a_table_or_as_a_window_of_one():
    coder = make_coder()
    y, _ = windows(coder, 10)
    with torch.no_grad():
        assert torch.equal(coder.pre_activation(y[:, 0]), coder.pre_activation(y))
        expected = (y[:, 0] - coder.pre_bias) @ coder.encoder_weight.T + coder.encoder_bias
        torch.testing.assert_close(coder.pre_activation(y), expected)


def fresh(**options):
    """A coder as it starts, nothing perturbed."""
    given = make_coder(**options)
    return type(given)(given.record, generator=torch.Generator().manual_seed(0))


def test_an_encoder_starts_as_the_transpose_of_the_dictionary():
    for options in ({}, SEVERAL["window"]):
        coder = fresh(**options)
        assert torch.equal(coder.encoder_weight, coder.dictionary)
        assert not torch.equal(fresh(**options, initialisation="random").encoder_weight,
                               coder.dictionary)  # fmt: skip
    # a time course ties its own bin, attention over latents the last bin of the window
    for options, lag in (({"decoder": "convolution", "window": 3}, 0), (LATENT, -1)):
        coder = fresh(**options)
        own = torch.nn.functional.normalize(coder.weight[:, lag], dim=1)
        torch.testing.assert_close(coder.encoder_weight, own)


def test_uniform_weights_begin_as_two_linear_layers_of_torch_do():
    coder = fresh(initialisation="uniform", rows="free")
    n_latents, n_units = coder.encoder_weight.shape
    for weight, fan in (
        (coder.encoder_weight, n_units),
        (coder.encoder_bias, n_units),
        (coder.dictionary, n_latents),
        (coder.decoder_bias, n_latents),
    ):
        limit = fan**-0.5
        size = weight.detach().abs()
        assert 0.6 * limit < float(size.max()) <= limit
        assert float(size.min()) < 0.5 * limit
    assert not torch.equal(coder.encoder_weight, coder.dictionary)


@pytest.mark.parametrize(
    "options",
    [{"n_targets": 4}, {"n_targets": 6}, {**SEVERAL["window"], "decoded": "last"}, MODEL],
    ids=["fewer units", "other units", "last bin", "model attention"],
)
def test_what_cannot_be_tied_starts_at_random(options):
    coder = fresh(**options)
    size = coder.encoder_weight.shape[1]
    assert float(coder.encoder_weight.detach().std()) == pytest.approx(size**-0.5, rel=0.25)


def test_attention_over_latents_needs_heads_that_divide_them():
    with pytest.raises(BadInput, match=r"n_latents is 18; .* multiple of n_heads 4"):
        make_coder(**LATENT, n_latents=18)

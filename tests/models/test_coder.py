"""The coder itself: what it activates, what it writes, the units it knows and its name."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from coders import make_coder, windows
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder, as_tensor
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.config import Config


def counts(n=50, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).poisson(2.0, (n, 6)).astype(np.uint8))


def test_activations_follow_the_definition():
    coder, data = make_coder(), counts()
    y = (data.numpy() - coder.offset.numpy()) / coder.scale.numpy()
    centred = y - coder.pre_bias.numpy()
    pre = centred @ coder.encoder_weight.detach().numpy().T + coder.encoder_bias.detach().numpy()
    edge = float(coder.threshold[0])
    assert 0 < (pre >= edge).mean() < 1
    expected = np.where((pre > 0) & (pre >= edge), pre, 0)
    np.testing.assert_allclose(coder(data).numpy(), expected, rtol=1e-10)


def test_dictionary_rows_are_given_unit_length():
    coder = make_coder()
    direction = coder.dictionary.detach().clone()
    with torch.no_grad():
        coder.dictionary.mul_(3.0)
    coder.renormalise()
    torch.testing.assert_close(coder.dictionary.detach(), direction)
    assert torch.allclose(direction.norm(dim=1), torch.ones(16).double())


def test_encoding_does_not_depend_on_the_batch():
    coder, data = make_coder(), counts()
    together = coder(data)
    alone = torch.cat([coder(row[None]) for row in data])
    assert torch.allclose(alone, together, atol=1e-12)
    assert torch.equal(alone > 0, together > 0)


def test_a_unit_that_was_not_observed_stands_at_its_mean_whatever_is_stored_there():
    coder, data = make_coder(), counts()
    valid = torch.ones(50, 6, dtype=torch.bool)
    valid[:, 2] = False
    other = data.clone()
    other[:, 2] = 99
    assert torch.equal(coder(data, valid), coder(other, valid))
    assert not torch.equal(coder(data), coder(other))
    assert torch.equal(coder.normalise(data, valid)[:, 2], coder.pre_bias[2].expand(50))


WINDOW = {"encoder": "window", "window": 3}
TIME_COURSE = {"decoder": "convolution", "window": 3}


@pytest.mark.parametrize(
    ("options", "window", "lags"),
    [
        ({}, 1, [0]),
        ({"lag": 4}, 1, [4]),
        (WINDOW, 3, [-2, -1, 0]),
        (WINDOW | {"decoded": "last"}, 3, [0]),
        (WINDOW | {"lag": 2}, 3, [0, 1, 2]),
        (WINDOW | {"decoded": "last", "lag": -1}, 3, [-1]),
        (TIME_COURSE, 1, [0, 1, 2]),
        ({"encoder": "transformer", "window": 3}, 3, [-2, -1, 0]),
    ],
)
def test_lags_say_where_each_part_of_a_dictionary_row_is_written(options, window, lags):
    coder = make_coder(n_targets=5, **options)
    assert coder.window == window
    assert coder.lags == lags
    assert coder.weight.shape == (16, len(lags), 5)
    flat = coder.dictionary.detach()
    for at in range(len(lags)):
        assert torch.equal(coder.weight[:, at], flat[:, at * 5 : (at + 1) * 5])


@pytest.mark.parametrize("decoded", ["all", "last"])
def test_a_window_is_decoded_from_its_own_latents(decoded):
    coder = make_coder(**WINDOW, decoded=decoded)
    y, target = windows(coder, 5)
    with torch.no_grad():
        activation = coder.activate(coder.pre_activation(y))
        made = coder.decode(activation)
    assert made.shape == target.shape
    n_bins = 3 if decoded == "all" else 1
    for row in range(5):
        for at in range(n_bins):
            expected = coder.decoder_bias.detach().view(n_bins, 6)[at].clone()
            for latent in range(16):
                expected += activation[row, latent] * coder.weight[latent, at].detach()
            torch.testing.assert_close(made[row].view(n_bins, 6)[at], expected)


@pytest.mark.parametrize("n_targets", [None, 4])
def test_a_time_course_is_written_into_the_bins_after_the_activation(n_targets):
    coder = make_coder(n_targets=n_targets, **TIME_COURSE)
    n = 8
    activation = torch.rand(n, 16, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        sliding = activation.unfold(0, 3, 1).transpose(1, 2)
        made = coder.decode(sliding.reshape(-1, 16))
        for t in range(2, n):
            expected = coder.decoder_bias.clone()
            for lag in range(3):
                for latent in range(16):
                    expected += activation[t - lag, latent] * coder.weight[latent, lag]
            torch.testing.assert_close(made[t - 2], expected)


@pytest.mark.parametrize(
    ("output", "function"),
    [("identity", lambda x: x), ("relu", lambda x: np.maximum(x, 0)), ("exp", np.exp),
     ("softplus", lambda x: np.log1p(np.exp(x)))],
)  # fmt: skip
def test_the_output_is_the_last_step_of_the_decoder(output, function):
    coder = make_coder(normalisation="none", output=output)
    activation = torch.rand(9, 16, generator=torch.Generator().manual_seed(0)).double() - 0.5
    with torch.no_grad():
        linear = activation.numpy() @ coder.dictionary.numpy() + coder.decoder_bias.numpy()
        np.testing.assert_allclose(coder.decode(activation).numpy(), function(linear), rtol=1e-10)


def test_targets_have_a_scale_of_their_own_and_the_coder_both_populations():
    coder = make_coder(n_targets=4)
    assert (coder.n_units, coder.n_targets) == (6, 4)
    assert coder.record.targets == ("t0", "t1", "t2", "t3")
    wanted = counts()[:, :4]
    expected = (wanted.numpy() - coder.target_offset.numpy()) / coder.target_scale.numpy()
    np.testing.assert_allclose(coder.normalise_target(wanted).numpy(), expected)
    assert coder.decode(coder(counts())).shape == (50, 4)
    same = make_coder()
    assert torch.equal(same.normalise_target(counts()), same.normalise(counts()))


def test_a_coder_without_size_is_refused():
    with pytest.raises(BadInput, match="n_latents and k"):
        SparseCoder(CoderRecord(Config(), ("a", "b"), 0.02))


@pytest.mark.fault(47)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int16, np.float32])
def test_counts_of_every_type_keep_their_values(dtype):
    most = {np.uint8: 255, np.int16: 32_767}.get(dtype, 65_535)
    array = np.array([[0, 200], [100, most]]).astype(dtype)
    tensor = as_tensor(array)
    np.testing.assert_array_equal(tensor[torch.tensor([1, 0])].double().numpy(), array[[1, 0]])


def with_options(coder, **changes):
    """The same numbers under other options."""
    config = coder.config.replace(**changes)
    other = SparseCoder(replace(coder.record, config=config))
    other.load_state_dict(coder.state_dict())
    return other


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (options, name)
        for options in ({}, {"sparsifier": "jumprelu"}, {"sparsifier": "gated"},
                        {"n_targets": 3}, {"loss": "negative_binomial"},
                        {"encoder": "transformer", "window": 2})
        for name in make_coder(**options).state_dict()
    ],
)  # fmt: skip
def test_the_id_changes_with_any_number(options, name):
    coder = make_coder(**options)
    before = coder.id
    assert before == make_coder(**options).id
    with torch.no_grad():
        tensor = coder.state_dict()[name]
        up = torch.nextafter(tensor.view(-1)[-1], torch.tensor(torch.inf, dtype=tensor.dtype))
        tensor.view(-1)[-1] = up
    assert coder.id != before


@pytest.mark.parametrize(
    ("options", "change"),
    [
        ({}, {"sparsifier": "topk"}),
        ({}, {"k": 3}),
        ({}, {"lag": 1}),
        ({}, {"normalisation": "none", "output": "relu"}),
        ({"levels": ("4:2", "16:2")}, {"nesting": "nested"}),
        ({"levels": ("4:2", "16:2")}, {"levels": ("4:1", "16:2")}),
        ({"levels": ("4:2", "16:2")}, {"levels": ("8:2", "16:2")}),
        ({"encoder": "transformer", "window": 2}, {"n_heads": 2}),
    ],
)
def test_the_id_changes_with_options_that_shape_activations(options, change):
    coder = make_coder(**options)
    assert with_options(coder, **change).id != coder.id


@pytest.mark.parametrize(
    "change",
    [{"learning_rate": 0.1}, {"seed": 7}, {"batch_size": 9}, {"max_epochs": 5}, {"patience": 2},
     {"k_aux": 3}, {"name": "other"}, {"n_shifts": 10}, {"clip": 0.0}, {"revival": "none"},
     {"test": 0.3}, {"regions": "CA1"}, {"where": "speed > 3"}],
    ids=str,
)  # fmt: skip
def test_the_id_does_not_change_with_how_it_was_trained_or_is_explained(change):
    coder = make_coder()
    assert with_options(coder, **change).id == coder.id


def test_an_option_of_a_later_version_leaves_the_id_alone():
    @dataclass(frozen=True, kw_only=True)
    class Later(Config):
        novelty: float = 1.0

    coder = make_coder()
    values = {name: getattr(coder.config, name) for name in coder.config.to_dict()}
    later = SparseCoder(replace(coder.record, config=Later(**values)))
    later.load_state_dict(coder.state_dict())
    assert later.id == coder.id


@pytest.mark.fault(55)
def test_the_id_changes_with_the_units_their_order_and_the_bin_width():
    coder = make_coder()
    records = [
        coder.record,
        replace(coder.record, unit_ids=coder.record.unit_ids[::-1]),
        replace(coder.record, unit_ids=(*coder.record.unit_ids[:5], "z")),
        replace(coder.record, bin_width=0.05),
    ]
    ids = set()
    for record in records:
        other = SparseCoder(record)
        other.load_state_dict(coder.state_dict())
        ids.add(other.id)
    assert len(ids) == len(records)

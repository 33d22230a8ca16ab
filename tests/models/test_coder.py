"""The coder itself: one dictionary for all levels, a name for its weights, a file it survives."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from nwbsparse.config import Config
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.models.checkpoint import from_parts, load, save, to_bytes, to_words
from nwbsparse.models.coder import SparseCoder, as_tensor
from nwbsparse.models.record import CoderRecord
from nwbsparse.models.stack import Stack

UNITS = ("a", "b", "c", "d", "e", "f")


def make_coder(*, seed=0, units=UNITS, **options):
    given = {"n_latents": 16, "k": 2, "levels": ("4:1", "16:2")} | options
    record = CoderRecord(
        config=Config(**given),
        unit_ids=units,
        bin_width=0.02,
        source_sha256="0" * 64,
        history=({"update": 1, "validation_loss": 0.5},),
    )
    coder = SparseCoder(record, generator=torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for tensor in (coder.offset, coder.encoder_bias, coder.decoder_bias, coder.pre_bias):
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
        coder.scale.copy_(torch.rand(coder.scale.shape, generator=generator) + 0.5)
        coder.threshold.copy_(torch.tensor([0.25, 0.5][: len(coder.threshold)]))
    return coder.eval()


def counts(n=50, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).poisson(2.0, (n, 6)).astype(np.uint8))


def test_activations_follow_the_definition():
    coder, data = make_coder(), counts()
    y = (data.numpy() - coder.offset.numpy()) / coder.scale.numpy()
    centred = y - coder.pre_bias.numpy()
    pre = centred @ coder.encoder_weight.detach().numpy().T + coder.encoder_bias.detach().numpy()
    clear = np.abs(pre - 0.5) > 1e-4
    expected = np.where((pre > 0) & (pre >= 0.5), pre, 0)
    np.testing.assert_allclose(coder(data).numpy()[clear], expected[clear], rtol=1e-4, atol=1e-5)


def test_levels_are_prefixes_of_one_dictionary():
    coder = make_coder()
    pre = coder.pre_activation(coder.normalise(counts()))
    small, large = coder.activate(pre, level=0), coder.activate(pre, level=1)
    assert small.shape == (50, 4)
    assert large.shape == (50, 16)
    assert torch.equal(small, torch.where(pre[:, :4] >= 0.25, pre[:, :4], torch.zeros(())))
    rows = coder.dictionary.detach()
    expected = small @ rows[:4] + coder.decoder_bias
    assert torch.allclose(coder.decode(small), expected, atol=1e-6)
    padded = torch.cat([small, torch.zeros(50, 12)], dim=1)
    assert torch.allclose(coder.decode(padded), coder.decode(small), atol=1e-6)
    assert coder.level_of_latent == [0] * 4 + [1] * 12
    assert sum(p.shape == rows.shape for p in coder.parameters()) == 2  # encoder and dictionary


def test_dictionary_rows_have_unit_length_and_start_as_the_encoder():
    coder = make_coder()
    assert torch.allclose(coder.dictionary.norm(dim=1), torch.ones(16), atol=1e-6)
    assert torch.equal(coder.dictionary, coder.encoder_weight)
    with torch.no_grad():
        coder.dictionary.mul_(3.0)
    coder.renormalise()
    assert torch.allclose(coder.dictionary.norm(dim=1), torch.ones(16), atol=1e-6)


def test_the_gradient_along_a_row_is_removed():
    stack = Stack([make_coder(), make_coder(seed=3)])
    rows = stack.weights["dictionary"]
    y = stack.coders[0].normalise(counts())[:, None]
    stack.forward(y, y.flatten(1), None).loss.sum().backward()
    assert (rows.grad * rows).sum(dim=2).abs().max() > 1e-3
    stack.drop_parallel_gradient()
    assert (rows.grad * rows).sum(dim=2).abs().max() < 1e-4
    assert rows.grad.abs().max() > 1e-3


def test_encoding_does_not_depend_on_the_batch():
    coder, data = make_coder(), counts()
    together = coder(data)
    alone = torch.cat([coder(row[None]) for row in data])
    assert torch.allclose(alone, together, atol=1e-5)
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


@pytest.mark.parametrize("name", ["dictionary", "encoder_weight", "encoder_bias", "decoder_bias",
                                  "offset", "scale", "pre_bias", "threshold"])  # fmt: skip
def test_the_id_changes_with_any_number(name):
    coder = make_coder()
    before = coder.id
    assert before == make_coder().id
    with torch.no_grad():
        tensor = coder.state_dict()[name]
        tensor.view(-1)[-1] = torch.nextafter(tensor.view(-1)[-1], torch.tensor(torch.inf))
    assert coder.id != before


@pytest.mark.fault(55)
def test_the_id_changes_with_the_units_and_their_order():
    ids = {make_coder(units=units).id for units in (UNITS, UNITS[::-1], (*UNITS[:5], "z"))}
    assert len(ids) == 3
    # and with where one name ends and the next begins
    assert (
        len({CoderRecord(Config(), units, 0.02).unit_hash for units in (("ab", "c"), ("a", "bc"))})
        == 2
    )


@pytest.mark.fault(55)
def test_units_in_another_order_are_refused_and_others_counted():
    coder = make_coder(units=("1", "2", "3"))
    coder.check_units([1, 2, 3])
    with pytest.raises(BadInput, match="another order"):
        coder.check_units(["2", "1", "3"])
    with pytest.raises(
        BadInput, match=r"trained on 3 units, the data hold 4, of which 2 are the same"
    ):
        coder.check_units(["2", "1", "8", "9"])
    for wrong in (["1", "2"], ["1", "2", "3", "3"], []):
        with pytest.raises(BadInput, match="trained on 3 units"):
            coder.check_units(wrong)


def test_a_coder_without_size_is_refused():
    with pytest.raises(BadInput, match="n_latents and k"):
        SparseCoder(CoderRecord(Config(), UNITS, 0.02))


@pytest.mark.fault(47)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int16, np.float32])
def test_counts_of_every_type_keep_their_values(dtype):
    most = {np.uint8: 255, np.int16: 32_767}.get(dtype, 65_535)
    array = np.array([[0, 200], [100, most]]).astype(dtype)
    tensor = as_tensor(array)
    np.testing.assert_array_equal(tensor[torch.tensor([1, 0])].double().numpy(), array[[1, 0]])


@pytest.mark.parametrize("options", [{}, {"levels": ()}, {"loss": "poisson"}])
def test_a_saved_coder_comes_back_bit_for_bit(options, tmp_path):
    coder = make_coder(**options)
    save(coder, tmp_path / "coder")
    again = load(tmp_path / "coder")
    assert again.id == coder.id
    assert again.record == coder.record
    for name, tensor in coder.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert torch.equal(again(counts()), coder(counts()))
    assert sorted(p.name for p in (tmp_path / "coder").iterdir()) == [
        "model.json",
        "model.safetensors",
    ]


def test_the_same_coder_always_gives_the_same_bytes():
    assert len({to_bytes(make_coder()) for _ in range(20)}) == 1


@pytest.mark.fault(17)
@pytest.mark.parametrize("at", [3, 40, -1, -200])
def test_a_flipped_bit_is_found(at, tmp_path):
    save(make_coder(), tmp_path)
    path = tmp_path / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(IntegrityError):
        load(tmp_path)


@pytest.mark.parametrize("file", ["model.safetensors", "model.json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[]", b'{"format": 1}', "half"])
def test_a_damaged_file_is_named_as_damage(file, content, tmp_path):
    save(make_coder(), tmp_path)
    path = tmp_path / file
    path.write_bytes(
        path.read_bytes()[: path.stat().st_size // 2] if content == "half" else content
    )
    with pytest.raises(IntegrityError):
        load(tmp_path)


TAMPERED = {
    "id": "0" * 16,
    "unit_ids": list(UNITS[::-1]),
    "bin_width": 0.5,
    "config": make_coder(output="relu").config.to_dict(),
    "history": None,
}


@pytest.mark.parametrize("key", [*TAMPERED])
def test_words_that_do_not_belong_to_the_numbers_are_found(key):
    coder = make_coder()
    with pytest.raises(IntegrityError):
        from_parts(to_bytes(coder), to_words(coder) | {key: TAMPERED[key]})


def test_the_numbers_of_another_coder_are_found():
    with pytest.raises(IntegrityError, match="damaged"):
        from_parts(to_bytes(make_coder(seed=1)), to_words(make_coder()))
    wider = make_coder(n_latents=32, levels=("4:1", "32:2"))
    with pytest.raises(IntegrityError):
        from_parts(to_bytes(wider), to_words(make_coder()))


def test_a_format_of_the_future_and_an_empty_folder_are_refused(tmp_path):
    coder = make_coder()
    with pytest.raises(BadInput, match="format 99"):
        from_parts(to_bytes(coder), to_words(coder) | {"format": 99})
    with pytest.raises(BadInput, match="holds no coder"):
        load(tmp_path)


def test_words_are_plain_json():
    coder = make_coder()
    words = to_words(coder)
    assert json.loads(json.dumps(words)) == words
    assert words["unit_ids"] == list(UNITS)
    assert replace(coder.record, bin_width=0.5).unit_hash == words["unit_hash"]

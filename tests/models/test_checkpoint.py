"""Coders on disk: every architecture comes back bit for bit, and damage is found."""

import json

import pytest
import torch

from make.coders import make_coder, windows
from nwbsparse.errors import BadInput, EnvironmentProblem, IntegrityError
from nwbsparse.models.checkpoint import from_parts, load, save, to_bytes, to_words

ARCHITECTURES = {
    "linear": {},
    "levels": {"levels": ("4:1", "16:2")},
    "nested": {"levels": ("4:2", "16:2"), "nesting": "nested"},
    "poisson": {"loss": "poisson"},
    "negative binomial": {"loss": "negative_binomial"},
    "convolution": {"decoder": "convolution", "window": 3},
    "window": {"encoder": "window", "window": 3, "decoded": "last"},
    "latent attention": {"encoder": "transformer", "window": 3},
    "model attention": {"encoder": "transformer", "window": 3, "attention": "model", "d_model": 8,
                        "n_heads": 2, "n_blocks": 1},
    "topk": {"sparsifier": "topk"},
    "l1": {"sparsifier": "l1", "penalty": "exponential"},
    "jumprelu": {"sparsifier": "jumprelu"},
    "gated": {"sparsifier": "gated"},
    "transcoder": {"n_targets": 4, "lag": 3},
    "float32": {"precision": "float32"},
    "bfloat16": {"precision": "bfloat16"},
}  # fmt: skip


@pytest.mark.parametrize("options", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_a_saved_coder_comes_back_bit_for_bit(options, tmp_path):
    coder = make_coder(**options)
    save(coder, tmp_path / "coder")
    again = load(tmp_path / "coder")
    assert again.id == coder.id
    assert again.record == coder.record
    assert not again.training
    assert set(again.state_dict()) == set(coder.state_dict())
    for name, tensor in coder.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
        assert again.state_dict()[name].dtype == tensor.dtype
    y, _ = windows(coder)
    with torch.no_grad():
        for level in range(len(coder.levels)):
            seen = y[:, -coder.window :]
            codes = [one.activate(one.pre_activation(seen), level=level) for one in (coder, again)]
            assert torch.equal(*codes)
            assert codes[0].any()
    assert sorted(p.name for p in (tmp_path / "coder").iterdir()) == [
        "model.json",
        "model.safetensors",
    ]


def test_a_coder_stored_before_levels_were_summed_says_that_they_were_averaged():
    coder = make_coder(levels=("4:1", "16:2"))
    words = to_words(coder)
    assert words["config"].pop("level_terms") == "sum"
    again = from_parts(to_bytes(coder), words)
    assert again.id == coder.id
    assert again.config == coder.config.replace(level_terms="mean")
    assert "level_terms" not in to_words(make_coder())["config"], "there is nothing to add"


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
    "unit_ids": list(make_coder().record.unit_ids[::-1]),
    "target_ids": [f"x{unit}" for unit in range(6)],
    "bin_width": 0.5,
    "config": make_coder(normalisation="none", output="relu").config.to_dict(),
    "history": None,
}


@pytest.mark.parametrize("key", [*TAMPERED])
def test_words_that_do_not_belong_to_the_numbers_are_found(key):
    coder = make_coder()
    with pytest.raises(IntegrityError):
        from_parts(to_bytes(coder), to_words(coder) | {key: TAMPERED[key]})


def test_the_numbers_of_another_coder_are_found():
    words = to_words(make_coder())
    with pytest.raises(IntegrityError, match="damaged"):
        from_parts(to_bytes(make_coder(seed=1)), words)
    for other in ({"n_latents": 32}, {"sparsifier": "gated"}, {"n_targets": 6}):
        with pytest.raises(IntegrityError, match="damaged"):
            from_parts(to_bytes(make_coder(**other)), words)


def test_a_format_of_the_future_and_an_empty_folder_are_refused(tmp_path):
    coder = make_coder()
    with pytest.raises(BadInput, match="format 99"):
        from_parts(to_bytes(coder), to_words(coder) | {"format": 99})
    with pytest.raises(BadInput, match="holds no coder"):
        load(tmp_path)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r"file.model\.safetensors cannot be written"):
        save(make_coder(), tmp_path / "file")


def test_words_are_plain_json():
    for options in ({}, {"n_targets": 4}):
        words = to_words(make_coder(**options))
        assert json.loads(json.dumps(words)) == words
        assert words["unit_ids"] == [f"u{unit}" for unit in range(6)]
    assert words["target_ids"] == ["t0", "t1", "t2", "t3"]

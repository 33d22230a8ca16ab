"""A decoder that was written is read back as it was, and damage is said to be damage."""

import json

import pytest
import torch

from make.grating_trials import HEADS, decoder_of, grating_sessions
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.splice.decoder_file import TENSORS, WORDS, load_decoder, save_decoder
from nwbsparse.splice.heads import Head


@pytest.fixture(scope="module")
def sessions():
    return grating_sessions(2, n_trials=20, n_units=6)


@pytest.fixture
def model(sessions):
    heads = HEADS | {
        "angle": Head("circular", period=360.0),
        "pupil": Head("continuous", per="bin"),
        "named": Head("category", 2, values=("no", "yes")),
    }
    made = decoder_of(sessions, heads, d_model=8, n_heads=2, seed=4).eval()
    made.read_in("session-0").scale(sessions[0].activity)
    made.read_in("session-1").mean[2] = torch.nan  # whatever stands there comes back
    made.readout("pupil").scale([torch.tensor([[3.0], [5.0]])])
    made.history = [{"update": 3, "validation_loss": 0.5}]
    return made


def test_what_was_written_is_read_back(model, sessions, tmp_path):
    save_decoder(model, tmp_path / "new" / "decoder")
    made = load_decoder(tmp_path / "new" / "decoder")
    assert (made.options, made.sessions, made.heads, made.history) == (
        model.options, model.sessions, model.heads, model.history,
    )  # fmt: skip
    assert list(made.heads) == list(model.heads)
    expected = model(sessions[0].activity, session="session-0")
    found = made(sessions[0].activity, session="session-0")
    assert all(torch.equal(found[name], one) for name, one in expected.items())
    assert not made.training


def test_the_same_decoder_gives_the_same_bytes(model, tmp_path):
    for folder in ("a", "b"):
        save_decoder(model, tmp_path / folder)
    for name in (TENSORS, WORDS):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def damage_tensors(folder):
    content = bytearray((folder / TENSORS).read_bytes())
    content[-3] ^= 1
    (folder / TENSORS).write_bytes(content)


def damage_words(folder):
    (folder / WORDS).write_text((folder / WORDS).read_text()[:-20])


def other_size(folder):
    words = json.loads((folder / WORDS).read_text())
    words["options"]["d_model"] = 16
    (folder / WORDS).write_text(json.dumps(words))


def no_table(folder):
    (folder / WORDS).write_text("[]")


@pytest.mark.parametrize("damage", [damage_tensors, damage_words, other_size, no_table])
def test_damage_is_said_to_be_damage(damage, model, tmp_path):
    save_decoder(model, tmp_path)
    damage(tmp_path)
    with pytest.raises(IntegrityError, match="damaged"):
        load_decoder(tmp_path)


def test_nothing_and_something_of_the_future_are_refused(model, tmp_path):
    with pytest.raises(BadInput, match="holds no decoder"):
        load_decoder(tmp_path)
    save_decoder(model, tmp_path)
    words = json.loads((tmp_path / WORDS).read_text()) | {"format": 9}
    (tmp_path / WORDS).write_text(json.dumps(words))
    with pytest.raises(BadInput, match="has format 9"):
        load_decoder(tmp_path)

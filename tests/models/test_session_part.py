"""A coder of several sessions cut down to one: the same activations, for every kind of coder."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from make.coders import make_coder
from make.sessions import make_binned
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode, reconstruct
from nwbsparse.binning.sessions.join import join_sessions
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.models.checkpoint import from_parts, load, save, to_bytes, to_words
from nwbsparse.models.record import SessionSource
from nwbsparse.models.session_part import coder_of_session

SIZES = {"A": 5, "B": 7}
ENCODERS = {
    "linear": {},
    "window": {"encoder": "window", "window": 3, "decoded": "last"},
    "window, all bins": {"encoder": "window", "window": 3, "decoded": "all"},
    "latent attention": {"encoder": "transformer", "window": 3},
    "model attention": {"encoder": "transformer", "window": 3, "attention": "model", "d_model": 8,
                        "n_heads": 2, "n_blocks": 2},
    "convolution": {"decoder": "convolution", "window": 3},
}  # fmt: skip
SPARSIFIERS = {
    "batch_topk": {},
    "topk": {"sparsifier": "topk"},
    "l1": {"sparsifier": "l1"},
    "jumprelu": {"sparsifier": "jumprelu"},
    "gated": {"sparsifier": "gated"},
}
MORE = {
    "levels": {"levels": ("4:1", "16:2")},
    "nested": {"levels": ("4:2", "16:2"), "nesting": "nested"},
    "poisson": {"loss": "poisson"},
    "poisson, window": {"loss": "poisson", "encoder": "window", "window": 3, "decoded": "all"},
    "negative binomial": {"loss": "negative_binomial"},
    "no pre-bias": {"pre_bias": "none", "normalisation": "none"},
    "lag": {"lag": 2},
    "as many latents as values": {"n_latents": 12, "k": 2},
}
KINDS = {
    f"{encoder}, {sparsifier}": ENCODERS[encoder] | SPARSIFIERS[sparsifier]
    for encoder, sparsifier in itertools.product(ENCODERS, SPARSIFIERS)
} | MORE


def recorded(n_units, seed, **more):
    rng = np.random.default_rng(seed)
    return make_binned(rng.poisson(1.5, (600, n_units)).astype(np.uint8), **more)


@pytest.fixture(scope="module")
def binned():
    return {name: recorded(size, at) for at, (name, size) in enumerate(SIZES.items())}


@pytest.fixture(scope="module")
def joined(binned):
    return join_sessions(binned)


def joint_coder(joined, **options):
    coder = make_coder(n_units=joined.sizes["unit"], **options)
    ids = tuple(str(one) for one in joined["unit_id"].values)
    coder.record = replace(coder.record, unit_ids=ids, bin_width=0.1)
    return coder


def in_session(joined, name):
    return joined["session"].values == list(SIZES).index(name)


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_the_part_of_a_session_does_what_the_whole_does_there(binned, joined, options):
    coder = joint_coder(joined, **options)
    activations, predicted = dense(encode(coder, joined)), reconstruct(coder, joined).values
    assert (activations > 0).any(axis=1).mean() > 0.5
    for name, one in binned.items():
        part = coder_of_session(coder, name)
        here, own = in_session(joined, name), joined["unit_session"].values == name
        found = dense(encode(part, one))
        np.testing.assert_allclose(found, activations[here], rtol=1e-6, atol=1e-6)
        assert np.array_equal(found > 0, activations[here] > 0)
        said = reconstruct(part, one).values
        np.testing.assert_allclose(said, predicted[here][:, own], rtol=1e-6, atol=1e-6)


def test_units_not_observed_throughout_make_no_difference(joined):
    rng = np.random.default_rng(7)
    partly = {
        name: recorded(size, at, valid=rng.random((600, size)) < 0.7)
        for at, (name, size) in enumerate(SIZES.items())
    }
    both = join_sessions(partly)
    coder = joint_coder(both)
    found = dense(encode(coder_of_session(coder, "B"), partly["B"]))
    whole = dense(encode(coder, both))[in_session(both, "B")]
    np.testing.assert_allclose(found, whole, rtol=1e-6, atol=1e-6)
    assert not np.allclose(found, dense(encode(coder, joined))[in_session(joined, "B")])


@pytest.mark.parametrize("options", [{}, ENCODERS["window, all bins"]], ids=["one bin", "window"])
def test_a_coder_of_other_targets_has_a_part_too(binned, joined, options):
    ids = [str(one) for one in joined["unit_id"].values]
    targets = tuple(one for one in ids if one[-1] in "01")
    inputs = tuple(one for one in ids if one not in targets)
    coder = make_coder(n_units=len(inputs), n_targets=len(targets), **options)
    coder.record = replace(coder.record, unit_ids=inputs, target_ids=targets, bin_width=0.1)
    predicted = reconstruct(coder, joined)
    for name, one in binned.items():
        part = coder_of_session(coder, name)
        assert part.record.target_ids == ("0", "1")
        own = [at for at, target in enumerate(targets) if target.startswith(f"{name}/")]
        here = predicted.values[in_session(joined, name)][:, own]
        np.testing.assert_allclose(reconstruct(part, one).values, here, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("options", ENCODERS.values(), ids=ENCODERS)
def test_what_belongs_to_no_unit_is_shared_bit_for_bit(joined, options):
    coder = joint_coder(joined, **options)
    whole = coder.state_dict()
    parts = {name: coder_of_session(coder, name).state_dict() for name in SIZES}
    shared = [key for key in whole if whole[key].shape == parts["A"][key].shape]
    assert {"encoder_bias", "threshold"} <= set(shared)
    assert all(torch.equal(whole[key], one[key]) for one in parts.values() for key in shared)
    for key in set(whole) - set(shared):
        sizes = [one[key].shape[-1] for one in parts.values()]
        assert sum(sizes) == whole[key].shape[-1], key
    rows = torch.cat([coder_of_session(coder, name).weight for name in SIZES], dim=2)
    assert torch.equal(rows, coder.weight)


def test_it_knows_where_it_came_from_and_keeps_it(joined, tmp_path):
    coder = joint_coder(joined)
    sources = (SessionSource("A", sha256="a" * 64, uri="A.nwb"), SessionSource("B", subject_id="7"))
    coder.record = replace(coder.record, sessions=sources)
    part = coder_of_session(coder, "A")
    save(part, tmp_path)
    for one in (part, load(tmp_path)):
        assert one.record.model_id == one.model_id == coder.id != one.id
        assert (one.record.session, one.record.session_names) == ("A", ("A", "B"))
        assert one.record.sessions == sources
        assert one.record.source_sha256 == "a" * 64
        assert one.record.unit_ids == ("0", "1", "2", "3", "4")
        assert not one.training
    assert coder_of_session(coder, "B").model_id == coder.id
    assert coder_of_session(coder, "B").record.source_sha256 == ""
    with pytest.raises(BadInput, match="is the part for the session 'A' already"):
        coder_of_session(part, "A")


def test_unit_ids_may_hold_a_slash_of_their_own(joined):
    coder = joint_coder(joined)
    ids = tuple(
        f"{one.partition('/')[0]}/probe/{one.partition('/')[2]}" for one in coder.record.unit_ids
    )
    coder.record = replace(coder.record, unit_ids=ids)
    assert coder_of_session(coder, "A").record.unit_ids[0] == "probe/0"


def test_records_of_ordinary_coders_are_what_they_were():
    coder = make_coder()
    words = to_words(coder)
    assert not {"model_id", "session", "sessions"} & set(words)
    again = from_parts(to_bytes(coder), words)
    assert again.model_id == again.id == coder.id
    assert again.record.session_names == ()
    about = replace(coder.record, model_id="x", session="A", sessions=(SessionSource("A"),))
    before = coder.id
    coder.record = about
    assert coder.id == before


@pytest.mark.parametrize("sessions", [3, ["A"], [{"nom": "A"}], [{}]])
def test_a_damaged_list_of_sessions_is_damage(sessions):
    coder = make_coder()
    with pytest.raises(IntegrityError, match="the stored coder is damaged"):
        from_parts(to_bytes(coder), to_words(coder) | {"sessions": sessions})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("AB", "no session 'AB'.*did you mean '[AB]'.*it has A, B"),
        ("", "no session ''.*it has A, B"),
    ],
)
def test_a_session_it_does_not_have_is_refused(joined, name, words):
    with pytest.raises(BadInput, match=words):
        coder_of_session(joint_coder(joined), name)


def test_a_coder_of_one_recording_has_no_sessions():
    with pytest.raises(BadInput, match="none: it was not learned from joined sessions"):
        coder_of_session(make_coder(), "A")


def test_a_session_without_targets_has_no_part(joined):
    ids = [str(one) for one in joined["unit_id"].values]
    coder = make_coder(n_units=10, n_targets=2)
    coder.record = replace(coder.record, unit_ids=tuple(ids[2:]), target_ids=tuple(ids[:2]))
    assert coder_of_session(coder, "A").n_targets == 2
    with pytest.raises(BadInput, match="reconstructs no unit of the session 'B'"):
        coder_of_session(coder, "B")

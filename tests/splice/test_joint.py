"""A coder at a site, as functions and trained together with its network."""

from dataclasses import replace as changed

import pytest
import torch

from make.coders import make_coder
from make.grating_trials import decoder_of, grating_sessions
from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.splice.ablations import identity, only, zero
from nwbsparse.splice.capture import capture
from nwbsparse.splice.coder_at_site import CoderAtSite
from nwbsparse.splice.head_scores import answers, scores
from nwbsparse.splice.joint import fine_tune
from nwbsparse.splice.learning import FILE, LearningOptions
from nwbsparse.splice.replace import replace
from nwbsparse.splice.site import site
from nwbsparse.splice.train_decoder import train_decoder

QUICK = LearningOptions(max_epochs=8, batch_size=32, learning_rate=1e-2, patience=8)
SHORT = LearningOptions(max_epochs=6, batch_size=32, learning_rate=5e-3, patience=6)


@pytest.fixture(scope="module")
def sessions():
    return grating_sessions(4, n_trials=160, n_units=24, noise=0.1)


@pytest.fixture(scope="module")
def model(sessions):
    small = decoder_of(sessions, d_model=16, n_blocks=1, n_heads=2, unit_dropout=0.1)
    return train_decoder(small, sessions, options=QUICK, device="cpu")


def coder_for(model, sessions, **options):
    """A coder that has learned nothing but the scale of the site."""
    options = {
        "sparsifier": "batch_topk",
        "n_latents": 48,
        "k": 8,
        "precision": "float32",
    } | options
    coder = make_coder(n_units=16, **options)
    with capture(site(model, "blocks.0")) as seen:
        answers(model, sessions, part=names.TRAIN)
    rows = seen.activity.flatten(0, 1)
    with torch.no_grad():
        coder.offset.copy_(rows.mean(dim=0))
        coder.scale.copy_(rows.std(dim=0))
        coder.pre_bias.zero_()
    return coder


def through(model, coder, sessions):
    at = CoderAtSite(coder)
    with replace(site(model, "blocks.0"), at.reconstruct):
        return scores(model, answers(model, sessions))


def test_latents_and_dims_keep_the_axes_of_the_site(model, sessions):
    coder = coder_for(model, sessions)
    at, x = CoderAtSite(coder), torch.randn(5, 12, 16)
    latents = at.encode(x)
    assert latents.shape == (5, 12, 48)
    rows = x.flatten(0, 1)
    torch.testing.assert_close(latents.flatten(0, 1), coder(rows))
    torch.testing.assert_close(
        at.reconstruct(x).flatten(0, 1), coder.counts_of(coder.decode(coder(rows)))
    )
    torch.testing.assert_close(at.edited(identity)(x), at.reconstruct(x))
    assert at.encode(x[:, 0]).shape == (5, 48)


def test_an_ablated_latent_takes_its_own_part_away_and_nothing_else(model, sessions):
    coder = coder_for(model, sessions)
    at, x = CoderAtSite(coder), torch.randn(5, 12, 16)
    latents = at.encode(x)
    latent = int(latents.flatten(0, 1).mean(dim=0).argmax())
    made = at.edited(only([latent], zero))(x)
    own = latents[..., latent, None] * coder.dictionary[latent] * coder.scale
    torch.testing.assert_close(at.reconstruct(x) - made, own, atol=1e-5, rtol=1e-4)


def test_the_error_term_of_a_coder_changes_no_answer(model, sessions):
    at = CoderAtSite(coder_for(model, sessions))
    base = answers(model, sessions).outputs
    with replace(site(model, "blocks.0"), at.reconstruct, error_term=True):
        found = answers(model, sessions).outputs
    for name, one in base.items():
        assert (found[name] - one).abs().max() <= 1e-6


def test_together_they_decode_what_the_coder_alone_had_lost(model, sessions):
    coder = coder_for(model, sessions)
    before = through(model, coder, sessions)
    tuned, own = fine_tune(model, coder, sessions, at="blocks.0", options=SHORT, device="cpu")
    after = through(tuned, own, sessions)
    for name in ("direction", "temporal_frequency", "cell_class"):
        assert after[name].loss < before[name].loss - 0.1, name
    assert own.id != coder.id and len(own.record.history) > len(coder.record.history)
    assert torch.allclose(own.dictionary.norm(dim=1), torch.ones(48), atol=1e-5)
    with capture(site(tuned, "blocks.0")) as seen:
        answers(tuned, sessions, part=names.TRAIN)
    active = (CoderAtSite(own).encode(seen.activity) > 0).float().sum(dim=-1).mean()
    assert float(active) == pytest.approx(8, rel=0.01)


def test_neither_of_the_two_that_are_given_is_changed(model, sessions):
    coder = coder_for(model, sessions)
    before = coder.id, {name: one.clone() for name, one in model.state_dict().items()}
    once = changed(SHORT, max_epochs=1)
    first = fine_tune(model, coder, sessions, at="blocks.0", options=once, device="cpu")
    assert coder.id == before[0]
    assert all(torch.equal(before[1][name], one) for name, one in model.state_dict().items())
    again = fine_tune(model, coder, sessions, at="blocks.0", options=once, device="cpu")
    assert first[1].id == again[1].id, "the same seed, the same bits"


def test_stopped_and_resumed_they_learn_the_same_bits(model, sessions, tmp_path):
    coder = coder_for(model, sessions)
    twice = changed(SHORT, max_epochs=2)
    given = {"at": "blocks.0", "options": twice, "device": "cpu"}
    whole = fine_tune(model, coder, sessions, **given)

    def stop(_stage, done, total, /, **_):
        if done < total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fine_tune(model, coder, sessions, **given, checkpoint=tmp_path, progress=stop)
    assert (tmp_path / FILE).is_file()
    made = fine_tune(model, coder, sessions, **given, checkpoint=tmp_path, resume=True)
    assert made[1].id == whole[1].id
    assert all(
        torch.equal(one, made[0].state_dict()[name]) for name, one in whole[0].state_dict().items()
    )


@pytest.mark.parametrize(
    "options",
    [
        {"levels": ("16:4", "48:8"), "n_latents": None, "k": None},
        {"sparsifier": "l1", "penalty_weight": 0.01},
    ],
)
def test_coders_of_other_kinds_are_tuned_too(options, model, sessions):
    options = {name: one for name, one in options.items() if one is not None}
    if "levels" in options:
        coder = make_coder(n_units=16, sparsifier="batch_topk", precision="float32", **options)
    else:
        coder = coder_for(model, sessions, **options)
    once = changed(SHORT, max_epochs=1)
    tuned, own = fine_tune(model, coder, sessions, at="blocks.0", options=once, device="cpu")
    assert own.id != coder.id
    assert all(torch.isfinite(one).all() for one in own.parameters())
    assert len(tuned.history) == len(model.history) + 1


def test_a_coder_of_something_else_is_refused(model, sessions):
    for coder, words in [
        (make_coder(n_units=6), "reads 6 dims, the site has 16"),
        (make_coder(n_units=16, encoder="window", window=3), "sees 3 bins"),
        (make_coder(n_units=16, n_targets=5), "other units than it reads"),
    ]:
        with pytest.raises(BadInput, match=words):
            fine_tune(model, coder, sessions, at="blocks.0", options=SHORT)
    with pytest.raises(BadInput, match=r"no site 'block\.0'"):
        fine_tune(model, coder_for(model, sessions), sessions, at="block.0")
    with pytest.raises(BadInput, match="reads 6 dims"):
        CoderAtSite(make_coder(n_units=6)).encode(torch.zeros(2, 16))

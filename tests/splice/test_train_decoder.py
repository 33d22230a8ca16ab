"""A decoder learns, stops in time, resumes to the same bits, and reads in a new session."""

import signal
from dataclasses import replace

import pytest
import torch

from make.grating_trials import HEADS, decoder_of, grating_session, grating_sessions
from nwbsparse import names
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.splice.head_scores import answers, scores, scores_by_session
from nwbsparse.splice.heads import Head
from nwbsparse.splice.learning import FILE, DecoderDiverged, LearningOptions
from nwbsparse.splice.train_decoder import fit_read_in, train_decoder

SMALL = {"d_model": 16, "n_blocks": 1, "n_heads": 2, "unit_dropout": 0.1}
QUICK = LearningOptions(max_epochs=8, batch_size=32, learning_rate=1e-2, patience=8)


@pytest.fixture(scope="module")
def sessions():
    return grating_sessions(4, n_trials=160, n_units=24, noise=0.1)


@pytest.fixture(scope="module")
def trained(sessions):
    return train_decoder(decoder_of(sessions, **SMALL), sessions, options=QUICK, device="cpu")


def same(first, second):
    one, other = first.state_dict(), second.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_held_out_trials_are_decoded_above_chance_in_every_session(trained, sessions):
    found = answers(trained, sessions)
    for name, one in scores(trained, found).items():
        assert one.metric == "accuracy"
        assert one.value > one.chance + 0.2, name
        assert one.n == sum(len(each.of_part(names.TEST)) for each in sessions)
    for name, one in scores_by_session(trained, found, sessions).items():
        assert one["direction"].value > one["direction"].chance + 0.15, name


def test_the_best_weights_are_kept_and_the_checks_recorded(trained, sessions):
    losses = [row["validation_loss"] for row in trained.history]
    assert len(losses) <= QUICK.max_epochs
    now = scores(trained, answers(trained, sessions, part=names.VALIDATION))
    assert sum(one.loss for one in now.values()) / 3 == pytest.approx(min(losses), rel=1e-4)
    assert not trained.training and all(one.requires_grad for one in trained.parameters())


def test_test_trials_are_not_looked_at(trained, sessions):
    changed = []
    for one in sessions:
        activity, test = one.activity.clone(), one.of_part(names.TEST)
        activity[test] = 1e3
        targets = {name: each.clone() for name, each in one.targets.items()}
        for each in targets.values():
            each[test] = 0
        changed.append(replace(one, activity=activity, targets=targets))
    again = train_decoder(decoder_of(sessions, **SMALL), changed, options=QUICK, device="cpu")
    assert same(trained, again)


def test_the_network_that_is_given_is_not_changed(sessions):
    model = decoder_of(sessions, **SMALL)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    train_decoder(model, sessions, options=replace(QUICK, max_epochs=1), device="cpu")
    assert all(torch.equal(before[name], one) for name, one in model.state_dict().items())


@pytest.mark.parametrize("stop", [28, 61])
def test_stopped_and_resumed_it_learns_the_same_bits(
    stop, trained, sessions, tmp_path, monkeypatch
):
    from nwbsparse.splice import learning

    done, original = [], learning.Learning._one_update

    def until(self):
        original(self)
        done.append(self.update)
        if self.update == stop and len(done) <= stop:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(learning.Learning, "_one_update", until)
    model = decoder_of(sessions, **SMALL)
    with pytest.raises(KeyboardInterrupt):
        train_decoder(model, sessions, options=QUICK, device="cpu", checkpoint=tmp_path)
    assert done[-1] == stop, "the update is finished, and no other begun"
    torch.manual_seed(99)  # another process has other global generators
    resumed = train_decoder(
        model, sessions, options=QUICK, device="cpu", checkpoint=tmp_path, resume=True
    )
    assert done[stop] == stop + 1
    assert same(resumed, trained)
    assert resumed.history == trained.history


def test_a_finished_training_is_not_trained_again(trained, sessions, tmp_path, monkeypatch):
    from nwbsparse.splice import learning

    given = {"options": QUICK, "device": "cpu", "checkpoint": tmp_path}
    model = decoder_of(sessions, **SMALL)
    train_decoder(model, sessions, **given)
    monkeypatch.setattr(learning.Learning, "_one_update", lambda self: pytest.fail("an update"))
    assert same(train_decoder(model, sessions, **given, resume=True), trained)


@pytest.mark.parametrize("other", ["data", "options", "network"])
def test_the_checkpoint_of_another_training_is_refused(other, sessions, tmp_path):
    once = replace(QUICK, max_epochs=1)
    model = decoder_of(sessions, **SMALL)
    train_decoder(model, sessions, options=once, device="cpu", checkpoint=tmp_path)
    if other == "data":
        sessions = [*sessions[:-1], replace(sessions[-1], activity=sessions[-1].activity + 1)]
    if other == "options":
        once = replace(once, learning_rate=1e-3)
    if other == "network":
        model = decoder_of(sessions, **SMALL, seed=1)
    with pytest.raises(BadInput, match="belongs to another training"):
        train_decoder(model, sessions, options=once, device="cpu", checkpoint=tmp_path, resume=True)


def test_a_damaged_checkpoint_is_said_to_be_damaged(sessions, tmp_path):
    once = replace(QUICK, max_epochs=1)
    given = {"options": once, "device": "cpu", "checkpoint": tmp_path}
    model = decoder_of(sessions, **SMALL)
    train_decoder(model, sessions, **given)
    content = bytearray((tmp_path / FILE).read_bytes())
    content[-5] ^= 1
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(IntegrityError, match="damaged"):
        train_decoder(model, sessions, **given, resume=True)


def test_training_stops_where_waiting_is_in_vain(sessions):
    shuffled = []
    draw = torch.Generator().manual_seed(0)
    for one in sessions:
        mixed = one.targets["direction"][torch.randperm(160, generator=draw)]
        shuffled.append(replace(one, targets={"direction": mixed}))
    heads = {"direction": HEADS["direction"]}
    options = LearningOptions(max_epochs=40, batch_size=64, patience=3)
    made = train_decoder(
        decoder_of(sessions, heads, **SMALL), shuffled, options=options, device="cpu"
    )
    losses = [row["validation_loss"] for row in made.history]
    assert len(losses) == losses.index(min(losses)) + 1 + 3 < 40
    one = scores(made, answers(made, shuffled))["direction"]
    assert one.value < one.chance + 0.1, "shuffled labels are not decoded"


def test_progress_hears_of_every_pass(sessions):
    heard = []

    def note(stage, done, total, /, **numbers):
        heard.append((stage, done, total, set(numbers)))

    options = replace(QUICK, max_epochs=2)
    train_decoder(
        decoder_of(sessions, **SMALL), sessions, options=options, device="cpu", progress=note
    )
    assert heard == [("decoder", done, 28, {"validation_loss", *HEADS}) for done in (14, 28)]


def test_few_trials_get_as_many_updates_as_many(sessions):
    heard = []

    def stop(_stage, done, total, /, **_):
        heard.append((done, total))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_decoder(decoder_of(sessions, **SMALL), sessions, device="cpu", progress=stop)
    assert heard == [(40, 1200)], "448 training trials are four batches: 300 passes, 30 looks"


def test_a_training_that_leaves_the_rails_says_so(sessions):
    options = replace(QUICK, learning_rate=1e30)
    with pytest.raises(DecoderDiverged, match="learning_rate"):
        train_decoder(decoder_of(sessions, **SMALL), sessions, options=options, device="cpu")


@pytest.fixture(scope="module")
def newcomer():
    return grating_session("new", 1, n_trials=160, n_units=30, noise=0.1, seed=5)


def test_a_new_session_is_read_by_fitting_its_read_in_alone(trained, newcomer):
    options = replace(QUICK, max_epochs=15)
    grown = fit_read_in(trained, newcomer, options=options, device="cpu")
    before, after = trained.state_dict(), grown.state_dict()
    assert all(torch.equal(after[name], one) for name, one in before.items())
    assert len(after) > len(before)
    one = scores(grown, answers(grown, [newcomer]))
    assert one["direction"].value > one["direction"].chance + 0.2


def test_a_property_of_the_whole_session_is_not_what_its_read_in_is_fitted_to(trained, newcomer):
    quick = replace(QUICK, max_epochs=2)
    fitted = fit_read_in(trained, newcomer, options=quick, device="cpu")
    assert fitted.history[: len(trained.history)] == trained.history
    assert set(fitted.history[-1]) == {
        "stage", "update", "validation_loss", "direction", "temporal_frequency",
    }  # fmt: skip
    without = {k: one for k, one in newcomer.targets.items() if k != "cell_class"}
    again = fit_read_in(trained, replace(newcomer, targets=without), options=quick, device="cpu")
    assert same(fitted, again)
    with pytest.raises(BadInput, match="cell_class has one value"):
        fit_read_in(trained, newcomer, heads=["cell_class"], options=quick)


def test_numbers_and_angles_are_decoded_per_trial_and_per_bin(sessions):
    heads = {
        "angle": Head("circular", period=360.0),
        "mean_rate": Head("continuous", per="bin"),
    }
    changed = [
        replace(
            one,
            targets={
                "angle": one.targets["direction"] * 45.0,
                "mean_rate": one.activity[:, :, :8].mean(dim=2) * 100 + 7,
            },
        )
        for one in sessions
    ]
    options = QUICK
    made = train_decoder(
        decoder_of(sessions, heads, **SMALL), changed, options=options, device="cpu"
    )
    found = scores(made, answers(made, changed))
    assert found["angle"].metric == "cosine" and found["angle"].value > found["angle"].chance + 0.4
    assert found["mean_rate"].metric == "r2" and found["mean_rate"].value > 0.5
    assert found["mean_rate"].n == 12 * found["angle"].n


def test_in_short_products_it_learns_what_it_learns_in_full(trained, sessions):
    options = replace(QUICK, precision="bfloat16")
    made = train_decoder(decoder_of(sessions, **SMALL), sessions, options=options, device="cpu")
    assert not same(made, trained)
    assert all(one.dtype == torch.float32 for one in made.parameters())
    here, there = (scores(one, answers(one, sessions)) for one in (trained, made))
    for name, one in here.items():
        assert there[name].value == pytest.approx(one.value, abs=0.15)


def test_all_trials_are_answered_where_no_part_is_asked_for(trained, sessions):
    found = answers(trained, sessions, part=None)
    assert found.trial.tolist() == [*range(160)] * 4
    assert found.session.bincount().tolist() == [160] * 4


def test_bad_options_are_refused_together():
    with pytest.raises(BadInput) as caught:
        LearningOptions(max_epochs=0, batch_size=0, learning_rate=0.0, precision="float16")
    for words in (
        "max_epochs is 0",
        "batch_size is 0",
        "learning_rate is 0",
        "precision is 'float16'",
    ):
        assert words in str(caught.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_on_a_gpu_it_learns_in_short_products_what_it_learns_on_a_cpu(trained, sessions):
    made = train_decoder(decoder_of(sessions, **SMALL), sessions, options=QUICK, device="cuda")
    here, there = (scores(one, answers(one, sessions)) for one in (trained, made))
    for name, one in here.items():
        assert there[name].value == pytest.approx(one.value, abs=0.1)

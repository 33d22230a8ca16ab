"""A training that was stopped and resumed gives the bytes of one that never stopped."""

import signal

import numpy as np
import pytest

from make.configs import plain_config
from make.fits import KINDS, at_start_of_update, everything, raises
from make.sessions import make_binned, planted
from nwbsparse.errors import BadInput
from nwbsparse.training import train as fitting
from nwbsparse.training.engine import TrainingDiverged
from nwbsparse.training.fit import fit

RUN = {"batch_size": 64, "max_epochs": 9}
RESUMED = (
    "batch_topk", "topk", "l1", "jumprelu", "levels", "weighted", "transformer", "transcoder", "resample",
)  # fmt: skip


class Stop(Exception):
    pass


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(900))


@pytest.fixture(scope="module")
def whole(data):
    """The uninterrupted training of each kind, made once: its coder."""
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = fit(data, plain_config(**KINDS[kind], **RUN))
        return made[kind]

    return of


def stopped_by(number, update, data, config, folder, **more):
    with pytest.MonkeyPatch.context() as patch:
        at_start_of_update(patch, update, raises(number))
        with pytest.raises(KeyboardInterrupt):
            fit(data, config, checkpoint=folder, resume=True, **more)


def stops_at(update):
    """A progress that fails at the check after this update, before it is saved."""

    def progress(stage, done, total, /, **numbers):
        if done >= update:
            raise Stop

    return progress


@pytest.mark.fault(54)
@pytest.mark.parametrize("kind", RESUMED)
def test_twelve_interruptions_leave_no_trace(kind, data, whole, tmp_path):
    expected, config = whole(kind), plain_config(**KINDS[kind], **RUN)
    total = expected.record.history[-1]["update"]
    rng = np.random.default_rng(len(kind))
    stops = np.sort(rng.choice(np.arange(1, total), 12, replace=False))
    for done in np.diff(stops, prepend=0):
        number = rng.choice([signal.SIGINT, signal.SIGTERM])
        stopped_by(number, int(done), data, config, tmp_path)
    assert everything(fit(data, config, checkpoint=tmp_path, resume=True)) == everything(expected)


def test_a_checkpoint_from_before_levels_were_summed_goes_on_with_their_mean(
    data, tmp_path, monkeypatch
):
    config = plain_config(**KINDS["levels"], **RUN, level_terms="mean")
    identity = fitting._identity
    with monkeypatch.context() as patch:

        def earlier(*given):
            return {k: v for k, v in identity(*given).items() if k != "level_terms"}

        patch.setattr(fitting, "_identity", earlier)
        stopped_by(signal.SIGTERM, 40, data, config, tmp_path)
    with pytest.raises(BadInput, match=r"level_terms \('mean' then, 'sum' now\) differ"):
        fit(data, config.replace(level_terms=None), checkpoint=tmp_path, resume=True)
    made = fit(data, config, checkpoint=tmp_path, resume=True)
    assert everything(made) == everything(fit(data, config))


@pytest.mark.fault(54)
@pytest.mark.parametrize("epochs", [1, 8])
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_an_epochs_edge_is_no_special_place(epochs, beside, data, whole, tmp_path):
    expected, config = whole("batch_topk"), plain_config(**KINDS["batch_topk"], **RUN)
    per_epoch = expected.record.history[-1]["update"] // RUN["max_epochs"]
    stopped_by(signal.SIGTERM, epochs * per_epoch + beside, data, config, tmp_path)
    assert everything(fit(data, config, checkpoint=tmp_path, resume=True)) == everything(expected)


@pytest.mark.fault(54)
@pytest.mark.parametrize("way", ["progress", "callback"])
def test_what_was_lost_since_the_last_check_is_done_again(way, data, whole, tmp_path):
    expected, config = whole("batch_topk"), plain_config(**KINDS["batch_topk"], **RUN)
    history = expected.record.history
    assert history[0]["update"] > 1, "checks must lie some updates apart for this test"
    for row in history[3::9]:
        progress = stops_at(row["update"])
        given = {"progress": progress}
        if way == "callback":
            given = {"callbacks": [lambda now, stop=progress: stop("fit", now.update, now.total)]}
        with pytest.raises(Stop):
            fit(data, config, checkpoint=tmp_path, resume=True, **given)
    assert everything(fit(data, config, checkpoint=tmp_path, resume=True)) == everything(expected)


def test_a_finished_training_is_not_trained_again(data, whole, tmp_path):
    config = plain_config(**KINDS["batch_topk"], **RUN)
    made = fit(data, config, checkpoint=tmp_path)
    assert everything(made) == everything(whole("batch_topk")), "saving must change nothing"
    again = fit(data, config, checkpoint=tmp_path, resume=True, progress=stops_at(0))
    assert everything(again) == everything(made)


def test_without_a_checkpoint_resuming_is_beginning(data, whole, tmp_path):
    config = plain_config(**KINDS["batch_topk"], **RUN)
    for folder in (tmp_path, tmp_path / "not" / "there"):
        made = fit(data, config, checkpoint=folder, resume=True)
        assert everything(made) == everything(whole("batch_topk"))
        assert [path.name for path in folder.iterdir() if path.is_file()] == [
            "checkpoint.safetensors"
        ]


def test_without_resume_a_checkpoint_is_ignored_and_replaced(data, whole, tmp_path):
    config = plain_config(**KINDS["batch_topk"], **RUN)
    stopped_by(signal.SIGTERM, 40, data, config.replace(seed=5), tmp_path)
    assert everything(fit(data, config, checkpoint=tmp_path)) == everything(whole("batch_topk"))
    again = fit(data, config, checkpoint=tmp_path, resume=True)
    assert everything(again) == everything(whole("batch_topk"))


def test_resuming_without_a_folder_is_refused(data):
    with pytest.raises(BadInput, match="checkpoint"):
        fit(data, plain_config(**KINDS["batch_topk"], **RUN), resume=True)


def test_patience_is_remembered(data, tmp_path):
    # too high a rate: validation gets no better once annealing has begun
    config = plain_config(**KINDS["batch_topk"], **(RUN | {"max_epochs": 30}), patience=3)
    config = config.replace(learning_rate=0.3, schedule="constant")
    expected = fit(data, config)
    stopped_at = expected.record.history[-1]["update"]
    total = 30 * (stopped_at // 30 + 1)
    assert stopped_at < total
    for update in (stopped_at - 1, stopped_at - 9):
        folder = tmp_path / str(update)
        stopped_by(signal.SIGTERM, update, data, config, folder)
        made = fit(data, config, checkpoint=folder, resume=True)
        assert everything(made) == everything(expected)


def test_a_diverged_training_diverges_again_at_the_same_update(data, tmp_path):
    config = plain_config(**KINDS["batch_topk"], **RUN, learning_rate=1e6)
    with pytest.raises(TrainingDiverged) as alone:
        fit(data, config)
    for resume in (False, True):
        with pytest.raises(TrainingDiverged) as caught:
            fit(data, config, checkpoint=tmp_path, resume=resume)
        assert str(caught.value) == str(alone.value)

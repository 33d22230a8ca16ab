"""Ctrl-C and SIGTERM: the update is finished, the training saved, and then it stops."""

import os
import signal
import threading
import weakref

import pytest

from make.configs import plain_config
from make.fits import KINDS, at_start_of_update, everything, raises
from make.sessions import make_binned, planted
from nwbsparse.models.stopping import SIGNALS
from nwbsparse.training import train as fitting
from nwbsparse.training.fit import fit
from nwbsparse.training.saved import FILE

# checks lie three updates apart: a stop falls between them
CONFIG = plain_config(**KINDS["batch_topk"], batch_size=64, max_epochs=12)
TOTAL = 96


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(900))


@pytest.fixture(scope="module")
def whole(data):
    return everything(fit(data, CONFIG))


@pytest.fixture(autouse=True)
def handlers():
    """Whatever a test does, Python's own handlers stand before and after it."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield before
    after = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert after == before, "a training must put the handlers back"


def test_ctrl_c_in_a_callback_is_not_lost(data, monkeypatch):
    """Python prints what is raised in a weak reference's callback, and goes on: a fit must not."""

    def in_callback():
        class Referred:
            pass

        one = Referred()
        weakref.finalize(one, signal.raise_signal, signal.SIGINT)
        del one

    at_start_of_update(monkeypatch, 5, in_callback)
    at_start_of_update(monkeypatch, 7, lambda: pytest.fail("it went on"))
    with pytest.raises(KeyboardInterrupt):
        fit(data, CONFIG)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_lets_the_update_finish_and_saves(number, data, whole, tmp_path, monkeypatch):
    done = []
    original = fitting.save_training

    def saving(training, path, identity):
        done.append(training.update)
        original(training, path, identity)

    monkeypatch.setattr(fitting, "save_training", saving)
    at_start_of_update(monkeypatch, 20, raises(number))
    with pytest.raises(KeyboardInterrupt):
        fit(data, CONFIG, checkpoint=tmp_path)
    assert done == [3, 6, 9, 12, 15, 18, 20], "saved at checks, and once more where it stopped"
    assert (tmp_path / FILE).is_file()
    monkeypatch.undo()
    at_start_of_update(monkeypatch, TOTAL - 20 + 1, lambda: pytest.fail("too many updates"))
    assert everything(fit(data, CONFIG, checkpoint=tmp_path, resume=True)) == whole


@pytest.mark.parametrize("number", SIGNALS)
def test_what_would_have_handled_the_signal_does_so(number, data, tmp_path, monkeypatch):
    class Preempted(BaseException):
        pass

    def handle(given, frame):
        raise Preempted(given)

    before = signal.signal(number, handle)
    at_start_of_update(monkeypatch, 10, raises(number))
    try:
        with pytest.raises(Preempted) as stopped:
            fit(data, CONFIG, checkpoint=tmp_path)
        assert signal.getsignal(number) is handle
    finally:
        signal.signal(number, before)
    assert stopped.value.args == (number,)
    assert (tmp_path / FILE).is_file()


def test_a_second_signal_stops_at_once(data, whole, tmp_path, monkeypatch):
    reached = []

    def twice():
        signal.raise_signal(signal.SIGTERM)
        reached.append("first")
        signal.raise_signal(signal.SIGINT)
        reached.append("second")

    at_start_of_update(monkeypatch, 20, twice)
    with pytest.raises(KeyboardInterrupt):
        fit(data, CONFIG, checkpoint=tmp_path)
    assert reached == ["first"], "the first waits, the second does not"
    monkeypatch.undo()
    assert everything(fit(data, CONFIG, checkpoint=tmp_path, resume=True)) == whole


def test_without_a_folder_ctrl_c_waits_for_the_update_and_saves_nothing(data, monkeypatch):
    reached = []
    terminated = signal.getsignal(signal.SIGTERM)

    def interrupt():
        assert signal.getsignal(signal.SIGTERM) is terminated, "nothing to save: it ends at once"
        signal.raise_signal(signal.SIGINT)
        reached.append("after")

    at_start_of_update(monkeypatch, 20, interrupt)
    at_start_of_update(monkeypatch, 21, lambda: pytest.fail("it went on"))
    with pytest.raises(KeyboardInterrupt):
        fit(data, CONFIG)
    assert reached == ["after"]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_is_ignored_stays_ignored(number, data, tmp_path, monkeypatch):
    # as in a job that the shell put into the background
    before = signal.signal(number, signal.SIG_IGN)
    try:
        at_start_of_update(monkeypatch, 20, raises(number))
        made = fit(data, CONFIG, checkpoint=tmp_path)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert made.record.history[-1]["update"] == TOTAL


def test_a_signal_during_the_last_check_is_not_swallowed(data, whole, tmp_path):
    def at_the_end(now):
        if now.update == now.total:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(data, CONFIG, checkpoint=tmp_path, callbacks=[at_the_end])
    assert everything(fit(data, CONFIG, checkpoint=tmp_path, resume=True)) == whole


def test_outside_the_main_thread_no_handler_is_touched(data, whole, tmp_path, monkeypatch):
    before = {number: signal.getsignal(number) for number in SIGNALS}
    during, made = [], []
    at_start_of_update(
        monkeypatch,
        20,
        lambda: during.append({number: signal.getsignal(number) for number in SIGNALS}),
    )
    thread = threading.Thread(target=lambda: made.append(fit(data, CONFIG, checkpoint=tmp_path)))
    thread.start()
    thread.join()
    assert during == [before]
    assert everything(made[0]) == whole


@pytest.mark.parametrize("where", ["progress", "callback"])
def test_handlers_are_put_back_after_an_error(where, data, tmp_path):
    def fail(*_, **__):
        raise ZeroDivisionError

    given = {"progress": fail} if where == "progress" else {"callbacks": [fail]}
    with pytest.raises(ZeroDivisionError):
        fit(data, CONFIG, checkpoint=tmp_path, **given)

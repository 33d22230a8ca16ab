"""Ctrl-C and SIGTERM while a file is read, also where a library swallows what they raise."""

import gc
import signal
import sys

import h5py
import pynwb
import pytest

import nwbsparse as ns
from make.cli_runs import QUICK, run_cli
from make.recordings import poisson_spikes, write_recording
from nwbsparse.io import guard
from nwbsparse.io.stops import stops_are_heard, stops_wait

NUMBERS = [
    pytest.param(signal.SIGINT, marks=pytest.mark.fault(3), id="Ctrl-C"),
    pytest.param(signal.SIGTERM, marks=pytest.mark.fault(2), id="SIGTERM"),
]


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard():
    """A shell lets what it starts in the background ignore Ctrl-C, and so do all that this starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def recording(tmp_path):
    return write_recording(tmp_path / "a.nwb", spike_times=poisson_spikes(n_units=3, stop=100.0))


class Forgotten:
    """An object as libraries have them, at whose end a signal arrives."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


@pytest.fixture
def swallowing(monkeypatch):
    """Makes a library call swallow a signal, once: Python prints what is raised there and goes on."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    came = []

    def plant(owner, name, number):
        original = getattr(owner, name)

        def called(*given, **named):
            made = original(*given, **named)
            if not came:
                came.append(number)
                Forgotten(number)
                gc.collect()
            return made

        monkeypatch.setattr(owner, name, called)
        return came

    return plant


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("command", ["inspect", "info", "doctor", "validate", "run", "fit"])
def test_a_stop_that_hdf5_swallows_ends_the_command(
    command, number, recording, tmp_path, swallowing, capsys
):
    came = swallowing(h5py.File, "__init__", number)
    more = ["--out", tmp_path / "out", *QUICK] if command in ("run", "fit") else []
    assert run_cli(command, recording, *more) == 4
    assert came == [number]
    assert "nothing was half written" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["a.nwb"]
    assert run_cli(command, recording, *more) == 0


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    ("owner", "name"),
    [(guard, "check_storage"), (pynwb.NWBHDF5IO, "read")],
    ids=["while its tree is walked", "while pynwb reads"],
)
def test_a_stop_that_is_swallowed_further_in_ends_reading(
    owner, name, number, recording, swallowing, capsys
):
    came = swallowing(owner, name, number)
    assert run_cli("inspect", recording) == 4
    assert came == [number]
    assert run_cli("inspect", recording) == 0
    capsys.readouterr()


@pytest.mark.fault(3)
def test_in_python_it_is_a_keyboard_interrupt(recording, swallowing):
    came = swallowing(h5py.File, "__init__", signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        ns.read(recording)
    assert came
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert ns.read(recording).n_units == 3


def turned_into_an_error():
    with stops_are_heard():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise OSError("can't read data") from None


def waiting(done):
    with stops_wait():
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")


def nested(done):
    with stops_are_heard(), stops_are_heard():
        signal.raise_signal(signal.SIGINT)
        done.append("more")


@pytest.mark.fault(3)
def test_a_stop_that_a_library_makes_an_error_of_its_own_of_is_a_stop():
    with pytest.raises(KeyboardInterrupt):
        turned_into_an_error()


@pytest.mark.fault(3)
def test_what_waits_is_raised_when_it_is_over_and_the_rest_at_once():
    done = []
    with pytest.raises(KeyboardInterrupt):
        waiting(done)
    with pytest.raises(KeyboardInterrupt):
        nested(done)
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

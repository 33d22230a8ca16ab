"""What tests of several rooms share: a small recording and a finished run on it; which are fast.

A test is marked ``files`` when it asks for a folder, and ``fits`` when it trains or explains; both can
be said by hand. ``make test-fast`` leaves those out, and fails a test of the rest that writes a file
or starts a process.
"""

import shutil

import pytest

from make import (
    checked_types,  # noqa: F401  before anything of nwbsparse is imported
    untouched,
)
from make.cli_runs import QUICK, run_cli
from make.kinds import asks_for_folders, fits_models
from make.recordings import circle, laps, poisson_spikes, write_recording
from make.results import made_results

FAST = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """An NWB file of seven units, one of them silent, with position, trials and a subject."""
    return write_recording(
        tmp_path_factory.mktemp("recording") / "rat.nwb",
        spike_times=[*poisson_spikes(n_units=6, stop=300.0), []],
        position=circle(n=15_000),
        trials=laps(n=30),
        subject={"subject_id": "A", "species": "Rattus norvegicus", "sex": "M", "age": "P90D"},
    )


@pytest.fixture(scope="session")
def finished(recording, tmp_path_factory):
    """The folder of a run on it: copy it before you change it."""
    out = tmp_path_factory.mktemp("finished")
    assert run_cli("run", recording, "--out", out, *QUICK, "--quiet") == 0
    return out


@pytest.fixture
def run_folder(finished, tmp_path):
    """A copy of that run, to be changed."""
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Made-up results of a small file: look at them, or take a ``copied`` source and results."""
    return made_results(write_recording(tmp_path_factory.mktemp("made") / "source.nwb"))


def pytest_configure(config):
    config.stash[FAST] = "not files" in config.option.markexpr
    if config.stash[FAST]:
        untouched.install()


def pytest_collection_modifyitems(items):
    for item in items:
        if asks_for_folders(item):
            item.add_marker("files")
        if fits_models(item):
            item.add_marker("fits")


def _held(item):
    if not item.config.stash[FAST]:
        return (yield)
    with untouched.watched() as seen:
        done = yield
    if seen:
        pytest.fail(f"{'; '.join(seen)}: mark it with pytest.mark.files", pytrace=False)
    return done


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from _held(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from _held(item))

"""What tests of several rooms share: a small recording, one finished run on it, and which tests are fast.

A test is marked ``files`` when it asks for a folder, and can be marked so by hand. ``make test-fast``
leaves those out, and fails a test of the rest that writes a file or starts a process.
"""

import pytest

from make import untouched
from make.cli_runs import QUICK, run_cli
from make.recordings import circle, laps, poisson_spikes, write_recording

FOLDERS = {"tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory", "testdir", "pytester"}
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


def pytest_configure(config):
    config.stash[FAST] = "not files" in config.option.markexpr
    if config.stash[FAST]:
        untouched.install()


def pytest_collection_modifyitems(items):
    for item in items:
        if FOLDERS & {*getattr(item, "fixturenames", ())}:
            item.add_marker("files")


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

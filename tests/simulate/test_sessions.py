"""Simulations of several sessions: a folder of files, or one of them."""

import numpy as np
import pytest

from make.cli_runs import run_cli
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.read import read
from nwbsparse.simulate import nwb
from nwbsparse.simulate.catalog import simulation

QUICK = {
    "orientation": {"n_sessions": 3, "n_units": 4, "repeats": 1},
    "factors": {"n_sessions": 3, "n_units": 4, "n_trials": 10},
}
several = pytest.mark.parametrize("name", QUICK)


@several
def test_a_session_is_the_same_alone_and_among_others_and_no_other(name):
    every = simulation(name).make(QUICK[name])
    again = simulation(name).make(QUICK[name] | {"session": 1})
    assert len(every) == 3
    np.testing.assert_array_equal(every[1].dff, again.dff)
    assert not np.array_equal(every[0].dff, every[1].dff)
    other = simulation(name).make(QUICK[name] | {"session": 1, "seed": 1})
    assert not np.array_equal(other.dff, again.dff)


@several
def test_the_command_writes_a_folder_or_one_file(name, tmp_path, capsys):
    folder = tmp_path / "all"
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in QUICK[name].items()]
    assert run_cli("simulate", name, "--out", folder, *flags) == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{name}-0-{number:02d}.nwb" for number in range(3)
    ]
    assert capsys.readouterr().out.count("wrote ") == 3
    one = tmp_path / "one.nwb"
    assert run_cli("simulate", name, "--out", one, *flags, "--session=2") == 0
    alone, among = read(one), read(folder / f"{name}-0-02.nwb")
    np.testing.assert_array_equal(alone.traces.data, among.traces.data)


def test_files_that_are_there_are_kept_unless_they_are_to_be_replaced(tmp_path):
    made = simulation("factors").make(QUICK["factors"])
    (tmp_path / "factors-0-01.nwb").write_text("mine")
    with pytest.raises(BadInput, match=r"factors-0-01\.nwb; use --overwrite"):
        nwb.write_sessions(made, tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    assert len(nwb.write_sessions(made, tmp_path, overwrite=True)) == 3
    with pytest.raises(BadInput, match="is a file"):
        nwb.write_sessions(made, tmp_path / "factors-0-01.nwb")


def test_what_was_written_is_taken_away_where_the_rest_cannot_be(tmp_path, monkeypatch):
    write, calls = nwb.write_simulation, []

    def full_at_the_third(recording, path, *, overwrite=False):
        calls.append(path)
        if len(calls) == 3:
            raise EnvironmentProblem("no space left")
        return write(recording, path, overwrite=overwrite)

    monkeypatch.setattr(nwb, "write_simulation", full_at_the_third)
    with pytest.raises(EnvironmentProblem):
        nwb.write_sessions(simulation("factors").make(QUICK["factors"]), tmp_path / "new" / "all")
    assert len(calls) == 3
    assert list(tmp_path.iterdir()) == []

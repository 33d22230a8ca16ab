"""``nwbsparse inspect`` of several recordings: the kind of fault is one file that stops all others."""

import json

import h5py
import pytest

from make.cli_runs import run_cli
from make.recordings import circle, laps, write_recording


@pytest.fixture
def recordings(tmp_path):
    whole = write_recording(tmp_path / "whole.nwb", position=circle(), trials=laps())
    cut = tmp_path / "cut.nwb"
    cut.write_bytes(whole.read_bytes()[:20_000])
    old = tmp_path / "old.nwb"
    with h5py.File(old, "w") as file:
        file["nwb_version"] = "1.0.6"
    return whole, cut, old, tmp_path / "missing.nwb"


def test_each_is_a_row_and_what_cannot_be_read_says_why(recordings, capsys):
    assert run_cli("inspect", *recordings) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "whole.nwb" in said
    assert "position, trials (10)" in said
    for reason in ("is incomplete", "is NWB 1.0.6", "does not exist"):
        assert reason in said
    assert "of 4 can be used" in said


def test_as_json_each_is_an_object_of_its_own(recordings, capsys):
    assert run_cli("inspect", *recordings, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["source"] for line in lines] == [str(path) for path in recordings]
    whole, *others = lines
    assert whole["n_units"] == 4
    assert whole["seconds"] > 90
    assert {"usable", "why_not", "check", "series", "intervals"} <= whole.keys()
    assert whole["usable"] == (not whole["why_not"])
    assert all(not one["usable"] and one["why_not"] and "n_units" not in one for one in others)


def test_where_none_can_be_read_it_ends_as_bad_input(recordings, capsys):
    assert run_cli("inspect", *recordings[1:]) == 2
    assert "none of the 3 recordings can be read" in " ".join(capsys.readouterr().err.split())


def test_behaviour_is_joined_to_one_recording_alone(recordings, capsys):
    assert run_cli("inspect", *recordings, "--behaviour", recordings[0]) == 2
    assert "inspect them one by one" in " ".join(capsys.readouterr().err.split())

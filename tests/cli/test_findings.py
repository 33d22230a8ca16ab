"""What ``inspect`` says of the data check, in the terminal and as JSON; ``--duplicates`` as a flag."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from make.cli_runs import run_cli
from make.duplicated import write_duplicated
from make.recordings import write_recording
from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.cli.findings import show_findings
from nwbsparse.options.config import Config


@pytest.fixture(scope="module")
def duplicated(tmp_path_factory):
    return write_duplicated(tmp_path_factory.mktemp("source") / "rat.nwb")


def inspected(capsys, *tokens):
    assert run_cli("inspect", *tokens) == 0
    return " ".join(capsys.readouterr().out.split())


def test_inspect_says_what_is_odd_and_what_to_do(duplicated, capsys):
    printed = inspected(capsys, duplicated)
    assert "Data check" in printed
    assert "caution 4 units share spikes, in 2 groups" in printed
    assert "where: units 11 and 12" in printed
    assert "--duplicates merge" in printed


def test_inspect_gives_the_same_as_json(duplicated, capsys):
    seen = json.loads(inspected(capsys, duplicated, "--json"))
    shared = next(one for one in seen["check"] if one["check"] == "shared spikes")
    assert set(shared) == {"check", "severity", "what", "where", "to_do", "numbers"}
    assert shared["numbers"]["groups"] == [["11", "12"], ["13", "14"]]


@pytest.mark.parametrize(("how", "said"), [("merge", "merged into"), ("drop", "dropped")])
def test_inspect_shows_what_merging_and_dropping_would_do(duplicated, capsys, how, said):
    seen = json.loads(inspected(capsys, duplicated, "--json", "--duplicates", how))
    assert not [one for one in seen["check"] if one["check"] == "shared spikes"]
    [line] = [one for one in seen["report"]["lines"] if one["name"] == "units that share spikes"]
    assert (line["found"], line["kept"]) == (10, 8)
    assert said in line["reasons"][0]
    assert said in inspected(capsys, duplicated, "--duplicates", how)


def test_duplicates_is_one_of_three_words(duplicated, capsys):
    assert run_cli("inspect", duplicated, "--duplicates", "join") == 2
    assert "merge" in capsys.readouterr().err
    assert run_cli("config", "--duplicates", "drop") == 0
    assert 'duplicates = "drop"' in capsys.readouterr().out
    assert Config().duplicates == "keep"


def test_of_a_recording_with_nothing_odd_that_is_said(tmp_path, capsys):
    rng = np.random.default_rng(0)
    spikes = [np.sort(rng.uniform(0, 600, 2400)) for _ in range(10)]
    path = write_recording(tmp_path / "plain.nwb", spike_times=spikes)
    assert json.loads(inspected(capsys, path, "--json"))["check"] == []
    assert "nothing to be careful about was found" in inspected(capsys, path)


def test_names_are_printed_as_they_are():
    printed = io.StringIO()
    odd = Finding("clocks", "note", "[red]x[/red] :cat: jumps", "unit [3]", "look", {})
    show_findings(Console(file=printed, width=80), [odd])
    assert "note  [red]x[/red] :cat: jumps" in printed.getvalue()
    assert "unit [3]" in printed.getvalue()

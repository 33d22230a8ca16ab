"""The smaller commands, and how fast the command line answers."""

import json
import subprocess
import sys
import time
import tomllib

import pytest

from make.cli_runs import run_cli
from nwbsparse.options.config import Config, from_dict


def test_inspect_shows_what_can_be_read_and_a_bin_width(recording, capsys):
    assert run_cli("inspect", recording) == 0
    printed = capsys.readouterr().out
    for words in ("7, of which 6 fire", "suggested", "position", "trials", "side (category)"):
        assert words in printed


def test_inspect_gives_the_same_as_json(recording, capsys):
    assert run_cli("inspect", recording, "--json") == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["n_units"] == 7
    assert seen["suggested_bin_width"] == 0.2
    assert seen["series"][0]["name"] == "position"
    assert seen["intervals"][0]["columns"]["side"] == "category"
    lines = seen["report"]["lines"]
    assert all(line["found"] == line["kept"] + line["dropped"] for line in lines)


def test_config_prints_options_that_can_be_read_back(capsys):
    assert run_cli("config", "--k", "5", "--levels=8:1", "--levels=16:5") == 0
    values = tomllib.loads(capsys.readouterr().out)
    assert from_dict(values) == Config(k=5, levels=("8:1", "16:5"))


def test_info_names_versions_devices_and_the_extension(capsys):
    assert run_cli("info", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert {
        "nwbsparse",
        "ndx-sparse-latents",
        "pynwb",
        "torch",
        "devices",
        "threads",
    } <= facts.keys()
    assert "cpu" in facts["devices"]
    assert run_cli("info") == 0
    assert "ndx-sparse-latents" in capsys.readouterr().out


def test_simulate_writes_a_recording_that_can_be_inspected(tmp_path, capsys):
    path = tmp_path / "cells.nwb"
    assert run_cli("simulate", "nldisco-placecells", "--out", path) == 0
    assert run_cli("simulate", "nldisco-placecells", "--out", path) == 2
    assert "exists" in capsys.readouterr().err
    assert run_cli("inspect", path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_units"] == 100


def run_python(code):
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return time.perf_counter() - began, done.stdout


def fastest(code, tries=3):
    return min(run_python(code)[0] for _ in range(tries))


@pytest.mark.files
def test_importing_nwbsparse_is_fast_and_loads_nothing_heavy():
    heavy = ("torch", "pynwb", "h5py", "matplotlib", "xarray", "numpy", "pandas", "sklearn")
    code = f"import sys, nwbsparse; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code)[1].strip() == "[]"
    # measured against an empty interpreter; 0.3 s is promised, twice that on a noisy machine
    assert fastest("import nwbsparse") - fastest("pass") < 0.6


@pytest.mark.files
def test_help_answers_at_once_without_heavy_packages():
    code = (
        "import sys\nfrom nwbsparse.__main__ import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit as left:\n"
        "    assert not left.code\n"
        "    print([m for m in ('torch', 'pynwb', 'matplotlib', 'xarray') if m in sys.modules])"
    )
    assert run_python(code)[1].strip().endswith("[]")
    assert fastest(code) < 2.0  # 1 s is promised, twice that on a noisy machine


VERBS = (
    *("read", "to_bins", "split", "fit", "encode", "evaluate", "explain", "write"),
    *("open_results", "run", "report", "Config"),
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_the_readme_is_there_and_documented(verb):
    import nwbsparse

    assert verb in dir(nwbsparse)
    assert getattr(nwbsparse, verb).__doc__


def test_an_unknown_verb_names_those_that_exist():
    import nwbsparse

    with pytest.raises(AttributeError, match="open_results"):
        nwbsparse.no_such_verb  # noqa: B018

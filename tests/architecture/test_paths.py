"""Wherever a path is taken, text will do, and ``~`` is the home folder."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import nwbsparse as ns
from make.coders import make_coder
from make.configs import plain_config
from make.recordings import poisson_spikes, write_recording


def takes(module, name):
    """(function, its parameters) of a public name: itself, or the methods of a class."""
    found = getattr(module, name)
    if inspect.isclass(found):
        for method, one in inspect.getmembers(found, inspect.isroutine):
            if method.startswith("_") or not callable(one):
                continue  # Python 3.13 counts cached properties among routines
            if one.__module__.startswith("nwbsparse"):
                yield f"{name}.{method}", one
    elif callable(found):
        yield name, found


def documented(root):
    """Modules and functions that README and docs name in full."""
    texts = [root / "README.md", *(root / "docs").rglob("*.md")]
    for said in set(re.findall(r"nwbsparse(?:\.\w+)+", " ".join(map(Path.read_text, texts)))):
        module, _, name = said.rpartition(".")
        try:
            held = importlib.import_module(module)
        except ImportError:
            continue
        if not name.startswith("_") and hasattr(held, name):
            yield from takes(held, name)


def only_paths(function):
    """Parameters that take a path but no text, as the signature has them."""
    given = inspect.signature(function).parameters.values()
    return [
        f"{one.name}: {one.annotation}"
        for one in given
        if "Path" in (words := re.findall(r"\w+", str(one.annotation))) and "str" not in words
    ]


def test_every_path_of_the_public_functions_can_be_text(request):
    public = [one for name in ns.__all__ for one in takes(ns, name)]
    public += list(documented(request.config.rootpath))
    assert {"load", "save", "report", "write"} <= {name for name, _ in public}
    assert {name: wrong for name, one in public if (wrong := only_paths(one))} == {}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


@pytest.mark.parametrize("where", ["coder", "~/coder", Path("~/coder")])
def test_a_coder_is_saved_and_loaded_by_text(where, home):
    coder = make_coder()
    ns.save(coder, where)
    assert ns.load(where).id == coder.id
    ns.export_saelens(make_coder(precision="float32"), f"{where}-sae")
    held = home / ("coder" if "~" in str(where) else "elsewhere/coder")
    assert held.is_dir() and held.with_name("coder-sae").is_dir()
    assert not Path("~").exists()


@pytest.mark.slow
def test_a_recording_goes_all_the_way_by_text(home):
    write_recording(home / "a.nwb", spike_times=poisson_spikes(n_units=4, stop=200.0))
    config = plain_config(bin_width=0.1, n_latents=16, k=2, max_epochs=2, n_shifts=50)
    done = ns.run("~/a.nwb", "~/run", config)
    assert done.folder == home / "run"
    assert ns.report(done.results, done.binned, "~/page.html") == home / "page.html"
    assert ns.write(done.results, "~/copy.nwb") == home / "copy.nwb"
    assert ns.open_results("~/copy.nwb").coder.id == ns.load("~/run").id
    assert ns.revisit("~/run").coder.id == ns.load("~/run").id
    assert ns.label("~/copy.nwb", 0, name="x")["label"].values[0] == "x"
    ns.fit(done.binned, config, checkpoint="~/checkpoint")
    assert ns.rescue("~/copy.nwb", "~/rescued").folder == home / "rescued"
    assert ns.doctor("~/copy.nwb").sound
    assert ns.reproduce("~/run/a_desc-latents_sparse.nwb", source="~/a.nwb", out="~/again").same
    assert {one.name for one in home.iterdir()} >= {"checkpoint", "again", "rescued"}
    assert list(Path.cwd().iterdir()) == [], "nothing went into a folder called ~"

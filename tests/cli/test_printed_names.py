"""What is printed is what is there: names with brackets or colons, and words that stay whole."""

import re
import shutil

import numpy as np
import pytest

import nwbsparse as ns
from make.cli_runs import QUICK, run_cli
from make.recordings import poisson_spikes, write_recording
from nwbsparse.cli.console import new_console
from nwbsparse.cli.tables import show_attribution, show_decoding, show_transfer

NAME = "rat [x] [bold] :cat:"
ANNOTATED = f"{NAME}_desc-latents_sparse.nwb"


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A folder, a recording and a run whose names hold what rich would take for marks."""
    folder = tmp_path_factory.mktemp("odd") / "[x]:cat:"
    folder.mkdir()
    recording = write_recording(
        folder / f"{NAME}.nwb",
        spike_times=poisson_spikes(n_units=4, stop=200.0),
        subject={"subject_id": "A", "species": "Rattus norvegicus", "sex": "M", "age": "P90D"},
    )
    assert run_cli("run", recording, "--out", folder / "run[s]", *QUICK, "--quiet") == 0
    return folder


COMMANDS = {
    "run": (["run", f"{NAME}.nwb", "--out", "again[s]", *QUICK], ["again[s]", ANNOTATED]),
    "dry run": (["run", f"{NAME}.nwb", "--out", "dry[s]", "--dry-run"], ["dry[s]", NAME]),
    "fit": (["fit", f"{NAME}.nwb", "--out", "fit[s]", *QUICK], ["fit[s]", f"{NAME}.nwb"]),
    "encode": (["encode", "run[s]", f"{NAME}.nwb", "--out", "l[s].nc"], ["l[s].nc"]),
    "inspect": (["inspect", f"{NAME}.nwb"], [f"{NAME}.nwb"]),
    "info": (["info", f"run[s]/{ANNOTATED}"], [f"run[s]/{ANNOTATED}"]),
    "simulate": (["simulate", "superposition", "--out", "s[x].nwb"], ["s[x].nwb"]),
    "evaluate": (["evaluate", "run[s]", "--csv", "t[s]"], ["t[s]", "run[s]"]),
    "explain": (["explain", "run[s]", "--write", "--quiet"], ["run[s]", ANNOTATED]),
    "report": (["report", "run[s]", "--out", "r[s].html"], ["r[s].html"]),
    "write": (["write", "run[s]", "--to", "w[s].nwb", "--replace"], ["w[s].nwb"]),
    "label": (
        ["label", "run[s]", "--latent", "0", "--name", "[x] :cat:"],
        ["latent 0: [x] :cat:"],
    ),
    "bundle": (["bundle", f"run[s]/{ANNOTATED}", "--out", "d[s]"], ["d[s]"]),
    "doctor": (
        ["doctor", f"run[s]/{ANNOTATED}", "--save", "saved[s]"],
        ["saved[s]"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_paths_are_printed_letter_by_letter(name, odd, tmp_path, monkeypatch, capsys):
    folder = shutil.copytree(odd, tmp_path / "[x]:cat:")
    monkeypatch.chdir(folder)
    command, words = COMMANDS[name]
    assert run_cli(*command) == 0
    said = "".join(capsys.readouterr().out.split("\n"))
    assert [word for word in words if word not in said] == [], said
    assert "\\[" not in said, "nor is anything added"


def test_what_doctor_lists_is_printed_letter_by_letter(tmp_path, capsys):
    path = write_recording(tmp_path / "cut[s].nwb")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 9 // 10])
    assert run_cli("doctor", path) == 5
    printed = capsys.readouterr()
    assert "cut[s].nwb" in printed.out and "cut[s].nwb" in printed.err


@pytest.fixture
def found(finished):
    """An attribution in which latents were found, with long and odd words."""
    one = ns.open_results(next(finished.glob("*_sparse.nwb"))).attribution
    n = one.sizes["latent"]
    names = ["position", "LickPiezo_left_spout_[x]", "trials.side"]
    variable = np.resize(np.array(names, dtype=object), n)
    label = "head_direction > 0.3 rad while position in [1.2, 1.4] m (AUROC 0.83, n = 412)"
    return one.assign(
        association_status=("latent", np.full(n, "found", dtype=object)),
        association=("latent", np.linspace(0.2, 0.9, n)),
        association_q=("latent", np.full(n, 1e-9)),
        best_variable=("latent", variable),
        follows=("latent", variable),
        label=("latent", np.full(n, label, dtype=object)),
        confirmed_status=("latent", np.full(n, "not assessable: one seed", dtype=object)),
    )


def words_of(text):
    return re.findall(r"[^\s─]+", text)


@pytest.mark.parametrize("columns", [80, 60, 200])
def test_explain_breaks_lines_between_words_only(found, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    show_attribution(new_console(), found, top=3)
    printed = capsys.readouterr().out
    wanted = {"position", "LickPiezo_left_spout_[x]", "head_direction", "follows", "assessable"}
    assert wanted <= set(words_of(printed)), printed
    assert max(map(len, printed.splitlines())) <= columns


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 120])
def test_reproduce_keeps_hashes_and_names_whole(finished, recording, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    path = next(finished.glob("*_sparse.nwb"))
    assert run_cli("reproduce", path, "--source", recording, "--quiet") == 0
    printed = capsys.readouterr().out
    results = ns.open_results(path)
    sha256 = results.coder.record.source_sha256
    words = words_of(printed)
    assert words.count(results.coder.id) == 2 and words.count(f"{sha256[:16]}…") == 2
    assert {"unit_cosine_mean", "bin_cosine_mean", "difference"} <= set(words), printed
    assert max(map(len, printed.splitlines())) <= columns


def test_names_in_tables_are_printed_letter_by_letter(found, monkeypatch, capsys):
    import xarray as xr

    monkeypatch.setenv("COLUMNS", "80")
    scores = xr.Dataset(
        {
            "r2": (("input", "target"), [[0.5, np.nan]]),
            "balanced_accuracy": (("input", "target"), [[np.nan, 0.5]]),
            "n_dims": ("input", [3]),
            "chance": ("target", [np.nan, 0.5]),
            "status": ("target", np.array(["", "[x] :cat: is constant"], dtype=object)),
        },
        coords={"input": ["counts"], "target": ["lick[x]", "trials.:cat:"]},
    )
    show_decoding(new_console(), scores)
    moved = xr.Dataset(
        {
            "latent": ("latent", [0]),
            "variable": ("latent", np.array(["lick[x]"], dtype=object)),
            "variable_there": ("latent", np.array([":cat:[/]"], dtype=object)),
            "tuning_correlation": ("latent", [0.5]),
            "status": ("latent", np.array(["kept"], dtype=object)),
        },
        attrs={"n_kept": 1, "n_found": 1, "n_units_matched": 3},
    )
    show_transfer(new_console(), moved)
    words = words_of(capsys.readouterr().out)
    assert {"lick[x]", "trials.:cat:", "[x]", ":cat:[/]"} <= set(words)

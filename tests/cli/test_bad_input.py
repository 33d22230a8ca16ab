"""Bad input is one clear message, the right exit code, and nothing written."""

import h5py
import numpy as np
import pytest

from make.cli_runs import QUICK, run_cli
from make.recordings import poisson_spikes, write_recording


def missing(folder):
    return folder / "none.nwb"


def a_folder(folder):
    (folder / "folder.nwb").mkdir()
    return folder / "folder.nwb"


def not_hdf5(folder):
    (folder / "text.nwb").write_text("this is text\n" * 100)
    return folder / "text.nwb"


def not_nwb(folder):
    with h5py.File(folder / "other.nwb", "w") as file:
        file["data"] = np.arange(3)
    return folder / "other.nwb"


def nwb_1(folder):
    with h5py.File(folder / "old.nwb", "w") as file:
        file["nwb_version"] = "NWB-1.0.6"
    return folder / "old.nwb"


def truncated(folder):
    path = write_recording(folder / "cut.nwb")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def no_units(folder):
    return write_recording(folder / "empty.nwb", spike_times=None)


def all_silent(folder):
    return write_recording(folder / "silent.nwb", spike_times=[[], [], []])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(missing, ["does not exist"], marks=pytest.mark.fault(18)),
        pytest.param(a_folder, ["folder"], marks=pytest.mark.fault(18)),
        pytest.param(not_hdf5, ["not an HDF5 file"], marks=pytest.mark.fault(18)),
        pytest.param(not_nwb, ["HDF5 but not NWB"], marks=pytest.mark.fault(18)),
        pytest.param(nwb_1, ["NWB 1.0.6", "rewrite"]),
        pytest.param(truncated, ["incomplete", "Re-copy"], marks=pytest.mark.fault(16)),
        pytest.param(no_units, ["no Units", "found"], marks=pytest.mark.fault(32)),
        pytest.param(all_silent, ["no spikes in any of 3 units"], marks=pytest.mark.fault(31)),
    ],
)
def test_a_source_that_cannot_be_used_is_refused_in_words(make, words, tmp_path, capsys):
    source, out = make(tmp_path), tmp_path / "out"
    assert run_cli("run", source, "--out", out, "--quiet") == 2
    said = capsys.readouterr().err
    assert str(source) in said
    assert all(word in said for word in words), said
    assert not out.exists()


@pytest.mark.parametrize("make", [missing, truncated, not_nwb])
@pytest.mark.parametrize("command", ["fit", "run of several", "run"])
def test_no_folder_is_left_of_what_was_refused_and_none_is_taken_away(
    make, command, recording, tmp_path, capsys
):
    verb, more = ("run", [recording]) if command == "run of several" else (command, [])
    source, out = make(tmp_path), tmp_path / "new" / "out"
    assert run_cli(verb, source, *more, "--out", out, "--quiet") == 2
    assert not (tmp_path / "new").exists()
    out.mkdir(parents=True)
    assert run_cli(verb, source, *more, "--out", out, "--quiet") == 2
    assert list(out.iterdir()) == []
    capsys.readouterr()


@pytest.mark.parametrize("command", ["fit", "run of several"])
def test_no_folder_is_left_where_bins_are_wider_than_the_recording(
    command, recording, tmp_path, capsys
):
    other = write_recording(tmp_path / "b.nwb", spike_times=poisson_spikes(n_units=3))
    more = [] if command == "fit" else [other]
    out = tmp_path / "out"
    verb = command.partition(" ")[0]
    assert run_cli(verb, recording, *more, "--out", out, "--bin-width=1000", "--quiet") == 2
    assert "at least 100" in capsys.readouterr().err
    assert not out.exists()


def test_no_folder_is_left_where_there_is_nothing_to_save(recording, tmp_path, capsys):
    assert run_cli("doctor", recording, "--save", tmp_path / "saved") == 2
    assert "no sparse latents" in capsys.readouterr().err
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        pytest.param(["--bin-width=0"], ["bin_width is 0", "> 0"], marks=pytest.mark.fault(39)),
        pytest.param(["--bin-width=-1"], ["bin_width is -1"], marks=pytest.mark.fault(39)),
        pytest.param(["--bin-width=nan"], ["bin_width is nan"], marks=pytest.mark.fault(39)),
        pytest.param(["--bin-width=1000"], ["at least 100"], marks=pytest.mark.fault(40)),
        pytest.param(["--k=17"], ["k is 17", "16 latents"], marks=pytest.mark.fault(51)),
        pytest.param(["--k=0"], ["k is 0", "> 0"], marks=pytest.mark.fault(51)),
        pytest.param(["--k=-3"], ["k is -3"], marks=pytest.mark.fault(51)),
        pytest.param(["--batch-size=100000"], ["batch 100000 >"], marks=pytest.mark.fault(52)),
        (["--where", "speeed > 1"], ["speeed", "did you mean 'speed'"]),
        (["--units", "99"], ["no unit '99'"]),
        (["--epochs", "maze"], ["no epochs table"]),
        (["--loss=msle", "--normalisation=zscore"], ["msle", "legal", "normalisation=none"]),
        (["--name", "../x"], ["name is '../x'"]),
        (["--device=cuda"], ["not available here"]),
    ],
)
def test_options_that_cannot_work_are_refused_in_words(flags, words, recording, tmp_path, capsys):
    given = {flag.partition("=")[0] for flag in flags}
    quick = [flag for flag in QUICK if flag.partition("=")[0] not in given]
    if "--device=cuda" in flags:
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("this machine has a CUDA device")
    out = tmp_path / "out"
    assert run_cli("run", recording, "--out", out, *quick, *flags, "--quiet") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert all(word in said for word in words), said
    assert not out.exists()


def test_all_problems_are_listed_at_once(recording, tmp_path, capsys):
    flags = ("--bin-width=-1", "--gap=-2", "--test=0.7", "--validation=0.6")
    assert run_cli("run", recording, "--out", tmp_path, *flags) == 2
    said = capsys.readouterr().err
    assert "3 problems" in said
    assert all(word in said for word in ("bin_width", "gap", "test + validation"))


def test_an_unknown_option_in_a_config_file_gets_a_suggestion(recording, tmp_path, capsys):
    (tmp_path / "run.toml").write_text("n_latent = 16\n")
    assert run_cli("run", recording, "--out", tmp_path, f"--config={tmp_path / 'run.toml'}") == 2
    assert "did you mean 'n_latents'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("k = ", "not valid TOML"),
        ('k = "four"', "k is 'four'; it must be int"),
        (None, "does not exist"),
    ],
)
def test_a_config_file_that_cannot_be_used_is_refused(text, words, recording, tmp_path, capsys):
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_text(text)
    assert run_cli("run", recording, "--out", tmp_path, "--config", path) == 2
    assert words in capsys.readouterr().err


def test_an_unknown_flag_or_command_is_bad_input(recording, tmp_path, capsys):
    assert run_cli("run", recording, "--out", tmp_path, "--n-latent=4") == 2
    assert run_cli("rum") == 2
    assert run_cli("simulate", "placecell", "--out", tmp_path / "x.nwb") == 2
    capsys.readouterr()


def test_results_that_exist_are_kept_unless_overwriting_was_asked(finished, recording, capsys):
    before = {path.name: path.read_bytes() for path in finished.iterdir()}
    assert run_cli("run", recording, "--out", finished, *QUICK, "--quiet") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == before


@pytest.mark.slow
def test_overwriting_replaces_results(recording, tmp_path):
    first = ("run", recording, "--out", tmp_path, *QUICK, "--quiet")
    assert run_cli(*first) == 0
    before = (tmp_path / "model.safetensors").read_bytes()
    assert run_cli(*first, "--seed=3", "--overwrite") == 0
    assert (tmp_path / "model.safetensors").read_bytes() != before


@pytest.mark.fault(10)
def test_a_folder_that_cannot_be_written_to_is_the_environments_fault(recording, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert run_cli("run", recording, "--out", tmp_path / "file" / "out", *QUICK, "--quiet") == 3
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.fault(10)
def test_a_read_only_folder_is_the_environments_fault(recording, read_only_folder, capsys):
    assert run_cli("run", recording, "--out", read_only_folder, *QUICK, "--quiet") == 3
    assert "cannot be written" in capsys.readouterr().err


def test_a_bug_of_ours_is_exit_1_and_asks_for_a_report(recording, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("nwbsparse.runs.first_half.fit", lambda *_, **__: 1 / 0)
    assert run_cli("run", recording, "--out", tmp_path, *QUICK, "--quiet") == 1
    assert "this is a bug" in capsys.readouterr().err


@pytest.mark.fault(42)
def test_recordings_of_too_few_bins_are_refused(tmp_path, capsys):
    short = write_recording(tmp_path / "short.nwb", spike_times=poisson_spikes(stop=5.0))
    assert run_cli("run", short, "--out", tmp_path / "out", "--bin-width=0.1", "--quiet") == 2
    assert "at least 100" in capsys.readouterr().err

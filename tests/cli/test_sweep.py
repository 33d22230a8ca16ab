"""nwbsparse sweep: written down, worked on in shares, looked at, and reported."""

import json
import re
import stat
import subprocess

import pytest
import xarray as xr

from make.cli_runs import run_cli

TOML = """
[fixed]
preset = "plain"
max_epochs = 2

[axes]
bin_width = [0.1, 0.2]
n_latents = [8, 16]
k = [2, 40]
"""


@pytest.fixture
def grid(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(TOML)
    return path


@pytest.fixture(scope="module")
def made(recording, tmp_path_factory):
    """A sweep of a recording in one go: data axes, and combinations that are left out."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "grid.toml").write_text(TOML)
    out = folder / "sweep"
    given = ("--grid", folder / "grid.toml", "--out", out, "--skip-invalid")
    assert run_cli("sweep", recording, *given) == 0
    return out


def test_data_axes_are_axes_like_others(made):
    with xr.open_dataset(made / "sweep.nc", engine="h5netcdf") as table:
        assert list(table["bin_width"].values) == [0.1, 0.1, 0.2, 0.2]
        assert list(table["n_latents"].values) == [8, 16, 8, 16] and "k" not in table.coords
        assert set(table["status"].values) == {"ok"}
        assert len(json.loads(table.attrs["left_out"])) == 4


def test_shares_of_a_job_array_one_after_another_make_the_same_table(
    made, grid, recording, tmp_path, capfd
):
    out = tmp_path / "sw eep"
    given = ("--grid", grid, "--out", out, "--skip-invalid", "--slurm", "--shares", "99")
    assert run_cli("sweep", recording, *given) == 0
    script = capfd.readouterr().out
    assert script.startswith("#!/bin/bash\n") and "#SBATCH --array=0-3\n" in script
    line = f"nwbsparse sweep work '{out}' --index \"$SLURM_ARRAY_TASK_ID\" --of 4 --quiet\n"
    assert line in script
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    assert run_cli("sweep", "status", out) == 0
    said = capfd.readouterr().out
    assert "0 of 6 tasks done, 6 waiting, no telling how long" in " ".join(said.split())
    for index in range(4):
        assert not (out / "sweep.nc").exists()
        assert run_cli("sweep", "work", out, "--index", index, "--of", 4) == 0
    assert "6 of 6 tasks of all shares are done" in " ".join(capfd.readouterr().out.split())
    assert (out / "sweep.nc").read_bytes() == (made / "sweep.nc").read_bytes()


def test_status_and_report_say_how_far_it_is_and_what_came_out(made, capfd):
    assert run_cli("sweep", "status", made, "--json") == 0
    status = json.loads(capfd.readouterr().out)
    assert status == {
        "total": 6, "done": 6, "running": [], "failed": 0, "waiting": 0, "seconds_left": 0.0,
    }  # fmt: skip
    assert run_cli("sweep", "report", made, "--rows", "2") == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "4 fits: 4 ok" in said and "and 2 more" in said and "sweep.png" in said
    assert re.search(r"chosen: bin_width=0.\d, n_latents=\d+: the sparsest .* 95 % or more", said)
    drawn = made / "sweep.png"
    first = drawn.read_bytes()
    assert first.startswith(b"\x89PNG")
    assert run_cli("sweep", "report", made) == 0 and drawn.read_bytes() == first


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ("", 2, "4 of 8 combinations cannot work"),
        ("seed = []", 2, "axis 'seed' has no values"),
        ("sed = [1]", 2, "there is no axis 'sed'; did you mean 'seed'"),
        ("k = [2]", 2, "is not valid TOML"),
    ],
)
def test_a_grid_that_cannot_be_is_refused_before_anything_is_written(
    grid, recording, tmp_path, capfd, change, code, said
):
    grid.write_text(TOML + change)
    out = tmp_path / "out"
    assert run_cli("sweep", recording, "--grid", grid, "--out", out) == code
    assert said in capfd.readouterr().err and not out.exists()


def test_a_folder_of_something_else(made, grid, recording, tmp_path, capfd):
    assert run_cli("sweep", "status", tmp_path) == 2
    assert "holds no sweep" in capfd.readouterr().err
    assert run_cli("sweep", recording, "--grid", grid, "--out", made, "--skip-invalid",
                   "--threads", "2") == 2  # fmt: skip
    said = capfd.readouterr().err
    assert "holds the results of another sweep" in said and "threads (there 1, here 2)" in said
    for wrong in ((4, 4), (-1, 4)):
        given = ("--index", wrong[0], "--of", wrong[1])
        assert run_cli("sweep", "work", made, *given) == 2
        assert "does not exist; shares are counted 0 to 3" in capfd.readouterr().err


def test_what_cannot_be_written_is_an_environment_problem(grid, recording, tmp_path, capfd):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(stat.S_IREAD | stat.S_IEXEC)
    try:
        (folder / "x").touch()
    except OSError:
        given = ("--grid", grid, "--out", folder / "out", "--skip-invalid")
        assert run_cli("sweep", recording, *given) == 3
        assert "cannot be written" in capfd.readouterr().err
    finally:
        folder.chmod(stat.S_IRWXU)

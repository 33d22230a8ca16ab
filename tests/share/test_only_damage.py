"""doctor() and validate() call only damage damage: the kind of fault is another reason under that name.

A file that is too old, of a form that pynwb does not build or that reaches for other files is whole; a
result that cannot be built is damaged, and does not just seem not to be there.
"""

import h5py
import numpy as np
import pytest

from make.cli_runs import run_cli
from make.recordings import circle, damaged, replace_dataset, write_recording
from nwbsparse.errors import IntegrityError
from nwbsparse.results.results import open_results
from nwbsparse.share.doctor import doctor
from nwbsparse.share.validate import validate


def first_version(path):
    with h5py.File(path, "w") as file:
        file["nwb_version"] = "1.0.6"
    return path


def from_elsewhere(path):
    write_recording(path)
    with damaged(path) as file:
        file["acquisition/far"] = h5py.ExternalLink("/etc/far.nwb", "/data")
    return path


def without_a_start(path):
    write_recording(path)
    with damaged(path) as file:
        del file["session_start_time"]
    return path


@pytest.mark.parametrize("made", [first_version, from_elsewhere, without_a_start])
def test_what_is_refused_but_whole_is_not_called_damaged(made, tmp_path, capsys):
    path = made(tmp_path / "a.nwb")
    found = doctor(path)
    assert not found.sound
    assert found.whole
    assert found.refused == found.problems
    assert run_cli("doctor", path) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "is not damaged, but it cannot be used" in said or "is whole, but far.nwb" in said


def test_a_file_that_pynwb_refuses_is_an_error_of_it_and_no_damage(tmp_path):
    report = validate(without_a_start(tmp_path / "a.nwb"))
    assert not report.damaged
    assert report.n_errors
    assert report.exit_code == 0


def test_a_recording_with_an_object_that_cannot_be_built_is_sound_where_it_can_be_read(tmp_path):
    path = write_recording(
        tmp_path / "a.nwb",
        position=circle() | {"rate": None, "starting_time": None, "timestamps": np.arange(5000.0)},
    )
    with damaged(path) as file:
        stamps = "processing/behavior/Position/position/timestamps"
        replace_dataset(file, stamps, np.ones((2, 5000)))
    assert doctor(path).sound
    assert not validate(path).damaged


def test_a_result_that_cannot_be_built_is_damage(copy):
    path = copy()
    with damaged(path) as file:
        column = "processing/sparse_latents/latents/latents/id"
        replace_dataset(file, column, np.arange(3))
    assert not doctor(path).whole
    assert validate(path).damaged
    with pytest.raises(
        IntegrityError, match=r"results in .* are damaged: /processing/sparse_latents"
    ):
        open_results(path)

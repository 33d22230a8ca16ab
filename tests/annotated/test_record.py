"""The record of a stored model: versions, what later versions add, damage."""

import json
from types import SimpleNamespace

import pytest

from make.cli_runs import run_cli
from make.recordings import damaged, laps, write_recording
from make.results import made_results
from nwbsparse.annotated.record import FORMAT, Record, read_record, record_from
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.results.label import label
from nwbsparse.results.results import open_results, write
from nwbsparse.share.doctor import doctor
from nwbsparse.share.validate import validate

PLACE = "processing/sparse_latents/latents/environment"
RECORD = Record(
    config={"k": 4, "levels": ["8:1"]},
    coder={"id": "a", "session": "monday"},
    parts={"latents": {"attrs": {"bin_width": 0.1}, "variables": {}}},
    run={"created": "2026-01-01"},
    beside=("latents_held_out_bins",),
)


@pytest.fixture
def path(tmp_path):
    source = write_recording(tmp_path / "source.nwb", trials=laps())
    return write(made_results(source), tmp_path / "a.nwb")


def changed(path, **words):
    """The record of the result in a file, as another version would have written it."""
    with damaged(path) as file:
        stored = json.loads(file[PLACE][()])
        file[PLACE][()] = json.dumps({**stored, **words}, sort_keys=True)


def resealed(path, **words):
    """The same, with the checksums of that version."""
    from pynwb import NWBHDF5IO

    from nwbsparse.annotated.read.checksums import manifest_of

    changed(path, **words)
    with NWBHDF5IO(path, "r") as io:
        model = io.read().processing["sparse_latents"]["latents"]
        manifest = manifest_of(model, read_record(model))
    changed(path, manifest=manifest)


def stored_in(path):
    with damaged(path) as file:
        return json.loads(file[PLACE][()])


def test_a_record_comes_back():
    for one in (RECORD, RECORD.with_manifest({"a": "b"}), Record(config={}, target={"series": ""})):
        assert record_from(one.to_json(), one.options_json(), name="x") == one
    model = SimpleNamespace(
        name="x", environment=RECORD.to_json(), hyperparameters=RECORD.options_json()
    )
    assert read_record(model) == RECORD
    assert RECORD.words == {"id": "a", "session": "monday", "config": RECORD.config}


def test_the_first_format_is_not_stated_and_one_that_is_stated_stays():
    assert "format" not in json.loads(RECORD.to_json()) and RECORD.format == FORMAT == 1
    text = json.dumps({**json.loads(RECORD.to_json()), "format": 1}, sort_keys=True)
    assert record_from(text, "{}", name="x").to_json() == text


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", None, '{"parts": 3}', '{"format": "a"}'])
def test_a_damaged_record_is_said(text):
    with pytest.raises(IntegrityError, match=r"'x' is damaged: its record \(environment\)"):
        record_from(text, "{}", name="x")


def test_damaged_options_are_said():
    with pytest.raises(IntegrityError, match=r"'x' is damaged: its record \(hyperparameters\)"):
        record_from("{}", "{", name="x")


def test_a_later_format_is_refused_with_what_to_do(path, capsys):
    changed(path, format=FORMAT + 1)
    with pytest.raises(BadInput, match=r"format 2.*install a newer nwbsparse"):
        open_results(path)
    with pytest.raises(BadInput, match="install a newer nwbsparse"):
        label(path, 0, name="mine")
    report = validate(path)
    said = [one.severity for one in report.findings if "newer nwbsparse" in one.what]
    assert said == ["skipped"] and not report.damaged
    assert doctor(path).sound
    assert run_cli("info", path) == 2
    assert "newer nwbsparse" in capsys.readouterr().err


def test_a_result_of_a_later_format_is_not_replaced(path):
    changed(path, format=FORMAT + 1)
    before = path.read_bytes()
    with pytest.raises(BadInput, match="install a newer nwbsparse"):
        write(made_results(path, seed=3), path, "in_place", replace=True)
    assert path.read_bytes() == before
    write(made_results(path, seed=3, name="second"), path, "in_place")
    assert open_results(path, result="second").name == "second"


def test_what_a_later_version_adds_is_kept_when_the_file_is_amended(path):
    resealed(path, review={"by": "someone", "stars": 3})
    assert open_results(path).name == "latents"
    label(path, 0, name="mine")
    assert stored_in(path)["review"] == {"by": "someone", "stars": 3}
    assert open_results(path).attribution["label"].values[0] == "mine"


def test_what_a_later_version_adds_is_in_the_checksums(path):
    resealed(path, review={"stars": 3})
    changed(path, review={"stars": 5})
    with pytest.raises(IntegrityError, match="environment changed"):
        open_results(path)

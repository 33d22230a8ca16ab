"""validate(): damage is found and named, and told apart from a file's own errors."""

import sys
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from make.cli_runs import run_cli
from make.recordings import damaged, replace_dataset
from nwbsparse.errors import BadInput
from nwbsparse.share import other_validators as outside
from nwbsparse.share.findings import Finding, counted
from nwbsparse.share.validate import validate

MODEL = "/processing/sparse_latents/latents"
WIDE = "/processing/sparse_latents/wide"


def of(report, tool):
    return [one for one in report.findings if one.tool == tool]


@pytest.fixture(autouse=True)
def _others_are_not_run(monkeypatch):
    """nwbinspector and dandi take seconds; they are asked by name where a test is about them."""
    monkeypatch.setattr("nwbsparse.share.validate.by_nwbinspector", lambda _: [])
    monkeypatch.setattr("nwbsparse.share.validate.by_dandi", lambda _: [])


@pytest.mark.parametrize("which", ["path", "linked", "wide", "source"])
def test_a_sound_file_has_no_damage(annotated, which):
    report = validate(getattr(annotated, which))
    assert not report.damaged and report.exit_code == 0
    [own] = of(report, "nwbsparse")
    assert own.severity == ("note" if which == "source" else "ok")
    assert [one.severity for one in of(report, "pynwb")] == ["ok"]


def flip_byte(name):
    def spoil(file):
        dataset = file[name]
        values = dataset[()]
        flat = np.atleast_1d(values).view(np.uint8).reshape(-1)
        flat[len(flat) // 2] ^= 1
        dataset[...] = values

    return spoil


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    "part", ["decoder_weights", "parameters", "activations/data", "weight/scores"]
)
def test_a_flipped_bit_is_found_and_named(copy, part):
    path = copy()
    with damaged(path) as file:
        flip_byte(f"{MODEL}/{part}")(file)
    report = validate(path)
    assert report.exit_code == 5
    assert part.split("/")[0] in " ".join(one.what for one in of(report, "nwbsparse"))


def shorter(name, n):
    return lambda file: replace_dataset(file, name, file[name][:n])


def changed(name, change):
    def spoil(file):
        values = file[name][()]
        replace_dataset(file, name, change(values))

    return spoil


def falling(values):
    values[5] = values[-1]
    return values


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (changed(f"{WIDE}/activations/indptr", falling), "indptr falls"),
        (changed(f"{WIDE}/activations/indices", lambda v: v + np.uint16(300)), "is no latent"),
        (changed(f"{WIDE}/activations/values", lambda v: v * np.nan), "not finite"),
        (shorter(f"{WIDE}/activations/values", 10), "for 10 values"),
        (shorter(f"{WIDE}/activations/indptr", 10), "for 300 bins"),
        (shorter(f"{WIDE}/decoder_weights", 10), "for 300 latents"),
        (changed(f"{WIDE}/input_population/source_row", lambda v: v + 100), "refers to rows"),
        (changed(f"{WIDE}/input_population/source_id", lambda v: v + 100), "have other ids"),
        (changed(f"{WIDE}/decoder_weights", lambda v: v / 0), "not finite"),
        (changed(f"{WIDE}/splits/n_bins", lambda v: v + 1), "splits speak of"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_part_is_checked_against_the_others(copy, spoil, said):
    path = copy("wide")
    with damaged(path) as file:
        spoil(file)
    report = validate(path)
    assert report.damaged
    assert said in " ".join(one.what for one in of(report, "nwbsparse"))


def test_a_link_to_another_table_is_found(copy):
    path = copy()
    with damaged(path) as file:
        file["units"].attrs["object_id"] = "00000000-0000-4000-8000-000000000000"
    report = validate(path)
    assert report.damaged and "it was made from" in str(of(report, "nwbsparse"))


@pytest.mark.fault(16)
def test_a_truncated_file_is_damage_and_no_file_of_another_kind(copy, tmp_path):
    path = copy()
    path.write_bytes(path.read_bytes()[:-5000])
    report = validate(path)
    assert report.exit_code == 5 and "is incomplete" in report.findings[0].what
    (tmp_path / "notes.txt").write_text("no NWB")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    for name in ("notes.txt", "other.h5", "absent.nwb"):
        with pytest.raises(BadInput):
            validate(tmp_path / name)


@pytest.mark.fault(1)
def test_validating_writes_nothing(copy, tmp_path):
    path = copy()
    before = path.read_bytes()
    validate(path)
    assert path.read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["copy.nwb"]


def test_what_is_not_installed_is_said_and_is_no_error(annotated, monkeypatch):
    monkeypatch.setattr(outside, "find_spec", lambda _: None)
    monkeypatch.setattr(outside.shutil, "which", lambda _: None)
    for tool in (outside.by_dandi, outside.by_nwbinspector):
        [one] = tool(annotated.path)
        assert one.severity == "skipped" and "pip install" in one.what


def test_findings_of_dandi_are_read_and_those_it_passes_on_are_counted(
    annotated, tmp_path, monkeypatch
):
    lines = [
        '{"id": "DANDI.NON_DANDI_FILENAME", "severity": "ERROR", "message": "the name"}',
        '{"id": "NWBI.check_x", "severity": "CRITICAL", "message": "again"}',
        '{"id": "DANDI.NO_DANDISET_FOUND", "severity": "ERROR", "message": "outside"}',
    ]
    program = f"import sys; sys.stdout.write({chr(10).join(lines)!r}); sys.exit(1)"
    monkeypatch.setattr(outside, "_dandi_command", lambda: [sys.executable, "-c", program])
    found = outside.by_dandi(annotated.path)
    assert {(one.severity, one.what.split(":")[0]) for one in found} == {
        ("error", "DANDI.NON_DANDI_FILENAME"),
        ("note", "DANDI.NO_DANDISET_FOUND"),
        ("note", "it passes on 1 findings of nwbinspector and pynwb, of which 1 count as errors"),
    }


def test_a_check_that_breaks_does_not_hide_the_others(annotated, monkeypatch):
    def broken(**_):
        raise RuntimeError("of its own")

    monkeypatch.setattr(outside.pynwb, "validate", broken)
    report = validate(annotated.path)
    assert report.exit_code == 0 and "RuntimeError of its own" in of(report, "pynwb")[0].what


def test_nwbinspector_is_asked_as_dandi_asks_it(tmp_path):
    from share.conftest import recording

    path = recording(tmp_path / "rat.nwb", subject={"subject_id": "7"}, raw=None)
    found = outside.by_nwbinspector(path)
    errors = {one.rule for one in found if one.severity == "error"}
    assert {"check_subject_sex", "check_subject_species_exists", "check_subject_age"} <= errors


def test_errors_of_the_recording_are_not_counted_as_errors_of_the_results(
    annotated, monkeypatch, capsys
):
    wheres = ["units", "units", "root/processing/sparse_latents/latents"]
    for n_ours, words in ((0, "all in the recording itself"), (1, "1 of them in the results")):
        said = [Finding("pynwb", "error", "missing", one) for one in wheres[: 2 + n_ours]]
        monkeypatch.setattr("nwbsparse.share.validate.by_pynwb", lambda _, said=said: counted(said))
        report = validate(annotated.path)
        assert (report.n_errors, report.n_errors_of_results) == (2 + n_ours, n_ours)
        assert run_cli("validate", annotated.path) == 0
        assert f"{2 + n_ours} errors, {words}" in capsys.readouterr().out


def test_a_check_that_fails_by_itself_is_no_error_of_the_file(annotated, monkeypatch):
    nwbinspector = pytest.importorskip("nwbinspector")
    broken = SimpleNamespace(
        check_function_name="During evaluation of 'check_x' - <class 'TypeError'>: no such row",
        message="Traceback (most recent call last):\n  File",
        importance=nwbinspector.Importance.ERROR,
        location=None,
        object_name="root",
    )
    monkeypatch.setattr(nwbinspector, "inspect_nwbfile", lambda **_: iter([broken]))
    (found,) = outside.by_nwbinspector(annotated.path)
    assert found.severity == "skipped" and "Traceback" not in found.what
    assert "check_x failed on this file" in found.what and "no such row" in found.what

"""A sorting and a csv of behaviour end in a file that DANDI takes; what cannot work leaves nothing."""

import shutil

import numpy as np
import pytest

import nwbsparse as ns
from make.cli_runs import PLAIN, run_cli
from make.sortings import behaviour_csv, kilosort_folder, lab_file, trials_csv
from nwbsparse.share.validate import validate

QUICK = (
    PLAIN, "--bin-width=0.2", "--n-latents=6", "--k=2", "--max-epochs=2", "--n-shifts=20", "--quiet",
)  # fmt: skip
WHO = (
    "--session-start=2026-03-02T14:30:00+01:00", "--session-id=s1", "--subject-id=A1", "--sex=M",
    "--species=Rattus norvegicus", "--age=P90D", "--experimenter=Doe, Jane", "--institution=There",
)  # fmt: skip


@pytest.fixture(scope="session")
def sorted_by_lab(tmp_path_factory):
    """A folder with a sorting, behaviour beside it, and the lab's own file of both."""
    folder = tmp_path_factory.mktemp("sorted_by_lab")
    kilosort_folder(folder / "ks")
    behaviour_csv(folder / "beh.csv", offset=5.0)
    trials_csv(folder / "trials.csv")
    lab_file(folder / "lab.nwb")
    return folder


@pytest.fixture(scope="session")
def described(sorted_by_lab, tmp_path_factory):
    """The folder of a run on it, with all that a person can say."""
    out = tmp_path_factory.mktemp("described") / "out"
    joined = ("--behaviour", sorted_by_lab / "beh.csv", "--behaviour-offset=5")
    assert run_cli("run", sorted_by_lab / "ks", *joined, *WHO, "--out", out, *QUICK) == 0
    return out


def test_it_ends_in_a_bundle_without_errors(described, tmp_path):
    annotated = described / "ks_desc-latents_sparse.nwb"
    assert run_cli("bundle", annotated, "--out", tmp_path) == 0
    bundle = tmp_path / "sub-A1" / "sub-A1_ses-s1_desc-latents_ecephys.nwb"
    report = validate(bundle)
    assert report.n_errors == 0, report.findings
    assert not report.damaged
    session = ns.read(bundle)
    assert set(session.series) == {"track_position", "speed"}
    assert session.about["experimenter"] == "Doe, Jane"


def test_the_file_alone_explains_it_again(described, tmp_path):
    copy = shutil.copy(described / "ks_desc-latents_sparse.nwb", tmp_path / "alone.nwb")
    before = ns.open_results(copy).attribution
    assert run_cli("explain", copy, "--write", "--quiet") == 0
    after = ns.open_results(copy).attribution
    for name in ("association", "weight", "z"):
        if name in before:
            assert np.allclose(before[name].values, after[name].values, equal_nan=True), name
    assert "speed" in after["covariate"].values.tolist()


def test_the_log_says_what_was_joined(described):
    log = (described / "log.txt").read_text()
    assert "joined signals track_position, speed from beh.csv, moved by 5 s" in log
    assert "for DANDI" not in log


def test_what_dandi_will_ask_is_said(sorted_by_lab, tmp_path, capsys):
    trials = ("--behaviour", sorted_by_lab / "trials.csv")
    loud = [flag for flag in QUICK if flag != "--quiet"]
    out = tmp_path / "out"
    assert run_cli("run", sorted_by_lab / "ks", *trials, "--sex=M", "--out", out, *loud) == 0
    said = " ".join(capsys.readouterr().out.split())
    lacks = "for DANDI the annotated file lacks --session-start, --subject-id, --age, --species"
    assert lacks in said
    assert lacks in (out / "log.txt").read_text()
    session = ns.open_results(out / "ks_desc-latents_sparse.nwb").session
    assert session.intervals["trials"]["side"].attrs["kind"] == "category"


def test_results_go_into_a_copy_of_the_labs_file(sorted_by_lab, tmp_path):
    lab = sorted_by_lab / "lab.nwb"
    before = lab.read_bytes()
    out = tmp_path / "out"
    assert run_cli("run", sorted_by_lab / "ks", "--source", lab, "--out", out, *QUICK) == 0
    assert lab.read_bytes() == before
    results = ns.open_results(out / "lab_desc-latents_sparse.nwb")
    assert results.session.subject["subject_id"] == "A"
    assert sorted(results.attribution["unit_id"].values.tolist()) == list(range(3, 11))
    assert results.session.n_units == 9
    assert run_cli("explain", out, "--quiet") == 0


@pytest.mark.slow
def test_a_finished_run_goes_into_the_labs_file_too(described, tmp_path, capsys):
    lab = lab_file(tmp_path / "lab.nwb", extra=False)
    to = tmp_path / "annotated.nwb"
    assert run_cli("write", described, "--to", to, "--source", lab) == 0
    again = ns.open_results(to)
    assert again.session.subject["subject_id"] == "A"
    rows = again.attribution["unit_row"].values
    ids = again.session.units["unit_id"].values[rows]
    assert ids.tolist() == again.attribution["unit_id"].values.tolist()
    assert run_cli("explain", to, "--write", "--quiet") == 0
    more = lab_file(tmp_path / "more.nwb")
    assert run_cli("write", described, "--to", tmp_path / "b.nwb", "--source", more) == 2
    assert "run once more with --source" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "b.nwb").exists()


@pytest.mark.parametrize(
    ("flags", "match"),
    [
        (("--source", "other.nwb"), "does not hold the units of"),
        (("--source", "ks"), "must be an NWB file on this machine"),
        (("--source", "lab.nwb", "--behaviour", "beh.csv"), "give one of them"),
        (("--source", "lab.nwb", "--subject-id=B"), "says itself what it is"),
        (("--behaviour", "beh.csv", "--behaviour-offset=1e6"), "do not overlap"),
        (("--behaviour-offset=3",), "name it with --behaviour"),
        (("--behaviour", "gone.csv"), "does not exist"),
        (("--sex=male",), "--sex 'male' must be M, F, O (other) or U (unknown)"),
        (("--session-start=noon",), "is no time"),
    ],
)
def test_what_cannot_work_is_refused_and_leaves_nothing(
    flags, match, sorted_by_lab, tmp_path, capsys
):
    lab_file(tmp_path / "other.nwb", seed=4)
    places = {name: sorted_by_lab / name for name in ("ks", "lab.nwb", "beh.csv", "gone.csv")}
    places["other.nwb"] = tmp_path / "other.nwb"
    given = [places.get(flag, flag) for flag in flags]
    out = tmp_path / "out"
    assert run_cli("run", sorted_by_lab / "ks", *given, "--out", out, *QUICK) == 2
    assert match in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def test_several_recordings_take_none_of_it(sorted_by_lab, tmp_path, capsys):
    two = (sorted_by_lab / "ks", sorted_by_lab / "lab.nwb")
    assert run_cli("run", *two, "--subject-id=A", "--out", tmp_path / "out", *QUICK) == 2
    assert "run them one by one" in capsys.readouterr().err


def test_inspect_and_fit_join_behaviour_too(sorted_by_lab, tmp_path, capsys):
    joined = ("--behaviour", sorted_by_lab / "beh.csv", "--behaviour-offset=5")
    assert run_cli("inspect", sorted_by_lab / "ks", *joined) == 0
    assert "track_position" in capsys.readouterr().out
    fast = ("--where", "speed > 0.12", "--out", tmp_path / "fit", *QUICK)
    assert run_cli("fit", sorted_by_lab / "ks", *joined, *fast) == 0


@pytest.mark.slow
def test_in_python_a_run_takes_them_by_name(sorted_by_lab, tmp_path):
    from make.pipelines import few

    session = ns.read(sorted_by_lab / "ks")
    done = ns.run(
        session, tmp_path / "out", few(session), behaviour=sorted_by_lab / "trials.csv",
        fields=ns.NwbFields(subject_id="A"),
    )  # fmt: skip
    assert done.nwb.name == "ks_desc-latents_sparse.nwb"
    assert ns.open_results(done.nwb).session.subject == {"subject_id": "A"}

"""What a run, a fit and a plan are asked for: one recording or several, and what goes with them."""

from pathlib import Path

import numpy as np
import pytest

from make.sessions import make_session
from nwbsparse.errors import BadInput
from nwbsparse.options.config import Config
from nwbsparse.runs.asked import asked, named_sources
from nwbsparse.runs.fit_recording import fit_recording
from nwbsparse.runs.plan import plan
from nwbsparse.runs.run import run
from nwbsparse.runs.run_sessions import run_sessions

TIMES = np.array([0.5, 1.0])


@pytest.mark.parametrize(
    "several",
    [
        ["day/monday.nwb", Path("tuesday.nwb")],
        ("monday.nwb", "dandi://000207/tuesday.nwb"),
        {"monday": "a.nwb", "tuesday": make_session({1: TIMES})},
    ],
)
def test_files_and_sessions_in_a_list_or_by_name_are_several(several):
    wanted = asked(several)
    assert wanted.several
    assert list(wanted.recordings) == ["monday", "tuesday"]


@pytest.mark.parametrize(
    "one",
    [
        "monday.nwb",
        make_session({1: TIMES}),
        {"unit 1": TIMES, "unit 2": TIMES},
        [TIMES, TIMES],
        np.zeros((5, 2)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_can_be_read_as_one_recording_is_one(one):
    wanted = asked(one)
    assert not wanted.several
    assert wanted.recordings[""] is one


def test_anything_that_can_be_read_is_several_where_it_is_called_so():
    counts = np.zeros((5, 2))
    wanted = asked(named_sources({"monday": counts, "tuesday": {1: TIMES}}))
    assert wanted.several and wanted.recordings["monday"] is counts


def plan_as(source, _out, **given):
    return plan(source, **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"embedding": np.zeros((5, 2))}, "--embedding is for one recording; of several, --embed"),
        ({"behaviour": "b.csv"}, "--behaviour is for one recording; run them one by one"),
        ({"behaviour_offset": 1.0}, "--behaviour-offset is for one recording"),
        ({"source_nwb": "lab.nwb"}, "--source is for one recording"),
        ({"fields": {"subject_id": "A"}}, "a description is for one recording"),
    ],
)
def test_what_is_of_one_recording_is_refused_for_several(given, said, tmp_path):
    takes = (
        [run, plan_as] if {"source_nwb", "fields"} & given.keys() else [run, plan_as, fit_recording]
    )
    for verb in takes:
        with pytest.raises(BadInput, match=said):
            verb(["a.nwb", "b.nwb"], tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_list_of_one_is_refused_in_words():
    with pytest.raises(BadInput, match="needs two or more"):
        asked(["a.nwb"])


@pytest.mark.parametrize("source", ["lab.nwb", Path("lab.nwb")])
def test_a_path_is_one_recording_and_not_its_letters(source, tmp_path):
    with pytest.raises(BadInput, match="needs two or more"):
        run_sessions(source, tmp_path / "out")


def test_an_embedding_is_what_the_coder_reads():
    assert asked("a.nwb", Config(), embedding="e.npy").config.reads == "embedding"
    assert asked("a.nwb").config.reads == "counts"

"""Bundles of real recordings: no validator finds more wrong with them than with their sources."""

import os
from pathlib import Path

import pytest

from make.results import made_results
from nwbsparse.results.results import write
from nwbsparse.share import other_validators as outside
from nwbsparse.share.bundle import bundle
from nwbsparse.share.subject import SubjectFields
from share.conftest import digest

DATA = os.environ.get("NWBSPARSE_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="NWBSPARSE_DATA names no folder of recordings")

SAID = {
    "human-mtl-dandi000207-sub-4": {},
    "mouse-alm-dandi000006-anm369963": {"age": "P90D"},
    "mouse-alm-dandi000009-anm00239123": {"age": "P90D"},
    "mouse-psb-a8604": dict(subject_id="A8604", age="P90D", sex="U", species="Mus musculus"),
    "rat-ca1-w-maze": dict(subject_id="w", age="P90D", sex="U", species="Rattus norvegicus"),
}
"""Made-up answers for a test; the human file says all that DANDI asks."""


def errors(findings):
    """What counts as an error, with how often it was said."""
    return {one.rule or one.what: one.count for one in findings if one.severity == "error"}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAID)
def test_a_bundle_has_no_error_that_its_source_has_not(name, tmp_path):
    source = Path(DATA or "") / f"{name}.nwb"
    before = digest(source)
    annotated = write(made_results(source), tmp_path / "annotated.nwb")
    made = bundle(annotated, tmp_path / "000000", subject=SubjectFields(**SAID[name]))
    for check in (outside.by_pynwb, outside.by_nwbinspector):
        had = errors(check(source))
        for rule, count in errors(check(made.path)).items():
            assert count <= had.get(rule, 0), rule
    assert digest(source) == before


def test_the_human_recording_is_bundled_without_questions(tmp_path):
    source = Path(DATA or "") / "human-mtl-dandi000207-sub-4.nwb"
    annotated = write(made_results(source), tmp_path / "annotated.nwb")
    made = bundle(annotated, tmp_path / "000207")
    assert made.added == {}
    expected = "sub-4/sub-4_ses-4_desc-latents_ecephys.nwb"
    assert made.path == tmp_path / "000207" / expected
    assert made.films == ("StimulusPresentation_encoding",)
    assert errors(outside.by_nwbinspector(made.path)) == {}

"""A recording with raw data and a subject, and an annotated copy of it: made once, never changed."""

from __future__ import annotations

import hashlib
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from nwbsparse.results.results import write
from recordings import circle, laps, write_recording
from results.made import made_results

SUBJECT = {"subject_id": "rat 7_b", "species": "Rattus norvegicus", "sex": "M", "age": "P90D"}
RAW = {"data": np.arange(2000.0).reshape(-1, 1), "rate": 1000.0}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recording(path, **changes):
    given = {"position": circle(n=1000), "trials": laps(), "subject": SUBJECT, "raw": RAW}
    given |= {"electrodes": {"location": ["CA1"] * 4}}
    return write_recording(path, **(given | changes))


@pytest.fixture(scope="session")
def annotated(tmp_path_factory):
    """A source, its results, and files of both modes beside it."""
    folder = tmp_path_factory.mktemp("annotated")
    source = recording(folder / "rat.nwb")
    results = made_results(source)
    wide = made_results(source, n_latents=300, name="wide")
    return SimpleNamespace(
        source=source,
        results=results,
        path=write(results, folder / "derived.nwb"),
        linked=write(results, folder / "linked.nwb", mode="link"),
        wide=write(wide, folder / "wide.nwb"),
    )


@pytest.fixture
def copy(annotated, tmp_path):
    """copy("path") → a copy that a test may break."""

    def make(which="path"):
        return shutil.copy(getattr(annotated, which), tmp_path / "copy.nwb")

    return make

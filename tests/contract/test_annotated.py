"""Every kind of source ends in an NWB file that stands alone: valid, opened again, the same bits."""

import hashlib

import numpy as np
import pynwb
import pytest

import nwbsparse as ns
from make.contract_sources import FORMS
from make.pipelines import learned
from nwbsparse.runs.prepare import prepare

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:numcodecs"),
    pytest.mark.filterwarnings("ignore:.*_destroy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning:hdmf"),
]


def files_in(folder):
    return {
        one.relative_to(folder): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in folder.rglob("*")
        if one.is_file()
    }


ALIKE = (
    "open_file",
    "file_object",
    "list_of_times",
    "pynapple",
    "cebra_archive",
    "table_of_traces",
)
"""Sources that take the way of another one from where they are read on: tried with ``-m slow``."""


def tried(form):
    marks = [pytest.mark.slow] if form.__name__ in ALIKE else []
    return pytest.param(form, id=form.__name__, marks=marks)


@pytest.fixture(scope="module", params=[tried(form) for form in FORMS])
def annotated(request, tmp_path_factory):
    """The results, the file that they were written to, and the folder of the source before and after."""
    folder = tmp_path_factory.mktemp(request.param.__name__)
    source, options = request.param(folder)
    before = files_in(folder)
    results = learned(ns.read(source, **options), **options)
    path = ns.write(results, tmp_path_factory.mktemp("written") / "new" / "annotated.nwb")
    return results, path, (before, files_in(folder))


def test_it_is_one_valid_file_and_the_source_is_as_it_was(annotated):
    _, path, (before, after) = annotated
    assert pynwb.validate(path=str(path), use_cached_namespaces=False) == []
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert before == after


def test_it_opens_with_the_same_bits(annotated):
    results, path, _ = annotated
    again = ns.open_results(path)
    assert again.coder.id == results.coder.id
    for part in ("latents", "metrics", "attribution"):
        ours, theirs = getattr(results, part), getattr(again, part)
        assert set(ours.variables) <= set(theirs.variables)
    then = results.latents["activation"].values
    assert then.tobytes() == again.latents["activation"].values.tobytes()
    binned = prepare(again.session, again.config)
    assert np.array_equal(binned["time"].values, results.latents["time"].values)
    assert ns.encode(again.coder, binned)["activation"].values.tobytes() == then.tobytes()


def test_its_units_and_behaviour_are_those_that_were_read(annotated):
    results, path, _ = annotated
    ours, theirs = results.session, ns.open_results(path).session
    assert ours.units["unit_id"].values.tolist() == theirs.units["unit_id"].values.tolist()
    assert np.array_equal(ours.spike_times, theirs.spike_times)
    assert ours.series.keys() == theirs.series.keys()
    assert ours.events.keys() == theirs.events.keys()
    for name, table in ours.intervals.items():
        kinds = {key: column.attrs.get("kind") for key, column in table.items()}
        assert kinds == {key: theirs.intervals[name][key].attrs.get("kind") for key in kinds}


def test_it_says_what_it_was_made_from(annotated):
    results, path, _ = annotated
    made_from = results.session.source.sha256
    with pynwb.NWBHDF5IO(path, "r") as io:
        model = io.read().processing["sparse_latents"]["latents"]
        assert model.sessions["sha256"][0] == made_from
        assert model.input_population["activity_sha256"].data[:].all()
    assert ns.revisit(path).binned.attrs["source_sha256"] == made_from

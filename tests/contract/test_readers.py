"""What every reader must do, whatever it reads."""

import json

import numpy as np
import pytest

from make.contract_sources import FORMS
from nwbsparse import read
from nwbsparse.binning.describe import describe
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput
from nwbsparse.io.readers import READERS, what_is

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:numcodecs"),
    pytest.mark.filterwarnings("ignore:.*_destroy:DeprecationWarning"),
]


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: form.__name__)
def made(request, tmp_path_factory):
    source, options = request.param(tmp_path_factory.mktemp(request.param.__name__))
    return source, options, read(source, **options)


def test_its_kind_is_one_of_those_that_are_registered(made):
    assert what_is(made[0]) in READERS


def test_there_is_a_source_for_every_reader(tmp_path):
    made = []
    for form in FORMS:
        (tmp_path / form.__name__).mkdir()
        made.append(what_is(form(tmp_path / form.__name__)[0]))
    assert set(made) == set(READERS.own())


def test_every_spike_belongs_to_one_unit_and_is_in_order(made):
    session = made[2]
    index = session.spike_index
    assert index[0] == 0
    assert index[-1] == len(session.spike_times)
    assert len(index) == session.n_units + 1
    assert session.spike_times.dtype == np.float64
    for row in range(session.n_units):
        assert (np.diff(session.spikes_of(row)) >= 0).all()
    if session.traces is None:
        assert (np.diff(index) == session.units["n_spikes"].values).all()
        assert len(session.spike_times)
    else:
        assert session.traces.data.shape == (len(session.traces.times), session.n_units)
        assert (np.diff(session.traces.times) > 0).all()


def test_the_report_accounts_for_the_units_and_adds_up(made):
    report = made[2].report
    assert report.lines
    assert all(0 <= line.kept <= line.found for line in report.lines)
    units = [line for line in report.lines if line.kind == "units"]
    assert sum(line.kept for line in units) == made[2].n_units
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()


def test_the_source_is_named_by_its_content(made):
    source, options, session = made
    assert session.source.sha256
    if not hasattr(source, "read"):  # a stream is read once
        assert read(source, **options).source.sha256 == session.source.sha256


def test_binning_conserves_what_was_read(made):
    session = made[2]
    width = 0.1 if session.traces is None or session.traces.bin_width else None
    binned = to_bins(session, width)
    assert binned.sizes["unit"] == session.n_units
    assert list(binned["unit_id"].values) == list(session.units["unit_id"].values)
    if session.traces is None:
        total = binned["counts"].sum("time").values + binned["dropped"].values
        assert (total == session.units["n_spikes"].values).all()
    step = np.diff(binned["time"].values)
    same = np.diff(binned["segment"].values) == 0
    np.testing.assert_allclose(step[same], binned.attrs["bin_width"], rtol=1e-6)
    assert {0, 1, 2} <= set(split(binned, gap=0.1)["split"].values.tolist())


def test_it_can_be_described_as_json(made):
    seen = describe(made[2])
    assert json.loads(json.dumps(seen))["n_units"] == made[2].n_units


def test_an_option_of_another_source_is_refused_by_name(made):
    if not hasattr(made[0], "read"):
        with pytest.raises(BadInput, match="no option 'cells'"):
            read(made[0], cells=True)


def test_what_cannot_be_read_is_refused_in_words(tmp_path):
    with pytest.raises(BadInput, match="a set cannot be read"):
        read({1, 2})
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BadInput, match=r"neither NWB Zarr, nor .* holds notes.txt"):
        read(tmp_path)


def test_several_files_are_several_sessions(tmp_path):
    paths = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        paths.append(FORMS[0](tmp_path / name)[0])
    sessions = read(paths)
    assert len(sessions) == 2
    assert to_bins(sessions, 0.1).children

"""Results beside another recording of the same units: found by id, compared, or refused in words."""

import io
import shutil
from dataclasses import replace

import numpy as np
import pynwb
import pytest

import nwbsparse as ns
from make.pipelines import learned
from make.recordings import circle, damaged, laps, poisson_spikes, write_recording
from make.sessions import make_session
from make.sortings import behaviour_csv, kilosort_folder, lab_file
from make.zarr_stores import export
from nwbsparse.errors import BadInput
from nwbsparse.results.placement import placed_in, same_rows
from nwbsparse.runs.prepare import prepare

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:numcodecs"),
    pytest.mark.filterwarnings("ignore:.*_destroy:DeprecationWarning"),
]


def units(ids, seed=0):
    rng = np.random.default_rng(seed)
    trains = {unit: rng.uniform(0, 60, 100 + unit) for unit in sorted(ids)}
    return make_session({unit: trains[unit] for unit in ids})


def test_units_are_found_by_their_ids_in_any_order():
    assert same_rows(units([1, 2, 3]), units([3, 1, 2])) == {0: 1, 1: 2, 2: 0}


def test_units_that_repeat_an_id_are_found_by_their_order():
    session = units([1, 2])
    twice = replace(session, units=session.units.assign(unit_id=("unit", np.array([7, 7]))))
    assert same_rows(twice, twice) == {0: 0, 1: 1}
    with pytest.raises(BadInput, match="unit ids repeat"):
        same_rows(twice, session)


def test_missing_and_other_units_are_named_together():
    with pytest.raises(BadInput) as raised:
        same_rows(units([1, 2, 3]), units([1, 2], seed=1))
    said = str(raised.value)
    assert "1 unit not there (ids 3)" in said
    assert "2 units with other spikes or samples (unit 1: times up to" in said
    assert same_rows(units([1, 2, 3]), units([1, 2]), wanted=set()) == {}


@pytest.fixture(scope="module")
def sorted_results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sorted")
    session = ns.read(
        kilosort_folder(folder / "ks"), behaviour=behaviour_csv(folder / "beh.csv", offset=5.0),
        behaviour_offset=5.0,
    )  # fmt: skip
    return folder, learned(session)


def test_rows_are_those_of_the_other_table(sorted_results, tmp_path):
    _, results = sorted_results
    there = ns.read(lab_file(tmp_path / "lab.nwb"))
    placed = placed_in(results, there)
    ids = placed.attribution["unit_id"].values
    rows = placed.attribution["unit_row"].values
    assert there.units["unit_id"].values[rows].tolist() == ids.tolist()
    assert rows.tolist() != results.attribution["unit_row"].values.tolist()
    assert placed.session.source.sha256 == results.session.source.sha256


def test_results_of_a_sorting_are_put_into_the_labs_file(sorted_results, tmp_path):
    _, results = sorted_results
    path = lab_file(tmp_path / "lab.nwb", extra=False)
    with pytest.raises(BadInput, match=r"speed, track_position of beh.csv would not be in"):
        ns.write(results, path, "in_place")
    plain = replace(results, session=replace(results.session, joined=None))
    before = path.read_bytes()
    with pytest.raises(BadInput, match="with other spikes or samples"):
        ns.write(plain, lab_file(tmp_path / "other.nwb", seed=3), "in_place")
    with pytest.raises(BadInput, match="in another order, or more units"):
        ns.write(plain, lab_file(tmp_path / "turned.nwb"), "in_place")
    assert path.read_bytes() == before
    ns.write(plain, path, "in_place")
    again = ns.revisit(path).results
    assert again.session.units["unit_id"].values.tolist() == (
        results.session.units["unit_id"].values.tolist()
    )


def test_what_was_joined_is_in_the_file_and_explains_it_again(sorted_results, tmp_path):
    _, results = sorted_results
    said = []
    path = ns.write(results, tmp_path / "a.nwb", fields={"subject_id": "A"}, notify=said.append)
    assert any("--session-start, --age, --sex, --species" in line for line in said)
    revisited = ns.revisit(path)
    ours = prepare(results.session, results.config)
    for name in ("track_position", "speed"):
        assert np.array_equal(ours[name].values, revisited.binned[name].values, equal_nan=True)
    lines = {one.name: one.reasons for one in revisited.results.session.report.lines}
    sha256 = results.session.joined.sha256
    assert lines["origin of the behaviour"] == (
        f"beh.csv (sha256 {sha256}), its times moved by 5 s",
    )


def damaged_with_raw_data(folder):
    """A recording with raw data, in which it is not certain whose spikes some are."""
    path = write_recording(
        folder / "rat.nwb", spike_times=poisson_spikes(n_units=6, stop=100.0),
        electrodes={"location": ["CA1"] * 6}, raw={"data": np.zeros((100, 1)), "rate": 1.0},
    )  # fmt: skip
    with damaged(path) as file:
        edges = file["units/spike_times_index"][:]
        edges[2] = edges[1] - 3
        file["units/spike_times_index"][:] = edges
    return path


def test_a_light_file_says_what_is_not_in_it_and_numbers_its_own_rows(tmp_path):
    session = ns.read(io.BytesIO(damaged_with_raw_data(tmp_path).read_bytes()))
    assert session.units["unit_row"].values.tolist() == [0, 4, 5]
    said = []
    path = ns.write(learned(session), tmp_path / "out" / "a.nwb", notify=said.append)
    assert said[0] == "not in the annotated file: /acquisition/raw"
    with pynwb.NWBHDF5IO(path, "r") as file:
        nwbfile = file.read()
        assert "/acquisition/raw" in nwbfile.notes
        assert nwbfile.object_id == session.source.object_id
    again = ns.open_results(path)
    assert again.attribution["unit_row"].values.tolist() == [0, 1, 2]
    assert again.attribution["unit_id"].values.tolist() == session.units["unit_id"].values.tolist()
    ns.revisit(path)


@pytest.mark.parametrize("mode", ["link", "in_place"])
def test_modes_that_need_a_file_say_so(mode, sorted_results, tmp_path):
    with pytest.raises(BadInput, match=f"mode='{mode}'"):
        ns.write(sorted_results[1], tmp_path / "new" / "a.nwb", mode)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"sex": "male", "session_start": "noon"}, "2 problems"),
        ({"age": "90 days"}, "--age '90 days' must be"),
        ({"lab": " "}, "--lab is empty"),
    ],
)
def test_what_cannot_be_said_is_refused_and_leaves_nothing(fields, match, sorted_results, tmp_path):
    with pytest.raises(BadInput, match=match):
        ns.write(sorted_results[1], tmp_path / "new" / "a.nwb", fields=fields)
    assert not (tmp_path / "new").exists()


def test_an_unfinished_write_leaves_nothing(sorted_results, tmp_path, monkeypatch):
    from nwbsparse.results import placement

    def fails(*_):
        raise OSError("no space left")

    monkeypatch.setattr(placement, "write_recording", fails)
    with pytest.raises(OSError, match="no space"):
        ns.write(sorted_results[1], tmp_path / "new" / "a.nwb")
    assert not (tmp_path / "new").exists()


def joined_nwb(folder, *, zarr):
    """A recording in NWB without behaviour, and what was joined to it."""
    path = write_recording(folder / "rat.nwb", spike_times=poisson_spikes(n_units=3, stop=240.0))
    if zarr:
        path = export(path)
    return ns.read(path, behaviour=behaviour_csv(folder / "beh.csv"))


@pytest.mark.filterwarnings("ignore::UserWarning:hdmf")
@pytest.mark.parametrize("zarr", [False, True])
def test_behaviour_is_joined_to_nwb_too(zarr, tmp_path):
    session = joined_nwb(tmp_path, zarr=zarr)
    path = ns.write(learned(session), tmp_path / "out" / "a.nwb")
    assert pynwb.validate(path=str(path), use_cached_namespaces=False) == []
    again = ns.open_results(path).session
    assert set(again.series) == {"track_position", "speed"}
    assert again.source.object_id == session.source.object_id
    with pytest.raises(BadInput, match="says itself what it is; leave out --subject-id"):
        ns.write(learned(session), tmp_path / "b.nwb", fields={"subject_id": "A"})


def test_a_recording_that_changed_meanwhile_is_refused(tmp_path):
    session = joined_nwb(tmp_path, zarr=False)
    results = learned(session)
    shutil.copy(
        write_recording(tmp_path / "c.nwb", position=circle(), trials=laps()), session.source.path
    )
    with pytest.raises(BadInput, match="changed since it was read"):
        ns.write(results, tmp_path / "new" / "a.nwb")
    assert not (tmp_path / "new").exists()

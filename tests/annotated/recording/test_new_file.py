"""What a new file of a session holds that NWB has no plain place for, and that it reads the same."""

from dataclasses import replace

import numpy as np
import pynwb
import pytest
import xarray as xr

from make.sessions import make_series, make_session, make_table
from nwbsparse import names, read
from nwbsparse.annotated.recording.new_file import NO_START, new_recording
from nwbsparse.annotated.recording.same import check_reads_the_same
from nwbsparse.annotated.recording.traces import clock
from nwbsparse.binning.observed import observed
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.options.nwb_fields import NwbFields
from nwbsparse.session import Events, Session, Source, Traces


def spikes(ids):
    rng = np.random.default_rng(0)
    return {unit: rng.uniform(0.0, 60.0, 200) for unit in ids}


def again(session, tmp_path, **fields):
    """The session as its new file reads."""
    path = tmp_path / "new.nwb"
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(new_recording(session, NwbFields(**fields)))
    assert pynwb.validate(path=str(path), use_cached_namespaces=False) == []
    read_back = read(path)
    check_reads_the_same(session, read_back)
    return read_back


def test_ids_that_are_text_stay_text(tmp_path):
    columns = {
        "region": ["CA1", "CA3", ""],
        "depth": [1.5, np.nan, 3.0],
        "good": [True, False, True],
    }
    session = make_session(spikes(["001", "1", "b"]), columns=columns)
    found = again(session, tmp_path)
    assert found.units["unit_id"].values.tolist() == ["001", "1", "b"]
    assert found.units["region"].values.tolist() == columns["region"]
    assert found.units["good"].values.tolist() == columns["good"]
    assert set(found.units) == set(session.units)


def test_electrode_groups_are_groups(tmp_path):
    columns = {"electrode_group": ["shank 1", "shank 0", "shank 1"], "region": ["CA1", "V1", "CA1"]}
    found = again(make_session(spikes([4, 2, 9]), columns=columns), tmp_path)
    assert found.units["electrode_group"].values.tolist() == columns["electrode_group"]
    with pynwb.NWBHDF5IO(tmp_path / "new.nwb", "r") as io:
        assert io.read().electrode_groups["shank 0"].location == "V1"


@pytest.mark.parametrize("known", ["obs_intervals", "extent", "epochs", "nothing", "invalid"])
def test_bins_lie_where_they_lay(known, tmp_path):
    epochs = make_table([1.0, 30.0], [20.0, 50.0], phase=("category", ["a", "b"]))
    given = {
        "obs_intervals": {"obs_intervals": [[[0, 50]], [[0, 20], [30, 60]], []]},
        "extent": {"extent": (-1.0, 61.5)},
        "epochs": {"extent": (-1.0, 61.5), "intervals": {"epochs": epochs}},
        "nothing": {},
        "invalid": {"invalid_times": [[10.0, 12.0]]},
    }[known]
    session = make_session(spikes([0, 1, 2]), **given)
    found = again(session, tmp_path)
    assert np.array_equal(observed(session)[0], observed(found)[0])


def test_behaviour_keeps_its_names_kinds_and_values(tmp_path):
    t = np.sort(np.random.default_rng(1).uniform(0, 60, 300))
    series = [
        make_series("speed", t, np.sin(t)),
        make_series("place", t, np.column_stack([t, -t]), kind=names.POSITION, unit="cm"),
        make_series("heading", t, t % 6.28, kind=names.CIRCULAR, unit="radians"),
        make_series("Position", t, np.where(t > 30, np.nan, t)),
    ]
    sides = make_table([0.0, 20.0], [10.0, 30.0], side=("category", ["l", "r"]))
    tagged = make_table([0.0, 20.0], [10.0, 30.0], tags=("constant", ["a,b", ""]))
    session = replace(
        make_session(
            spikes([0, 1]),
            series=series,
            intervals={"side_runs": sides, "trials": sides, "marks": tagged},
        ),
        events={
            "lick": Events("lick", np.array([1.0, 2.0, 50.0])),
            "cue": Events("cue", np.array([3.0, 4.0]), np.array(["go", "no go"])),
        },
    )
    found = again(session, tmp_path)
    assert {name: one.kind for name, one in found.series.items()} == {
        one.name: one.kind for one in series
    }
    assert found.series["place"].unit == "cm"
    assert found.series["speed"].unit == ""
    assert found.intervals["side_runs"]["side"].attrs["kind"] == "category"
    assert found.intervals["marks"]["tags"].values.tolist() == ["a,b", ""]
    assert found.events["lick"].labels is None


def traces_of(data, times, **given):
    n = data.shape[1]
    return Session(
        units=xr.Dataset(
            {
                "unit_id": ("unit", np.array([f"cell {u}" for u in range(n)])),
                "n_spikes": ("unit", np.zeros(n, dtype=np.int64)),
                **{key: ("unit", values) for key, values in given.pop("columns", {}).items()},
            }
        ),
        spike_times=np.zeros(0),
        spike_index=np.zeros(n + 1, dtype=np.int64),
        traces=Traces("activity", data, times, **given),
        source=Source(None, "1" * 64),
    )


def test_counts_keep_their_bins(tmp_path):
    counts = np.random.default_rng(0).poisson(1.0, (500, 3)).astype(np.uint8)
    times = (np.arange(500) + 0.5) / 30
    found = again(traces_of(counts, times, bin_width=1 / 30), tmp_path)
    assert found.traces.bin_width == 1 / 30
    assert found.traces.data.dtype == np.uint8
    assert found.units["unit_id"].values.tolist() == ["cell 0", "cell 1", "cell 2"]
    assert found.units["n_spikes"].values.tolist() == counts.sum(axis=0).tolist()


@pytest.mark.parametrize("columns", [{"modality": ["ophys"] * 3, "is_cell": [True] * 3}, {}])
def test_traces_keep_their_clock_and_what_was_not_measured(columns, tmp_path):
    data = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    data[3, 1] = np.nan
    times = np.arange(400) / 7.3
    found = again(traces_of(data, times, columns=columns), tmp_path)
    assert "region" not in found.units
    with pynwb.NWBHDF5IO(tmp_path / "new.nwb", "r") as io:
        assert ("ophys" in io.read().processing) == bool(columns)
    assert found.units["unit_id"].values.tolist() == ["cell 0", "cell 1", "cell 2"]


def test_a_rate_stands_where_it_gives_the_same_times():
    even = 3.5 + np.arange(1000) / 25.0
    assert clock(even) == {"starting_time": 3.5, "rate": 25.0}
    assert set(clock(even + np.linspace(0, 1e-9, 1000))) == {"timestamps"}
    assert set(clock(even[:1])) == {"timestamps"}


def test_what_a_person_says_stands_in_the_file(tmp_path):
    said = {
        "session_start": "2026-03-02T14:30:00+01:00", "session_id": "s1", "subject_id": "A", "sex": "F",
        "species": "Mus musculus", "age": "P60D", "experimenter": "Doe, Jane; Roe, Richard",
        "institution": "There", "lab": "Ours", "session_description": "linear track",
    }  # fmt: skip
    found = again(make_session(spikes([0, 1])), tmp_path, **said)
    assert found.subject == {key: said[key] for key in ("subject_id", "species", "sex", "age")}
    assert found.about["session_start_time"] == said["session_start"]
    assert found.about["experimenter"] == "Doe, Jane\nRoe, Richard"
    assert found.source.session_id == "s1"
    assert found.source.identifier == f"in memory-{'0' * 16}"


def test_what_nobody_says_is_not_made_up(tmp_path):
    found = again(make_session(spikes([0, 1])), tmp_path)
    assert found.subject == {}
    assert found.about["session_start_time"] == NO_START
    assert not {"experimenter", "institution", "lab"} & set(found.about)


def test_what_the_recording_says_is_not_contradicted():
    session = replace(make_session(spikes([0])), subject={"subject_id": "A"}, about={"lab": "Ours"})
    for given, match in (({"subject_id": "B"}, "subject_id 'A'"), ({"lab": "X"}, "--lab 'X'")):
        with pytest.raises(BadInput, match=match):
            new_recording(session, NwbFields(**given))
    assert new_recording(session, NwbFields(subject_id="A")).subject.subject_id == "A"


def test_a_recording_that_was_nwb_keeps_its_identity(tmp_path):
    source = Source(
        None, "2" * 64, identifier="the lab's", object_id="a" * 8, nwb_version="2.8.0",
        units_object_id="b" * 8, uri="https://example.org/rat.nwb",
    )  # fmt: skip
    session = replace(make_session(spikes([0, 1])), source=source)
    found = again(session, tmp_path)
    assert found.source.identifier == "the lab's"
    assert found.source.object_id == "a" * 8
    assert found.source.units_object_id == "b" * 8
    [line] = [one for one in found.report.lines if one.name == "origin of the recording"]
    assert "https://example.org/rat.nwb" in line.reasons[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, spike_times=s.spike_times + 1e-9),
        lambda s: replace(s, series={}),
        lambda s: replace(s, intervals={"trials": s.intervals["trials"].isel(interval=[0])}),
        lambda s: replace(s, units=s.units.assign(unit_id=("unit", np.array([5, 6])))),
    ],
)
def test_a_file_that_reads_otherwise_is_noticed(change):
    trials = make_table([0.0, 20.0], [10.0, 30.0])
    session = make_session(
        spikes([0, 1]), series=[make_series("speed", [0, 1], [1, 2])], intervals={"trials": trials}
    )
    check_reads_the_same(session, session)
    with pytest.raises(IntegrityError, match="reads otherwise after writing"):
        check_reads_the_same(session, change(session))

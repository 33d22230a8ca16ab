"""Behaviour of another file: what its columns are, whose clock they have, what is refused."""

import hashlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nwbsparse as ns
from make.recordings import circle, laps, write_recording
from make.sessions import make_session
from nwbsparse.errors import BadInput

SECONDS = 100.0


def session():
    rng = np.random.default_rng(0)
    return make_session({unit: rng.uniform(0, SECONDS, 300) for unit in range(4)})


def written(tmp_path, text, name="beh.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def joined(tmp_path, text, name="beh.csv", **options):
    return ns.join_behaviour(session(), written(tmp_path, text, name), **options)


def refused(tmp_path, text, match, **options):
    with pytest.raises(BadInput, match=match) as raised:
        joined(tmp_path, text, **options)
    assert "beh.csv" in str(raised.value)


@pytest.mark.parametrize("head", ["time", "time_s", "Timestamps", "t", "Time (s)", "seconds"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_times_and_numbers_are_signals(head, separator, tmp_path):
    rows = [[head, "speed", "pupil"], *[[str(t), str(t / 2), str(-t)] for t in range(90)]]
    found = joined(tmp_path, "\n".join(separator.join(row) for row in rows))
    assert list(found.series) == ["speed", "pupil"]
    assert np.array_equal(found.series["speed"].times, np.arange(90.0))
    assert np.array_equal(found.series["pupil"].data, -np.arange(90.0))
    [line] = [one for one in found.report.lines if "taken as the times, s" in one.reasons]
    assert line.name == head


def test_what_was_joined_is_said(tmp_path):
    found = joined(tmp_path, "time,speed\n0,1\n50,2\n", offset=2.0)
    path = tmp_path / "beh.csv"
    assert found.joined.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.joined.series == ("speed",)
    [line] = [one for one in found.report.lines if one.name == "behaviour"]
    assert found.joined.sha256 in line.reasons[0] and "moved by 2 s" in line.reasons[0]
    steps = ns.to_bins(found, 0.1).attrs["history"]
    assert found.joined.sha256 in steps and "join_behaviour" in steps
    assert found.series["speed"].times.tolist() == [2.0, 52.0]


def test_x_and_y_are_a_position(tmp_path):
    found = joined(tmp_path, "t,x,y,nose_x,nose_y\n0,1,2,3,4\n1,1,2,3,4\n2,1,2,3,5\n")
    assert {name: one.kind for name, one in found.series.items()} == {
        "position": "position",
        "nose_position": "position",
    }
    assert found.series["nose_position"].data.tolist() == [[3, 4], [3, 4], [3, 5]]


def test_labels_beside_signals_are_intervals(tmp_path):
    rows = "\n".join(f"{t},{t},{'run' if t % 20 < 10 else 'rest'}" for t in range(90))
    found = joined(tmp_path, f"time,speed,state\n{rows}\n")
    assert list(found.series) == ["speed"]
    assert found.intervals["state_runs"]["state"].values.tolist()[:2] == ["run", "rest"]


@pytest.mark.parametrize(
    "head", ["start,stop", "start_time,stop_time", "Start (s),End (s)", "onset,offset"]
)
def test_starts_and_stops_are_intervals_called_like_the_file(head, tmp_path):
    rows = "\n".join(f"{s},{s + 4},{('left', 'right')[s % 2]},{s / 7}" for s in range(0, 90, 5))
    found = joined(tmp_path, f"{head},side,reward\n{rows}\n", "trials.csv")
    table = found.intervals["trials"]
    assert table["start_time"].values[1] == 5.0 and table["stop_time"].values[1] == 9.0
    assert table["side"].attrs["kind"] == "category"
    assert table["reward"].attrs["kind"] == "continuous"
    assert "trial" in ns.to_bins(found, 0.1).coords


def test_onset_and_duration_are_intervals_too(tmp_path):
    found = joined(tmp_path, "onset\tduration\tkind\n1\t2\ta\n5\t2\tb\n", "events.tsv")
    assert found.intervals["events"]["stop_time"].values.tolist() == [3.0, 7.0]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("time\n3\n1\n2\n", None),
        ("time,label\n3,c\n1,a\n2,b\n", ["a", "b", "c"]),
        ("time,what\n3,c\n1,a\n2,b\n", ["a", "b", "c"]),
        ("time,code\n3,30\n1,10\n2,20\n", ["10", "20", "30"]),
    ],
)
def test_times_alone_or_with_a_label_are_events(text, labels, tmp_path):
    found = joined(tmp_path, text, "licks.csv")
    events = found.events["licks"]
    assert events.times.tolist() == [1.0, 2.0, 3.0]
    assert (None if events.labels is None else events.labels.tolist()) == labels


def test_empty_fields_are_not_measured(tmp_path):
    found = joined(tmp_path, "time,speed,note\n0,1,\n1,,a\n2,n/a,b\n3,4,b\n,5,b\n")
    speed = found.series["speed"]
    assert speed.times.tolist() == [0, 1, 2, 3]
    assert np.isnan(speed.data[1:3]).all()
    [line] = [one for one in found.report.lines if one.name == "speed"]
    assert "1 sample with NaN or infinite timestamps dropped" in line.reasons


def test_a_comma_can_be_the_point(tmp_path):
    found = joined(tmp_path, "time;speed\n0,5;1,25\n1,5;2,5\n")
    assert found.series["speed"].times.tolist() == [0.5, 1.5]
    assert found.series["speed"].data.tolist() == [1.25, 2.5]


def test_comments_blank_lines_and_a_column_that_counts_rows(tmp_path):
    found = joined(tmp_path, "\ufeff# a tracker\n\n,time,speed\n0,0,1\n1,1,2\n2,2,3\n3,3,4\n")
    assert found.series["speed"].data.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "is empty"),
        ("0,1\n1,2\n", "first line .* holds numbers .* put a line such as"),
        ("time,speed\n", "no rows"),
        ("speed,pupil\n1,2\n", r"no column holds the times \(columns: speed, pupil\)"),
        ("time_ms,speed\n1,2\n", "'time_ms' counts in another unit than seconds"),
        ("time,speed,speed\n1,2,3\n", "several columns called speed"),
        ("time,speed\n1,2\n2\n", "row 3: 1 field, and the line of names has 2"),
        ("time,speed\n1,2\n2,3,4\n", "row 3: 3 fields"),
        ("time,speed\n0,1\n1,2\n2,fast\n3,4\n", "column 'speed', row 4: 'fast' is no number"),
        ("# a\ntime,speed\n0,1\nx,2\n2,3\n3,4\n", "column 'time', row 4: 'x' is no number"),
        ("time,speed\n12:01,1\n12:02,2\n", "column 'time' must hold seconds.*'12:01'"),
        ("start,stop,x\n1,2,3\n1,2\n", "row 3"),
        ("time,\n1,a\n2,b\n", "column 2 .* has no name"),
    ],
)
def test_what_cannot_be_read_is_named(text, match, tmp_path):
    refused(tmp_path, text, match)


def test_other_clocks_are_refused_with_both_ranges(tmp_path):
    rows = "\n".join(f"{1000 + t},{t}" for t in range(10))
    text = f"time,speed\n{rows}\n"
    refused(tmp_path, text, "from 1000 to 1009 s, the spikes from .* to .* s; .*--behaviour-offset")
    assert len(joined(tmp_path, text, offset=-1000.0).series["speed"].times) == 10
    far = "\n".join(f"{1e9 + 1000.0 * t},{t}" for t in range(99))
    refused(tmp_path, f"time,speed\n{far}\n", "milliseconds or samples")


@pytest.mark.parametrize("offset", [float("nan"), float("inf")])
def test_an_offset_that_is_no_time(offset, tmp_path):
    with pytest.raises(BadInput, match="must be seconds"):
        joined(tmp_path, "time,speed\n0,1\n1,2\n", offset=offset)


def test_names_that_are_taken_are_refused_and_so_is_a_second_file(tmp_path):
    first = joined(tmp_path, "time,speed\n0,1\n1,2\n")
    with pytest.raises(BadInput, match="is joined already"):
        ns.join_behaviour(first, tmp_path / "beh.csv")
    recorded = ns.read(write_recording(tmp_path / "rat.nwb", position=circle(), trials=laps()))
    text = "time,position\n0,1\n1,2\n"
    with pytest.raises(BadInput, match="has signals position already"):
        ns.join_behaviour(recorded, written(tmp_path, text))


@pytest.mark.parametrize("name", ["gone.csv", "notes.docx"])
def test_files_that_are_not_there_or_of_another_kind(name, tmp_path):
    if name != "gone.csv":
        written(tmp_path, "x", name)
    with pytest.raises(BadInput, match=name):
        ns.join_behaviour(session(), tmp_path / name)


def test_not_text(tmp_path):
    (tmp_path / "beh.csv").write_bytes(b"time,\xff\xfe\n1,2\n")
    with pytest.raises(BadInput, match="UTF-8"):
        ns.join_behaviour(session(), tmp_path / "beh.csv")


def test_npz_holds_the_same_columns(tmp_path):
    t = np.arange(0, 90, 0.5)
    path = tmp_path / "beh.npz"
    np.savez(path, time=t, speed=t * 2, place=np.column_stack([t, -t]), odd=np.zeros(3))
    found = ns.join_behaviour(session(), path)
    assert set(found.series) == {"speed", "place"}
    assert found.series["place"].data.shape == (len(t), 2)
    assert [one.kept for one in found.report.lines if one.name == "odd"] == [0]
    with pytest.raises(BadInput, match="odd: left out"):
        ns.join_behaviour(session(), path, strict=True)


def test_nwb_with_and_without_units(tmp_path):
    for units in (None, ()):
        path = write_recording(
            tmp_path / f"beh{units is None}.nwb",
            spike_times=units,
            position=circle(),
            trials=laps(),
        )
        found = ns.read({1: np.linspace(0, 99, 500), 2: np.linspace(1, 98, 300)}, behaviour=path)
        assert found.n_units == 2
        assert set(found.series) == {"position"} and set(found.intervals) == {"trials"}
        assert found.joined.intervals == ("trials",)


def test_an_offset_moves_moments_in_the_session_but_not_those_since_the_start(tmp_path):
    start = np.arange(0, 80, 8.0)
    cue, since = start + 1.5, np.linspace(0.2, 0.9, 10)[::-1]
    rows = zip(start, start + 7, cue, since, strict=True)
    text = "\n".join(",".join(map(str, row)) for row in rows)
    text = f"start,stop,cue_time,go_time\n{text}\n"
    table = joined(tmp_path, text, offset=3.0).intervals["beh"]
    assert table["cue_time"].values.tolist() == (cue + 3).tolist()
    assert table["go_time"].attrs["kind"] == "event time"
    assert table["go_time"].values.tolist() == since.tolist()


def test_read_takes_it_for_every_source(tmp_path):
    path = written(tmp_path, "time,speed\n0,1\n99,2\n")
    spikes = {1: np.linspace(0, 99, 500)}
    assert set(ns.read(spikes, behaviour=path).series) == {"speed"}
    with pytest.raises(BadInput, match="name it with --behaviour"):
        ns.read(spikes, behaviour_offset=1.0)
    with pytest.raises(BadInput, match="one by one"):
        ns.read([path, path], behaviour=path)


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda one: round(one, 6))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.floats(1e-3, 1.0), min_size=2, max_size=40),
    columns=st.integers(1, 4),
    data=st.data(),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_numbers_come_back_as_they_were_written(steps, columns, data, separator, tmp_path):
    times = np.round(1.0 + np.cumsum(steps), 6)
    if (np.diff(times) <= 0).any():
        return
    values = np.array(
        data.draw(st.lists(st.lists(NUMBERS, min_size=columns, max_size=columns),
                           min_size=len(times), max_size=len(times)))
    )  # fmt: skip
    names = [f"signal{n}" for n in range(columns)]
    rows = [
        ["time", *names],
        *[[repr(float(one)) for one in row] for row in np.column_stack([times, values])],
    ]
    found = joined(tmp_path, "\n".join(separator.join(row) for row in rows) + "\n")
    assert list(found.series) == names
    for at, name in enumerate(names):
        assert np.array_equal(found.series[name].times, times)
        assert np.array_equal(found.series[name].data, values[:, at])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(alphabet='time,speed\n0123456789.;\t#"ex- ', max_size=80))
def test_any_text_is_read_or_refused_with_the_name_of_the_file(text, tmp_path):
    caught = None
    try:
        found = joined(tmp_path, text)
    except BadInput as error:
        caught = error
    assert "beh.csv" in str(caught) if caught is not None else found.joined is not None

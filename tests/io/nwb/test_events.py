"""Events: every kind of object that states moments, in time, with labels, none lost silently."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hdmf.common import DynamicTable, VectorData
from pynwb import NWBHDF5IO, NWBFile
from pynwb.behavior import BehavioralEvents
from pynwb.event import EventsTable
from pynwb.misc import AnnotationSeries

from make.recordings import START, line_of, reasons, time_series, write_recording
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated")
STAMPS = np.array([10.0, 20.0, 30.0, 40.0])


def table(name: str, kind=DynamicTable, **columns):
    held = [VectorData(name=key, description=key, data=values) for key, values in columns.items()]
    return kind(name=name, description=f"the {name}", columns=held)


def events_of(tmp_path, *, behaviour=(), acquisition=()):
    path = write_recording(tmp_path / "a.nwb", behaviour=behaviour, acquisition=acquisition)
    return read_nwb(path)


def test_behavioural_events_keep_what_tells_them_apart(tmp_path):
    held = BehavioralEvents(
        time_series=[
            time_series("licks", data=np.ones(4), timestamps=STAMPS),
            time_series("reward (ml)", data=[0.1, 0.2, 0.1, 0.5], timestamps=STAMPS),
            time_series("codes", data=np.array([2, 1, 1, 2]), timestamps=STAMPS),
        ]
    )
    session = events_of(tmp_path, behaviour=[held])
    assert set(session.events) == {"licks", "reward_ml", "codes"}
    licks, reward = session.events["licks"], session.events["reward_ml"]
    np.testing.assert_array_equal(licks.times, STAMPS)
    assert licks.labels is None
    assert reward.labels is not None and reward.labels.tolist() == ["0.1", "0.2", "0.1", "0.5"]
    assert licks.path == "/processing/behavior/BehavioralEvents/licks"
    assert line_of(session, "events", licks.path).kept == 4
    assert session.series == {}
    assert session.report.of_kind("other") == ()


def test_behavioural_events_that_are_sampled_are_a_signal(tmp_path):
    held = BehavioralEvents(
        time_series=time_series("lick sensor", data=np.zeros(900), rate=10.0, starting_time=0.0)
    )
    session = events_of(tmp_path, behaviour=[held])
    assert session.events == {}
    assert session.series["lick_sensor"].kind == "continuous"


def test_notes_of_the_experimenter_are_events(tmp_path):
    notes = AnnotationSeries(name="notes", data=["a", "b", "a", "c"], timestamps=STAMPS)
    session = events_of(tmp_path, acquisition=[notes])
    labels = session.events["notes"].labels
    assert labels is not None and labels.tolist() == ["a", "b", "a", "c"]


def test_codes_in_acquisition_are_events_where_they_say_so(tmp_path):
    codes = np.array([1, 2, 1, 11], dtype="i1")
    held = [
        time_series("events", data=codes, timestamps=STAMPS),
        time_series("port 3", data=codes, timestamps=STAMPS, description="TTL markers"),
        time_series("ids", data=codes, timestamps=STAMPS),
        time_series("event rate", data=codes * 0.5, timestamps=STAMPS),
        time_series("ttl", data=np.zeros(900, dtype="i1"), rate=10.0, starting_time=0.0),
    ]
    session = events_of(tmp_path, acquisition=held)
    assert set(session.events) == {"events", "port_3"}
    labels = session.events["events"].labels
    assert labels is not None and labels.tolist() == ["1", "2", "1", "11"]
    others = {line.name for line in session.report.of_kind("other")}
    assert others == {"/acquisition/ids", "/acquisition/event rate", "/acquisition/ttl"}


def test_stamps_that_cannot_be_of_this_recording_are_dropped_and_counted(tmp_path):
    stamps = np.array([30.0, -1.5e9, 20.0, np.nan, 20.0, 150.0])
    codes = np.arange(6, dtype="i4")
    session = events_of(
        tmp_path, acquisition=[time_series("events", data=codes, timestamps=stamps)]
    )
    events = session.events["events"]
    assert events.times.tolist() == [20.0, 20.0, 30.0, 150.0]
    assert events.labels is not None and events.labels.tolist() == ["2", "4", "0", "5"]
    line = line_of(session, "events", "/acquisition/events")
    assert (line.found, line.kept, line.dropped) == (6, 4, 2)
    said = " | ".join(line.reasons)
    assert "1 event with NaN or infinite times dropped" in said
    assert "1 event far outside the recording (-1.5e+09 s; the spikes: 0" in said
    assert "not in the order of time at" in said
    assert "1 event before or after the spikes" in said
    with pytest.raises(BadInput, match="far outside the recording"):
        read_nwb(tmp_path / "a.nwb", strict=True)


def test_tables_with_a_timestamp_are_events_with_one_label(tmp_path):
    held = [
        table("cues", timestamp=STAMPS, duration=STAMPS / 10, tone=["high", "low"] * 2),
        table("named", timestamp=STAMPS, side=[0, 1, 0, 1], label=["a", "b", "c", "d"]),
        table("bare", timestamp=STAMPS),
        table("no clock", side=[0, 1, 0, 1]),
    ]
    session = events_of(tmp_path, behaviour=held)
    labels = {name: one.labels for name, one in session.events.items()}
    assert set(labels) == {"cues", "named", "bare"}
    assert labels["cues"].tolist() == ["high", "low"] * 2
    assert labels["named"].tolist() == ["a", "b", "c", "d"]
    assert labels["bare"] is None
    assert "events have one label" in reasons(session, "column", "cues/duration")
    assert "the labels of the events" in reasons(session, "column", "cues/tone")
    [other] = session.report.of_kind("other")
    assert other.name == "/processing/behavior/no clock"


def test_the_events_tables_of_nwb_are_read(tmp_path):
    nwbfile = NWBFile("a synthetic recording", "synthetic", START)
    nwbfile.add_unit(spike_times=np.arange(50.0))
    licks = EventsTable(name="licks", description="licks")
    for stamp in STAMPS[::-1]:
        licks.add_event(timestamp=stamp, annotation="late" if stamp > 25 else "early")
    nwbfile.add_events_table(licks)
    with NWBHDF5IO(tmp_path / "a.nwb", "w") as io:
        io.write(nwbfile)
    events = read_nwb(tmp_path / "a.nwb").events["licks"]
    assert events.times.tolist() == STAMPS.tolist()
    assert events.labels is not None
    assert events.labels.tolist() == ["early", "early", "late", "late"]


def test_stimuli_with_starts_and_stops_are_intervals_and_with_stamps_events(tmp_path):
    nwbfile = NWBFile("a synthetic recording", "synthetic", START)
    nwbfile.add_unit(spike_times=np.arange(50.0))
    starts = {"start_time": STAMPS, "stop_time": STAMPS + 5, "angle": [0, 90, 0, 90]}
    nwbfile.add_stimulus(table("gratings", **starts))
    nwbfile.add_stimulus(table("flashes", timestamp=STAMPS))
    with NWBHDF5IO(tmp_path / "a.nwb", "w") as io:
        io.write(nwbfile)
    session = read_nwb(tmp_path / "a.nwb")
    assert session.intervals["gratings"]["angle"].attrs["kind"] == "category"
    assert session.intervals["gratings"].attrs["path"] == "/stimulus/presentation/gratings"
    assert set(session.events) == {"flashes"}
    assert session.report.of_kind("other") == ()


def test_events_of_one_name_are_told_apart_by_their_containers(tmp_path):
    held = [
        BehavioralEvents(name=name, time_series=time_series("on", data=[1] * 4, timestamps=STAMPS))
        for name in ("port a", "port b")
    ]
    assert set(events_of(tmp_path, behaviour=held).events) == {"on_port_a", "on_port_b"}


_OLD = """
import sys
import numpy as np
from hdmf.spec import GroupSpec, DatasetSpec, AttributeSpec
from pynwb import NWBHDF5IO, NWBFile, get_class, load_namespaces
from pynwb.spec import NWBNamespaceBuilder, NWBGroupSpec, NWBDatasetSpec
from datetime import datetime, timezone

folder = sys.argv[1]
builder = NWBNamespaceBuilder("old events", "ndx-old-events", version="0.2.0", author="a", contact="c@d.e")
builder.include_namespace("core")
stamps = NWBDatasetSpec("stamps", dtype="float64", shape=(None,), dims=("n",), name="timestamps")
text = AttributeSpec("description", "what", "text")
events = NWBGroupSpec("moments", neurodata_type_def="Events", neurodata_type_inc="NWBDataInterface",
                      datasets=[stamps], attributes=[text])
words = AttributeSpec("labels", "words", "text", shape=(None,), dims=("k",))
data = NWBDatasetSpec("codes", dtype="uint8", shape=(None,), dims=("n",), name="data", attributes=[words])
labelled = NWBGroupSpec("with words", neurodata_type_def="LabeledEvents", neurodata_type_inc="Events",
                        datasets=[data])
ttls = NWBGroupSpec("pulses", neurodata_type_def="TTLs", neurodata_type_inc="LabeledEvents")
rows = NWBGroupSpec("kinds", neurodata_type_def="AnnotatedEventsTable", neurodata_type_inc="DynamicTable")
for spec in (events, labelled, ttls, rows):
    builder.add_spec("old.extensions.yaml", spec)
builder.export("old.namespace.yaml", outdir=folder)
load_namespaces(f"{folder}/old.namespace.yaml")
kind = {name: get_class(name, "ndx-old-events")
        for name in ("Events", "LabeledEvents", "TTLs", "AnnotatedEventsTable")}
nwbfile = NWBFile("a", "b", datetime(2024, 1, 1, tzinfo=timezone.utc))
nwbfile.add_unit(spike_times=np.arange(50.0))
stamps = np.array([10.0, 20.0, 30.0])
codes = np.array([1, 0, 7], dtype="uint8")
nwbfile.add_acquisition(kind["Events"](name="drops", description="d", timestamps=stamps))
for name in ("LabeledEvents", "TTLs"):
    nwbfile.add_acquisition(
        kind[name](name=name, description="d", timestamps=stamps, data=codes, data__labels=["off", "on"])
    )
table = kind["AnnotatedEventsTable"](name="annotated", description="d")
table.add_column("label", "kind of event")
table.add_column("event_times", "when", index=True)
table.add_row(label="a", event_times=[1.0, 9.0])
table.add_row(label="b", event_times=[4.0])
nwbfile.create_processing_module("events", "e").add(table)
with NWBHDF5IO(f"{folder}/a.nwb", "w") as io:
    io.write(nwbfile)
"""


def test_older_event_types_are_known_by_their_names_alone(tmp_path):
    subprocess.run([sys.executable, "-c", _OLD, tmp_path], check=True, capture_output=True)
    session = read_nwb(tmp_path / "a.nwb")
    assert set(session.events) == {"drops", "LabeledEvents", "TTLs", "annotated"}
    assert session.events["drops"].labels is None
    for name in ("LabeledEvents", "TTLs"):
        labels = session.events[name].labels
        assert labels is not None and labels.tolist() == ["on", "off", "7"]
    annotated = session.events["annotated"]
    assert annotated.times.tolist() == [1.0, 4.0, 9.0]
    assert annotated.labels is not None and annotated.labels.tolist() == ["a", "b", "a"]


_NDX = """
import sys
import numpy as np
from datetime import datetime, timezone
from ndx_events import EventsTable
from pynwb import NWBFile, NWBHDF5IO
nwbfile = NWBFile("a", "b", datetime(2024, 1, 1, tzinfo=timezone.utc))
nwbfile.add_unit(spike_times=np.arange(50.0))
table = EventsTable(name="licks", description="d")
table.add_column("side", "left or right")
for i in range(4):
    table.add_row(timestamp=10.0 + i, side="left" if i % 2 else "right")
nwbfile.create_processing_module("events", "e").add(table)
with NWBHDF5IO(sys.argv[1], "w") as io:
    io.write(nwbfile)
"""

_READ = """
import sys, json
from nwbsparse.io.nwb.read import read_nwb
events = read_nwb(sys.argv[1]).events["licks"]
assert "ndx_events" not in sys.modules
print(json.dumps([events.times.tolist(), events.labels.tolist()]))
"""


def test_the_events_tables_of_the_extension_are_read_where_it_is_not_loaded(tmp_path):
    path = tmp_path / "a.nwb"
    # apart: to load the extension changes what pynwb writes in this process
    subprocess.run([sys.executable, "-c", _NDX, path], check=True, capture_output=True)
    done = subprocess.run([sys.executable, "-c", _READ, path], check=True, capture_output=True)
    stamps, labels = json.loads(done.stdout)
    assert stamps == [10, 11, 12, 13]
    assert labels == ["right", "left"] * 2


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({"annotation": ["slam", "", "", ""], "shown": ["a", "b", "a", "b"]}, "shown"),
        ({"comments": ["slam", "slam", "", ""], "shown": ["a", "b", "a", "b"]}, "shown"),
        ({"label": ["x", "", "", ""], "shown": ["a", "b", "a", "b"]}, "shown"),
        ({"label": ["x", "y", "x", ""], "shown": ["a", "b", "a", "b"]}, "label"),
        ({"annotation": ["late", "early", "late", ""]}, "annotation"),
    ],
)
def test_what_names_most_events_is_the_label_and_remarks_are_not(tmp_path, columns, label):
    """The kind of fault: a column is believed for its name, whatever stands in it."""
    session = events_of(tmp_path, acquisition=[table("onset", timestamp=STAMPS, **columns)])
    assert session.events["onset"].labels.tolist() == columns[label]

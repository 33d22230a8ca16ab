"""pynapple objects: spikes, metadata, support, behaviour and epochs, without importing pynapple."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.pynapple import read_pynapple
from nwbsparse.io.nwb.read import read_nwb
from recordings import line_of

nap = pytest.importorskip("pynapple", reason="pynapple is not installed")
DATA = os.environ.get("NWBSPARSE_DATA")
RNG = np.random.default_rng(0)
SUPPORT = np.array([[0.0, 50.0], [60.0, 100.0]])


def group():
    return nap.TsGroup(
        {3: nap.Ts(np.sort(RNG.uniform(0, 100, 300))), 7: nap.Ts(np.array([1.0, 2.0, 70.0]))},
        time_support=nap.IntervalSet(SUPPORT),
        metadata={"region": ["CA1", "CA3"], "quality": [0.1, 0.9]},
    )


def frame(n=200, columns=("x", "y"), **given):
    return nap.TsdFrame(
        t=np.arange(n) / 2, d=RNG.random((n, len(columns))), columns=columns, **given
    )


def test_a_group_of_spikes():
    spikes = group()
    session = read_pynapple(spikes)
    assert session.units["unit_id"].values.tolist() == [3, 7]
    for row, unit_id in enumerate((3, 7)):
        np.testing.assert_array_equal(session.spikes_of(row), spikes[unit_id].t)
    assert session.units["region"].values.tolist() == ["CA1", "CA3"]
    assert session.units["quality"].values.tolist() == [0.1, 0.9]
    assert session.obs_intervals is not None
    np.testing.assert_array_equal(session.obs_intervals[1], SUPPORT)
    assert line_of(session, "spikes", "spike_times").dropped == 0
    assert len(session.source.sha256) == 64


def test_a_frame_of_traces():
    names = [f"roi {i}" for i in range(5)]
    traces = frame(columns=names, metadata={"depth": [1, 2, 3, 4, 5]})
    session = read_pynapple(traces)
    assert session.traces is not None and session.traces.bin_width is None
    np.testing.assert_array_equal(session.traces.data, traces.d.astype(np.float32))
    np.testing.assert_array_equal(session.traces.times, traces.t)
    assert session.units["unit_id"].values.tolist() == names
    assert session.units["depth"].values.tolist() == [1, 2, 3, 4, 5]


def test_counts_that_pynapple_made():
    counts = group().count(0.5)
    session = read_pynapple(counts)
    assert session.traces is not None and session.traces.bin_width == pytest.approx(0.5)
    np.testing.assert_array_equal(session.traces.data, counts.d)
    assert session.units["n_spikes"].values.tolist() == counts.d.sum(0).tolist()
    assert any("1 gap" in why for why in line_of(session, "spikes", "activity").reasons)


def test_a_mixed_dict():
    epochs = nap.IntervalSet([0, 50], [40, 100], metadata={"tags": ["sleep", "wake"]})
    session = read_pynapple(
        {
            "units": group(),
            "position": frame(),
            "speed": nap.Tsd(t=np.arange(200) / 2, d=RNG.random(200)),
            "epochs": epochs,
            "licks": nap.Ts(np.array([1.0, 5.0])),
            "lfp": frame(columns=range(4)),
            "notes": "a word",
        }
    )
    assert session.series["position"].kind == "position"
    assert session.series["position"].data.shape == (200, 2)
    assert session.series["speed"].data.shape == (200,)
    assert session.intervals["epochs"]["tags"].values.tolist() == ["sleep", "wake"]
    assert session.intervals["epochs"]["stop_time"].values.tolist() == [40, 100]
    assert session.events["licks"].times.tolist() == [1, 5]
    assert line_of(session, "other", "lfp").kept == line_of(session, "other", "notes").kept == 0


def test_series_and_intervals_beside_the_activity():
    session = read_pynapple(
        group(),
        series={"position": frame(), "pupil": (np.arange(90.0), np.arange(90.0))},
        intervals={"trials": nap.IntervalSet([0, 10], [5, 15]), "epochs": SUPPORT},
    )
    assert set(session.series) == {"position", "pupil"}
    assert {name: t.sizes["interval"] for name, t in session.intervals.items()} == {
        "trials": 2, "epochs": 2,
    }  # fmt: skip


def test_a_dict_whose_only_activity_is_a_wide_frame():
    session = read_pynapple({"dff": frame(columns=range(6)), "position": frame()})
    assert session.n_units == 6 and set(session.series) == {"position"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: {"a": group(), "b": group()}, r"found: a \(TsGroup\), b \(TsGroup\)"),
        (lambda: {"position": frame()}, r"needed as the activity; found: position \(TsdFrame\)"),
        (dict, "found: nothing"),
        (lambda: nap.Tsd(t=np.arange(5), d=np.arange(5)), "a Tsd holds no population"),
        (lambda: 5, "a int holds no population"),
    ],
)
def test_objects_without_one_population(make, message):
    with pytest.raises(BadInput, match=message):
        read_pynapple(make())


def test_pynapple_is_never_imported():
    code = "import sys, nwbsparse.io.arrays.pynapple; sys.exit('pynapple' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not DATA, reason="NWBSPARSE_DATA names no folder of recordings")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["mouse-psb-a8604.nwb", "rat-ca1-w-maze.nwb"])
def test_what_pynapple_loads_is_what_we_read(name):
    path = Path(DATA or "") / name
    loaded, read = read_pynapple(nap.load_file(str(path))), read_nwb(path)
    np.testing.assert_array_equal(loaded.units["unit_id"], read.units["unit_id"])
    np.testing.assert_allclose(loaded.spike_times, read.spike_times, atol=1e-9)
    assert {k: s.data.shape for k, s in loaded.series.items()} == {
        k: s.data.shape for k, s in read.series.items()
    }
    assert set(loaded.intervals) == set(read.intervals)

"""Reading NWB: what is found, where it ends up, and what the report says of the rest."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from make.recordings import (
    circle,
    damaged,
    laps,
    line_of,
    poisson_spikes,
    reasons,
    replace_dataset,
    write_recording,
)
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb


def test_a_plain_recording_is_read_whole(tmp_path):
    spikes = poisson_spikes()
    path = write_recording(
        tmp_path / "a.nwb", spike_times=spikes, position=circle(), trials=laps(),
        subject={"subject_id": "rat 1", "species": "Rattus norvegicus"},
    )  # fmt: skip
    session = read_nwb(path)
    assert session.n_units == 4
    for row, times in enumerate(spikes):
        np.testing.assert_array_equal(session.spikes_of(row), times)
    np.testing.assert_array_equal(session.units["n_spikes"], [len(t) for t in spikes])
    assert session.units["unit_id"].values.tolist() == [0, 1, 2, 3]
    assert session.subject == {"subject_id": "rat 1", "species": "Rattus norvegicus"}
    assert session.extent is None
    assert session.invalid_times is None
    assert session.obs_intervals is None
    source = session.source
    assert (source.path, source.identifier, source.session_id) == (path, "synthetic", "session 1")
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.units_path == "/units"
    assert len(source.units_object_id) == len(source.object_id) == 36
    assert source.nwb_version.startswith("2.")
    assert all(line.dropped == 0 for line in session.report.lines)


def test_reading_changes_nothing_and_leaves_the_file_closed(tmp_path):
    path = write_recording(tmp_path / "a.nwb", position=circle())
    before = path.read_bytes()
    read_nwb(path)
    assert path.read_bytes() == before
    with damaged(path) as file:  # would fail to lock a file that is still open
        file.attrs["touched"] = True


def test_units_keep_every_column_of_one_value_per_unit(tmp_path):
    path = write_recording(
        tmp_path / "a.nwb",
        unit_ids=[6, 191, 206, 3],
        unit_columns={
            "quality": ["good", "mua", "good", "good"],
            "snr": [1.5, 2.0, 3.0, np.nan],
            "n_spikes": [1, 2, 3, 4],
            "waveform": [np.zeros(5)] * 4,
        },
        electrodes={"location": ["CA1", "CA3", "DG", "CA1"], "depth": [1.0, 2.0, 3.0, 4.0]},
    )
    session = read_nwb(path)
    units = session.units
    assert units["unit_id"].values.tolist() == [6, 191, 206, 3]
    assert units["quality"].values.tolist() == ["good", "mua", "good", "good"]
    assert units["snr"].values[:3].tolist() == [1.5, 2.0, 3.0]
    assert units["region"].values.tolist() == ["CA1", "CA3", "DG", "CA1"]
    assert units["depth"].values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert units["electrode_group"].values.tolist() == ["shank"] * 4
    assert units["n_spikes_column"].values.tolist() == [1, 2, 3, 4]
    assert "waveform" not in units
    assert "more than one value per row" in reasons(session, "column", "units/waveform")
    assert line_of(session, "column", "units/waveform").kept == 0
    assert "'location' of the first electrode" in reasons(session, "column", "units/region")
    assert units["first_electrode"].values.tolist() == [0, 1, 2, 3]
    assert "the id of the first" in reasons(session, "column", "units/first_electrode")


def test_names_of_units_that_look_like_numbers_stay_text(tmp_path):
    names = ["001", "010", "a", "b"]
    path = write_recording(tmp_path / "a.nwb", unit_columns={"unit_name": names})
    assert read_nwb(path).units["unit_name"].values.tolist() == names


def test_a_column_that_the_table_does_not_list_is_read_and_said_so(tmp_path):
    path = write_recording(
        tmp_path / "a.nwb", trials=laps(), unit_columns={"snr": [1.0, 2.0, 3.0, 4.0]}
    )
    with damaged(path) as file:
        for table, column in (("units", "snr"), ("intervals/trials", "side")):
            listed = [name for name in file[table].attrs["colnames"] if name != column]
            file[table].attrs["colnames"] = listed
    session = read_nwb(path)
    assert session.units["snr"].values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert session.intervals["trials"]["side"].attrs["kind"] == "category"
    for name in ("units/snr", "trials/side"):
        assert "not listed in colnames" in reasons(session, "column", name)


def test_obs_intervals_are_read_per_unit(tmp_path):
    observed = [[(0, 50), (60, 100)], [(10, 20)], [], [(0, 100)]]
    session = read_nwb(write_recording(tmp_path / "a.nwb", obs_intervals=observed))
    assert session.obs_intervals is not None
    np.testing.assert_array_equal(session.obs_intervals[0], observed[0])
    np.testing.assert_array_equal(session.obs_intervals[1], observed[1])
    first, last = session.spike_times.min(), session.spike_times.max()
    np.testing.assert_array_equal(session.obs_intervals[2], [(first, last)])
    assert "rows 2: taken as observed" in reasons(session, "column", "units/obs_intervals")


def test_the_raw_series_states_the_extent_of_the_recording(tmp_path):
    raw = {"data": np.zeros((1200, 1)), "rate": 10.0, "starting_time": -5.0}
    path = write_recording(tmp_path / "a.nwb", electrodes={"location": ["CA1"] * 4}, raw=raw)
    session = read_nwb(path)
    assert session.extent == (-5.0, 115.0)
    assert "ElectricalSeries in /acquisition" in reasons(session, "other", "/acquisition/raw")
    assert line_of(session, "other", "/acquisition/raw").kept == 0


# intervals


def test_tables_of_intervals_keep_their_columns_with_kinds(tmp_path):
    trials = laps() | {"licks": [[1.0, 2.0]] * 10, "interval": np.arange(10.0) % 2}
    path = write_recording(
        tmp_path / "a.nwb", trials=trials, epochs=[(0, 50, ["run", "left"]), (50, 90, ["rest"])],
        tables={"ripples": {"start_time": [1.0, 2.0], "stop_time": [1.5, 2.5]}},
        invalid_times=[(3.0, 4.0)],
    )  # fmt: skip
    session = read_nwb(path)
    assert set(session.intervals) == {"trials", "epochs", "ripples"}
    table = session.intervals["trials"]
    assert table.sizes == {"interval": 10}
    assert table["side"].attrs["kind"] == "category"
    assert table["reward"].attrs["kind"] == "continuous"
    assert table["id"].attrs["kind"] == "identifier"
    assert "interval_column" in table
    assert table.attrs["path"] == "/intervals/trials"
    assert "licks" not in table
    assert "ragged" in reasons(session, "column", "trials/licks")
    assert session.intervals["epochs"]["tags"].values.tolist() == ["run,left", "rest"]
    np.testing.assert_array_equal(session.invalid_times, [[3.0, 4.0]])


def test_a_table_without_rows_is_read(tmp_path):
    path = write_recording(tmp_path / "a.nwb", trials=laps())
    with damaged(path) as file:
        for name in ("id", "start_time", "stop_time", "side", "reward"):
            held = file["intervals/trials"][name]
            replace_dataset(file, f"intervals/trials/{name}", np.empty(0, held.dtype)) if (
                held.dtype.kind != "O"
            ) else held.resize((0,))
    assert read_nwb(path).intervals["trials"].sizes == {"interval": 0}


# the report and the environment


def test_warnings_of_libraries_go_to_the_report_once(tmp_path):
    path = write_recording(tmp_path / "a.nwb", electrodes={"location": ["CA1"] * 4})
    with damaged(path) as file:
        for i in range(2):
            device = file["general/devices"].create_group(f"device {i}")
            device.attrs.update(file["general/devices/probe"].attrs)
            device.attrs["object_id"] = f"device-{i}"
            device.attrs["manufacturer"] = "somebody"
    session = read_nwb(path)  # every warning is an error in these tests
    [warning] = session.report.warnings
    assert warning.startswith("DeprecationWarning: The 'manufacturer' field")


def test_times_in_other_units_are_scaled_on_request(tmp_path):
    spikes = [times * 1000 for times in poisson_spikes()]
    observed = [[(0, 50_000)]] * 4
    path = write_recording(tmp_path / "a.nwb", spike_times=spikes, obs_intervals=observed)
    session = read_nwb(path, time_scale=0.001)
    np.testing.assert_allclose(session.spikes_of(0), poisson_spikes()[0])
    assert session.obs_intervals is not None
    np.testing.assert_allclose(session.obs_intervals[0], [(0, 50)])
    assert "multiplied by 0.001" in reasons(session, "spikes", "spike_times")


@pytest.mark.parametrize("time_scale", [0.0, -1.0, float("nan")])
def test_a_time_scale_that_is_no_scale_is_refused(tmp_path, time_scale):
    with pytest.raises(BadInput, match="time_scale must be a positive number"):
        read_nwb(tmp_path / "a.nwb", time_scale=time_scale)


def test_strict_lists_every_problem_at_once(tmp_path):
    spikes = poisson_spikes()
    spikes[1][5] = np.nan
    trials = laps()
    trials["stop_time"] = trials["stop_time"].copy()
    trials["stop_time"][3] = np.nan
    path = write_recording(
        tmp_path / "a.nwb", spike_times=spikes, trials=trials, unit_ids=[1, 1, 2, 3]
    )
    with pytest.raises(BadInput) as refused:
        read_nwb(path, strict=True)
    message = str(refused.value)
    assert "3 problems" in message
    assert str(path) in message
    for part in ("1 NaN or infinite time dropped", "ids are not unique (1)", "1 row (3) with NaN"):
        assert part in message
    assert read_nwb(path).n_units == 4


def test_importing_the_package_does_not_import_pynwb():
    code = "import nwbsparse, nwbsparse.io, sys; assert 'pynwb' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

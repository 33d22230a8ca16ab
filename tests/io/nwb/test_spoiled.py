"""One object that cannot be built: the kind of fault is a whole recording that is lost for a part of it.

Members: a series with a clock of two rows, a column of another length, a column that is listed but not
there, a dataset without a shape, a field of the file itself; each is left out by its name.
"""

import h5py
import numpy as np
import pytest

from make.odd_columns import replace
from make.recordings import (
    damaged,
    laps,
    line_of,
    poisson_spikes,
    time_series,
    write_recording,
)
from nwbsparse import read
from nwbsparse.errors import BadInput

SPIKES = poisson_spikes()
RUNNING = "/processing/behavior/running"


@pytest.fixture
def recording(tmp_path):
    return write_recording(
        tmp_path / "a.nwb", spike_times=SPIKES, trials=laps(),
        behaviour=[time_series("running", data=np.ones(200), timestamps=np.arange(200) / 2),
                   time_series("licking", data=np.arange(200) % 7, rate=2.0)],
        unit_columns={"quality": list("abcd"), "depth": [1.0, 2.0, 3.0, 4.0]},
        electrodes={"location": list("wxyz")},
    )  # fmt: skip


def two_rows_of_stamps(file):
    replace(file, f"{RUNNING}/timestamps", np.zeros((2, 200)))
    return RUNNING


def a_column_of_another_length(file):
    replace(file, "/units/depth", np.ones(3))
    return "/units/depth"


def a_column_that_is_not_there(file):
    file["units"].attrs["colnames"] = [*file["units"].attrs["colnames"], "waveform"]
    return "/units/waveform"


def a_dataset_without_a_shape(file):
    replace(file, "/units/quality", h5py.Empty("f8"))
    return "/units/quality"


def a_series_without_data(file):
    replace(file, f"{RUNNING}/data", h5py.Empty("f8"))
    return f"{RUNNING}/data"


def ids_that_do_not_fit(file):
    replace(file, "/units/id", np.arange(3))
    return "/units/id"


@pytest.mark.parametrize(
    "spoil",
    [
        *(two_rows_of_stamps, a_column_of_another_length, a_column_that_is_not_there),
        *(a_dataset_without_a_shape, a_series_without_data, ids_that_do_not_fit),
    ],
)
def test_the_rest_is_read_and_what_is_left_out_is_named(recording, spoil):
    with damaged(recording) as file:
        place = spoil(file)
    session = read(recording)
    assert session.n_units == 4
    for row, times in enumerate(SPIKES):
        np.testing.assert_array_equal(session.spikes_of(row), times)
    assert "licking" in session.series
    assert session.intervals["trials"].sizes["interval"] == 10
    assert session.units["region"].values.tolist() == list("wxyz")
    line = line_of(session, "other", place)
    assert (line.found, line.kept) == (1, 0)
    assert line.reasons[0].startswith("left out")
    with pytest.raises(BadInput, match=f"{place}: left out"):
        read(recording, strict=True)


def test_several_are_found_at_once_and_each_is_named(tmp_path):
    names = [f"trace_{at}" for at in range(6)]
    path = write_recording(
        tmp_path / "a.nwb", spike_times=SPIKES,
        acquisition=[time_series(name, data=np.ones(9), timestamps=np.arange(9.0)) for name in names],
    )  # fmt: skip
    with damaged(path) as file:
        for name in names[:5]:
            replace(file, f"/acquisition/{name}/timestamps", np.zeros((2, 9)))
    session = read(path)
    assert session.n_units == 4
    gone = [line.name for line in session.report.lines if "cannot build" in " ".join(line.reasons)]
    assert gone == [f"/acquisition/{name}" for name in names[:5]]


def test_a_table_that_cannot_be_built_takes_what_points_to_it_along(recording):
    with damaged(recording) as file:
        group = "/general/extracellular_ephys/electrodes"
        del file[f"{group}/location"]
        file[group].attrs["colnames"] = [
            name for name in file[group].attrs["colnames"] if name != "location"
        ]
    session = read(recording)
    assert session.n_units == 4
    assert "region" not in session.units or set(session.units["region"].values) == {""}


def test_what_the_spikes_themselves_need_is_still_refused_and_named(recording):
    with damaged(recording) as file:
        replace(file, "/units/spike_times_index", np.arange(3, dtype=np.uint64))
    with pytest.raises(BadInput, match=r"(?s)no Units in .*/units/spike_times_index: left out"):
        read(recording)

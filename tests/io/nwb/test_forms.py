"""Columns of unexpected form: the kind of fault is a form that nobody foresaw, which ends in a crash.

Whatever stands in a file where values per row should, the file is read without it or refused in words.
"""

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from make.odd_columns import DTYPES, ROWS, SHAPES, columns_in, put, replace, write_everything
from make.recordings import damaged, reasons
from nwbsparse import read
from nwbsparse.errors import BadInput

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return write_everything(tmp_path_factory.mktemp("forms") / "a.nwb")


@pytest.fixture
def copy(everything, tmp_path):
    return shutil.copy(everything, tmp_path / "a.nwb")


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_every_form_in_every_place_is_read_or_refused_in_words(everything, tmp_path, data):
    column = data.draw(st.sampled_from(columns_in(everything)))
    dtype, shape = (
        data.draw(st.sampled_from(list(DTYPES))),
        data.draw(st.sampled_from(list(SHAPES))),
    )
    series = data.draw(st.sampled_from([None, "dff"]))
    path = shutil.copy(everything, tmp_path / "a.nwb")
    put(path, column, dtype, shape)
    options = {} if series is None else {"series": series}
    try:
        session = read(path, **options)
    except BadInput:
        return
    assert session.n_units == ROWS or session.report.lines


@pytest.mark.parametrize(
    "column",
    [
        *("units/spike_times", "units/spike_times_index", "units/quality", "units/electrodes"),
        *("units/id", "intervals/trials/start_time", "intervals/trials/stop_time"),
        *("intervals/trials/side", "general/extracellular_ephys/electrodes/depth"),
        *("processing/behavior/BehavioralEvents/licks/data", "acquisition/notes/timestamps"),
        *("processing/behavior/Position/position/timestamps", "processing/ecephys/ripples/times"),
    ],
)
def test_a_column_of_matlab_reads_as_the_vector_that_it_is(everything, copy, column):
    with damaged(copy) as file:
        replace(file, column, file[column][()][:, None])
    whole, session = read(everything), read(copy)
    np.testing.assert_array_equal(session.spike_times, whole.spike_times)
    assert session.units.identical(whole.units)
    assert (
        session.intervals["trials"].drop_attrs().identical(whole.intervals["trials"].drop_attrs())
    )
    for name, events in whole.events.items():
        np.testing.assert_array_equal(session.events[name].times, events.times)
        np.testing.assert_array_equal(session.events[name].labels, events.labels)
    np.testing.assert_array_equal(session.series["position"].times, whole.series["position"].times)


def test_rois_of_matlab_are_the_same_rois(everything, copy):
    with damaged(copy) as file:
        rois = "processing/ophys/Fluorescence/dff/rois"
        replace(file, rois, file[rois][()][:, None])
    assert read(copy, series="dff").units.identical(read(everything, series="dff").units)


@pytest.mark.parametrize("shape", ["pairs", "three axes", "no columns"])
def test_what_is_no_vector_is_left_out_and_the_reason_said(copy, shape):
    put(copy, "intervals/trials/start_time", "float64", shape)
    session = read(copy)
    assert "trials" not in session.intervals
    assert "start_time" in " ".join(
        reason for line in session.report.lines for reason in line.reasons if "trials" in line.name
    )
    with pytest.raises(BadInput, match="start_time"):
        read(copy, strict=True)


def test_observed_stretches_that_are_references_are_left_out(copy):
    put(copy, "units/obs_intervals", "references", "pairs")
    session = read(copy)
    assert session.obs_intervals is None
    assert "observed throughout" in reasons(session, "column", "units/obs_intervals")

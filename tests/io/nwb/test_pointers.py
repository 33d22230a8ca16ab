"""Pointers past their table: the kind of fault is to trust the others of the same column.

A column that counts from 1 is off by one in every row, and only its last pointer shows it. Members:
electrodes, ROIs, the index of a ragged column, the conditions and labels of events.
"""

import shutil

import numpy as np
import pytest

from make.odd_columns import ROWS, replace, write_everything
from make.recordings import damaged, line_of, poisson_spikes, reasons, write_recording
from nwbsparse import read
from nwbsparse.errors import BadInput
from nwbsparse.io.rules.vectors import OddForm, pointers

SPIKES = poisson_spikes()


@pytest.fixture
def recording(tmp_path):
    return write_recording(
        tmp_path / "a.nwb",
        spike_times=SPIKES,
        electrodes={"location": ["CA1", "CA1", "CA3", "CA3"]},
    )


@pytest.mark.parametrize("shift", [1, 7, -1])
def test_no_unit_gets_the_region_of_another(recording, shift):
    with damaged(recording) as file:
        file["units/electrodes"][...] = file["units/electrodes"][()].astype(int) + shift
    session = read(recording)
    assert "region" not in session.units
    assert "first_electrode" not in session.units
    said = reasons(session, "column", "units/electrodes")
    assert "none of its pointers can be trusted" in said
    assert ("does it count from 1?" in said) == (shift == 1)
    with pytest.raises(BadInput, match="units/electrodes"):
        read(recording, strict=True)


def test_an_index_of_electrodes_past_them_is_trusted_in_no_row(recording):
    with damaged(recording) as file:
        file["units/electrodes_index"][...] = file["units/electrodes_index"][()] + 1
    session = read(recording)
    assert "region" not in session.units
    assert len(line_of(session, "column", "units/electrodes").reasons) == 1


def test_rois_are_numbered_where_one_pointer_lies_past_their_table(tmp_path):
    path = shutil.copy(write_everything(tmp_path / "b.nwb"), tmp_path / "a.nwb")
    with damaged(path) as file:
        rois = "processing/ophys/Fluorescence/dff/rois"
        replace(file, rois, file[rois][()].astype(np.int64) + 1)
    session = read(path, series="dff")
    assert session.units["unit_id"].values.tolist() == list(range(ROWS))
    assert "count from 1" in reasons(session, "column", "rois/id")


def test_an_index_of_spikes_that_counts_from_one_gives_no_unit_a_spike_of_another(recording):
    with damaged(recording) as file:
        file["units/spike_times_index"][...] = file["units/spike_times_index"][()] + 1
    session = read(recording)
    assert session.n_units == 4
    for row, times in enumerate(SPIKES):
        assert set(session.spikes_of(row)) <= set(times)
        assert len(session.spikes_of(row)) >= len(times) - 1
    line = line_of(session, "spikes", "spike_times")
    assert line.dropped == 3
    assert "does it count from 1? 3 spikes dropped" in " ".join(line.reasons)
    with pytest.raises(BadInput, match="count from 1"):
        read(recording, strict=True)


@pytest.mark.parametrize("values", [[0, 1, 4], [-1, 0, 1], [0, 1, 0.5], [np.nan, 0, 1]])
def test_all_pointers_go_where_one_cannot_be_right(values):
    with pytest.raises(OddForm, match=r"none of its pointers|no rows"):
        pointers(np.array(values), 4, what="it", of="a table")

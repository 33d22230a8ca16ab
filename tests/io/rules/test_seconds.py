"""Rates are those of the observed time, and who says what times are in has answered.

The kind of fault: a rate over the whole span of a recording that ran a few hours a day.
"""

import numpy as np
import pytest

import nwbsparse as ns
from make.recordings import write_recording
from make.sortings import kilosort_folder
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb

DAY = 86_400.0
N_DAYS = 6


def days(rate, *, hours=1.0, seed=0):
    """One unit per day, which fires while it is observed, and when that was."""
    rng = np.random.default_rng(seed)
    starts = np.arange(N_DAYS) * DAY
    seen = [[(start, start + hours * 3600)] for start in starts]
    n = int(rate * hours * 3600)
    return [np.sort(rng.uniform(*own[0], n)) for own in seen], seen


@pytest.mark.fault(34)
def test_units_that_are_observed_a_few_hours_each_are_read(tmp_path):
    spikes, seen = days(1.0)
    path = write_recording(tmp_path / "a.nwb", spike_times=spikes, obs_intervals=seen)
    assert read_nwb(path).n_units == N_DAYS
    assert ns.read(spikes, obs_intervals=[np.array(own) for own in seen]).n_units == N_DAYS
    assert ns.read(spikes).n_units == N_DAYS  # hours in which nobody fires were not recorded


@pytest.mark.fault(34)
@pytest.mark.parametrize("observed", [True, False])
def test_almost_no_rate_in_the_observed_time_is_refused_until_it_is_answered(tmp_path, observed):
    spikes, seen = days(0.01, hours=20.0)
    seen = seen if observed else None
    path = write_recording(tmp_path / "a.nwb", spike_times=spikes, obs_intervals=seen)
    with pytest.raises(BadInput, match=r"time_scale .*; 1 says that they are seconds"):
        read_nwb(path)
    assert read_nwb(path, time_scale=1.0).n_units == N_DAYS
    with pytest.raises(BadInput, match="look like samples"):
        ns.read(spikes)
    assert ns.read(spikes, time_scale=1.0).n_units == N_DAYS


@pytest.mark.fault(35)
def test_unix_times_are_refused_whatever_they_are_said_to_be_in():
    with pytest.raises(BadInput, match="Unix time"):
        ns.read([1.7e9 + np.arange(100.0)], time_scale=1.0)


def test_a_sorting_is_asked_for_its_rate_and_takes_the_answer(tmp_path):
    folder = kilosort_folder(tmp_path / "ks")
    (folder / "params.py").write_text("sample_rate = 10.0\n")
    with pytest.raises(BadInput, match="--sampling-frequency"):
        ns.read(folder)
    assert ns.read(folder, sampling_frequency=10.0).n_units == 8

"""Power of a field potential in a band: right in size, in time, and however it was read."""

from __future__ import annotations

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.ecephys import LFP, ElectricalSeries

from make.recordings import START, damaged, reasons, replace_dataset, time_series, write_recording
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.band import _stretch
from nwbsparse.io.nwb.power import BandPower
from nwbsparse.io.nwb.read import read_nwb

HZ, SECONDS = 500.0, 20.0


def sines() -> np.ndarray:
    """Four channels: 3·sin at 100 Hz, 1·sin at 20 Hz, their sum, a constant."""
    t = np.arange(int(HZ * SECONDS)) / HZ
    inside, outside = 3 * np.sin(2 * np.pi * 100 * t), np.sin(2 * np.pi * 20 * t)
    return np.column_stack([inside, outside, inside + outside, np.ones_like(t)])


def potentials(path, data, **given):
    nwbfile = NWBFile("a synthetic recording", "synthetic", START)
    nwbfile.add_unit(spike_times=np.arange(50.0))
    device = nwbfile.create_device("probe")
    group = nwbfile.create_electrode_group("shank", description="s", location="CA1", device=device)
    for i in range(4):
        nwbfile.add_electrode(group=group, location=f"area {i}")
    region = nwbfile.create_electrode_table_region([0, 1, 2, 3], "all")
    clock = {} if "timestamps" in given else {"rate": HZ, "starting_time": 2.0}
    series = ElectricalSeries(name="field", data=data, electrodes=region, **(clock | given))
    container = LFP()
    nwbfile.create_processing_module("ecephys", "e").add(container)
    container.add_electrical_series(series)
    with NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


FIELD = "/processing/ecephys/LFP/field"


def test_the_power_of_a_sine_in_the_band_is_half_its_squared_amplitude(tmp_path):
    path = potentials(
        tmp_path / "a.nwb", sines(), conversion=2.0, channel_conversion=[1.0, 1.0, 1.0, 0.5]
    )
    session = read_nwb(path, series="LFP", band=(70.0, 150.0))
    traces = session.traces
    assert traces is not None
    inner = traces.data[50:-50]
    expected = 4 * np.array([9 / 2, 0, 9 / 2, 0])
    np.testing.assert_allclose(inner, np.broadcast_to(expected, inner.shape), atol=0.02, rtol=0.005)
    assert traces.unit == "volts²"
    np.testing.assert_allclose(traces.times[:2], [2.001, 2.005])  # means of two samples
    assert session.extent == pytest.approx((2.0, 22.0))
    assert session.units["unit_id"].values.tolist() == [0, 1, 2, 3]
    assert session.units["region"].values.tolist() == [f"area {i}" for i in range(4)]
    assert set(session.units["modality"].values) == {"lfp"}
    said = reasons(session, "traces", FIELD)
    assert "between 70 and 150 Hz: 10,000 samples at 500 Hz gave 5,000 means of 2" in said
    low = read_nwb(path, band=(10.0, 40.0)).traces  # the only field potential
    assert low is not None
    np.testing.assert_allclose(low.data[300:-300, 1], 4 / 2, rtol=0.005)
    np.testing.assert_allclose(low.data[300:-300, 0], 0, atol=0.02)


def test_power_does_not_depend_on_how_it_was_read():
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(20_000, 2))
    power = BandPower(6.0, 10.0, 1000.0)

    def piece(start, stop):
        return signal[start:stop].copy()

    whole, parts = (_stretch(piece, 0, 20_000, 2, power, n) for n in (10**9, 1000))
    assert power.reach < 9000
    assert whole.shape == (4000, 2)
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-6 * whole.max())


def test_power_never_crosses_a_gap_and_keeps_missing_samples_missing(tmp_path):
    stamps = np.arange(10_000) / HZ
    stamps[4001:] += 30
    data = sines()
    data[1000:1010, 0] = np.nan
    session = read_nwb(
        potentials(tmp_path / "a.nwb", data, timestamps=stamps), series="field", band=(70.0, 150.0)
    )
    traces = session.traces
    assert traces is not None
    assert session.obs_intervals is not None
    np.testing.assert_allclose(session.obs_intervals[0], [[0, 8], [38.002, 49.998]], atol=1e-9)
    assert np.isnan(traces.data[500:505, 0]).all()
    assert int(np.isnan(traces.data).sum()) == 5
    around = traces.data[2100:2900]  # well after the gap; before it, the other stretch
    np.testing.assert_allclose(around[:, 2], 9 / 2, rtol=0.01)
    said = reasons(session, "traces", FIELD)
    assert "2 samples left over" in said
    assert "1 gap in its clock" in said


def test_channels_stored_first_are_turned(tmp_path):
    path = potentials(tmp_path / "a.nwb", sines())
    with damaged(path) as file:
        replace_dataset(file, f"{FIELD}/data", sines().T)
    session = read_nwb(path, series="field", band=(70.0, 150.0))
    assert session.n_units == 4
    assert "channels first: transposed" in reasons(session, "traces", FIELD)


def test_a_field_potential_needs_a_band_that_fits(tmp_path):
    path = potentials(tmp_path / "a.nwb", sines())
    assert "band=(low, high)" in reasons(read_nwb(path), "other", FIELD)
    with pytest.raises(BadInput, match=r"is a field potential: give band=\(low, high\)"):
        read_nwb(path, series="field")
    with pytest.raises(BadInput, match="holds frequencies below 250 Hz"):
        read_nwb(path, series="field", band=(100.0, 300.0))
    with pytest.raises(BadInput, match="has no stretch as long as one period"):
        read_nwb(path, series="field", band=(0.01, 1.0))
    wheel = time_series("wheel", data=np.zeros(400), rate=10.0, starting_time=0.0)
    other = write_recording(tmp_path / "b.nwb", acquisition=[wheel])
    with pytest.raises(BadInput, match="band is for electrical series"):
        read_nwb(other, series="wheel", band=(1.0, 2.0))
    with pytest.raises(BadInput, match="holds no electrical series"):
        read_nwb(other, band=(1.0, 2.0))

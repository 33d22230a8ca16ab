"""Simulations: the published bits, the planted truth, and NWB files that hold exactly them."""

import hashlib
import io

import numpy as np
import pynwb
import pytest
from pynwb import NWBHDF5IO

from nwbsparse.errors import BadInput
from nwbsparse.simulate.nwb import write_simulation
from nwbsparse.simulate.placecells import simulate_placecells
from nwbsparse.simulate.superposition import simulate_superposition


@pytest.fixture(scope="module")
def placecells():
    return simulate_placecells()


def npy_sha256(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return hashlib.sha256(stream.getvalue()).hexdigest()


def test_motion_and_spikes_have_the_published_hashes(placecells):
    assert npy_sha256(placecells.positions) == (
        "f9903aa2127fc53d10e478ada0a21142ff437d07efaecce4c29c4e826fc9eb3a"
    )
    assert npy_sha256(placecells.velocities) == (
        "3eb467a1d286933d04c8b0ba3b306a1783c743ef757b68bc9b10ad549d6499a1"
    )
    assert npy_sha256(placecells.spikes) == (
        "ce5bd9573966e96cd36a44a68cc4e84836c95f749a59260e87398aaab06db09f"
    )
    assert npy_sha256(simulate_placecells("separate").spikes) == (
        "aa434315c8443c3fa4d5bdfe7de795db133c7dce85ce190f186724b04153bdaf"
    )


def test_the_planted_fields_are_where_they_should_be(placecells):
    assert [field.centre for field in placecells.fields] == [0.2, 0.4, 0.7, 0.7]
    for field, row in zip(placecells.fields, placecells.spikes, strict=False):
        assert field.shape(np.array([field.centre])) == [1.0]
        inside = np.abs(placecells.positions - field.centre) < 0.02
        outside = field.shape(placecells.positions) < 1e-3
        assert row[inside].mean() / placecells.dt == pytest.approx(field.peak, rel=0.2)
        assert row[outside].mean() / placecells.dt < 0.3
    assert placecells.positions.min() >= 0
    assert placecells.positions.max() <= 1


def test_an_unknown_variant_is_refused():
    with pytest.raises(BadInput, match="overlapping, separate"):
        simulate_placecells("nested")


def test_the_nwb_file_holds_the_simulation(placecells, tmp_path):
    path = write_simulation(placecells, tmp_path / "new" / "cells.nwb")
    assert pynwb.validate(path=str(path)) == []
    with NWBHDF5IO(path, "r") as stream:
        nwbfile = stream.read()
        units = nwbfile.units
        assert len(units) == 100
        for row in (0, 3, 4, 99):
            steps = units["spike_times"][row] / placecells.dt
            np.testing.assert_allclose(steps % 1, 0.5, atol=1e-6)
            np.testing.assert_array_equal(
                np.floor(steps).astype(int), np.flatnonzero(placecells.spikes[row])
            )
        assert list(units["cell_type"][:]) == ["place"] * 4 + ["noise"] * 96
        np.testing.assert_array_equal(units["field_centre"][:4], [0.2, 0.4, 0.7, 0.7])
        np.testing.assert_array_equal(units["obs_intervals"][0], [[0.0, 600.0]])
        series = nwbfile.processing["behavior"]["Position"]["position"]
        np.testing.assert_array_equal(series.data[:], placecells.positions)
        assert (series.rate, series.starting_time, series.unit) == (100.0, 0.0, "meters")


def test_an_existing_file_is_left_alone_unless_told_otherwise(tmp_path):
    recording = simulate_superposition(n_bins=200, n_units=10, n_sources=12, units_per_source=3)
    path = tmp_path / "a.nwb"
    path.write_bytes(b"mine")
    with pytest.raises(BadInput, match="exists"):
        write_simulation(recording, path)
    assert path.read_bytes() == b"mine"
    write_simulation(recording, path, overwrite=True)
    assert path.read_bytes()[:4] == b"\x89HDF"
    assert [p.name for p in tmp_path.iterdir()] == ["a.nwb"]


SMALL = {"n_bins": 3000, "n_units": 20, "n_sources": 30, "units_per_source": 4}


def test_superposition_has_more_sources_than_units_of_unit_length():
    made = simulate_superposition(**SMALL)
    assert made.counts.shape == (3000, 20)
    assert made.counts.dtype == np.uint8
    assert made.events.shape == (3000, 30)
    assert made.dictionary.shape == (30, 20)
    np.testing.assert_allclose(np.linalg.norm(made.dictionary, axis=1), 1)
    assert (made.dictionary >= 0).all()
    assert ((made.dictionary > 0).sum(axis=1) == 4).all()
    assert made.events.mean() == pytest.approx(0.02, rel=0.1)


def test_superposition_is_decided_by_its_seed():
    one, same, other = (simulate_superposition(seed=seed, **SMALL) for seed in (3, 3, 4))
    for name in ("counts", "dictionary", "events"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        assert not np.array_equal(getattr(one, name), getattr(other, name))


def test_an_event_adds_spikes_to_its_own_units_only():
    made = simulate_superposition(**(SMALL | {"n_bins": 20_000}))
    counts = made.counts.astype(float)
    for source in range(5):
        on = made.events[:, source]
        added = counts[on].mean(axis=0) - counts[~on].mean(axis=0)
        driven = made.dictionary[source] > 0
        assert added[driven].min() > 0.5
        assert np.abs(added[~driven]).max() < 0.3


@pytest.mark.fault(47)
def test_a_large_gain_does_not_wrap_the_counts_around():
    few = simulate_superposition(gain=10.0, **SMALL).counts
    many = simulate_superposition(gain=1000.0, **SMALL).counts
    assert many.mean() / few.mean() == pytest.approx(100, rel=0.1)


def test_binning_the_written_spikes_gives_the_counts_back(tmp_path):
    made = simulate_superposition(**SMALL)
    path = write_simulation(made, tmp_path / "superposition.nwb")
    assert pynwb.validate(path=str(path)) == []
    with NWBHDF5IO(path, "r") as stream:
        nwbfile = stream.read()
        for row in range(20):
            times = nwbfile.units["spike_times"][row]
            assert np.all(np.diff(times) > 0)
            bins = np.floor(times / made.bin_width).astype(int)
            counts = np.bincount(bins, minlength=3000)
            np.testing.assert_array_equal(counts, made.counts[:, row])
        sources = nwbfile.processing["simulation"]["sources"]
        np.testing.assert_array_equal(sources["unit_weights"][:], made.dictionary)

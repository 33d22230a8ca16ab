"""Folders as programs leave them: the kind of fault is a reader that is never asked.

The folder that a program makes is often one above the one that its reader takes; what to give instead is
said by that reader.
"""

import json

import numpy as np
import pytest

from nwbsparse import read
from nwbsparse.errors import BadInput

SPIKES = np.random.default_rng(0).random((5, 400), dtype=np.float32)


def plane(folder):
    folder.mkdir(parents=True)
    np.save(folder / "spks.npy", SPIKES)
    np.save(folder / "F.npy", SPIKES)
    np.save(folder / "iscell.npy", np.ones((5, 2)))
    return folder


def sorting(folder):
    folder.mkdir(parents=True)
    np.save(folder / "spike_times.npy", np.arange(0, 300_000, 300))
    np.save(folder / "spike_clusters.npy", np.zeros(1000, int))
    (folder / "params.py").write_text("sample_rate = 30000.\n")
    return folder


@pytest.mark.parametrize("above", ["suite2p/plane0", "plane0"])
def test_the_folder_around_a_single_plane_is_read_as_the_plane(tmp_path, above):
    whole = read(plane(tmp_path / above), sampling_frequency=10.0)
    for folder in [tmp_path, (tmp_path / above).parent]:
        session = read(folder, sampling_frequency=10.0)
        np.testing.assert_array_equal(session.traces.data, whole.traces.data)
        assert session.source.sha256 == whole.source.sha256


def test_of_several_planes_it_is_asked_which(tmp_path):
    plane(tmp_path / "suite2p/plane0")
    plane(tmp_path / "suite2p/plane1")
    for folder in (tmp_path, tmp_path / "suite2p"):
        with pytest.raises(BadInput, match="several planes: give one of plane0, plane1"):
            read(folder, sampling_frequency=10.0)


def test_the_folder_around_a_sorting_says_where_it_lies(tmp_path):
    inner = sorting(tmp_path / "kilosort4/sorter_output")
    with pytest.raises(BadInput, match=rf"spike_times.npy is missing; it is in {inner}"):
        read(tmp_path / "kilosort4")
    assert read(inner).n_units == 1


def test_a_folder_of_spikeinterface_says_how_it_is_given(tmp_path):
    (tmp_path / "spikeinterface_info.json").write_text(json.dumps({"object": "SortingAnalyzer"}))
    (tmp_path / "sorting").mkdir()
    with pytest.raises(BadInput, match=r"open it with spikeinterface\.load, and give"):
        read(tmp_path)


def test_a_folder_of_nothing_known_is_still_refused(tmp_path):
    (tmp_path / "movies").mkdir()
    with pytest.raises(BadInput, match=r"neither NWB Zarr, nor a Kilosort .* it holds movies"):
        read(tmp_path)

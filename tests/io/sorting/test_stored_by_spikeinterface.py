"""What SpikeInterface stored: its loader is the user's to call, and what it gives is read."""

import json
import warnings

import numpy as np
import pytest

import nwbsparse as ns
from nwbsparse.errors import BadInput
from nwbsparse.io.readers import what_is

FORMS = {"binary_folder": "analyzer", "zarr": "analyzer.zarr"}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """{form: the folder of an analyzer}, and the sorting that they are of."""
    core = pytest.importorskip("spikeinterface.core", reason="SpikeInterface writes the folders")
    recording, sorting = core.generate_ground_truth_recording(
        durations=[3.0], num_channels=4, num_units=4, seed=0
    )
    folder = tmp_path_factory.mktemp("stored")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the recording is made up, and is not stored with it
        for form, name in FORMS.items():
            core.create_sorting_analyzer(
                sorting, recording, format=form, folder=folder / name, sparse=False
            )
        sorting.save(folder=folder / "sorting.zarr", format="zarr")
    return folder, sorting


@pytest.mark.parametrize("name", [*FORMS.values(), "sorting.zarr"])
def test_a_folder_of_an_analyzer_is_named_and_how_it_is_read(stored, name):
    folder, _ = stored
    for read in (ns.read, what_is):
        with pytest.raises(
            BadInput, match=r"written by SpikeInterface.*spikeinterface.load, and give"
        ):
            read(folder / name)


@pytest.mark.parametrize("name", FORMS.values())
def test_what_its_loader_gives_is_read(stored, name):
    si = pytest.importorskip("spikeinterface")
    folder, sorting = stored
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the recording was not stored
        session = ns.read(si.load(folder / name))
    trains = [sorting.get_unit_spike_train(unit, segment_index=0) for unit in sorting.unit_ids]
    assert session.n_units == 4
    assert len(session.spike_times) == sum(map(len, trains))
    first = np.sort(trains[0]) / sorting.get_sampling_frequency()
    np.testing.assert_allclose(session.spike_times[: len(first)], first)


def test_attributes_of_zarr_3_say_it_too(tmp_path):
    said = {"zarr_format": 3, "node_type": "group", "attributes": {"spikeinterface_info": {}}}
    (tmp_path / "zarr.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(BadInput, match="written by SpikeInterface"):
        what_is(tmp_path)


@pytest.mark.parametrize("words", ["", "[1", "[]", '{"attributes": 3}'])
def test_other_stores_are_nwb_or_say_what_is_wrong_themselves(words, tmp_path):
    (tmp_path / ".zgroup").write_text("{}", encoding="utf-8")
    (tmp_path / ".zattrs").write_text(words, encoding="utf-8")
    assert what_is(tmp_path) == "NWB"

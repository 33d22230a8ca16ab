"""Coders that reconstruct other units than they read: both populations come back from the file."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO

from annotated.test_datasets import identical
from annotated.test_round_trip import equal
from make.configs import plain_config
from make.recordings import damaged, replace_dataset, write_recording
from make.results import made_results
from make.two_regions import QUICK, ids, planted, write_two_regions
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.annotated.write.verify import validation_errors
from nwbsparse.errors import BadInput, IntegrityError, NwbsparseWarning
from nwbsparse.results.results import open_results, write
from nwbsparse.runs.prepare import prepare
from nwbsparse.runs.run import run
from nwbsparse.share.validate import validate

MODEL = "/processing/sparse_latents/latents"
PARTS = ("latents", "metrics", "attribution")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_two_regions(tmp_path_factory.mktemp("two") / "two.nwb")


@pytest.fixture(scope="module")
def done(source):
    return run(source, source.parent / "run", plain_config(**QUICK, target_regions="CA1"))


@pytest.fixture(scope="module")
def again(done):
    return open_results(done.nwb)


def test_everything_comes_back(done, again):
    for part in PARTS:
        equal(getattr(done.results, part), getattr(again, part))
    assert again.coder.record == done.results.coder.record
    assert again.coder.id == done.results.coder.id


def test_units_are_those_of_their_region_in_the_order_of_the_table(again):
    rows = {i: row for row, (i, _, _) in enumerate(planted())}
    a = again.attribution
    assert a["input_unit_id"].values.tolist() == ids("CA3")
    assert a["unit_id"].values.tolist() == ids("CA1") == again.metrics["unit_id"].values.tolist()
    assert a["input_unit_row"].values.tolist() == [rows[i] for i in ids("CA3")]
    assert a["unit_row"].values.tolist() == [rows[i] for i in ids("CA1")]
    assert again.coder.record.unit_ids == tuple(map(str, ids("CA3")))
    assert again.coder.record.targets == tuple(map(str, ids("CA1")))
    assert a["input_region"].values.tolist() == ["CA3"] and a["region"].values.tolist() == ["CA1"]


def test_the_stored_coder_encodes_the_recording_in_the_file_to_the_stored_activations(again):
    binned = prepare(again.session, again.config)
    np.testing.assert_array_equal(dense(encode(again.coder, binned)), dense(again.latents))


def test_the_file_says_which_units_are_read_and_which_reconstructed(done):
    with NWBHDF5IO(done.nwb, "r") as io:
        nwbfile = io.read()
        model = nwbfile.processing["sparse_latents"]["latents"]
        read, made = model.input_population, model.output_population
        for population, region in ((read, "CA3"), (made, "CA1")):
            assert population["source_id"][:].tolist() == ids(region)
            assert population.source_table is nwbfile.units
            rows = population["source_row"][:]
            assert nwbfile.units.id[:][rows].tolist() == ids(region)
        coder = done.results.coder
        np.testing.assert_array_equal(read["offset"][:], coder.offset.numpy())
        np.testing.assert_array_equal(made["offset"][:], coder.target_offset.numpy())
        np.testing.assert_array_equal(made["scale"][:], coder.target_scale.numpy())
        assert model.decoder_weights.shape == (8, len(ids("CA1")))
        assert model.encoder_weights.shape == (len(ids("CA3")), 8)
        assert model.latents["top_units"].target.table is made
        tables = {name: one.targets.table for name, one in model.latent_attributions.items()}
        assert tables["weight"] is tables["ablation"] is tables["z"] is made
        for name in ("encoder_attribution", "encoder_weight", "input_correlation", "input_z"):
            assert tables[name] is read
        assert "test_r2" in made.colnames and "test_r2" not in read.colnames


def test_the_file_is_valid(done, source):
    report = validate(done.nwb)
    assert not report.damaged
    assert not [one for one in report.findings if one.severity == "error"]
    assert validation_errors(path=str(done.nwb)) <= validation_errors(path=str(source))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(source, results): made-up numbers, three units of six reconstructed from the others."""
    folder = tmp_path_factory.mktemp("made")
    spikes = [np.sort(np.random.default_rng(i).uniform(0, 100, 300)) for i in range(6)]
    path = write_recording(folder / "source.nwb", spike_times=spikes)
    return path, made_results(path, n_targets=3)


@pytest.mark.parametrize("mode", ["derived", "link", "zarr", "in_place"])
def test_every_mode_holds_both_populations(made, tmp_path, mode):
    source, results = made
    path = tmp_path / ("a.nwb.zarr" if mode == "zarr" else "a.nwb")
    if mode == "link":
        path = source.parent / "linked.nwb"
    if mode == "in_place":
        path.write_bytes(source.read_bytes())
    opened = open_results(write(results, path, mode))
    for part in PARTS:
        identical(getattr(results, part), getattr(opened, part))
    if mode != "zarr":
        assert not validate(path).damaged


def test_without_its_recording_a_linked_file_still_names_all_units(made, tmp_path):
    copy = tmp_path / "source.nwb"
    copy.write_bytes(made[0].read_bytes())
    path = write(made_results(copy, n_targets=3), tmp_path / "linked.nwb", "link")
    copy.unlink()
    with pytest.warns(NwbsparseWarning, match="is not here"):
        opened = open_results(path)
    assert sorted(opened.session.units["unit_id"].values.tolist()) == list(range(6))
    identical(made[1].attribution, opened.attribution)


def shifted(values):
    return values + 100


def swapped(values):
    return values[[1, 0, *range(2, len(values))]]


@pytest.mark.fault(19)
@pytest.mark.parametrize("population", ["input_population", "output_population"])
@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("source_row", shifted, "refers to rows"),
        ("source_row", swapped, "2 units of the recording have other ids"),
        ("source_id", shifted, "have other ids"),
    ],
)
def test_other_units_of_either_population_are_found(
    done, tmp_path, population, column, change, said
):
    path = tmp_path / "a.nwb"
    path.write_bytes(done.nwb.read_bytes())
    with damaged(path) as file:
        name = f"{MODEL}/{population}/{column}"
        replace_dataset(file, name, change(file[name][()]))
    report = validate(path)
    said_by_us = [one.what for one in report.findings if one.tool == "nwbsparse"]
    assert report.exit_code == 5
    assert any(said in one and population in one for one in said_by_us)
    with pytest.raises(IntegrityError, match=population):
        open_results(path)


@pytest.mark.fault(19)
def test_a_target_unit_that_has_another_id_in_the_recording_is_found(done, tmp_path):
    path = tmp_path / "a.nwb"
    path.write_bytes(done.nwb.read_bytes())
    with damaged(path) as file:
        held = file["units/id"][()]
        held[np.flatnonzero(held == ids("CA1")[0])] = 999
        replace_dataset(file, "units/id", held)
    report = validate(path)
    assert "1 units of the recording have other ids" in str(report.findings)
    with pytest.raises(BadInput, match="of which 19 are the same"):
        encode(open_results(path).coder, prepare(open_results(path).session, done.results.config))


def test_an_attribution_that_names_no_units_that_are_read_is_refused(made, tmp_path):
    _, results = made
    plain = results.attribution.drop_dims("input_unit")
    with pytest.raises(BadInput, match="says nothing of the units that the coder reads"):
        write(replace(results, attribution=plain), tmp_path / "a.nwb")
    other = made_results(made[0])
    theirs = results.attribution.assign_attrs(coder_id=other.coder.id)
    with pytest.raises(BadInput, match="reconstructs the units that it reads"):
        write(replace(other, attribution=theirs), tmp_path / "a.nwb")
    assert not list(tmp_path.iterdir())


def test_decoder_weights_of_several_lags_are_over_the_units_that_are_reconstructed(made, tmp_path):
    results = made_results(made[0], n_targets=2, encoder="window", window=3)
    path = write(results, tmp_path / "a.nwb")
    with h5py.File(path) as file:
        assert file[f"{MODEL}/decoder_weights"].shape == (results.coder.n_latents, 3, 2)
    assert open_results(path).coder.id == results.coder.id

"""Units of one table that are reconstructed from those of another: two tables of one file."""

from dataclasses import replace

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.ophys import Fluorescence, RoiResponseSeries

import nwbsparse as ns
from annotated.test_round_trip import equal
from make.cli_runs import run_cli
from make.configs import plain_config
from make.recordings import START, add_rois, damaged, replace_dataset, write_recording
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.errors import BadInput
from nwbsparse.share.validate import validate

WIDTH, SECONDS, N = 0.1, 300.0, 6
ROI_ROWS = [4, 0, 3]
ROI_IDS = np.arange(10, 16)
OPTIONS = {"n_latents": 8, "k": 1, "max_epochs": 30, "batch_size": 256, "n_shifts": 50}


def recording(path, *, seed=0):
    """Six units; ROI 0 of the series brightens with unit 0, ROI 1 with unit 1, ROI 2 with unit 2."""
    rng = np.random.default_rng(seed)
    n = int(SECONDS / WIDTH)
    events = rng.random((n, N)) < 0.1
    nwbfile = NWBFile("both", "both", START)
    for unit in range(N):
        counts = rng.poisson(0.02 + 5.0 * events[:, unit])
        times = (np.repeat(np.arange(n), counts) + rng.uniform(0.05, 0.95, counts.sum())) * WIDTH
        nwbfile.add_unit(spike_times=np.sort(times), id=unit + 10)
    rois = add_rois(nwbfile, ROI_IDS, location="V1")
    data = events[:, :3] + rng.normal(0, 0.1, (n, 3))
    series = RoiResponseSeries(
        name="traces", data=data, unit="a.u.", rate=1 / WIDTH, starting_time=WIDTH / 2,
        rois=rois.create_roi_table_region(description="three", region=ROI_ROWS),
    )  # fmt: skip
    fluorescence = Fluorescence()
    nwbfile.processing["ophys"].add(fluorescence)
    fluorescence.add_roi_response_series(series)
    with NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(source, bins of both, results)."""
    source = recording(tmp_path_factory.mktemp("tables") / "both.nwb")
    units, rois = ns.read(source), ns.read(source, series="traces")
    both = ns.with_target(ns.split(ns.to_bins(units, WIDTH)), rois)
    coder = ns.fit(both, plain_config(target_units="population == 'target'", **OPTIONS))
    latents = ns.encode(coder, both)
    results = ns.Results(
        units, coder, latents, ns.evaluate(coder, both), ns.explain(coder, both), target=rois
    )
    return source, both, results


@pytest.fixture(scope="module")
def path(made):
    return ns.write(made[2], made[0].parent / "annotated.nwb")


def test_both_populations_stand_in_the_bins_of_the_first(made):
    source, both, _ = made
    first = ns.to_bins(ns.read(source), WIDTH)
    np.testing.assert_array_equal(both["time"], first["time"])
    np.testing.assert_array_equal(both["counts"].values[:, :N], first["counts"].values)
    assert both["population"].values.tolist() == ["read"] * N + ["target"] * 3
    ids = [str(ROI_IDS[row]) for row in ROI_ROWS]
    assert both["unit_id"].values.tolist() == [
        *(str(unit + 10) for unit in range(N)),
        *(f"traces:{one}" for one in ids),
    ]
    assert both["unit_row"].values.tolist() == [*range(N), *ROI_ROWS]


def test_the_traces_are_reconstructed_from_the_spikes(made):
    _, _, results = made
    assert float(results.metrics["r2"]) > 0.3
    a = results.attribution
    for roi in range(3):
        latents = np.flatnonzero(a["weight"].values.argmax(axis=1) == roi)
        assert roi in a["encoder_attribution"].fillna(-9).values[latents].argmax(axis=1)


def test_results_come_back_with_both_sessions(made, path):
    _, both, results = made
    again = ns.open_results(path)
    for part in ("latents", "metrics", "attribution"):
        equal(getattr(results, part), getattr(again, part))
    assert again.coder.id == results.coder.id
    np.testing.assert_array_equal(again.target.traces.data, results.target.traces.data)
    assert again.target.source.units_path == results.target.source.units_path
    there = ns.revisit(path)
    np.testing.assert_array_equal(there.binned["counts"], both["counts"])
    np.testing.assert_array_equal(dense(ns.encode(again.coder, there.binned)), dense(again.latents))


def test_each_population_leads_to_its_own_table(path):
    with NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        rois = nwbfile.processing["ophys"]["ImageSegmentation"]["rois"]
        model = nwbfile.processing["sparse_latents"]["latents"]
        read, made = model.input_population, model.output_population
        assert read.source_table is nwbfile.units and made.source_table is rois
        assert made.source_table_object_id == rois.object_id != read.source_table_object_id
        assert made.source_table_path.endswith("ImageSegmentation/rois")
        assert made["source_row"][:].tolist() == ROI_ROWS
        assert made["source_id"][:].tolist() == ROI_IDS[ROI_ROWS].tolist()
        assert read["source_id"][:].tolist() == list(range(10, 10 + N))


def test_the_file_is_sound_and_a_changed_roi_is_found(path, tmp_path):
    assert not validate(path).damaged
    copy = tmp_path / "a.nwb"
    copy.write_bytes(path.read_bytes())
    with damaged(copy) as file:
        name = "processing/ophys/ImageSegmentation/rois/id"
        held = file[name][()]
        held[ROI_ROWS[1]] = 99
        replace_dataset(file, name, held)
    said = str(validate(copy).findings)
    assert "1 units of the recording have other ids" in said and "output_population" in said


@pytest.mark.slow
def test_reports_and_explanations_come_from_the_file_alone(path, tmp_path):
    assert run_cli("evaluate", path) == 0
    assert run_cli("explain", path, "--quiet") == 0
    assert run_cli("report", path, "--out", tmp_path / "a.html") == 0
    assert "reconstruct from them alone 3 other units" in (tmp_path / "a.html").read_text()
    copy = tmp_path / "a.nwb"
    copy.write_bytes(path.read_bytes())
    assert run_cli("label", copy, "--latent=0", "--name", "the first") == 0
    again = ns.open_results(copy)
    assert again.attribution["label"].values[0] == "the first"
    assert again.target.source.units_path == ns.open_results(path).target.source.units_path


def test_a_small_file_links_to_both_tables(made):
    source, _, results = made
    path = ns.write(results, source.parent / "linked.nwb", "link")
    with NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        model = nwbfile.processing["sparse_latents"]["latents"]
        rois = nwbfile.processing["ophys"]["ImageSegmentation"]["rois"]
        assert model.output_population.source_table.object_id == rois.object_id
        assert model.input_population.source_table.object_id == nwbfile.units.object_id
    assert ns.open_results(path).target.n_units == 3


def test_what_cannot_be_is_refused(made, path, tmp_path, capsys):
    source, both, results = made
    with pytest.raises(BadInput, match="hold a target already"):
        ns.with_target(both, results.target)
    late = replace(
        results.target, traces=replace(results.target.traces, times=np.arange(3000) + 1e6)
    )
    with pytest.raises(BadInput, match="not recorded in any of these bins"):
        ns.with_target(ns.to_bins(results.session, WIDTH), late)
    other = ns.read(write_recording(tmp_path / "other.nwb"))
    with pytest.raises(BadInput, match="of another file"):
        ns.write(replace(results, target=other), tmp_path / "a.nwb")
    assert run_cli("reproduce", path, "--source", source, "--quiet") == 2
    assert "from two tables of units" in capsys.readouterr().err


def test_units_that_are_read_are_no_target(made):
    results = made[2]
    with pytest.raises(BadInput, match="target units are read too"):
        ns.with_target(ns.to_bins(results.session, WIDTH), results.session)


def test_results_and_sessions_are_shown_in_a_line(made):
    results = made[2]
    said = repr(results)
    assert len(said) < 200 and "\n" not in said
    assert f"{results.coder.n_latents} latents" in said and repr(results.session) in said

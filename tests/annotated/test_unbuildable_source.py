"""Sources with types that nobody defines: the copy lacks them, and is as sound as any other."""

import hashlib
import subprocess
import sys

import h5py
import numpy as np
import pynwb
import pytest
from pynwb import NWBHDF5IO

from make.cli_runs import QUICK, run_cli
from make.configs import plain_config
from make.recordings import (
    circle,
    damaged,
    laps,
    line_of,
    poisson_spikes,
    time_series,
    write_recording,
)
from nwbsparse.errors import BadInput
from nwbsparse.results.results import open_results, write
from nwbsparse.runs.run import run

SHANK = "/general/extracellular_ephys/shank"
ELECTRODES = "/general/extracellular_ephys/electrodes"
CLEAN = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("ndx_", "nwbsparse", "scipy", "torch")):
            raise ImportError(name + " is not installed here")
sys.meta_path.insert(0, Wall())
from pynwb import NWBHDF5IO
with NWBHDF5IO(sys.argv[1], "r") as io:
    nwbfile = io.read()
    print(sorted({type(thing).__name__ for thing in nwbfile.objects.values()}))
    print(sorted(nwbfile.acquisition), nwbfile.units.colnames, nwbfile.trials.colnames)
"""


def as_type(path, *places, type_name="LabThing", namespace="ndx-lab"):
    """Say that objects of a file are of another type."""
    with damaged(path) as file:
        for place in places:
            file[place].attrs.update(neurodata_type=type_name, namespace=namespace)
    return path


def refer(path, table, targets):
    """Add a column of references to a table, as pynwb writes them."""
    with damaged(path) as file:
        refs = np.array([file[target].ref for target in targets], dtype=h5py.ref_dtype)
        column = file[table].create_dataset("refers", data=refs, dtype=h5py.ref_dtype)
        column.attrs.update(
            neurodata_type="VectorData", namespace="hdmf-common", description="r", object_id="r"
        )
        file[table].attrs["colnames"] = [*file[table].attrs["colnames"], "refers"]


def errors_of(path):
    return {str(error) for error in pynwb.validate(path=str(path))}


def opened_cleanly(path):
    """What pynwb finds in a file where neither extensions nor nwbsparse are installed."""
    done = subprocess.run(
        [sys.executable, "-c", CLEAN, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def whole(tmp_path):
    return write_recording(
        tmp_path / "a.nwb", spike_times=poisson_spikes(), position=circle(), trials=laps(),
        acquisition=[time_series("sync", data=np.ones(30), rate=1.0),
                     time_series("kept", data=np.ones(30), rate=1.0)],
        unit_columns={"quality": ["good", "mua", "good", "good"]},
        electrodes={"location": ["CA1", "CA3", "CA1", "CA3"]},
    )  # fmt: skip


@pytest.fixture
def odd(whole):
    """Left out: a series, a column, and the column that refers to the series. Retyped: three."""
    refer(whole, "/intervals/trials", ["/acquisition/sync"] * 9 + ["/acquisition/kept"])
    as_type(whole, "/acquisition/sync", "/units", "/units/quality", ELECTRODES, SHANK)
    return whole


@pytest.mark.slow
def test_a_run_annotates_a_file_with_types_that_nobody_defines(odd, tmp_path):
    before = hashlib.sha256(odd.read_bytes()).hexdigest()
    config = plain_config(
        bin_width=0.1, n_latents=16, k=2, max_epochs=2, batch_size=100, n_shifts=50, regions="CA1"
    )
    done = run(odd, tmp_path / "out", config)
    assert hashlib.sha256(odd.read_bytes()).hexdigest() == before
    assert done.nwb is not None
    report = done.results.session
    for place in ("/acquisition/sync", "/units/quality"):
        assert "left out: its type is LabThing" in line_of(report, "other", place).reasons[0]
    line = line_of(report, "other", "/intervals/trials/refers")
    assert line.kept == 1
    assert "annotated copies lack it" in line.reasons[0]
    assert "points to /acquisition/sync" in line.reasons[0]
    said = opened_cleanly(done.nwb)
    assert "Units" in said and "SparseLatentModel" in said and "LabThing" not in said
    assert "['kept'] " in said and "quality" not in said and "refers" not in said
    assert errors_of(done.nwb) == set()
    again = open_results(done.nwb)
    assert again.coder.id == done.results.coder.id
    np.testing.assert_array_equal(again.session.spike_times, report.spike_times)
    assert again.session.units["region"].values.tolist() == ["CA1", "CA3", "CA1", "CA3"]
    assert "LabThing" not in str(again.session.report)
    with NWBHDF5IO(done.nwb, "r") as io:
        nwbfile = io.read()
        population = nwbfile.processing["sparse_latents"]["latents"].input_population
        assert population.source_table is nwbfile.units
        assert population["source_row"][:].tolist() == [0, 2]


def test_the_command_line_does_too(odd, tmp_path, capsys):
    assert run_cli("run", odd, "--out", tmp_path / "out", *QUICK) == 0
    assert "pip install ndx-lab" in " ".join(capsys.readouterr().out.split())
    copy = tmp_path / "out" / "a_desc-latents_sparse.nwb"
    assert run_cli("inspect", copy, "--strict") == 0


def test_references_to_a_group_that_is_left_out_do_not_stop_the_copy(
    whole, quick_analysis, tmp_path
):
    as_type(whole, SHANK)
    with damaged(whole) as file:
        del file[SHANK].attrs["location"]  # so that it is no ElectrodeGroup
    results = quick_analysis(whole)
    assert "region" in results.session.units
    copy = write(results, tmp_path / "out.nwb")
    # electrodes must refer to their groups: without these there are none
    assert errors_of(copy) == set()
    assert open_results(copy).session.n_units == 4
    assert "Units" in opened_cleanly(copy)


@pytest.mark.slow
def test_trials_that_refer_to_a_series_that_is_left_out(rich_recording, quick_analysis, tmp_path):
    source = rich_recording(tmp_path / "a.nwb", referring=True)
    as_type(source, "/acquisition/referred")
    results = quick_analysis(source)
    assert "annotated copies lack it" in " ".join(
        line_of(results.session, "other", "/intervals/trials/timeseries").reasons
    )
    copy = write(results, tmp_path / "out.nwb")
    assert errors_of(copy) == set()
    trials = open_results(copy).session.intervals["trials"]
    assert trials["side"].values.tolist()[:2] == ["right", "left"]
    assert "timeseries" not in opened_cleanly(copy).splitlines()[1]


def test_a_region_in_an_unknown_table_goes_and_the_units_stay(whole, quick_analysis, tmp_path):
    as_type(whole, ELECTRODES)
    with damaged(whole) as file:
        del file[ELECTRODES]["id"]  # so that it is no table of electrodes
    results = quick_analysis(whole)
    said = line_of(results.session, "other", "/units/electrodes").reasons[0]
    assert f"a DynamicTableRegion that needs {ELECTRODES}" in said
    copy = write(results, tmp_path / "out.nwb")
    assert errors_of(copy) == set()
    assert open_results(copy).session.n_units == 4


def test_a_root_of_unknown_type_is_copied_as_an_nwb_file(whole, quick_analysis, tmp_path):
    as_type(whole, "/", type_name="LabFile")
    copy = write(quick_analysis(whole), tmp_path / "out.nwb")
    assert errors_of(copy) == set()
    assert "NWBFile" in opened_cleanly(copy)


@pytest.mark.slow
def test_the_definition_of_an_installed_extension_is_cached_in_the_copy(tmp_path):
    ndx_pose = pytest.importorskip("ndx_pose", reason="ndx-pose is not installed")
    series = ndx_pose.PoseEstimationSeries(
        name="nose", description="a nose", data=np.random.default_rng(0).random((900, 2)),
        unit="pixels", reference_frame="corner", rate=10.0, confidence=np.ones(900),
    )  # fmt: skip
    pose = ndx_pose.PoseEstimation(name="Pose", pose_estimation_series=[series])
    source = write_recording(tmp_path / "a.nwb", behaviour=[pose], trials=laps())
    with damaged(source) as file:
        del file["specifications/ndx-pose"]
    command = [sys.executable, "-m", "nwbsparse", "run", str(source), *QUICK]  # without the package
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = opened_cleanly(tmp_path / "out" / "a_desc-latents_sparse.nwb")
    assert "PoseEstimationSeries" in said


def test_a_copy_to_which_unknown_types_were_added_opens(whole, quick_analysis, tmp_path):
    results = quick_analysis(whole)
    copy = as_type(write(results, tmp_path / "out.nwb"), "/acquisition/kept")
    again = open_results(copy)
    assert again.coder.id == results.coder.id
    assert "left out" in line_of(again.session, "other", "/acquisition/kept").reasons[0]
    with damaged(copy) as file:
        del file["identifier"]
    with pytest.raises(BadInput, match="pip install ndx-lab"):
        open_results(copy)

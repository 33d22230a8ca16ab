"""Where the types of a file are defined: in the file, in installed packages, or nowhere."""

import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hdmf.build import BuildManager
from pynwb import NWBHDF5IO, get_type_map
from pynwb.spec import NWBDatasetSpec, NWBGroupSpec, NWBNamespaceBuilder

from make.recordings import circle, damaged, laps, line_of, poisson_spikes, write_recording
from make.zarr_stores import export, forget_consolidated
from nwbsparse import read
from nwbsparse.errors import BadInput

SPIKES = poisson_spikes()


def left_out(session, place, *, n_found=1):
    """What the report says about an object that is not in the session."""
    line = line_of(session, "other", place)
    assert (line.found, line.kept) == (n_found, 0)
    return " | ".join(line.reasons)


def assert_rest_is_read(session):
    np.testing.assert_array_equal(session.spike_times, np.concatenate(SPIKES))
    assert set(session.series) == {"position"}
    assert set(session.intervals) == {"trials"}


def define(folder, name, *types, rests_on=None):
    """Write the definition of an extension and return the path of its namespace."""
    folder.mkdir(exist_ok=True)
    built = NWBNamespaceBuilder(doc=name, name=name, version="0.1.0", author="a", contact="a@b.c")
    built.include_namespace("core")
    if rests_on is not None:
        built.include_namespace(rests_on)
    for one in types:
        built.add_spec(f"{name}.extensions.yaml", one)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        built.export(f"{name}.namespace.yaml", outdir=str(folder))
    return folder / f"{name}.namespace.yaml"


def series_type(name, base="TimeSeries"):
    return NWBGroupSpec(
        "a series of the lab",
        neurodata_type_def=name,
        neurodata_type_inc=base,
        datasets=[NWBDatasetSpec("more", name="more", dtype="float", quantity="?")],
    )


@pytest.fixture
def extended(tmp_path):
    """A file with two extensions, one resting on the other, both cached in it."""
    whole = write_recording(
        tmp_path / "a.nwb", spike_times=SPIKES, position=circle(), trials=laps()
    )
    folder = tmp_path / "definitions"
    types = get_type_map()
    lab = define(folder, "ndx-lab", series_type("LabSeries"))
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        types.load_namespaces(namespace_path=str(lab))
        more = define(
            folder, "ndx-more", series_type("MoreSeries", "LabSeries"), rests_on="ndx-lab"
        )
        types.load_namespaces(namespace_path=str(more))
    path = tmp_path / "extended.nwb"
    with NWBHDF5IO(whole, "r", manager=BuildManager(types)) as source:
        nwbfile = source.read()
        for number, (name, namespace) in enumerate(
            (("LabSeries", "ndx-lab"), ("MoreSeries", "ndx-more"))
        ):
            made = types.get_dt_container_cls(name, namespace)
            series = made(name=f"one{number}", data=np.arange(9.0), unit="V", rate=1.0)
            nwbfile.add_acquisition(series)
        nwbfile.set_modified()
        with NWBHDF5IO(path, "w", manager=BuildManager(types)) as target:
            target.export(src_io=source, nwbfile=nwbfile, write_args={"link_data": False})
    return path


def forget(path, *names):
    with damaged(path) as file:
        for name in names:
            del file["specifications"][name]
    return path


def test_cached_definitions_are_enough(extended):
    session = read(extended)
    assert_rest_is_read(session)
    assert not [line for line in session.report.lines if "ndx-lab" in " ".join(line.reasons)]


def test_without_its_definition_an_extension_is_left_out(extended):
    session = read(forget(extended, "ndx-lab", "ndx-more"))
    assert_rest_is_read(session)
    assert "LabSeries of namespace ndx-lab" in left_out(session, "/acquisition/one0")
    assert "MoreSeries of namespace ndx-more" in left_out(session, "/acquisition/one1")


def test_a_definition_that_rests_on_a_missing_one_stops_only_its_own_types(extended):
    session = read(forget(extended, "ndx-lab"))
    assert_rest_is_read(session)
    assert "pip install ndx-lab" in left_out(session, "/acquisition/one0")
    said = left_out(session, "/acquisition/one1")
    assert "the definition of ndx-more in the file cannot be used (" in said
    assert "ndx-lab" in said


def test_a_broken_definition_stops_only_its_own_types(extended):
    with damaged(extended) as file:
        version = next(iter(file["specifications/ndx-more"].values()))
        del version["namespace"]
        version["namespace"] = "{"
    session = read(extended)
    assert_rest_is_read(session)
    assert "not behaviour: LabSeries" in left_out(session, "/acquisition/one0", n_found=9)
    assert "ndx-more in the file cannot be used" in left_out(session, "/acquisition/one1")


def test_an_installed_extension_is_known_without_being_imported(tmp_path):
    ndx_pose = pytest.importorskip("ndx_pose", reason="ndx-pose is not installed")
    series = ndx_pose.PoseEstimationSeries(
        name="nose", description="a nose", data=np.random.default_rng(0).random((50, 2)),
        unit="pixels", reference_frame="corner", rate=10.0, confidence=np.ones(50),
    )  # fmt: skip
    pose = ndx_pose.PoseEstimation(name="Pose", pose_estimation_series=[series])
    path = write_recording(tmp_path / "a.nwb", behaviour=[pose])
    forget(path, "ndx-pose")
    code = (
        "import sys, nwbsparse; s = nwbsparse.read(sys.argv[1]); "
        "assert 'ndx_pose' not in sys.modules; print(*s.series)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (
        0,
        ["Pose_nose", "Pose_nose_confidence"],
    ), done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:numcodecs")
@pytest.mark.filterwarnings("ignore:.*_destroy:DeprecationWarning")
def test_a_zarr_store_is_sifted_like_a_file(extended):
    store = export(extended)
    assert_rest_is_read(read(store))
    shutil.rmtree(store / "specifications" / "ndx-lab")
    forget_consolidated(store)
    session = read(store)
    assert_rest_is_read(session)
    assert "pip install ndx-lab" in left_out(session, "/acquisition/one0")
    assert "cannot be used" in left_out(session, "/acquisition/one1")
    with pytest.raises(BadInput, match="pip install ndx-lab"):
        read(store, strict=True)

"""Storage faults of annotated files: names that are taken or lead elsewhere, and links."""

import hashlib
import json
import shutil

import h5py
import numpy as np
import pytest

from make.recordings import write_recording
from make.results import copied, made_results
from nwbsparse.errors import BadInput, IntegrityError, NwbsparseWarning
from nwbsparse.results.activations import open_activations
from nwbsparse.results.results import open_results, write


@pytest.fixture
def scene(made_once, tmp_path):
    """source, results; the source must not change."""
    source, results = copied(made_once, tmp_path)
    before = source.read_bytes(), source.stat().st_mtime_ns
    yield source, results
    if source.exists():
        assert (source.read_bytes(), source.stat().st_mtime_ns) == before


def hidden(folder):
    return [one.name for one in folder.glob(".nwbsparse-*")]


# names


@pytest.mark.fault(20)
def test_the_same_result_twice_is_written_once(scene, tmp_path):
    source, results = scene
    for mode in ("derived", "link", "in_place", "zarr"):
        target = tmp_path / f"{mode}.nwb"
        if mode == "in_place":
            shutil.copy(source, target)
        said = []
        write(results, target, mode, notify=said.append)
        before = target.stat().st_mtime_ns, target.stat().st_ino
        write(results, target, mode, notify=said.append)
        assert (target.stat().st_mtime_ns, target.stat().st_ino) == before
        assert len(said) == 1 and "nothing was written" in said[0]


@pytest.mark.slow
@pytest.mark.fault(20)
def test_another_result_of_the_same_name_is_refused_or_replaces(scene, tmp_path):
    source, results = scene
    target = shutil.copy(source, tmp_path / "a.nwb")
    write(results, target, "in_place")
    second = made_results(source, seed=7)
    before = target.read_bytes()
    with pytest.raises(BadInput) as caught:
        write(second, target, "in_place")
    stated = json.dumps(results.config.to_dict(), sort_keys=True)
    config = hashlib.sha256(stated.encode()).hexdigest()[:12]
    assert str(caught.value) == (
        f"A result named 'latents' exists in {target} (made 2026-01-01T00:00:00+00:00, config "
        f"{config}). Use --name or --replace."
    )
    assert target.read_bytes() == before
    other = made_results(source, seed=8, name="other")
    write(other, target, "in_place")
    write(second, target, "in_place", replace=True, backup=True)
    assert open_results(target, result="latents").coder.id == second.coder.id
    assert open_results(target, result="other").coder.id == other.coder.id
    backup = target.with_name("a.nwb.bak")
    assert open_results(backup, result="latents").coder.id == results.coder.id
    with pytest.raises(BadInput, match=r"a\.nwb\.bak exists from an earlier time"):
        write(results, target, "in_place", replace=True, backup=True)
    with h5py.File(target) as file:
        assert not [
            name for name in file["processing/sparse_latents"] if "latents_latents" in name
        ][2:]


WRONG = ["", ".", "..", "a\0b", "a\nb", "../x", "/etc/x", "a/b", "a\\b", " a", "a ", "a:b", "\x7f"]


@pytest.mark.fault(21)
@pytest.mark.parametrize("name", WRONG)
def test_names_that_lead_elsewhere_or_cannot_be_read_are_refused(scene, name):
    source, _ = scene
    with pytest.raises(BadInput, match="use letters, digits, '-' and '_'"):
        made_results(source, name=name)


@pytest.mark.fault(21)
@pytest.mark.parametrize("name", ["größer", "模型2", "a-b_c", "é"])
def test_names_of_any_script_come_back(scene, tmp_path, name):
    source, _ = scene
    results = made_results(source, name=name)
    opened = open_results(write(results, tmp_path / f"{name}.nwb"), result=name)
    assert opened.name == results.name == name


# links


@pytest.mark.fault(22)
def test_a_link_as_target_stays_a_link(scene, tmp_path):
    source, results = scene
    (tmp_path / "store").mkdir()
    real = shutil.copy(source, tmp_path / "store" / "real.nwb")
    target = tmp_path / "link.nwb"
    target.symlink_to(real)
    write(results, target, "in_place")
    assert target.is_symlink() and open_results(real).coder.id == results.coder.id
    assert not hidden(tmp_path) and not hidden(tmp_path / "store")


@pytest.mark.fault(22)
def test_a_file_of_git_annex_is_not_changed(scene, tmp_path):
    source, results = scene
    store = tmp_path / ".git" / "annex" / "objects"
    store.mkdir(parents=True)
    real = shutil.copy(source, store / "SHA256E-s1--abc.nwb")
    target = tmp_path / "annexed.nwb"
    target.symlink_to(real)
    with pytest.raises(BadInput, match=r"git annex unlock annexed\.nwb"):
        write(results, target, "in_place")
    assert real.read_bytes() == source.read_bytes()


@pytest.mark.fault(23)
def test_a_linked_file_without_its_source_still_tells_its_results(scene, tmp_path):
    source, results = scene
    path = write(results, tmp_path / "linked.nwb", "link")
    assert path.stat().st_size < 1_500_000
    np.testing.assert_array_equal(
        open_results(path).session.spike_times, results.session.spike_times
    )
    source.rename(tmp_path / "away.nwb")
    try:
        with pytest.warns(NwbsparseWarning, match=r"source\.nwb, the recording of linked\.nwb"):
            alone = open_results(path)
        assert alone.coder.id == results.coder.id and not len(alone.session.spike_times)
        np.testing.assert_array_equal(alone.latents["activation"], results.latents["activation"])
        assert alone.session.report.warnings
        with open_activations(path) as held:
            assert held.window(0, 1e9).sizes["time"] == results.latents.sizes["time"]
    finally:
        (tmp_path / "away.nwb").rename(source)


@pytest.mark.fault(23)
def test_another_file_of_the_same_name_is_not_taken_for_the_source(scene, tmp_path):
    _, results = scene
    path = write(results, tmp_path / "linked.nwb", "link")
    (tmp_path / "elsewhere").mkdir()
    moved = shutil.copy(path, tmp_path / "elsewhere" / "linked.nwb")
    write_recording(tmp_path / "elsewhere" / "source.nwb", identifier="another")
    with pytest.raises(IntegrityError, match=r"links to source\.nwb, which is another recording"):
        open_results(moved)


@pytest.mark.fault(23)
def test_a_link_that_would_lead_out_of_its_folder_is_not_made(scene, tmp_path):
    _, results = scene
    (tmp_path / "below").mkdir()
    with pytest.raises(BadInput, match="links are followed only inside the folder"):
        write(results, tmp_path / "below" / "linked.nwb", "link")
    assert not list((tmp_path / "below").iterdir())

"""An untrusted file may not reach outside its folder, nor be walked for ever."""

import h5py
import numpy as np
import pytest

from make.recordings import damaged, write_recording
from nwbsparse.errors import BadInput
from nwbsparse.io.check import check_readable
from nwbsparse.io.nwb.read import read_nwb


def _other_file(folder, name="other.h5"):
    folder.mkdir(exist_ok=True)
    with h5py.File(folder / name, "w") as file:
        file["secret"] = np.arange(3.0)
    return folder / name


def test_external_storage_is_refused(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        file.create_dataset("evil", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    with pytest.raises(BadInput, match=r"/evil in .*a\.nwb keeps its data in .*etc/passwd"):
        check_readable(path)


def test_virtual_datasets_are_refused(tmp_path):
    other = _other_file(tmp_path / "elsewhere")
    path = write_recording(tmp_path / "a.nwb")
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource(str(other), "secret", (3,))
    with damaged(path) as file:
        file.create_virtual_dataset("scratch/evil", layout)
    with pytest.raises(BadInput, match=r"/scratch/evil in .* is a virtual dataset"):
        check_readable(path)


@pytest.mark.parametrize("absolute", [True, False])
def test_external_links_may_not_leave_the_folder(tmp_path, absolute):
    other = _other_file(tmp_path / "elsewhere")
    (tmp_path / "here").mkdir()
    path = write_recording(tmp_path / "here" / "a.nwb")
    name = str(other) if absolute else "../elsewhere/other.h5"
    with damaged(path) as file:
        file["evil"] = h5py.ExternalLink(name, "/secret")
    with pytest.raises(BadInput, match=r"/evil in .* points to .*outside the folder"):
        check_readable(path)


def test_a_symlink_beside_the_file_does_not_lead_out_of_the_folder(tmp_path):
    other = _other_file(tmp_path / "elsewhere")
    (tmp_path / "here").mkdir()
    path = write_recording(tmp_path / "here" / "a.nwb")
    (tmp_path / "here" / "inside.h5").symlink_to(other)
    with damaged(path) as file:
        file["evil"] = h5py.ExternalLink("inside.h5", "/secret")
    with pytest.raises(BadInput, match="outside the folder"):
        check_readable(path)


def test_external_links_within_the_folder_are_followed_and_held_to_the_same_rules(tmp_path):
    other = _other_file(tmp_path)
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        file["scratch/good"] = h5py.ExternalLink("other.h5", "/secret")
    assert check_readable(path) == path

    with h5py.File(other, "r+") as file:
        file.create_dataset("evil", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    with pytest.raises(BadInput, match=r"/evil in .*other\.h5"):
        check_readable(path)


def test_files_that_link_to_each_other_are_walked_once(tmp_path):
    other = _other_file(tmp_path)
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        file["scratch/there"] = h5py.ExternalLink("other.h5", "/secret")
    with h5py.File(other, "r+") as file:
        file["back"] = h5py.ExternalLink("a.nwb", "/units")
    assert check_readable(path) == path


def test_cycles_of_hard_links_end(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        group = file.create_group("scratch/one/two")
        group["up"] = file["scratch/one"]
        group["root"] = file["/"]
    assert check_readable(path) == path


def test_very_deep_groups_are_refused_without_recursion(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        group = file.create_group("deep")
        for _ in range(3000):
            group = group.create_group("d")
    with pytest.raises(BadInput, match="nests groups more than 200 deep"):
        check_readable(path)


def test_very_many_links_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("nwbsparse.io.guard.MAX_LINKS", 50)
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        for i in range(60):
            file[f"many/{i}"] = h5py.SoftLink("/units")
    with pytest.raises(BadInput, match="more than 50 links"):
        check_readable(path)


def test_a_dataset_that_was_never_written_is_not_unpacked(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        attributes = dict(file["units/spike_times"].attrs)
        del file["units/spike_times"]
        file.create_dataset("units/spike_times", (2**33,), "f8", chunks=(2**16,))
        file["units/spike_times"].attrs.update(attributes)
    with pytest.raises(BadInput, match=r"/units/spike_times claims 64\.0 GiB of which 0\.0 MiB"):
        read_nwb(path)

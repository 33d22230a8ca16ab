"""Storage faults of an NWB file: what must never go wrong when it is opened."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from make.recordings import (
    circle,
    damaged,
    reasons,
    write_recording,
)
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.check import check_readable
from nwbsparse.io.nwb.read import read_nwb

POSITION = "/processing/behavior/Position/position"


@pytest.mark.fault(16)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.9, 0.999])
def test_a_truncated_file_says_how_much_is_missing(tmp_path, share):
    whole = write_recording(tmp_path / "a.nwb").read_bytes()
    path = tmp_path / "cut.nwb"
    have = int(len(whole) * share)
    path.write_bytes(whole[:have])
    with pytest.raises(BadInput) as refused:
        read_nwb(path)
    assert str(refused.value) == (
        f"{path} is incomplete: {have} of {len(whole)} bytes. Re-copy it; "
        f"`nwbsparse doctor {path.name}` lists what can still be read."
    )


@pytest.mark.fault(16)
def test_a_file_cut_inside_its_header_is_damaged(tmp_path):
    whole = write_recording(tmp_path / "a.nwb").read_bytes()
    (tmp_path / "cut.nwb").write_bytes(whole[:20])
    with pytest.raises(BadInput, match=r"cut\.nwb is damaged: .*Re-copy it"):
        read_nwb(tmp_path / "cut.nwb")


@pytest.mark.fault(18)
def test_what_is_not_an_nwb_file_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(BadInput, match=r"none\.nwb does not exist; look in"):
        check_readable(tmp_path / "none.nwb")
    with pytest.raises(BadInput, match=r"does not exist; there is no folder .*absent either"):
        check_readable(tmp_path / "absent" / "none.nwb")
    with pytest.raises(BadInput, match="is a folder; give the path of one NWB file"):
        check_readable(tmp_path)
    (tmp_path / "empty.nwb").touch()
    with pytest.raises(BadInput, match="is empty: 0 bytes"):
        check_readable(tmp_path / "empty.nwb")
    (tmp_path / "text.nwb").write_text("a,b\n1,2\n" * 100)
    with pytest.raises(BadInput, match="is not an HDF5 file, so not NWB"):
        check_readable(tmp_path / "text.nwb")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = np.zeros(3)
    with pytest.raises(BadInput, match=r"HDF5 but not NWB: .*\(it holds images\)"):
        check_readable(tmp_path / "other.h5")
    (tmp_path / "annexed.nwb").symlink_to(tmp_path / "gone")
    with pytest.raises(BadInput, match="a link to a file that is not here; fetch it first"):
        check_readable(tmp_path / "annexed.nwb")


@pytest.mark.fault(18)
@pytest.mark.parametrize("version", ["NWB-1.0.6", "1.0.5"])
def test_nwb_1_is_refused_with_its_version_and_a_way_out(tmp_path, version):
    with h5py.File(tmp_path / "old.nwb", "w") as file:
        file["nwb_version"] = version
    with pytest.raises(BadInput, match=rf"is NWB {version[-5:]}, .*rewrite it with pynwb"):
        check_readable(tmp_path / "old.nwb")


@pytest.mark.fault(18)
def test_a_file_that_may_not_be_read_is_a_problem_of_the_environment(tmp_path, monkeypatch):
    path = write_recording(tmp_path / "a.nwb")

    def denied(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)  # chmod does not stop root
    with pytest.raises(EnvironmentProblem, match="may not be read by this account") as refused:
        check_readable(path)
    assert refused.value.exit_code == 3


@pytest.mark.fault(11)
def test_a_file_open_for_writing_elsewhere_is_a_problem_of_the_environment(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    lock = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", lock, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(EnvironmentProblem, match="open for writing in another program"):
            check_readable(path)
        other.communicate(b"\n")


@pytest.mark.fault(18)
def test_what_pynwb_cannot_build_is_refused_with_its_reason(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        del file["identifier"]
    with pytest.raises(BadInput, match=r"cannot be read by pynwb \(.*identifier"):
        read_nwb(path)


@pytest.mark.fault(18)
def test_an_extension_without_its_definition_is_left_out_and_named(tmp_path):
    path = write_recording(tmp_path / "a.nwb", position=circle())
    with damaged(path) as file:
        file[POSITION].attrs.update(neurodata_type="FooSeries", namespace="ndx-foo")
    session = read_nwb(path)
    assert session.n_units == 4
    assert not session.series
    assert "FooSeries of namespace ndx-foo" in reasons(session, "other", POSITION)
    with pytest.raises(BadInput, match=r"namespace ndx-foo; .*pip install ndx-foo"):
        read_nwb(path, strict=True)


@pytest.mark.fault(18)
def test_a_damaged_chunk_is_refused(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        values = file["units/spike_times"][:]
        attributes = dict(file["units/spike_times"].attrs)
        del file["units/spike_times"]
        held = file.create_dataset("units/spike_times", data=values, compression="gzip")
        held.attrs.update(attributes)
        chunk = held.id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"data in .*a\.nwb are damaged"):
        read_nwb(path)


@pytest.mark.fault(23)
def test_a_dangling_external_link_names_what_is_missing(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        file["acquisition/raw"] = h5py.ExternalLink("raw.nwb", "/acquisition/raw")
    with pytest.raises(BadInput, match=r"/acquisition/raw in .* points to raw\.nwb; fetch it"):
        read_nwb(path)
    with h5py.File(tmp_path / "raw.nwb", "w") as file:
        file["other"] = 1
    with pytest.raises(BadInput, match=r"points to /acquisition/raw in .*raw\.nwb, which is not"):
        read_nwb(path)

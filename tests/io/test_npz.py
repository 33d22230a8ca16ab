"""An ``.npz`` of binned spikes and behaviour: exact counts, conditions per bin, nothing executed."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.npz import read_npz
from nwbsparse.io.check import sha256_of
from recordings import line_of, reasons

DATA = os.environ.get("NWBSPARSE_DATA")
RNG = np.random.default_rng(0)
N = 400
RIGHT = (np.arange(N) % 100 < 50).astype(np.uint8)


def write(path, **arrays):
    held = {
        "spikes": RNG.poisson(0.5, (N, 4)).astype(np.uint8),
        "position": RNG.random(N),
        "right": RIGHT,
        "left": 1 - RIGHT,
    } | arrays
    np.savez(path, **{key: value for key, value in held.items() if value is not None})
    return path, held


def test_the_layout_of_the_demos(tmp_path):
    path, held = write(tmp_path / "rat.npz")
    session = read_npz(path, bin_width=0.025)
    assert session.traces is not None and session.traces.bin_width == 0.025
    assert session.traces.data.dtype == np.uint8
    np.testing.assert_array_equal(session.traces.data, held["spikes"])
    np.testing.assert_allclose(session.traces.times, (np.arange(N) + 0.5) * 0.025)
    assert session.series["position"].kind == "position"
    np.testing.assert_array_equal(session.series["position"].data, held["position"])
    assert session.source.path == path and session.source.sha256 == sha256_of(path)
    assert line_of(session, "spikes", "spikes").dropped == 0
    assert "no clock of the session" in reasons(session, "other", "clock")


def test_every_bin_gets_its_direction(tmp_path):
    path, _ = write(tmp_path / "rat.npz")
    binned = to_bins(read_npz(path, bin_width=0.025), 0.025)
    direction = binned["direction_runs.direction"]
    assert direction.attrs["categories"] == '["left", "right"]'
    np.testing.assert_array_equal(direction, RIGHT)


def test_bins_with_both_or_no_direction_have_no_label(tmp_path):
    right, left = RIGHT.copy(), 1 - RIGHT
    right[:10], left[:10] = 1, 1
    path, _ = write(tmp_path / "rat.npz", right=right, left=left)
    session = read_npz(path, bin_width=0.025)
    assert line_of(session, "column", "right, left").dropped == 10
    assert session.intervals["direction_runs"]["start_time"].values[0] == pytest.approx(0.25)


def test_a_flag_without_its_partner_is_a_series(tmp_path):
    path, _ = write(tmp_path / "rat.npz", left=None)
    session = read_npz(path, bin_width=0.025)
    assert set(session.series) == {"position", "right"} and not session.intervals


def test_what_the_file_states(tmp_path):
    centres = 7 + np.arange(N) * 0.05
    path, _ = write(
        tmp_path / "a.npz", bin_width=np.array(0.05), times=centres, unit_ids=np.array(list("abcd"))
    )
    session = read_npz(path)
    assert session.traces is not None and session.traces.bin_width == 0.05
    np.testing.assert_array_equal(session.traces.times, centres)
    assert session.units["unit_id"].values.tolist() == list("abcd")
    with pytest.raises(BadInput, match=r"states bins of 0.05 s and bin_width is 0.1 s"):
        read_npz(path, bin_width=0.1)


def test_the_bin_width_is_asked_for(tmp_path):
    path, _ = write(tmp_path / "rat-25ms.npz")
    with pytest.raises(
        BadInput, match=r"give bin_width= in seconds; its name suggests bin_width=0\.025"
    ):
        read_npz(path)


def test_an_unknown_layout_lists_its_keys(tmp_path):
    np.savez(tmp_path / "a.npz", raster=np.zeros((3, 2)), o=np.array([None]))
    with pytest.raises(BadInput, match=r"its keys: raster float64\[3, 2\], o \(Python objects"):
        read_npz(tmp_path / "a.npz")


def test_what_is_wrong_names_the_file(tmp_path):
    path, _ = write(tmp_path / "rat.npz", spikes=np.full((N, 4), -1))
    with pytest.raises(BadInput, match=r"rat\.npz: 1,600 counts are negative"):
        read_npz(path, bin_width=0.025)


def test_python_objects_are_reported_and_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    path, _ = write(tmp_path / "rat.npz", notes=np.array([Bomb()], dtype=object), extra=np.ones(7))
    session = read_npz(path, bin_width=0.025)
    assert not (tmp_path / "executed").exists()
    assert "can run code" in reasons(session, "other", "notes")
    assert "not one value per bin" in reasons(session, "other", "extra")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"", "not a complete .npz"),
        (b"PK\x03\x04 and no more", "Re-copy"),
    ],
)
def test_files_that_are_none(tmp_path, content, message):
    path = tmp_path / "a.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        read_npz(path, bin_width=0.025)
    with pytest.raises(BadInput, match="is a folder"):
        read_npz(tmp_path, bin_width=0.025)


def test_a_file_cut_short_or_damaged(tmp_path):
    path, _ = write(tmp_path / "rat.npz")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="Re-copy"):
        read_npz(path, bin_width=0.025)
    path.write_bytes(whole[:400] + bytes([whole[400] ^ 1]) + whole[401:])
    with pytest.raises(BadInput, match="Re-copy"):
        read_npz(path, bin_width=0.025)


@pytest.mark.parametrize("shape", ["(1000000000, 1000)", "(10,)"])
def test_a_header_that_claims_more_than_is_there(tmp_path, shape):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("spikes.npy", body)
    with pytest.raises(BadInput, match=r"decompression bomb|Re-copy"):
        read_npz(tmp_path / "bomb.npz", bin_width=0.025)


@pytest.mark.skipif(not DATA, reason="NWBSPARSE_DATA names no folder of recordings")
def test_the_rat_of_the_seed_paper():
    path = Path(DATA or "") / "rat-ca1-buddy-25ms.npz"
    session = read_npz(path, bin_width=0.025)
    with np.load(path, allow_pickle=False) as held:
        spikes, right = held["spikes"], held["right"]
    assert session.traces is not None and session.traces.data.shape == (6577, 48)
    np.testing.assert_array_equal(session.traces.data, spikes)
    assert session.units["n_spikes"].values.sum() == spikes.sum(dtype=int) == 7269
    assert "3 units without activity kept: 1, 27, 40" in reasons(session, "units", "units")
    assert session.intervals["direction_runs"].sizes["interval"] == 57
    binned = to_bins(session, 0.025)
    np.testing.assert_array_equal(binned["direction_runs.direction"], right)
    assert binned["counts"].values.sum() == 7269

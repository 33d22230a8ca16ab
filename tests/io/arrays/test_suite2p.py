"""A Suite2p folder: every cell's trace on its clock, the rest counted, no pickle ever loaded."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from make.recordings import line_of, reasons
from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.suite2p import read_suite2p

DATA = os.environ.get("NWBSPARSE_DATA")
RNG = np.random.default_rng(0)
N_ROIS, N_FRAMES, RATE = 6, 900, 10.0
F = (RNG.normal(100, 5, (N_ROIS, N_FRAMES))).astype(np.float32)
FNEU = (RNG.normal(50, 2, (N_ROIS, N_FRAMES))).astype(np.float32)
SPKS = RNG.exponential(1, (N_ROIS, N_FRAMES)).astype(np.float32)
ISCELL = np.column_stack([[1, 0, 1, 1, 0, 1], [0.9, 0.1, 0.8, 0.7, 0.2, 0.6]])
CELLS = [0, 2, 3, 5]


def write(folder, **arrays):
    held = {"F": F, "Fneu": FNEU, "spks": SPKS, "iscell": ISCELL} | arrays
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in held.items():
        if array is not None:
            np.save(folder / f"{name}.npy", array)
    return folder


def read(folder, **given):
    return read_suite2p(folder, **({"sampling_frequency": RATE} | given))


@pytest.mark.parametrize(("signal", "stored"), [("spks", SPKS), ("F", F)])
def test_cells_keep_their_traces_and_numbers(tmp_path, signal, stored):
    session = read(write(tmp_path / "plane0"), signal=signal)
    assert session.traces is not None
    np.testing.assert_array_equal(session.traces.data, stored[CELLS].T)
    assert session.traces.data.dtype == np.float32
    np.testing.assert_allclose(session.traces.times, np.arange(N_FRAMES) / RATE)
    assert session.units["unit_id"].values.tolist() == CELLS
    assert session.units["is_cell"].values.all()
    assert session.units["cell_probability"].values.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert set(session.units["modality"].values) == {"ophys"}
    units = line_of(session, "units", "units")
    assert (units.found, units.kept, units.dropped) == (6, 4, 2)
    assert "2 ROIs left out: no cell by iscell.npy" in units.reasons


def test_all_rois_on_request(tmp_path):
    session = read(write(tmp_path / "plane0"), cells_only=False)
    assert session.n_units == 6
    assert session.units["is_cell"].values.tolist() == [True, False, True, True, False, True]


def test_relative_fluorescence_is_free_of_neuropil_and_scale(tmp_path):
    bump = np.zeros(N_FRAMES, dtype=np.float32)
    bump[400:420] = 65.0
    flat = np.full((N_ROIS, N_FRAMES), 100, np.float32) + bump
    around = np.full((N_ROIS, N_FRAMES), 50, np.float32)
    session = read(write(tmp_path / "a", F=flat, Fneu=around), signal="dF/F")
    assert session.traces is not None
    data = session.traces.data[:, 0]
    assert data[:100] == pytest.approx(0, abs=1e-6)
    assert data[410] == pytest.approx(1.0, abs=1e-4)  # 65 over a baseline of 100 − 0.7 · 50


def test_a_baseline_that_is_not_positive_gives_nan_and_is_said(tmp_path):
    around = FNEU.copy()
    around[2] = 400
    session = read(write(tmp_path / "a", Fneu=around), signal="dF/F")
    assert session.traces is not None
    assert np.isnan(session.traces.data).all(axis=0).tolist() == [False, True, False, False]
    assert "1 unit NaN, for want of a positive baseline: 2" in reasons(session, "units", "units")


def test_transposed_traces_are_turned_and_reported(tmp_path):
    session = read(write(tmp_path / "a", spks=SPKS.T))
    assert session.traces is not None
    np.testing.assert_array_equal(session.traces.data, SPKS[CELLS].T)
    assert "frame × ROI: transposed" in reasons(session, "other", "spks.npy")
    with pytest.raises(BadInput, match="transposed"):
        read(tmp_path / "a", strict=True)


def test_without_iscell_all_rois_stay(tmp_path):
    session = read(write(tmp_path / "a", iscell=None))
    assert session.n_units == 6 and "is_cell" not in session.units
    assert "no iscell.npy: all ROIs kept" in reasons(session, "units", "units")


def test_pickles_are_reported_and_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    folder = write(tmp_path / "plane0")
    np.save(folder / "ops.npy", np.array({"fs": Bomb()}, dtype=object))
    np.save(folder / "stat.npy", np.array([Bomb()], dtype=object))
    session = read(folder)
    assert "can run code" in reasons(session, "other", "ops.npy")
    assert "can run code" in reasons(session, "other", "stat.npy")
    np.save(folder / "spks.npy", np.array([Bomb()], dtype=object))
    with pytest.raises(BadInput, match=r"spks.npy holds Python objects \(a pickle\)"):
        read(folder)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("arrays", "given", "message"),
    [
        ({}, {"sampling_frequency": None}, r"give sampling_frequency=.*ops\['fs'\]"),
        ({}, {"sampling_frequency": 0.0}, "sampling_frequency must be > 0 Hz"),
        ({}, {"signal": "dff"}, "no signal 'dff' .there are: spks, F, dF/F"),
        ({"spks": None}, {}, "has no spks.npy, only F.npy, Fneu.npy, iscell.npy"),
        ({"spks": SPKS[:4, :100]}, {}, "but iscell.npy has 6 ROIs"),
        ({"spks": SPKS[0]}, {}, "must be numbers, ROI × frame"),
        ({"iscell": ISCELL * 0}, {}, "none of 6 ROIs.*cells_only=False"),
        ({"iscell": np.array(["a"])}, {}, r"not \(ROI, 2\)"),
        ({"Fneu": FNEU[:, :10]}, {"signal": "dF/F"}, r"Fneu.npy is \(6, 10\) and F.npy \(6, 900\)"),
    ],
)
def test_folders_that_are_refused(tmp_path, arrays, given, message):
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / "plane0", **arrays), **given)


def test_files_that_are_no_arrays(tmp_path):
    folder = write(tmp_path / "plane0")
    whole = (folder / "spks.npy").read_bytes()
    for content in (whole[:2000], b"", b"not numpy"):
        (folder / "spks.npy").write_bytes(content)
        with pytest.raises(BadInput, match=r"spks\.npy"):
            read(folder)


def test_the_plane_is_found_or_asked_for(tmp_path):
    write(tmp_path / "suite2p" / "plane0")
    assert read(tmp_path / "suite2p").source.identifier == "plane0"
    write(tmp_path / "suite2p" / "plane1")
    with pytest.raises(BadInput, match="several planes: give one of plane0, plane1"):
        read(tmp_path / "suite2p")
    with pytest.raises(BadInput, match="is not a folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"holds no F.npy or spks.npy of Suite2p; found: nothing"):
        read(tmp_path / "empty")


def test_the_digest_follows_the_files(tmp_path):
    first = read(write(tmp_path / "a")).source.sha256
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert read(tmp_path / "b").source.sha256 == first
    write(tmp_path / "b", spks=SPKS + 1)
    assert read(tmp_path / "b").source.sha256 != first


@pytest.mark.skipif(not DATA, reason="NWBSPARSE_DATA names no folder of recordings")
@pytest.mark.parametrize("signal", ["spks", "F", "dF/F"])
def test_a_plane_of_219_rois(signal):
    folder = Path(DATA or "") / "suite2p-plane0"
    session = read(folder, signal=signal, cells_only=False)
    assert session.traces is not None and session.traces.data.shape == (2000, 219)
    assert line_of(session, "units", "units").kept == 219
    cells = read(folder, signal=signal)
    units = line_of(cells, "units", "units")
    assert (units.found, units.kept) == (219, 20)
    assert cells.traces is not None
    picked = session.traces.data[:, session.units["is_cell"].values]
    np.testing.assert_array_equal(cells.traces.data, picked)

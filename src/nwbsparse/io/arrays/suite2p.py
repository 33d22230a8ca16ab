"""A Suite2p folder (calcium imaging) → Session of traces."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

from nwbsparse.errors import BadInput, EnvironmentProblem, unknown
from nwbsparse.io.arrays.activity import take_activity
from nwbsparse.io.arrays.session import matrix_session
from nwbsparse.io.npy import PICKLE, blamed_on, load_npy
from nwbsparse.io.rules.account import Account, counted, listed
from nwbsparse.session import Session, Source

SIGNALS = ("spks", "F", "dF/F")

NEUROPIL = 0.7
"""Share of the surrounding neuropil that is taken from each ROI: Suite2p's ``neucoeff``."""
BASELINE_SMOOTHING = 10.0
"""Frames, standard deviation: Suite2p's ``sig_baseline``."""
BASELINE_WINDOW = 60.0
"""Seconds of the running minimum, then maximum: Suite2p's ``win_baseline``."""

_READ = ("F.npy", "Fneu.npy", "iscell.npy", "spks.npy")
_PICKLES = ("ops.npy", "stat.npy")


def read_suite2p(
    folder: str | Path,
    *,
    sampling_frequency: float | None = None,
    signal: str = "spks",
    cells_only: bool = True,
    strict: bool = False,
) -> Session:
    """Calcium traces of the cells that Suite2p found, each ROI a unit with modality 'ophys'.

    Units keep Suite2p's ROI numbers as ids, with the columns ``is_cell``, ``cell_probability``
    and ``modality``. Frame k is at k / ``sampling_frequency`` seconds. Traces stored as frames ×
    ROIs are recognised by the length of ``iscell.npy``, turned and reported. ``ops.npy`` and
    ``stat.npy`` are pickles, which can run code: they are never loaded.

    Args:
        folder: a ``plane`` folder, or one that holds a single one.
        sampling_frequency: frames per second of this plane. Suite2p keeps it in ``ops.npy``, so
            it must be given.
        signal: 'spks' (deconvolved), 'F' (raw fluorescence), or 'dF/F': ``F − 0.7 · Fneu`` over
            its baseline (Suite2p's 'maximin': smoothed over 10 frames, running minimum then
            maximum of 60 s), minus 1. Units whose baseline is not positive are NaN in 'dF/F'.
        cells_only: leave out what Suite2p calls no cell; the report counts it.
        strict: refuse what would be repaired.

    Raises:
        BadInput: no such folder or signal, no sampling frequency, several planes, sizes that do
            not fit, Python objects in place of numbers, or (strict) anything that needs repair.
        EnvironmentProblem: a file may not be read by this account.
    """
    folder = _plane(Path(folder).expanduser())
    frequency = _checked(folder, signal, sampling_frequency)
    account = Account(folder, strict)
    is_cell, probability = _cells(folder)
    name = "spks.npy" if signal == "spks" else "F.npy"
    raw = _turned(_array(folder, name), is_cell, account, name)
    rows, notes = _chosen(folder, is_cell, len(raw), cells_only=cells_only)
    traces = np.asarray(raw[rows], dtype=np.float32)
    if signal == "dF/F":
        around = _turned(_array(folder, "Fneu.npy"), is_cell, account, "Fneu.npy")
        if around.shape != raw.shape:
            raise BadInput(f"Fneu.npy is {around.shape} and F.npy {raw.shape} in {folder}.")
        traces = _over_baseline(traces - NEUROPIL * around[rows], frequency)
        lost = rows[np.isnan(traces).all(axis=1)]
        if len(lost):
            n = counted(len(lost), "unit")
            notes.append(f"{n} NaN, for want of a positive baseline: {listed(lost)}")
    columns = {"modality": np.full(len(rows), "ophys")}
    if is_cell is not None:
        columns["is_cell"] = is_cell[rows]
    if probability is not None:
        columns["cell_probability"] = probability[rows]
    with blamed_on(folder):
        found = take_activity(
            traces.T,
            account,
            ids=rows,
            name=signal,
            times=np.arange(raw.shape[1]) / frequency,
            unit="" if signal == "dF/F" else "a.u.",
        )
    _list_other(folder, signal, account)
    return matrix_session(
        found,
        account,
        ids=rows,
        columns=columns,
        n_found=len(raw),
        notes=notes,
        source=Source(folder, _digest(folder), identifier=folder.name),
    )


def _checked(folder: Path, signal: str, sampling_frequency: float | None) -> float:
    """The sampling frequency (Hz), once it and the signal can be meant."""
    if signal not in SIGNALS:
        raise unknown(signal, SIGNALS, what="signal")
    if sampling_frequency is None:
        raise BadInput(
            f"give sampling_frequency= (frames per second of the plane): {folder} states it only in "
            "ops.npy, a pickle, which can run code and is not loaded. In Suite2p it is ops['fs']."
        )
    if not (np.isfinite(sampling_frequency) and sampling_frequency > 0):
        raise BadInput(f"sampling_frequency must be > 0 Hz; it is {sampling_frequency}")
    return float(sampling_frequency)


def _chosen(
    folder: Path, is_cell: np.ndarray | None, n_rois: int, *, cells_only: bool
) -> tuple[np.ndarray, list[str]]:
    """The rows to keep, and why not the others."""
    if is_cell is None:
        return np.arange(n_rois), ["there is no iscell.npy: all ROIs kept"]
    if not cells_only:
        return np.arange(n_rois), []
    rows = np.flatnonzero(is_cell)
    if not len(rows):
        raise BadInput(f"none of {n_rois} ROIs of {folder} is a cell; give cells_only=False.")
    return rows, [f"{counted(n_rois - len(rows), 'ROI')} left out: no cell by iscell.npy"]


def _plane(folder: Path) -> Path:
    """The folder that holds the traces: itself, or its only plane."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; give Suite2p's plane folder, as suite2p/plane0.")
    if any((folder / name).exists() for name in _READ):
        return folder
    if (folder / "suite2p").is_dir():  # the folder of the recording, beside the movies
        return _plane(folder / "suite2p")
    planes = sorted(path.name for path in folder.glob("plane*") if path.is_dir())
    if len(planes) == 1:
        return folder / planes[0]
    if planes:
        raise BadInput(f"{folder} holds several planes: give one of {', '.join(planes)}.")
    held = listed(sorted(path.name for path in folder.iterdir()))
    raise BadInput(f"{folder} holds no F.npy or spks.npy of Suite2p; found: {held or 'nothing'}.")


def _array(folder: Path, name: str) -> np.ndarray:
    if not (folder / name).exists():
        held = [one for one in _READ if (folder / one).exists()]
        raise BadInput(f"{folder} has no {name}, only {', '.join(held)}; choose another signal.")
    array = load_npy(folder / name)
    if array.dtype.kind not in "iuf" or array.ndim != 2 or 0 in array.shape:
        raise BadInput(
            f"{folder / name} is {array.dtype}{list(array.shape)} and must be numbers, ROI × frame."
        )
    return array


def _cells(folder: Path) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Which ROIs are cells, and how probable that is; None where nothing is said."""
    if not (folder / "iscell.npy").exists():
        return None, None
    table = np.array(load_npy(folder / "iscell.npy"))
    if table.dtype.kind not in "biuf" or table.ndim not in (1, 2) or not table.size:
        raise BadInput(
            f"{folder / 'iscell.npy'} is {table.dtype}{list(table.shape)}, not (ROI, 2)."
        )
    table = table[:, None] if table.ndim == 1 else table
    probability = table[:, 1].astype(np.float64) if table.shape[1] > 1 else None
    return table[:, 0].astype(np.float64) > 0.5, probability


def _turned(
    array: np.ndarray, is_cell: np.ndarray | None, account: Account, name: str
) -> np.ndarray:
    """The array as ROI × frame."""
    if is_cell is None or len(is_cell) == array.shape[0]:
        return array
    if len(is_cell) == array.shape[1]:
        repair = f"stored as {array.shape}, frame × ROI: transposed"
        account.add("other", name, array.size, array.size, repairs=[repair])
        return array.T
    raise BadInput(
        f"{account.path / name} is {array.shape} but iscell.npy has {len(is_cell)} ROIs: they "
        "belong to different runs of Suite2p. Re-export the folder."
    )


def _over_baseline(corrected: np.ndarray, sampling_frequency: float) -> np.ndarray:
    window = max(int(BASELINE_WINDOW * sampling_frequency), 1)
    baseline = gaussian_filter1d(corrected, BASELINE_SMOOTHING, axis=1)
    baseline = maximum_filter1d(minimum_filter1d(baseline, window, axis=1), window, axis=1)
    sound = (baseline > 0).all(axis=1, keepdims=True)
    return np.where(sound, corrected / np.where(sound, baseline, 1.0) - 1.0, np.nan)


def _list_other(folder: Path, signal: str, account: Account) -> None:
    used = {"iscell.npy", *(["spks.npy"] if signal == "spks" else ["F.npy"])}
    used |= {"Fneu.npy"} if signal == "dF/F" else set()
    for path in sorted(folder.iterdir()):
        if path.name in used:
            continue
        reason = "not read: not part of the traces"
        if path.name in _PICKLES:
            reason = PICKLE
        elif path.name in _READ:
            reason = f"not read: signal is '{signal}'"
        account.add("other", path.name, 1, 0, notes=[reason])


def _digest(folder: Path) -> str:
    """The SHA-256 over the names and bytes of the files of traces, in the order of their names."""
    sha = hashlib.sha256()
    for name in _READ:
        path = folder / name
        if not path.exists():
            continue
        sha.update(f"{name}\n".encode())
        try:
            with path.open("rb") as file:
                sha.update(hashlib.file_digest(file, "sha256").digest())
        except PermissionError:
            raise EnvironmentProblem(f"{path} may not be read by this account.") from None
    return sha.hexdigest()

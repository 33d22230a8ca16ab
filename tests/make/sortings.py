"""A sorting, the behaviour that another program recorded beside it, and the lab's NWB file of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from make.recordings import write_recording

RATE = 30_000.0
SECONDS = 240.0
N_UNITS = 8


def laps(t: np.ndarray) -> np.ndarray:
    """Where the animal is (m) on a track of one metre, which it runs in 8 s."""
    return (t / 8.0) % 1.0


def samples(seed: int = 0) -> list[np.ndarray]:
    """Of each unit the samples of its spikes: each fires at its own place."""
    rng = np.random.default_rng(seed)
    step = 0.01
    t = np.arange(0, SECONDS, step)
    found = []
    for unit in range(N_UNITS):
        away = np.abs((laps(t) - unit / N_UNITS + 0.5) % 1.0 - 0.5)
        rate = 0.5 + 18.0 * np.exp(-((away / 0.08) ** 2))
        spikes = t[rng.random(len(t)) < rate * step] + rng.uniform(0, step, 1)
        found.append(np.unique(np.round(spikes * RATE)).astype(np.int64))
    return found


def kilosort_folder(folder: Path, *, seed: int = 0, first_id: int = 3) -> Path:
    """What Kilosort leaves, curated in Phy: cluster ids from ``first_id`` on."""
    folder.mkdir(parents=True, exist_ok=True)
    trains = samples(seed)
    order = np.argsort(np.concatenate(trains), kind="stable")
    clusters = np.repeat(np.arange(N_UNITS) + first_id, [len(one) for one in trains])
    np.save(folder / "spike_times.npy", np.concatenate(trains)[order][:, None])
    np.save(folder / "spike_clusters.npy", clusters[order].astype(np.int32))
    (folder / "params.py").write_text(f"sample_rate = {RATE}\n")
    rows = "".join(f"{unit + first_id}\tgood\n" for unit in range(N_UNITS))
    (folder / "cluster_group.tsv").write_text(f"cluster_id\tgroup\n{rows}")
    return folder


def behaviour_csv(path: Path, *, offset: float = 0.0, step: float = 0.02) -> Path:
    """Times, place and speed, as a tracking program writes them; its clock is ``offset`` s behind."""
    t = np.arange(0, SECONDS, step)
    speed = 0.125 + 0.02 * np.sin(t / 3)
    rows = "\n".join(
        f"{a - offset:.4f},{b:.5f},{c:.5f}" for a, b, c in zip(t, laps(t), speed, strict=True)
    )
    path.write_text(f"time,track_position,speed\n{rows}\n")
    return path


def trials_csv(path: Path) -> Path:
    """One row per lap: start, stop, which side was rewarded."""
    starts = np.arange(0, SECONDS - 8, 8.0)
    rows = "\n".join(
        f"{s:.2f},{s + 7.5:.2f},{('left', 'right')[n % 2]}" for n, s in enumerate(starts)
    )
    path.write_text(f"start_time,stop_time,side\n{rows}\n")
    return path


def lab_file(path: Path, *, seed: int = 0, first_id: int = 3, extra: bool = True) -> Path:
    """The lab's NWB file with the same units; with ``extra`` one more, and in another order."""
    trains = [one / RATE for one in samples(seed)]
    ids = [unit + first_id for unit in range(N_UNITS)]
    if extra:
        trains, ids = [*trains, np.arange(1.0, SECONDS, 0.5)], [*ids, 99]
    t, step = np.arange(0, SECONDS, 0.02), -1 if extra else 1
    return write_recording(
        path,
        spike_times=trains[::step],
        unit_ids=ids[::step],
        position={"data": np.column_stack([laps(t), 0.1 * np.sin(t)]), "timestamps": t},
        subject={"subject_id": "A", "species": "Rattus norvegicus", "sex": "M", "age": "P90D"},
    )

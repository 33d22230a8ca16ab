"""What the documents call recording.nwb, kilosort4 and the like: small, simulated, made once."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np

from make.cli_runs import run_cli
from make.pages import quick_defaults
from make.recordings import write_recording
from nwbsparse.simulate.assemblies import simulate_assemblies
from nwbsparse.simulate.contents import Contents
from nwbsparse.simulate.nwb import write_simulation

RATE = 30_000.0
SMALL = {"duration": 150.0, "n_units": 20, "n_assemblies": 4, "units_per_assembly": 6}
SEEDS = {
    "recording": 1,
    "rat-ca1-w-maze": 1,
    "next_day": 2,
    "monday": 3,
    "tuesday": 4,
    "a": 5,
    "b": 6,
}
"""Recordings by the names that pages give them."""
SUBJECTS = {"docs/how-to/share-on-dandi.md": ("4", "4")}
"""Pages → (subject, session) as they say it."""
USUAL = ("A", "1")


@dataclass(frozen=True)
class Placed:
    """A simulation whose units lie in two regions, at depths and electrodes."""

    given: Contents

    def contents(self) -> Contents:
        n = len(self.given.spike_times)
        regions = ["CA1" if unit < n // 2 else "CA3" for unit in range(n)]
        placed = {
            "region": regions,
            "depth": [40.0 * unit for unit in range(n)],
            "electrode": [unit // 2 for unit in range(n)],
        }
        return replace(self.given, unit_columns={**self.given.unit_columns, **placed})


class Placeholders:
    """Makes what pages name, in a folder of its own, and copies it where a page runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, where: Path, page: str) -> None:
        """Put what a page calls ``name`` into the folder that it runs in."""
        subject, session = SUBJECTS.get(page, USUAL)
        held = self.folder / f"{subject}-{session}"
        held.mkdir(exist_ok=True)
        made = held / name
        if not made.exists():
            make = getattr(self, f"_{name.partition('.')[0]}", self._recording)
            make(made, subject, session)
        if made.is_dir():
            shutil.copytree(made, where / name)
        else:
            shutil.copy(made, where / name)

    def _recording(self, path: Path, subject: str, session: str) -> None:
        made = simulate_assemblies(seed=SEEDS[path.stem], **SMALL)
        write_simulation(Placed(made.contents()), path)
        with h5py.File(path, "r+") as file:
            for name, text in (("subject/subject_id", subject), ("session_id", session)):
                file[f"general/{name}"][()] = text

    def _results(self, path: Path, subject: str, session: str) -> None:
        """The folder of a run on recording.nwb; in it also what is known of no animal: a8604."""
        recording = path.with_name("recording.nwb")
        if not recording.exists():
            self._recording(recording, subject, session)
        with quick_defaults():
            assert run_cli("run", recording, "--out", path, "--quiet") == 0
        other = path / "a8604_desc-latents_sparse.nwb"
        shutil.copy(path / "recording_desc-latents_sparse.nwb", other)
        with h5py.File(other, "r+") as file:
            del file["general/subject"]

    def _annotated(self, path: Path, subject: str, session: str) -> None:
        results = path.with_name("results")
        if not results.exists():
            self._results(results, subject, session)
        shutil.copy(results / "recording_desc-latents_sparse.nwb", path)

    def _broken(self, path: Path, subject: str, session: str) -> None:
        """An annotated file whose end is gone."""
        whole = path.with_name("annotated.nwb")
        if not whole.exists():
            self._annotated(whole, subject, session)
        held = whole.read_bytes()
        path.write_bytes(held[: len(held) * 4 // 5])

    def _kilosort4(self, path: Path, *_: str) -> None:
        path.mkdir()
        samples = _samples()
        order = np.argsort(np.concatenate(samples), kind="stable")
        clusters = np.repeat(np.arange(len(samples)), [len(one) for one in samples])
        np.save(path / "spike_times.npy", np.concatenate(samples)[order][:, None])
        np.save(path / "spike_clusters.npy", clusters[order])
        (path / "params.py").write_text(f"sample_rate = {RATE}\n")

    def _tracking(self, path: Path, *_: str) -> None:
        seconds = np.arange(0, 130, 0.05)
        speed = np.abs(np.sin(seconds / 3)) + 0.1
        rows = [f"{t:.3f},{v:.4f}" for t, v in zip(seconds, speed, strict=True)]
        path.write_text("\n".join(["time,speed", *rows]) + "\n")

    def _lab(self, path: Path, *_: str) -> None:
        """The lab's file with the units of the sorting."""
        write_recording(path, spike_times=[one / RATE for one in _samples()])


def _samples() -> list[np.ndarray]:
    spikes = simulate_assemblies(seed=1, **SMALL).contents().spike_times
    return [np.unique(np.round(times * RATE)).astype(np.int64) for times in spikes]

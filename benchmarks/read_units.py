"""How long reading Units takes, next to h5py reading the same flat arrays.

    python benchmarks/read_units.py [n_units] [n_spikes]

Writes temporary NWB files (2,000 units, 20 million spikes: 160 MB plain, and gzipped as most shared
files are), reads each several times both ways in turn, and prints the best CPU times and their ratio.
The files are in the page cache: reading the plain one is a copy of memory, and every check of the
spikes is another pass over it. The SHA-256 of the file is left out of the comparison (any reader
that records what it read pays it) and printed on its own.
"""

import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
from hdmf.common import VectorData, VectorIndex
from pynwb import NWBHDF5IO, H5DataIO, NWBFile
from pynwb.misc import Units

from nwbsparse.io.check import sha256_of
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.io.nwb.units import read_units
from nwbsparse.io.rules.account import Account

REPEATS = 5
GOAL = 1.5


def write(path: Path, *, n_units: int, n_spikes: int, compression: str | None = None) -> None:
    rng = np.random.default_rng(0)
    share = rng.dirichlet(np.full(n_units, 2.0))
    index = np.round(np.cumsum(share) * n_spikes).astype(np.uint64)
    index[-1] = n_spikes
    times = rng.uniform(0, 7200, n_spikes)
    for start, stop in zip(np.r_[0, index[:-1]].astype(int), index.astype(int), strict=True):
        times[start:stop].sort()
    stored = H5DataIO(times, compression=compression) if compression else times
    column = VectorData(name="spike_times", description="spike times", data=stored)
    edges = VectorIndex(name="spike_times_index", data=index, target=column)
    nwbfile = NWBFile("a benchmark", "benchmark", datetime(2024, 1, 1, tzinfo=UTC))
    nwbfile.units = Units(
        name="units", description="units", id=np.arange(n_units), columns=[column, edges],
        colnames=["spike_times"],
    )  # fmt: skip
    with NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)


def by_h5py(path: Path) -> float:
    start = time.process_time()
    with h5py.File(path) as file:
        times, index, ids = (
            file[f"units/{name}"][:] for name in ("spike_times", "spike_times_index", "id")
        )
    seconds = time.process_time() - start
    assert len(times) == index[-1] and len(ids) == len(index)
    return seconds


def by_nwbsparse(path: Path) -> float:
    with NWBHDF5IO(path, "r") as io:
        table = io.read().units
        start = time.process_time()
        read_units(
            table, Account(path), time_scale=1.0, starts=None,
            builder=io.manager.get_builder(table),
        )  # fmt: skip
        return time.process_time() - start


def timed(read, path: Path) -> float:
    start = time.process_time()
    read(path)
    return time.process_time() - start


def compare(path: Path) -> None:
    pairs = [(by_h5py(path), by_nwbsparse(path)) for _ in range(REPEATS)]
    flat, units = (min(times) for times in zip(*pairs, strict=True))
    digest = min(timed(sha256_of, path) for _ in range(2))
    whole = min(timed(read_nwb, path) for _ in range(2))
    print(f"{path.stem}: {path.stat().st_size / 1e6:.0f} MB, best of {REPEATS}")
    print(f"  h5py, flat arrays      {flat:.3f} s")
    print(f"  nwbsparse, Units       {units:.3f} s")
    print(f"  ratio                  {units / flat:.2f} (goal: at most {GOAL}; without SHA-256)")
    print(f"  SHA-256 of the file    {digest:.3f} s")
    print(f"  read_nwb, all of it    {whole:.3f} s")


def main(n_units: int = 2_000, n_spikes: int = 20_000_000) -> None:
    warnings.simplefilter("ignore")
    print(f"{n_units:,} units, {n_spikes / 1e6:.0f} M spikes")
    with tempfile.TemporaryDirectory() as folder:
        for name, compression in (("plain", None), ("gzipped", "gzip")):
            path = Path(folder) / f"{name}.nwb"
            write(path, n_units=n_units, n_spikes=n_spikes, compression=compression)
            compare(path)


if __name__ == "__main__":
    main(*(int(float(argument)) for argument in sys.argv[1:]))

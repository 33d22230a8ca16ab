"""What an annotated copy of a large recording costs, beside `cp` of what remains of it.

    .venv/bin/python benchmarks/export.py [--raw 800] [--kept 200] [--chunked] [--profile] [--repeats 3]

A made-up recording: int16 raw data in acquisition (MB, left out of the copy), and a processed
series (MB, kept), stored whole or in compressed chunks. Writing is the whole of `write`: is it
still the recording that was read, export, checksums, opening again, comparing every number,
validating, syncing. `cp` copies the finished annotated file; `cp` and sync also waits for the disk,
as writing does. Rounds take turns; the fastest of each is printed.
"""

import argparse
import cProfile
import os
import pstats
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import machine
import numpy as np
from write_results import made

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

MB = 10**6
N_CHANNELS = 64
MODES = ("derived", "link")
COPIES = {
    "cp": ["cp"],
    "cp and sync": ["sh", "-c", 'cp "$0" "$1" && sync "$1"'],
}


def recording(path, *, raw, kept, chunked):
    """A recording with 100 units, raw data and a processed series of the wanted sizes (MB)."""
    from hdmf.backends.hdf5 import H5DataIO
    from pynwb import NWBHDF5IO, NWBFile
    from pynwb.base import TimeSeries
    from pynwb.ecephys import ElectricalSeries

    from recordings import poisson_spikes

    rng = np.random.default_rng(0)
    file = NWBFile(
        session_description="made up", identifier="export",
        session_start_time=datetime(2024, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    for times in poisson_spikes(n_units=100, stop=600.0):
        file.add_unit(spike_times=times)
    device = file.create_device("probe")
    group = file.create_electrode_group("shank", "made up", "CA1", device)
    for _ in range(N_CHANNELS):
        file.add_electrode(group=group, location="CA1")
    region = file.create_electrode_table_region(list(range(N_CHANNELS)), "all")

    # smooth enough that gzip finds something, as in a voltage
    block = np.cumsum(rng.integers(-3, 4, (50_000, N_CHANNELS)), axis=0).astype(np.int16)

    def values(size, **how):
        rows = size * MB // (2 * N_CHANNELS)
        return H5DataIO(np.resize(block, (rows, N_CHANNELS)), **how)

    if raw:
        file.add_acquisition(
            ElectricalSeries(
                name="raw", data=values(raw), rate=30_000.0, electrodes=region, conversion=1e-6
            )
        )
    if kept:
        how = {"compression": "gzip", "shuffle": True, "chunks": (8192, 16)} if chunked else {}
        module = file.create_processing_module("processed", "made up")
        module.add(
            TimeSeries(name="filtered", data=values(kept, **how), rate=30_000.0, unit="volts")
        )
    with NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def seconds(task):
    began = time.perf_counter()
    task()
    return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=int, default=800)
    parser.add_argument("--kept", type=int, default=200)
    parser.add_argument("--chunked", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    from nwbsparse.results.results import write

    print(machine.words())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = {"small": (0, 0), "large": (given.raw, given.kept)}
        sources = {
            key: recording(folder / f"{key}.nwb", raw=raw, kept=kept, chunked=given.chunked)
            for key, (raw, kept) in sizes.items()
        }
        os.sync()
        time.sleep(
            3
        )  # a file that was written just now is hashed twice, as one of last week is not
        results = {key: made(source, 30_000, 1024, 16) for key, source in sources.items()}
        times = {}
        for n in range(given.repeats):
            took = times.setdefault("write into a small recording", [])
            took.append(seconds(lambda n=n: write(results["small"], folder / f"small{n}.nwb")))
            for mode in MODES:
                os.sync()
                took = times.setdefault(f"write, {mode}", [])
                path = folder / f"{mode}{n}.nwb"
                took.append(seconds(lambda p=path, m=mode: write(results["large"], p, m)))
            for how, words in COPIES.items():
                os.sync()
                command = [*words, str(folder / f"derived{n}.nwb"), str(folder / "copy.nwb")]
                took = times.setdefault(how, [])
                took.append(seconds(lambda c=command: subprocess.run(c, check=True)))
                (folder / "copy.nwb").unlink()
            sizes_now = [
                sources["large"].stat().st_size,
                (folder / f"derived{n}.nwb").stat().st_size,
            ]
            for path in folder.glob(f"*{n}.nwb"):
                path.unlink()
        report(times, *sizes_now)
        if given.profile:
            with cProfile.Profile() as profile:
                write(results["large"], folder / "profiled.nwb")
            pstats.Stats(profile).sort_stats("cumulative").print_stats(70)


def report(times, source, written):
    """Fastest of each, beside the copies; what a large recording adds is the difference of two."""
    best = {name: min(took) for name, took in times.items()}
    small = best["write into a small recording"]
    best |= {f"  of that for its size, {mode}": best[f"write, {mode}"] - small for mode in MODES}
    machine.table(
        ("", "wall s", *(f"× {how}" for how in COPIES)),
        [
            (name, f"{took:.2f}", *(f"{took / best[how]:.2f}" for how in COPIES))
            for name, took in best.items()
        ],
    )
    print(f"  source {source / MB:.0f} MB, annotated {written / MB:.0f} MB")


if __name__ == "__main__":
    main()

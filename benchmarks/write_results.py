"""How fast results are written and read, and how large they are.

    .venv/bin/python benchmarks/write_results.py [--bins 180000] [--latents 4096] [-k 32]

Made-up activations (one hour in bins of 20 ms) of a coder with random weights, into a copy of a
recording with 100 units. Writing is the whole of `write`: export, checksums, opening again,
comparing every number, validating. Size is beside that of the same three arrays in plain gzip
(level 4). A window is read from a file that is open, and checked.
"""

import argparse
import gzip
import sys
import tempfile
import time
from pathlib import Path

import machine
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


def made(source, n_bins, n_latents, k):
    """Results of the wanted size; each bin has k active latents, some far more often than others."""
    import xarray as xr

    from make.results import WIDTH, made_results
    from nwbsparse import names

    small = made_results(source, n_bins=40, n_latents=n_latents, k=k)
    rng = np.random.default_rng(0)
    share = rng.permutation(1.0 / (1 + np.arange(n_latents)) ** 0.5)
    edges = np.cumsum(share) / share.sum()
    index = np.searchsorted(edges, rng.random((n_bins, k))).clip(0, n_latents - 1)
    index = np.sort(index, axis=1).astype(np.uint16)
    kept = np.ones(index.shape, dtype=bool)
    kept[:, 1:] = index[:, 1:] != index[:, :-1]
    latents = xr.Dataset(
        {
            names.VALUE: (names.ENTRY, rng.gamma(2.0, 1.0, kept.sum()).astype(np.float32)),
            names.LATENT_INDEX: (names.ENTRY, index[kept]),
            names.INDPTR: (
                names.TIME_EDGE,
                np.concatenate([[0], kept.sum(axis=1).cumsum()]).astype(np.uint64),
            ),
        },
        coords={
            names.TIME: np.arange(n_bins) * WIDTH + WIDTH / 2,
            names.SEGMENT: (names.TIME, np.zeros(n_bins, dtype=np.int32)),
            names.SPLIT: (names.TIME, np.repeat(np.arange(3, dtype=np.int8), n_bins)[::3]),
            names.LATENT: np.arange(n_latents),
            names.LEVEL: small.latents[names.LEVEL],
        },
        attrs=small.latents.attrs,
    )
    from dataclasses import replace

    return replace(small, latents=latents)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bins", type=int, default=180_000)
    parser.add_argument("--latents", type=int, default=4096)
    parser.add_argument("-k", type=int, default=32)
    given = parser.parse_args()
    from make.recordings import poisson_spikes, write_recording
    from nwbsparse.results.activations import open_activations
    from nwbsparse.results.results import open_results, write

    print(machine.words())
    with tempfile.TemporaryDirectory() as folder:
        source = write_recording(
            Path(folder) / "source.nwb", spike_times=poisson_spikes(n_units=100, stop=600.0)
        )
        results = made(source, given.bins, given.latents, given.k)
        arrays = [one.values for one in results.latents.data_vars.values()]
        began = time.perf_counter()
        plain = sum(len(gzip.compress(one.tobytes(), 4)) for one in arrays)
        gzip_s = time.perf_counter() - began
        rows = []
        for attempt in ("first", "again"):
            began, cpu = time.perf_counter(), time.process_time()
            path = write(results, Path(folder) / f"{attempt}.nwb")
            rows.append(
                (f"write, {attempt}", time.perf_counter() - began, time.process_time() - cpu)
            )
        began, cpu = time.perf_counter(), time.process_time()
        with open_activations(path) as held:
            rows.append(
                ("open for windows", time.perf_counter() - began, time.process_time() - cpu)
            )
            for attempt in range(3):
                start = 100.0 + 700.0 * attempt
                began, cpu = time.perf_counter(), time.process_time()
                window = held.window(start, start + 10)
                rows.append(("read 10 s", time.perf_counter() - began, time.process_time() - cpu))
                assert window.sizes["time"] == 500
        began, cpu = time.perf_counter(), time.process_time()
        open_results(path)
        rows.append(("open everything", time.perf_counter() - began, time.process_time() - cpu))
        machine.table(
            ("", "wall s", "CPU s"), [(name, f"{a:.3f}", f"{b:.3f}") for name, a, b in rows]
        )
        stored = stored_bytes(path)
        print(
            f"  activations: {stored / 1e6:.1f} MB, plain gzip {plain / 1e6:.1f} MB "
            f"(in {gzip_s:.1f} s): {stored / plain:.2f} ×"
        )
        print(
            f"  file {path.stat().st_size / 1e6:.1f} MB, source {source.stat().st_size / 1e6:.1f} MB"
        )


def stored_bytes(path):
    import h5py

    with h5py.File(path) as file:
        held = file["processing/sparse_latents/latents/activations"]
        return sum(held[key].id.get_storage_size() for key in ("values", "indices", "indptr"))


if __name__ == "__main__":
    main()

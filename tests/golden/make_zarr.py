"""Makes the golden NWB Zarr stores: one simulated recording, as each generation of hdmf-zarr writes it.

    .venv/bin/python tests/golden/make_zarr.py

hdmf-zarr 0.13 (zarr 2) makes ``format_2``; 0.14 (zarr 3) makes ``format_3``, and ``sharded`` and
``annotated_format_3``, which only it can. Run once and never again: these are the files that people
have. Pickled tables of references were usual before numcodecs 0.15: to write one it has to be allowed.
"""

import json
import os
import shutil
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

os.environ["NUMCODECS_ALLOW_UNSAFE_PICKLE_DECODE"] = "1"
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
warnings.simplefilter("ignore")

import hdmf_zarr  # noqa: E402
import numpy as np  # noqa: E402
from pynwb import NWBHDF5IO, TimeSeries  # noqa: E402

import nwbsparse as ns  # noqa: E402
from golden.make_annotated import expected  # noqa: E402
from make.cli_runs import QUICK, run_cli  # noqa: E402
from make.recordings import circle, laps, poisson_spikes, write_recording  # noqa: E402

FOLDER = HERE / "zarr"
RECORDING = FOLDER / "recording.nwb"
NEWER = hasattr(hdmf_zarr, "NWBZarrV2IO")


def recording(path):
    """All that a store keeps in a way of its own: text, references, ragged and compound columns."""
    plain = path.with_suffix(".plain.nwb")
    write_recording(
        plain, spike_times=poisson_spikes(stop=60.0), electrodes={"location": ["CA1", "CA3", "é", "?"]},
        unit_columns={"quality": ["good", "mua", "é", ""], "snr": [1.0, 2.0, np.nan, 4.0]},
        obs_intervals=[[(0, 60)]] * 4, position=circle(n=3000), trials=laps(n=6),
        epochs=[(0, 30, ["run", "left"]), (30, 60, ["rest"])], invalid_times=[(3.0, 4.0)],
        subject={"subject_id": "rat 1", "species": "Rattus norvegicus"},
    )  # fmt: skip
    with NWBHDF5IO(plain, "r") as source, NWBHDF5IO(path, "w") as target:
        nwbfile = source.read()
        lick = TimeSeries(name="lick", data=np.arange(60.0), unit="V", rate=1.0)
        nwbfile.add_acquisition(lick)
        looks = nwbfile.create_time_intervals("looks", "stretches of a signal")
        for start in range(4):
            looks.add_interval(float(start), start + 0.5, timeseries=[lick])
        target.export(src_io=source, nwbfile=nwbfile)
    plain.unlink()


def sharded(store):
    """Spike times and positions in shards of a few chunks each, as large recordings are stored."""
    import zarr

    for place in ("units/spike_times", "processing/behavior/Position/position/data"):
        group, _, name = place.rpartition("/")
        held = zarr.open_group(store, mode="r+")[place]
        values, attributes = held[:], dict(held.attrs)
        parent = zarr.open_group(store / group, mode="r+", use_consolidated=False)
        del parent[name]
        more = values.shape[1:]
        again = parent.create_array(
            name, shape=values.shape, dtype=values.dtype, chunks=(64, *more), shards=(256, *more)
        )
        again[:] = values
        again.attrs.update(attributes)
    zarr.consolidate_metadata(store)


def annotated(work):
    """Results of a quick run on the recording, in a store; the numbers that they hold."""
    assert run_cli("run", RECORDING, "--out", work / "run", *QUICK, "--quiet") == 0
    results = ns.open_results(next((work / "run").glob("*_sparse.nwb")))
    store = work / "annotated" / "store.nwb.zarr"
    ns.write(replace(results, session=ns.read(RECORDING)), store, "zarr", dense=False)
    return store, expected(results, [])


def keep(store, name):
    # hundreds of small files: one archive, unpacked by the tests
    shutil.make_archive(str(FOLDER / f"{name}.nwb.zarr"), "zip", store)


def make():
    FOLDER.mkdir(exist_ok=True)
    made = FOLDER / f"format_{3 if NEWER else 2}.nwb.zarr.zip"
    if made.exists():
        raise SystemExit(f"{made} is a golden file, which never changes")
    if not RECORDING.exists():
        recording(RECORDING)
    with tempfile.TemporaryDirectory() as place:
        store = Path(place) / "store.nwb.zarr"
        with (
            NWBHDF5IO(RECORDING, "r") as source,
            hdmf_zarr.NWBZarrIO(str(store), mode="w") as target,
        ):
            target.export(src_io=source, write_args={"link_data": False})
        keep(store, made.name.removesuffix(".nwb.zarr.zip"))
        if NEWER:
            sharded(store)
            keep(store, "sharded")
            store, numbers = annotated(Path(place))
            keep(store, "annotated_format_3")
            (FOLDER / "annotated.json").write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    make()

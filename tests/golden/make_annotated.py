"""Makes the golden files of the format: annotated recordings as this version writes them.

    .venv/bin/python tests/golden/make_annotated.py 0.1.0

Run once per release of the extension and never again for an old one: the files are what its users
have. A made recording of five units, 60 s; dense activations in HDF5, sparse ones in Zarr.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import nwbsparse as ns  # noqa: E402
from cli_runs import QUICK, run_cli  # noqa: E402
from recordings import circle, laps, poisson_spikes, write_recording  # noqa: E402


def main(version):
    folder = HERE / "annotated" / version
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        source = write_recording(
            Path(work) / "golden.nwb",
            spike_times=poisson_spikes(n_units=5, stop=120.0),
            position=circle(n=6_000),
            trials=laps(n=12),
        )
        assert run_cli("run", source, "--out", Path(work) / "run", *QUICK, "--quiet") == 0
        made = next((Path(work) / "run").glob("*_sparse.nwb"))
        shutil.copy(made, folder / "hdf5.nwb")
        results = ns.open_results(made)
        ns.write(
            ns.Results(
                ns.read(source), results.coder, results.latents, results.metrics,
                results.attribution, results.environment,
            ),
            Path(work) / "store" / "zarr.nwb.zarr", "zarr", dense=False,
        )  # fmt: skip
        # hundreds of small files: one archive, unpacked by the tests
        shutil.make_archive(str(folder / "zarr.nwb.zarr"), "zip", Path(work) / "store")
    expected = {
        "coder_id": results.coder.id,
        "activation_sum": float(results.latents["activation"].sum()),
        "r2": float(results.metrics["r2"]),
        "weight": np.round(results.attribution["weight"].values.astype(float), 6).tolist(),
        "best_variable": results.attribution["best_variable"].values.tolist(),
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

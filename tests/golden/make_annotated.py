"""Makes the golden files of the format: annotated recordings as this version writes them.

    .venv/bin/python tests/golden/make_annotated.py 0.1.0 [KIND ...]

Run once per release of the extension and kind, and never again for an old one: the files are what its
users have. Made recordings of 120 s; dense activations in HDF5, sparse ones in Zarr.
"""

import json
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from pynwb import NWBHDF5IO

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import nwbsparse as ns  # noqa: E402
from make.cli_runs import QUICK, run_cli  # noqa: E402
from make.embedded_recordings import projected  # noqa: E402
from make.recordings import circle, laps, poisson_spikes, write_recording  # noqa: E402

PLAIN = ""
"""The kind whose files stand in the folder of the version itself."""


def recording(folder, name="golden", *, n_units=5, seed=0, **more):
    return write_recording(
        folder / f"{name}.nwb",
        spike_times=poisson_spikes(n_units=n_units, stop=120.0, seed=seed),
        position=circle(n=6_000),
        trials=laps(n=12),
        **more,
    )


def plain(work):
    return _run(work, recording(work))


def two_populations(work):
    """Two units of CA1 are reconstructed from four of CA3."""
    regions = ["CA3", "CA1", "CA3", "CA3", "CA1", "CA3"]
    source = recording(work, n_units=len(regions), electrodes={"location": regions})
    return _run(work, source, "--target-regions=CA1")


def embedding(work):
    """Three dims, a projection of the counts of five units."""
    source = recording(work)
    values = projected(ns.to_bins(ns.read(source), 0.1), n_dims=3)
    np.save(work / "embedding.npy", values)
    return _run(work, source, "--embedding", work / "embedding.npy")


def session(work):
    """The first of two recordings that share a model."""
    sources = [recording(work, "monday"), recording(work, "tuesday", n_units=4, seed=1)]
    assert run_cli("run", *sources, "--out", work / "run", *QUICK, "--quiet") == 0
    return sources[0], next((work / "run" / "monday").glob("*_sparse.nwb"))


KINDS = {
    PLAIN: plain,
    "two_populations": two_populations,
    "embedding": embedding,
    "session": session,
}


def _run(work, source, *options):
    assert run_cli("run", source, "--out", work / "run", *QUICK, *options, "--quiet") == 0
    return source, next((work / "run").glob("*_sparse.nwb"))


def expected(results, scores):
    """The numbers and names that every reader must find."""
    coder, attribution = results.coder, results.attribution
    said = {
        "coder_id": coder.id,
        "activation_sum": float(results.latents["activation"].sum()),
        "r2": float(results.metrics["r2"]),
        "weight": np.round(attribution["weight"].values.astype(float), 6).tolist(),
        "best_variable": attribution["best_variable"].values.tolist(),
        "read": list(coder.record.unit_ids),
        "reconstructed": list(coder.record.targets),
        "model_id": coder.model_id,
        "sessions": [one.name for one in coder.record.sessions],
        "first_bin": float(results.latents["time"][0]),
        "scores": scores,
    }
    if results.embedding is not None:
        said["embedding_sum"] = float(results.embedding.astype("float64").sum())
    return said


def make(version, kind):
    folder = HERE / "annotated" / version / kind
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "hdf5.nwb").exists():
        raise SystemExit(f"{folder} holds golden files, which never change")
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        source, made = KINDS[kind](work)
        shutil.copy(made, folder / "hdf5.nwb")
        with NWBHDF5IO(made, "r") as io:
            model = io.read().processing["sparse_latents"]["latents"]
            scores = sorted(model.latent_attributions)
        results = ns.open_results(made)
        of_source = replace(results, session=ns.read(source))
        ns.write(of_source, work / "store" / "zarr.nwb.zarr", "zarr", dense=False)
        # hundreds of small files: one archive, unpacked by the tests
        shutil.make_archive(str(folder / "zarr.nwb.zarr"), "zip", work / "store")
    (folder / "expected.json").write_text(json.dumps(expected(results, scores), indent=1) + "\n")


if __name__ == "__main__":
    for kind in sys.argv[2:] or KINDS:
        make(sys.argv[1], kind)

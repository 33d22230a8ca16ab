"""What lies in the folder of a run: the flat numbers of metrics.json, and datasets as netCDF."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.populations import explained_units
from nwbsparse.analysis.headline import headline
from nwbsparse.embedding.attach import EMBEDDER_FILE, EMBEDDING_FILE
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.files.whole import whole_file, write_whole
from nwbsparse.results.results import Results

LATENTS, STABILITY = "latents.nc", "stability.nc"
ATTRIBUTION, METRICS = "attribution.nc", "metrics.nc"
NUMBERS = "metrics.json"
SESSIONS = "sessions.json"


def flat_metrics(results: Results, binned: xr.Dataset) -> dict[str, Any]:
    """The numbers of ``metrics.json``: flat, documented in ``docs/reference/metrics.md``."""
    config = results.config
    parts = binned[names.SPLIT].values
    read = explained_units(results.coder, binned)
    embedded = {} if results.embedding is None else {"n_dims": results.coder.n_units}
    return finite(
        {
            "headline": headline(results.attribution, results.metrics),
            "n_units": read.sizes[names.UNIT],
            **embedded,
            "n_units_firing": int((read[names.COUNTS].values > 0).any(axis=0).sum()),
            **(
                {"n_units_reconstructed": results.coder.n_targets}
                if results.coder.record.apart
                else {}
            ),
            "n_bins": int(binned.sizes[names.TIME]),
            **{
                f"n_{name}_bins": int((parts == value).sum())
                for value, name in enumerate(names.SPLIT_NAMES)
            },
            "bin_width": config.bin_width,
            "n_latents": config.n_latents,
            "k": config.k,
            "threshold": float(results.coder.threshold[-1]),
            **_of_metrics(results.metrics),
            **_of_attribution(results.attribution),
            **_of_stability(results.stability),
            "seed": config.seed,
            "coder_id": results.coder.id,
            "source_sha256": results.session.source.sha256,
        }
    )


def keep_results(results: Results, binned: xr.Dataset, folder: Path) -> dict[str, Any]:
    """Write the numbers and datasets of results into the folder of their run; the numbers.

    Raises:
        EnvironmentProblem: they cannot be written.
    """
    numbers = flat_metrics(results, binned)
    write_whole(folder / NUMBERS, to_json(numbers))
    save_netcdf(results.latents, folder / LATENTS)
    save_netcdf(results.attribution, folder / ATTRIBUTION)
    save_netcdf(results.metrics, folder / METRICS)
    keep_embedding(results.embedding, results.embedder, folder)
    if results.stability is not None:
        save_netcdf(results.stability, folder / STABILITY)
    return numbers


def keep_metrics(metrics: xr.Dataset, folder: Path) -> None:
    """Put what ``evaluate`` said into the folder of a run, beside the other numbers.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    _keep(metrics, folder / METRICS, _of_metrics(metrics))


def keep_attribution(attribution: xr.Dataset, folder: Path) -> None:
    """Put what ``explain`` said into the folder of a run, beside the other numbers.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    _keep(attribution, folder / ATTRIBUTION, _of_attribution(attribution))


def check_one_session(folder: Path) -> None:
    """Refuse the folder of a run on several recordings where one of them is needed.

    Raises:
        BadInput: it is one; its sessions are named.
    """
    if there := sessions_in(folder):
        raise BadInput(
            f"{folder} holds a model of several sessions; give the folder of one of them: "
            + ", ".join(str(folder / one) for one in there)
        )


def sessions_in(folder: Path) -> list[str]:
    """The sessions of a run on several recordings in this folder; none where it holds no such run."""
    try:
        return list(json.loads((folder / SESSIONS).read_text(encoding="utf-8"))[names.SESSIONS])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def keep_embedding(embedding: xr.DataArray | None, embedder: bytes | None, folder: Path) -> None:
    """Put what a coder read into its folder, where that was an embedding, and what made it."""
    if embedding is not None:
        save_netcdf(embedding.to_dataset(name=names.EMBEDDING), folder / EMBEDDING_FILE)
    if embedder is not None:
        write_whole(folder / EMBEDDER_FILE, embedder)


def embedding_in(folder: Path) -> xr.DataArray | None:
    """The embedding that the coder in a folder was trained on, if there is one."""
    stored = load_netcdf(folder / EMBEDDING_FILE)
    return None if stored is None else stored[names.EMBEDDING]


def embedder_in(folder: Path) -> bytes | None:
    """What made the embedding that the coder in a folder was trained on, if it is there."""
    path = folder / EMBEDDER_FILE
    return path.read_bytes() if path.is_file() else None


def to_json(numbers: dict[str, Any]) -> str:
    """The text of ``metrics.json``."""
    return json.dumps(numbers, indent=1, sort_keys=True) + "\n"


def save_netcdf(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset as netCDF 4, compressed, complete or not at all; booleans become 0 and 1.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    plain = dataset.copy()
    for name, variable in plain.variables.items():
        if variable.dtype == bool:
            plain[name] = plain[name].astype(np.int8)
    encoding = {
        str(name): {"zlib": True, "complevel": 4}
        for name, variable in plain.data_vars.items()
        if variable.dtype.kind in "iuf" and variable.ndim and variable.size
    }
    with whole_file(path) as fresh:
        plain.to_netcdf(fresh, engine="h5netcdf", encoding=encoding)


def _keep(dataset: xr.Dataset, path: Path, numbers: dict[str, Any]) -> None:
    written = path.parent / NUMBERS
    try:
        known = json.loads(written.read_text(encoding="utf-8")) if written.is_file() else {}
    except OSError as error:
        raise EnvironmentProblem(f"{written} cannot be read: {error}") from error
    save_netcdf(dataset, path)
    attribution, metrics = (
        dataset if one == path.name else load_netcdf(path.parent / one)
        for one in (ATTRIBUTION, METRICS)
    )
    if attribution is not None and metrics is not None:
        numbers = {"headline": headline(attribution, metrics), **numbers}
    write_whole(written, to_json(known | finite(numbers)))


def load_netcdf(path: Path) -> xr.Dataset | None:
    """What :func:`save_netcdf` wrote; None where there is no such file."""
    if not path.is_file():
        return None
    with xr.open_dataset(path, engine="h5netcdf") as stored:
        return stored.load()


def _of_metrics(metrics: xr.Dataset) -> dict[str, Any]:
    return {
        "test_r2": float(metrics["r2"]),
        "test_unit_r2_median": float(metrics["unit_r2"].median()),
        "test_cosine": float(metrics["bin_cosine"].mean()),
        "test_unit_cosine": float(metrics["unit_cosine"].mean()),
        **_of_hidden_units(metrics),
        "test_l0": float(metrics["l0"].mean()),
        "dead_fraction": float(metrics["dead"].mean()),
        "always_on_fraction": float(metrics["always_on"].mean()),
    }


def _of_hidden_units(metrics: xr.Dataset) -> dict[str, Any]:
    if "hidden_unit_r2" not in metrics:
        return {}
    numbers = {
        "test_hidden_unit_r2": float(metrics["hidden_unit_r2"]),
        "test_hidden_unit_r2_se": float(metrics["hidden_unit_r2_se"]),
        "units_share": str(metrics.attrs.get("shares", "")),
    }
    for name, r2 in zip(
        metrics["baseline"].values, metrics["hidden_baseline_r2"].values, strict=True
    ):
        numbers[f"test_hidden_unit_r2_{name}"] = float(r2)
    if "hidden_unit_bits" in metrics:
        numbers["test_hidden_unit_bits"] = float(metrics["hidden_unit_bits"])
        numbers |= {
            f"test_hidden_unit_bits_{name}": float(bits)
            for name, bits in zip(
                metrics["baseline"].values, metrics["hidden_baseline_bits"].values, strict=True
            )
        }
    return numbers


def _of_attribution(attribution: xr.Dataset) -> dict[str, Any]:
    summary = json.loads(attribution.attrs["summary"])
    numbers = {
        "n_single_unit_latents": int(attribution["single_unit"].sum()),
        "n_assessable_latents": summary["latents"]["assessable"],
        "n_explained_latents": summary["latents"]["found"],
    }
    if "n_confirmed_latents" in attribution.attrs:
        numbers["n_confirmed_latents"] = int(attribution.attrs["n_confirmed_latents"])
    return numbers


def _of_stability(stability: xr.Dataset | None) -> dict[str, Any]:
    return {} if stability is None else {"n_stable_latents": int(stability["stable"].sum())}


def finite(numbers: dict[str, Any]) -> dict[str, Any]:
    """Numbers as JSON has them: None in place of NaN and infinity."""
    return {
        key: None if isinstance(v, float) and not math.isfinite(v) else v
        for key, v in numbers.items()
    }

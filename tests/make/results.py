"""Results with made-up numbers for tests of writing: nothing is trained, everything is seeded."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from make.coders import settled
from nwbsparse import names
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import CoderRecord
from nwbsparse.results.results import Results

WIDTH = 0.02


def made_results(
    source: Path,
    *,
    n_bins: int = 300,
    seed: int = 0,
    held: Any = None,
    n_targets: int = 0,
    **options: Any,
) -> Results:
    """Results that fit a recording, as any model could have made them.

    ``held``: (activation (time, latent), metrics, attribution) instead of made-up ones.
    ``n_targets``: how many units, the first of the table, are reconstructed from the others.
    """
    session = read_nwb(source)
    unit_ids = session.units[names.UNIT_ID].values[n_targets:]
    targets = tuple(str(one) for one in session.units[names.UNIT_ID].values[:n_targets])
    record = CoderRecord(
        config=settled(n_units=len(unit_ids), **({"precision": "float32", "seed": seed} | options)),
        unit_ids=tuple(str(one) for one in unit_ids),
        target_ids=targets or None,
        bin_width=WIDTH,
        source_sha256=session.source.sha256,
        software={"nwbsparse": "test"},
    )
    coder = SparseCoder(record, generator=torch.Generator().manual_seed(seed)).eval()
    activation = sparse_activation(n_bins, coder.n_latents, seed=seed)
    latents = latents_of(activation, coder)
    metrics, attribution = made_meaning(coder, session, n_test=n_bins // 4, seed=seed)
    return Results(
        session, coder, latents, metrics, attribution, {"created": "2026-01-01T00:00:00+00:00"}
    )


def copied(results: Results, folder: Path) -> tuple[Path, Results]:
    """A copy of the source of results in a folder, and the results as if they were made from it."""
    source = results.session.source
    assert source.path is not None
    path = Path(shutil.copy2(source.path, folder / "source.nwb"))
    session = replace(results.session, source=replace(source, path=path))
    return path, replace(results, session=session)


def sparse_activation(n_bins: int, n_latents: int, *, seed: int = 0) -> np.ndarray:
    """Mostly zeros, (time, latent) float32."""
    rng = np.random.default_rng(seed)
    values = rng.gamma(2.0, 1.0, (n_bins, n_latents)).astype(np.float32)
    return np.where(rng.uniform(size=values.shape) < 0.1, values, np.float32(0))


def latents_of(activation: np.ndarray, coder: SparseCoder, *, gap: bool = True) -> xr.Dataset:
    """The Latents dataset of activations, in two segments where there are bins enough."""
    n_bins, n_latents = activation.shape
    segment = np.zeros(n_bins, dtype=np.int32)
    times = 10.0 + np.arange(n_bins) * WIDTH + WIDTH / 2
    if gap and n_bins > 10:
        segment[n_bins // 2 :] = 1
        times[n_bins // 2 :] += 3.0
    part = np.resize(np.repeat(np.array([0, -1, 1, 2], dtype=np.int8), 5), n_bins)
    coords = {
        names.TIME: times,
        names.SEGMENT: (names.TIME, segment),
        names.TRIAL: (names.TIME, np.arange(n_bins, dtype=np.int32) // 7 - 1),
        names.SPLIT: (names.TIME, part),
        names.COMPLETE: (names.TIME, np.arange(n_bins) % 11 > 1),
        names.LATENT: np.arange(n_latents),
        names.LEVEL: (names.LATENT, np.array(coder.level_of_latent, dtype=np.int32)),
    }
    attrs = {names.BIN_WIDTH: WIDTH, names.CODER_ID: coder.id, names.SCHEMA: names.LATENTS}
    if n_latents <= 256:
        variables: dict[str, Any] = {names.ACTIVATION: ((names.TIME, names.LATENT), activation)}
    else:
        row, column = activation.nonzero()
        edges = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n_bins))])
        variables = {
            names.VALUE: (names.ENTRY, activation[row, column]),
            names.LATENT_INDEX: (names.ENTRY, column.astype(np.uint16)),
            names.INDPTR: (names.TIME_EDGE, edges.astype(np.uint64)),
        }
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def made_meaning(
    coder: SparseCoder, session: Any, *, n_test: int, seed: int = 0
) -> tuple[xr.Dataset, xr.Dataset]:
    """Metrics and attribution with what types have a place for, and with what they have not."""
    rng = np.random.default_rng(seed)
    n_latents, n_units = coder.n_latents, coder.n_targets
    units = {
        names.UNIT: np.arange(n_units),
        names.UNIT_ID: (names.UNIT, session.units[names.UNIT_ID].values[:n_units]),
        names.UNIT_ROW: (names.UNIT, np.arange(n_units)),
    }
    latent = {names.LATENT: np.arange(n_latents)}
    metrics = xr.Dataset(
        {
            "r2": 0.25,
            "unit_r2": (names.UNIT, rng.uniform(size=n_units)),
            "unit_cosine": (names.UNIT, rng.uniform(size=n_units)),
            "bin_cosine": (names.TIME, rng.uniform(size=n_test)),
            "l0": (names.TIME, rng.integers(0, 9, n_test)),
            "density": (names.LATENT, rng.uniform(size=n_latents)),
            "dead": (names.LATENT, rng.uniform(size=n_latents) < 0.3),
            "level_r2": ("matryoshka_level", np.array([0.25])),
            "level_size": ("matryoshka_level", np.array([n_latents])),
            "spectrum": (("frequency", names.UNIT), rng.uniform(size=(5, n_units))),
            "median": np.float64(0.5),
        },
        coords={names.TIME: 10.0 + np.arange(n_test) * WIDTH, **latent, **units},
        attrs={names.SPLIT: "test", names.CODER_ID: coder.id, "n_bins": n_test},
    )
    attribution = xr.Dataset(
        {
            "weight": ((names.LATENT, names.UNIT), rng.standard_normal((n_latents, n_units))),
            "z": ((names.LATENT, names.UNIT), rng.standard_normal((n_latents, n_units))),
            "best_variable": (
                names.LATENT,
                np.array(["speed", ""] * n_latents)[:n_latents].astype(object),
            ),
            "best_condition": (names.LATENT, np.array([""] * n_latents, dtype=object)),
            "association": (names.LATENT, rng.uniform(size=n_latents)),
            "of_lags": (
                (names.LATENT, "lag", names.UNIT),
                rng.uniform(size=(n_latents, 3, n_units)),
            ),
        },
        coords={names.LEVEL: (names.LATENT, np.array(coder.level_of_latent)), **latent, **units},
        attrs={names.CODER_ID: coder.id, "alpha": 0.05, "notes": "[]"},
    )
    if coder.record.target_ids is not None:
        attribution = _read_apart(attribution, coder, session, rng)
    return metrics, attribution


def _read_apart(
    attribution: xr.Dataset, coder: SparseCoder, session: Any, rng: np.random.Generator
) -> xr.Dataset:
    """The attribution with the units that are read, which stand behind the others in the table."""
    both = (names.LATENT, names.INPUT_UNIT)
    shape = (coder.n_latents, coder.n_units)
    rows = np.arange(coder.n_targets, coder.n_targets + coder.n_units)
    return attribution.assign(
        encoder_attribution=(both, rng.standard_normal(shape)),
        input_correlation=(both, rng.uniform(-1, 1, shape)),
        input_correlation_p=(both, rng.uniform(size=shape)),
        input_assessable=(names.INPUT_UNIT, rng.uniform(size=coder.n_units) < 0.5),
    ).assign_coords(
        {
            names.INPUT_UNIT: np.arange(coder.n_units),
            names.INPUT_UNIT_ID: (names.INPUT_UNIT, session.units[names.UNIT_ID].values[rows]),
            names.INPUT_UNIT_ROW: (names.INPUT_UNIT, rows),
        }
    )

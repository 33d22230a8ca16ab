"""Datasets as plain CSV tables, for spreadsheets and other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nwbsparse.errors import BadInput
from nwbsparse.files.whole import whole_file

VALUES = "values"


def tables(dataset: xr.Dataset) -> dict[str, pd.DataFrame]:
    """A dataset as tables: one for every set of dims, one row for every combination of them.

    Args:
        dataset: what ``evaluate``, ``explain``, ``decode`` … returned.

    Returns:
        Name of the dims, joined by ``_`` (``latent``, ``latent_unit`` …) → table. Its first columns
        are the dims and what is known of them, then one column per variable; empty cells are NaN.
        Single numbers stand in ``values`` with the columns ``name`` and ``value``.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for key, variable in dataset.data_vars.items():
        groups.setdefault(tuple(map(str, variable.dims)), []).append(str(key))
    made = {}
    for dims, variables in groups.items():
        if not dims:
            rows = [(name, dataset[name].item()) for name in variables]
            made[VALUES] = pd.DataFrame(rows, columns=["name", "value"])
            continue
        part = dataset[variables]
        part = part.drop_vars([name for name, one in part.coords.items() if not one.dims])
        part = part.assign_coords(
            {dim: np.arange(part.sizes[dim]) for dim in dims if dim not in part.coords}
        )
        frame = part.to_dataframe(dim_order=list(dims)).reset_index()
        known = [name for name in frame.columns if name not in variables and name not in dims]
        made["_".join(dims)] = frame[[*dims, *known, *variables]]
    return made


def write_csv(dataset: xr.Dataset, folder: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Write every table of a dataset as ``<dims>.csv`` into a folder (made when absent).

    Raises:
        BadInput: a file of one of these names exists (``overwrite``).
        EnvironmentProblem: they cannot be written.
    """
    folder = Path(folder).expanduser()
    made = tables(dataset)
    paths = {name: folder / f"{name}.csv" for name in made}
    there = [path.name for path in paths.values() if path.exists()]
    if there and not overwrite:
        raise BadInput(f"{folder} already holds {', '.join(there)}; use --overwrite")
    for name, frame in made.items():
        with whole_file(paths[name]) as fresh:
            frame.to_csv(fresh, index=False, float_format="%.9g")
    return list(paths.values())

"""Bins on disk, as tasks read them, and what tells one such table from another."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import xarray as xr

from nwbsparse.errors import BadInput
from nwbsparse.files.whole import whole_file


def save_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset as netCDF 4 to a path that is nobody's yet: the same data, the same bytes."""
    encoding = {
        str(name): {"zlib": True, "complevel": 1}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "iufb" and variable.ndim and variable.size
    }
    dataset.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def save_whole(dataset: xr.Dataset, path: Path) -> None:
    """The same, complete or not at all, in place of a file that may be there."""
    with whole_file(path) as fresh:
        save_dataset(dataset, fresh)


def load_dataset(path: str | Path) -> xr.Dataset:
    """What :func:`save_dataset` wrote.

    Raises:
        BadInput: it is gone, or damaged.
    """
    try:
        with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as stored:
            return stored.load()
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{path} cannot be read as netCDF: {error}") from None


def digest_of_dataset(dataset: xr.Dataset) -> str:
    """The SHA-256 of all values, names and attributes of a dataset, wherever it came from."""
    whole = sha256()
    for name in sorted(dataset.variables, key=str):
        variable = dataset.variables[name]
        values = np.asarray(variable.values)
        whole.update(f"{name}\0{variable.dims}\0{values.dtype}\0{values.shape}\0".encode())
        if values.dtype.kind in "OUT":
            whole.update("\0".join(str(one) for one in values.ravel()).encode())
        else:
            whole.update(np.ascontiguousarray(values).tobytes())
        _attrs(whole, variable.attrs)
    _attrs(whole, dataset.attrs)
    return whole.hexdigest()


def _attrs(whole: object, attrs: dict[str, object]) -> None:
    for key in sorted(attrs, key=str):
        whole.update(f"{key}={attrs[key]}\0".encode())  # type: ignore[attr-defined]

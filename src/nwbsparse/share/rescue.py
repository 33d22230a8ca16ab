"""rescue(): what can be read of the results in a damaged file, in a folder of plain files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from nwbsparse.annotated.record import ENVIRONMENT, OPTIONS, record_from
from nwbsparse.errors import BadInput, EnvironmentProblem, NwbsparseError
from nwbsparse.files.made_folder import made_folder
from nwbsparse.files.whole import write_whole
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.rules.values import text
from nwbsparse.models import checkpoint
from nwbsparse.share.dandi_names import label
from nwbsparse.share.survey import whole
from nwbsparse.share.truncated import Padded, opened_whole_or_not

_TABLE = "colnames"
_CODER = ("parameters", ENVIRONMENT, OPTIONS)


@dataclass(frozen=True)
class Rescued:
    """What was saved of the results in a file, and what could not be."""

    folder: Path
    saved: tuple[Path, ...]
    lost: tuple[str, ...]


def rescue(file: str | Path, folder: str | Path) -> Rescued:
    """Copy what is readable of the results in a file, damaged or not, into a new folder.

    For each result: the coder (``model.safetensors`` and ``model.json``, as ``nwbsparse.save``
    writes them, if it is whole), every table as CSV, every array as netCDF. A column or array of
    which some part is gone is left out and named. The file is only read.

    Raises:
        BadInput: the folder exists and is not empty, or nothing can be read of the file.
        EnvironmentProblem: the folder cannot be written to.
    """
    path, folder = Path(file).expanduser(), Path(folder).expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} exists and is not an empty folder; choose another one")
    if path.is_dir():
        raise BadInput(
            f"{path} is Zarr: each of its arrays is a folder of its own; open them with zarr"
        )
    try:
        with made_folder(folder), opened_whole_or_not(path) as (opened, stream):
            saving = _Saving(folder, stream)
            for name, group in _results(opened):
                saving.save(name, group)
    except (OSError, RuntimeError, KeyError) as error:
        if isinstance(error, NwbsparseError):
            raise
        if isinstance(error, OSError) and error.filename and str(folder) in str(error.filename):
            raise EnvironmentProblem(f"{folder} cannot be written to: {error.strerror}") from None
        raise BadInput(f"nothing can be saved of {path.name}: {error}") from None
    if not saving.saved and not saving.lost:
        raise BadInput(f"{path} holds no sparse latents that could be found")
    return Rescued(folder, tuple(saving.saved), tuple(saving.lost))


def _results(file: Any) -> Iterator[tuple[str, Any]]:
    module = file.get(f"processing/{MODULE}")
    for name in list(module) if isinstance(module, h5py.Group) else []:
        group: Any = module.get(name)
        if isinstance(group, h5py.Group):
            yield str(name), group


class _Saving:
    def __init__(self, folder: Path, stream: Padded) -> None:
        self.folder, self.stream = folder, stream
        self.saved: list[Path] = []
        self.lost: list[str] = []

    def save(self, name: str, group: Any) -> None:
        """One result (or a table or series beside it)."""
        place = self.folder / label(name, what="the name of a result")
        if "parameters" in group:
            self._coder(place, group)
        self._group(place, group, name)

    def _coder(self, place: Path, group: Any) -> None:
        parts = {key: self._values(group, key) for key in _CODER}
        try:
            texts = (_said(parts[key]) for key in (ENVIRONMENT, OPTIONS))
            held = parts["parameters"]
            tensors = b"" if held is None else held.tobytes()
            coder = checkpoint.from_parts(tensors, record_from(*texts, name=place.name).words)
        except (TypeError, AttributeError, KeyError, ValueError, NwbsparseError) as error:
            said = f"the coder of {group.name}: its record or weights are not whole ({error})"
            self.lost.append(said)
            if parts["parameters"] is not None:
                write_whole(place / checkpoint.TENSORS, parts["parameters"].tobytes())
                self.saved.append(place / checkpoint.TENSORS)
            return
        checkpoint.save(coder, place)
        self.saved += [place / checkpoint.TENSORS, place / checkpoint.WORDS]

    def _group(self, place: Path, group: Any, where: str) -> None:
        if _TABLE in group.attrs:
            self._table(place, group)
            return
        arrays: dict[str, Any] = {}
        for name in list(group):
            if isinstance(group.get(name, getlink=True), h5py.ExternalLink | h5py.SoftLink):
                continue
            try:
                thing = group.get(name)
            except (OSError, RuntimeError, KeyError, ValueError) as error:
                self.lost.append(f"{where}/{name}: {error}")
                continue
            if isinstance(thing, h5py.Group):
                self._group(place / label(name, what="a group"), thing, f"{where}/{name}")
            elif isinstance(thing, h5py.Dataset) and name != "parameters":
                values = self._values(group, name)
                if values is not None and values.dtype.kind in "biuf":
                    dims = [f"{name}_{axis}" for axis in range(values.ndim)]
                    arrays[str(name)] = (dims, values)
                elif values is not None:
                    arrays[str(name)] = ((), text(values[()])) if values.ndim == 0 else (
                        [f"{name}_0"], np.array([text(one) for one in values.ravel()], dtype=object)
                    )  # fmt: skip
        if arrays:
            place.parent.mkdir(parents=True, exist_ok=True)
            target = place.with_name(f"{place.name}.nc")
            xr.Dataset(arrays).to_netcdf(target, engine="h5netcdf")
            self.saved.append(target)

    def _table(self, place: Path, group: Any) -> None:
        columns: dict[str, list[str]] = {}
        for name in [text(one) for one in group.attrs[_TABLE]]:
            values = self._values(group, name)
            if values is None or (f"{name}_index" in group and values.ndim):
                ends = self._values(group, f"{name}_index") if values is not None else None
                if values is None or ends is None:
                    continue
                starts = np.concatenate(([0], ends[:-1])).astype(int)
                columns[name] = [
                    " ".join(text(one) for one in values[first:last])
                    for first, last in zip(starts, ends.astype(int), strict=True)
                ]
            else:
                columns[name] = [
                    text(one) if np.ndim(one) == 0 else " ".join(map(text, np.ravel(one)))
                    for one in values
                ]
        if not columns:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        target = place.with_name(f"{place.name}.csv")
        n_rows = max(map(len, columns.values()))
        with target.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            writer.writerows(
                [held[row] if row < len(held) else "" for held in columns.values()]
                for row in range(n_rows)
            )
        self.saved.append(target)

    def _values(self, group: Any, name: str) -> np.ndarray | None:
        thing = group.get(name)
        values = whole(thing, self.stream) if isinstance(thing, h5py.Dataset) else None
        if values is None:
            self.lost.append(f"{group.name}/{name}")
        return values


def _said(values: np.ndarray | None) -> str:
    """The text of a dataset that holds one; '' where it could not be read."""
    return "" if values is None else text(values[()])

"""A stretch of the activations in a file, read without the rest of them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import xarray as xr

from ndx_sparse_latents import bin_times
from nwbsparse import names
from nwbsparse.annotated.elements.activations import activations_in, series_of
from nwbsparse.annotated.elements.latents import levels_in
from nwbsparse.annotated.elements.leftovers import restore
from nwbsparse.annotated.elements.splits import splits_in
from nwbsparse.annotated.read.checksums import check_rows, stored_manifest
from nwbsparse.annotated.read.opened import opened_model, source_is_here
from nwbsparse.annotated.read.parse import whole
from nwbsparse.annotated.record import read_record
from nwbsparse.errors import BadInput


class StoredActivations:
    """The activations of one model in a file that stays open until ``close``.

    Raises:
        BadInput: the file holds no result, or several and no name was given.
        IntegrityError: the result is damaged.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self._held = ExitStack()
        try:
            alone = not source_is_here(path)
            self._model = self._held.enter_context(opened_model(path, name, alone=alone))
            with whole(self._model):
                record = read_record(self._model)
                self._manifest = stored_manifest(record, self._model.name)
                self._layout = record.parts[names.LATENTS]
                self._series = series_of(self._model)
                self._of_bins = splits_in(self._model)
                self._of_latents = levels_in(self._model)
                self.times = bin_times(self._series)
        except BaseException:
            self._held.close()
            raise

    times: np.ndarray
    """(time,) float64 s: the centre of every bin."""

    def window(self, start: float | int, stop: float | int) -> xr.Dataset:
        """The Latents dataset of the bins whose centre lies in [start, stop), in session seconds.

        Only the blocks of the file that hold them are read, and compared with their checksums. An
        empty stretch gives a dataset without bins.

        Raises:
            BadInput: stop lies before start, or one of them is no number.
            IntegrityError: what was read is damaged; the message names the rows.
        """
        if not start <= stop:
            raise BadInput(f"a window from {start} to {stop} s ends before it begins")
        first, last = (int(edge) for edge in np.searchsorted(self.times, [start, stop]))
        with whole(self._model):
            self._check(first, last)
            named = activations_in(self._model, self._layout["variables"], first, last)
            named |= {key: values[first:last] for key, values in self._of_bins.items()}
            named |= self._of_latents | self._in_tables(first, last)
            return restore(_cut(self._layout, named), named, {})

    def _in_tables(self, first: int, last: int) -> dict[str, Any]:
        """What stands in tables beside the model, such as whether the window of a bin is complete."""
        named = {}
        for key, said in self._layout["variables"].items():
            if "column" not in said:
                continue
            name = f"{self._model.name}_{said['table']}"
            column = self._model.parent[name][said["column"]].data
            of_bins = said["dims"][0] == names.TIME
            rows = (first, last) if of_bins else (0, int(said["shape"][0]))
            self._compare(f"{name}/{said['column']}/data", column, *rows)
            values = np.asarray(column[slice(*rows)])
            named[key] = values.reshape(len(values), *said["shape"][1:])
        return named

    def close(self) -> None:
        """Close the file."""
        self._held.close()

    def __enter__(self) -> StoredActivations:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self, first: int, last: int) -> None:
        series, where = self._series, "activations/"
        if getattr(series, "indptr", None) is None:
            self._compare(f"{where}data", series.data, first, last)
            return
        self._compare(f"{where}indptr", series.indptr, first, last + 1)
        edges = np.asarray(series.indptr[first : last + 1]).astype(np.int64)
        for key in ("values", "indices"):
            array = getattr(series, key)
            self._compare(f"{where}{key}", array, int(edges[0]), int(edges[-1]))

    def _compare(self, where: str, array: Any, first: int, stop: int) -> None:
        check_rows(self._model.name, self._manifest, where, array, first, stop)


def _cut(layout: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    """The layout of the latents, as long as what is there."""
    variables = {
        key: {
            **{word: one for word, one in said.items() if word not in ("table", "column")},
            "shape": said["shape"] if "value" in said else list(np.shape(named[key])),
        }
        for key, said in layout["variables"].items()
    }
    return {**layout, "variables": variables}

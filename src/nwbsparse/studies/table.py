"""The table of a sweep: every fit, what it was fitted with, and what is known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.schema import with_step
from nwbsparse.studies.datasets import load_dataset, save_whole
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.plan import FITS, Fit, fits_of

FILE = "sweep.nc"
FIT, TARGET, SECONDS = "fit", "target", "seconds"
STATUS, MESSAGE = "status", "message"
WAITING = "waiting"
"""The status of a fit that was not made yet."""


def table_of(ledger: Ledger) -> xr.Dataset:
    """All fits of a sweep, made or not: options that vary as coordinates, numbers as variables.

    It depends on what was fitted alone, and not on who did it, when, or in which order.
    """
    fits = fits_of(ledger.made_for)
    rows = _rows(ledger)
    made = [rows.get(one.number, {STATUS: WAITING, MESSAGE: ""}) for one in fits]
    data: dict[str, Any] = {
        STATUS: (FIT, _texts(one[STATUS] for one in made)),
        MESSAGE: (FIT, _texts(one[MESSAGE] for one in made)),
        "model_id": (FIT, _texts(one.get("model_id", "") for one in made)),
        "n_latents_used": (FIT, np.array([one.get("n_latents") or 0 for one in made])),
        "k_used": (FIT, np.array([one.get("k") or 0 for one in made])),
    }
    targets, numbers = _numbers([one.get("numbers", {}) for one in made])
    data |= numbers
    coords: dict[str, Any] = {FIT: np.arange(len(fits))} | _coords(ledger.made_for, fits)
    if targets:
        coords[TARGET] = _texts(targets)
    said = ledger.made_for
    table = xr.Dataset(
        data,
        coords=coords,
        attrs={
            names.SCHEMA: "sweep",
            "varying": json.dumps(said["varying"]),
            "data": json.dumps(said["data"]),
            "left_out": json.dumps(said["left_out"]),
        },
    )
    parameters = {key: said[key] for key in ("fixed", "grid", "metrics", "threads")}
    return with_step(table, "sweep", parameters)


def write_table(ledger: Ledger) -> xr.Dataset:
    """Put results together as ``sweep.nc``; the table, with the seconds that each fit took.

    The seconds are all that differs when the same is done again: they stand in the ledger, not in the
    file.
    """
    table = table_of(ledger)
    save_whole(table, ledger.folder / FILE)
    return with_seconds(table, ledger)


def open_table(folder: Any) -> xr.Dataset:
    """The table of a sweep, as far as it is made.

    Raises:
        BadInput: the folder holds no sweep.
    """
    ledger = Ledger(folder)
    if ledger.made_for.get("kind") != "sweep":
        raise BadInput(f"{ledger.folder} holds other results than those of a sweep")
    path = ledger.folder / FILE
    if path.is_file() and WAITING not in (found := load_dataset(path))[STATUS].values:
        return with_seconds(found, ledger)
    return with_seconds(table_of(ledger), ledger)


def with_seconds(table: xr.Dataset, ledger: Ledger) -> xr.Dataset:
    """The table with what each fit took: its share of the stack that it was trained in."""
    seconds = np.full(table.sizes[FIT], np.nan)
    for task in ledger.tasks():
        if task.kind == FITS and (took := ledger.seconds(task)) is not None:
            seconds[list(task.about["fits"])] = took / task.size
    return table.assign({SECONDS: (FIT, seconds)})


def _rows(ledger: Ledger) -> dict[int, dict[str, Any]]:
    """What is known of each fit, by its number."""
    rows: dict[int, dict[str, Any]] = {}
    for task in ledger.tasks():
        if task.kind != FITS:
            continue
        if ledger.is_done(task):
            path = ledger.result(task)
            try:
                found = json.loads(path.read_text(encoding="utf-8"))["rows"]
            except (OSError, ValueError, KeyError) as error:
                raise BadInput(f"{path} is damaged ({error}); remove it and sweep again") from None
            rows |= {int(one["fit"]): one for one in found}
        elif (failure := ledger.failure(task)) is not None:
            failed = {STATUS: "failed", MESSAGE: failure.message}
            rows |= {int(number): failed for number in task.about["fits"]}
    return rows


def _numbers(found: list[Mapping[str, Any]]) -> tuple[list[str], dict[str, Any]]:
    """Targets, and a variable per number; NaN where a fit has none."""
    every = dict.fromkeys(name for one in found for name in one)
    of_targets = {name for one in found for name, value in one.items() if isinstance(value, dict)}
    targets = list(
        dict.fromkeys(key for one in found for name in of_targets for key in one.get(name) or {})
    )
    made: dict[str, Any] = {}
    for name in every:
        if name in of_targets:
            rows = [[_float((one.get(name) or {}).get(key)) for key in targets] for one in found]
            made[name] = ((FIT, TARGET), np.array(rows))
        else:
            made[name] = (FIT, np.array([_float(one.get(name)) for one in found]))
    return targets, made


def _float(value: Any) -> float:
    return np.nan if value is None else float(value)


def _coords(made_for: Mapping[str, Any], fits: list[Fit]) -> dict[str, Any]:
    """The recording, where there are several, and every option that is not the same in all fits."""
    coords: dict[str, Any] = {}
    if len(made_for["data"]) > 1:
        coords[names.SESSION] = (FIT, _texts(one.session for one in fits))
    for name in made_for["varying"]:
        coords[name] = (FIT, _column([getattr(one.config, name) for one in fits]))
    return coords


def _column(values: list[Any]) -> np.ndarray:
    """An option over fits: numbers as numbers, NaN where it was left open; words, '' where it was."""
    given = [value for value in values if value is not None]
    if all(isinstance(value, int) for value in given) and len(given) == len(values):
        return np.array(values, dtype=np.int64)
    if given and all(isinstance(value, int | float) for value in given):
        return np.array([_float(value) for value in values])
    return _texts(
        "" if one is None else " ".join(map(str, one)) if isinstance(one, tuple) else str(one)
        for one in values
    )


def _texts(values: Any) -> np.ndarray:
    return np.array(list(values), dtype=object)

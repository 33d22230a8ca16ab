"""A Kilosort or Phy folder into memory: every spike of every cluster, labelled or not."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput, raise_together
from nwbsparse.io.check import sha256_of
from nwbsparse.io.rules.account import Account, counted, listed
from nwbsparse.io.rules.seconds import check_seconds
from nwbsparse.io.rules.spikes import sound_spikes
from nwbsparse.io.sorting.phy import (
    ClusterColumn,
    as_values,
    cluster_tables,
    load_vector,
    read_cluster_tables,
    read_params,
)
from nwbsparse.io.sorting.sorted_units import (
    QUALITY,
    RESERVED,
    SAMPLES_PER_SECOND,
    report_units,
    with_quality,
)
from nwbsparse.io.sorting.templates import positions_on_probe
from nwbsparse.session import Session, Source

_ARRAYS = (
    *("spike_times.npy", "spike_clusters.npy", "spike_templates.npy", "templates.npy"),
    *("templates_ind.npy", "template_ind.npy", "channel_positions.npy", "channel_map.npy"),
)


def read_sorting_folder(
    path: str | Path, *, strict: bool = False, sampling_frequency: float | None = None
) -> Session:
    """The units that Kilosort 2.5, 3 or 4 found, as it left them or after curation in Phy.

    Every cluster with a spike is a unit and keeps its number, whether anybody labelled it or not:
    ``quality`` is '' where nobody did. Clusters that only the tables name are units without
    spikes. ``quality`` is the label given by hand (``group`` or ``quality``) where the folder has
    any, else the sorter's (``KSLabel``). ``x``, ``y`` and ``depth`` (µm, depth = y) are those of
    the channel where the unit's most used template is largest. Times are samples divided by the
    sampling rate, from the first sample of the recording on.

    Nothing in the folder is executed, and nothing in it is changed.

    Args:
        path: a folder with ``spike_times.npy`` and ``spike_clusters.npy`` or
            ``spike_templates.npy``; all other files are optional.
        strict: refuse what would be left out or repaired and reported.
        sampling_frequency: samples per second; needed where ``params.py`` does not state it, or
            where what it states gives days of almost no rate.

    Raises:
        BadInput: the spikes or their clusters are missing or damaged, the sampling rate is
            unknown, or (``strict``) anything would need repair. All that is wrong is said at once.
        EnvironmentProblem: this account may not read the folder.
    """
    folder = _folder(path)
    account = Account(folder, strict)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session = _read(folder, account, sampling_frequency)
    account.raise_problems()
    said = (f"{warning.category.__name__}: {warning.message}" for warning in caught)
    return Session(**session, report=account.report(said))


def _folder(path: str | Path) -> Path:
    folder = Path(path).expanduser()
    if not folder.is_dir():
        said = "is a file; give the folder that holds it" if folder.exists() else "does not exist"
        raise BadInput(f"{folder} {said}.")
    if not (folder / "spike_times.npy").is_file():
        inside = sorted(found.parent.name for found in folder.glob("*/spike_times.npy"))
        hint = f"; it is in {listed([folder / name for name in inside])}" if inside else ""
        raise BadInput(f"{folder} is no Kilosort or Phy folder: spike_times.npy is missing{hint}.")
    return folder


def _read(folder: Path, account: Account, asked: float | None) -> dict[str, Any]:
    problems: list[str] = []
    stored, clusters, whose = _spikes_and_clusters(folder, problems)
    stated = read_params(folder / "params.py", account)
    in_samples = stored is None or not _is_seconds(stored)
    rate, notes = _sampling_rate(asked, stated, problems, needed=in_samples)
    raise_together(problems, heading=f"{folder} cannot be read")
    assert stored is not None and clusters is not None
    columns, tabled = read_cluster_tables(folder, account)

    order = np.argsort(clusters, kind="stable")
    ids = np.union1d(clusters, np.array(sorted(tabled), dtype=np.int64))
    edges = np.append(np.searchsorted(clusters[order], ids), len(clusters))
    notes = [*notes, f"the unit of each spike is from {whose}"]
    if in_samples:
        times = _whole(stored)[order] / rate
        spacing = 1 / rate
        if stored.dtype.kind == "f":
            notes.append(f"whole samples stored as {stored.dtype}")
    else:
        times, finite = stored[order].astype(np.float64), np.abs(stored[np.isfinite(stored)])
        spacing = float(np.spacing(finite.max(initial=0)))
        notes.append(f"stored as seconds ({stored.dtype}), not samples: taken as they are")
    spikes = sound_spikes(times, edges, ids, account, spacing=spacing, notes=notes)
    check_seconds(
        *(spikes, folder),
        scalable=False,
        sampling_frequency=rate if in_samples else None,
        answered=in_samples and asked is not None,
    )

    variables = {names.UNIT_ID: ids, names.N_SPIKES: np.diff(spikes.index)}
    variables |= _columns(columns, ids, account)
    placed = positions_on_probe(folder, ids, clusters, account)
    variables |= {name: values for name, values in placed.items() if name not in variables}
    untabled = np.setdiff1d(ids, np.array(sorted(tabled), dtype=np.int64))
    notes = (
        [f"in no table of clusters, kept: {listed(untabled)}"] if tabled and len(untabled) else []
    )
    report_units(variables, account, notes=notes)
    used = [folder / name for name in _ARRAYS] + [folder / "params.py", *cluster_tables(folder)]
    used = [path for path in used if path.is_file()]
    _report_others(folder, used, account)
    units = xr.Dataset({name: (names.UNIT, values) for name, values in variables.items()})
    clock = {SAMPLES_PER_SECOND: rate} if in_samples else {}
    return {
        "units": units.assign_attrs({"spike_time_spacing": spikes.spacing} | clock),
        "spike_times": spikes.times,
        "spike_index": spikes.index,
        "source": Source(path=folder, sha256=_digest(used)),
    }


def _spikes_and_clusters(
    folder: Path, problems: list[str]
) -> tuple[np.ndarray | None, np.ndarray | None, str]:
    """Spike times as stored and the cluster of each; a None stands for what a problem names."""
    whose = "spike_clusters.npy"
    if not (folder / whose).exists() and (folder / "spike_templates.npy").exists():
        whose = "spike_templates.npy"
    found: list[np.ndarray | None] = []
    for name in ("spike_times.npy", whose):
        try:
            found.append(load_vector(folder / name))
        except BadInput as error:
            problems.append(str(error))
            found.append(None)
    stored, clusters = found
    if clusters is None and not (folder / whose).exists():
        problems[-1] += ", and so is spike_templates.npy: the unit of each spike is unknown"
    if clusters is not None and not (np.mod(clusters, 1) == 0).all():  # also where it is NaN
        problems.append(f"{whose} holds numbers that are no cluster: NaN or fractions")
        clusters = None
    if stored is not None and clusters is not None and len(stored) != len(clusters):
        problems.append(
            f"spike_times.npy holds {counted(len(stored), 'spike')} and {whose} {len(clusters):,}: which "
            "spike belongs to which unit is lost. Copy both again from the sorter's output"
        )
    return stored, None if clusters is None else clusters.astype(np.int64), whose


def _is_seconds(stored: np.ndarray) -> bool:
    finite = stored[np.isfinite(stored)]
    return stored.dtype.kind == "f" and bool((np.mod(finite, 1) != 0).any())


def _whole(stored: np.ndarray) -> np.ndarray:
    """Samples as numbers that divide exactly; negative ones of an unsigned array come back."""
    return stored.astype(np.int64) if stored.dtype.kind in "iu" else stored.astype(np.float64)


def _sampling_rate(
    asked: float | None, stated: Mapping[str, Any], problems: list[str], *, needed: bool
) -> tuple[float, list[str]]:
    """Samples per second, and what to know about it; NaN where it is neither known nor needed."""
    remedy = "give sampling_frequency= (samples per second, such as 30000)"
    written: Any = stated.get("sample_rate")
    if asked is not None:
        if not _is_rate(asked):
            problems.append(f"sampling_frequency must be a positive number, not {asked!r}")
            return math.nan, []
        differs = written is not None and written != asked
        return float(asked), [f"{asked:g} Hz as asked; params.py says {written!r}"] * differs
    if _is_rate(written):
        return float(written), []
    if needed:
        lack = "is unknown: params.py" if written is None else f"is {written!r} in params.py"
        lack += " is missing or does not state sample_rate" if written is None else ""
        problems.append(f"the sampling rate {lack}; {remedy}")
    return math.nan, []


def _is_rate(value: Any) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and bool(math.isfinite(value) and value > 0)


def _columns(
    columns: Mapping[str, ClusterColumn], ids: np.ndarray, account: Account
) -> dict[str, np.ndarray]:
    kept, said = {}, {}
    for name, column in columns.items():
        as_name = f"{name}_column" if name in RESERVED else name
        if column.words:
            kept[as_name] = as_values(column.words, ids)
        said[name] = column, as_name
    kept, origin = with_quality(kept)
    for name, (column, as_name) in said.items():
        notes, repairs = [f"from {listed(column.files)}"], []
        if name == origin and name != QUALITY:
            notes.append(f"it is the '{QUALITY}' here")
        elif as_name != name:
            notes.append(f"called '{as_name}': '{name}' has a meaning here")
        if column.contradicted:
            n = counted(len(column.contradicted), "cluster")
            repairs.append(f"the files differ for {n}: {column.files[0]} is taken")
        account.add(
            "column", f"units/{name}", len(ids), len(column.words), notes=notes, repairs=repairs
        )
    return kept


def _report_others(folder: Path, used: list[Path], account: Account) -> None:
    others = sorted({path for path in folder.iterdir() if path.is_file()} - set(used))
    if others:
        notes = [f"not needed, not opened: {listed([path.name for path in others], most=30)}"]
        account.add("other", "other files", len(others), 0, notes=notes)


def _digest(used: list[Path]) -> str:
    """The SHA-256 over the names and contents of every file that was read."""
    digest = hashlib.sha256()
    for path in sorted(used):
        digest.update(f"{path.name}\0{sha256_of(path)}\n".encode())
    return digest.hexdigest()

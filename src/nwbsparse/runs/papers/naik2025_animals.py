"""The animals of a reproduction: recordings, stored embeddings, or both of one animal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.to_bins import bin_session
from nwbsparse.binning.variables import conditions_of, covariates_of
from nwbsparse.embedding.attach import with_embedding
from nwbsparse.errors import BadInput, unknown
from nwbsparse.io.npy import load_npy
from nwbsparse.io.read import options_of, read
from nwbsparse.runs.papers.naik2025_settings import GAP, TRAIN_SHARE, Naik2025

STORED = re.compile(r"(?P<name>.+)-(?P<dims>\d+)-(?P<part>train|valid)\.npy")
OTHERS = ("spike_times.npy", "F.npy", "spks.npy")
"""Files of folders that are recordings: of Kilosort and Phy, and of suite2p."""
DIRECTION = "direction"


@dataclass(frozen=True)
class Animal:
    """The bins of one animal, split, and what is known of them."""

    name: str
    binned: xr.Dataset
    """With counts and behaviour; of stored embeddings alone with one unit that never fires."""
    behaviours: tuple[str, ...] = ()
    """Its place and direction; empty where there is no recording."""
    stored: Mapping[int, np.ndarray] = field(default_factory=dict)
    """dims → (time, dim): embeddings that need not be made."""

    @property
    def recorded(self) -> bool:
        """Whether there are units and behaviour."""
        return bool(self.behaviours)

    def embedded(self, table: np.ndarray) -> xr.Dataset:
        """Its bins with an embedding, for coders that read it."""
        return with_embedding(self.binned, table)

    def part(self, value: int) -> np.ndarray:
        """(time,) bool: its training or held-out bins."""
        return np.asarray(self.binned[names.SPLIT].values == value)

    @property
    def digest(self) -> str:
        """A hash of everything that results about it depend on."""
        tables = [self.binned[names.COUNTS].values, self.binned[names.SPLIT].values]
        tables += [self.binned[name].values for name in self.behaviours]
        tables += [table for _, table in sorted(self.stored.items())]
        made = sha256(f"{self.name} {self.behaviours} {sorted(self.stored)}".encode())
        for table in tables:
            made.update(f"{table.dtype.str}{table.shape}".encode())
            made.update(np.ascontiguousarray(table).tobytes())
        return made.hexdigest()


def animals_of(
    sources: Sequence[str | Path], asked: Naik2025, notify: Callable[[str], None]
) -> list[Animal]:
    """Read the sources; where embeddings and a recording are of one animal they become one.

    A source is a recording, a folder of stored embeddings (``NAME-DIMS-train.npy`` beside
    ``NAME-DIMS-valid.npy``), or ``FOLDER/NAME`` for one animal of such a folder. A recording is of the
    animal of stored embeddings when its name holds theirs and it has as many bins as they have rows.

    Raises:
        BadInput: nothing to read, embeddings that are not whole, no position or direction in a
            recording, or two animals of one name.
    """
    if not sources:
        raise BadInput("no source is given: name recordings or folders of stored embeddings")
    stored: list[Animal] = []
    recorded: list[Animal] = []
    for source in sources:
        if (place := _stored_at(Path(source).expanduser())) is not None:
            stored += _stored_animals(*place, asked)
        else:
            recorded.append(_recorded_animal(source, asked))
    made: list[Animal] = []
    for one in recorded:
        partner = next((other for other in stored if other.name in one.name), None)
        if partner is None:
            made.append(one)
            continue
        rows, bins = partner.binned.sizes[names.TIME], one.binned.sizes[names.TIME]
        if rows != bins:
            notify(
                f"{partner.name}: the stored embeddings have {rows:,} rows, the recording {one.name} "
                f"{bins:,} bins; they stand for two animals"
            )
            made.append(one)
            continue
        stored.remove(partner)
        split = partner.binned[names.SPLIT]
        binned = one.binned.assign_coords({names.SPLIT: (names.TIME, split.values)})
        made.append(replace(one, name=partner.name, binned=binned, stored=partner.stored))
        notify(f"{partner.name}: stored embeddings, with units and behaviour of its recording")
    made = sorted([*made, *stored], key=lambda one: one.name)
    for one, other in pairwise(made):
        if one.name == other.name:
            raise BadInput(f"two animals are called {one.name}; rename one of their files")
    return made


def _stored_at(path: Path) -> tuple[Path, str] | None:
    """(folder, name or '') of stored embeddings; None where a source is something else."""
    if path.is_dir() and any(STORED.fullmatch(one.name) for one in path.glob("*.npy")):
        return path, ""
    if (
        not path.exists()
        and path.parent.is_dir()
        and any(path.parent.glob(f"{path.name}-*-train.npy"))
    ):
        return path.parent, path.name
    if (
        path.is_dir()
        and any(path.glob("*.npy"))
        and not any((path / one).exists() for one in OTHERS)
    ):
        raise BadInput(
            f"{path} holds .npy files, and none is called NAME-DIMS-train.npy or NAME-DIMS-valid.npy, as "
            "stored embeddings are"
        )
    return None


def _stored_animals(folder: Path, only: str, asked: Naik2025) -> list[Animal]:
    found: dict[str, dict[int, dict[str, Path]]] = {}
    for path in sorted(folder.glob("*.npy")):
        said = STORED.fullmatch(path.name)
        if said and only in ("", said["name"]) and int(said["dims"]) in asked.dims:
            found.setdefault(said["name"], {}).setdefault(int(said["dims"]), {})[said["part"]] = (
                path
            )
    if not found:
        listed = ", ".join(map(str, asked.dims))
        raise BadInput(f"{folder} holds no stored embedding of {listed} dims")
    return [_stored_animal(name, folder, files, asked) for name, files in found.items()]


def _stored_animal(
    name: str, folder: Path, files: Mapping[int, Mapping[str, Path]], asked: Naik2025
) -> Animal:
    tables: dict[int, np.ndarray] = {}
    rows: set[tuple[int, int]] = set()
    for dims, both in sorted(files.items()):
        for part in ("train", "valid"):
            if part not in both:
                raise BadInput(f"{folder / f'{name}-{dims}-{part}.npy'} is missing")
        made = [np.array(load_npy(both[part]), dtype=np.float32) for part in ("train", "valid")]
        for part, table in zip(("train", "valid"), made, strict=True):
            if table.ndim != 2 or table.shape[1] != dims:
                raise BadInput(f"{both[part]} has shape {table.shape}; (bins, {dims}) is needed")
            if not np.isfinite(table).all():
                n = int((~np.isfinite(table).all(axis=1)).sum())
                raise BadInput(f"{both[part]} is not finite in {n:,} of {len(table):,} rows")
        tables[dims] = np.concatenate(made)
        rows.add((len(made[0]), len(made[1])))
    if len(rows) > 1:
        said = ", ".join(f"{a} + {b}" for a, b in sorted(rows))
        raise BadInput(
            f"{folder}: the embeddings of {name} have different rows (train + valid: {said}); they must "
            "be of the same bins"
        )
    n_train, n_valid = rows.pop()
    n = n_train + n_valid
    silent = np.zeros((n, 1), np.uint8)
    binned = xr.Dataset(
        {names.COUNTS: ((names.TIME, names.UNIT), silent)},
        coords={
            names.TIME: (np.arange(n) + 0.5) * asked.bin_width,
            names.SEGMENT: (names.TIME, np.zeros(n, np.int32)),
            names.UNIT: [0],
            names.UNIT_ID: (names.UNIT, np.array(["none"], dtype=object)),
            names.SPLIT: (names.TIME, _parts(n, n_train, asked.bin_width)),
        },
        attrs={names.SCHEMA: names.BINNED, names.BIN_WIDTH: asked.bin_width, names.TIME_UNIT: "s"},
    )
    return Animal(name, binned, stored=tables)


def _recorded_animal(source: str | Path, asked: Naik2025) -> Animal:
    options: dict[str, Any] = (
        {"bin_width": asked.bin_width} if "bin_width" in options_of(source) else {}
    )
    session = read(source, **options)
    binned: xr.Dataset = bin_session(session, asked.bin_width)
    path = session.source.path
    name = path.name.split(".")[0] if path is not None else session.source.identifier or "recording"
    behaviours = (
        _position(binned, asked.position, name),
        _direction(binned, asked.direction, name),
    )
    n = binned.sizes[names.TIME]
    parts = _parts(n, int(TRAIN_SHARE * n), asked.bin_width)
    return Animal(name, binned.assign_coords({names.SPLIT: (names.TIME, parts)}), behaviours)


def _parts(n: int, n_train: int, width: float) -> np.ndarray:
    """Training bins, a gap that is taken off their end, held-out bins."""
    parts = np.full(n, names.TRAIN, np.int8)
    parts[max(n_train - round(GAP / width), 0) : n_train] = names.GAP
    parts[n_train:] = names.TEST
    if not (parts == names.TRAIN).any() or not (parts == names.TEST).any():
        raise BadInput(
            f"{n} bins are too few for training and held-out bins with {GAP:g} s between"
        )
    return parts


def _position(binned: xr.Dataset, named: str | None, where: str) -> str:
    known = covariates_of(binned)
    if named is not None:
        if named not in known:
            raise unknown(named, known, what="covariate", where=where)
        return named
    found = [name for name in known if binned[name].attrs[names.KIND] == names.POSITION]
    if len(found) != 1:
        what = "no position" if not found else f"several positions ({', '.join(found)})"
        raise BadInput(
            f"{where} has {what}; say with --position which covariate is the place on the track: "
            f"{', '.join(known) or 'there is none'}"
        )
    return found[0]


def _direction(binned: xr.Dataset, named: str | None, where: str) -> str:
    known = conditions_of(binned)
    if named is not None:
        if named not in known:
            raise unknown(named, known, what="condition", where=where)
        return named
    found = [name for name in known if name.split(".")[-1] == DIRECTION]
    if len(found) != 1:
        what = "no direction of running" if not found else f"several ({', '.join(found)})"
        raise BadInput(
            f"{where} has {what}; say with --direction which condition it is: "
            f"{', '.join(known) or 'there is none'}"
        )
    return found[0]

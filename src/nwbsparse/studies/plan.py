"""What there is to do for a sweep: bins to be made, and stacks of coders to be fitted on them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nwbsparse import names
from nwbsparse.errors import BadInput, unknown
from nwbsparse.options.automatic import reach
from nwbsparse.options.config import Config, shared_options
from nwbsparse.options.facts import data_options
from nwbsparse.studies.grid import Cell, Grid
from nwbsparse.studies.task import Task

BINS, FITS = "bins", "fits"
"""Kinds of tasks."""
METRICS = ("reconstruction", "hidden_units", "naik", "decode")
KEEP = ("models", "latents")
MOST = 32
"""Coders of one task at most: a killed one is not much work lost, and several workers get some each."""


@dataclass(frozen=True)
class Source:
    """A recording, or bins that were made already, as a file that every worker can read."""

    name: str
    path: str
    digest: str
    ready: bool = False
    """Whether the file holds bins, split, and not a recording."""


@dataclass(frozen=True)
class Wanted:
    """What is to be known of every fit, and what is kept of it."""

    metrics: tuple[str, ...] = METRICS[:1]
    keep: tuple[str, ...] = ()
    threads: int = 1

    def __post_init__(self) -> None:
        for given, known, what in ((self.metrics, METRICS, "metric"), (self.keep, KEEP, "thing")):
            for one in given:
                if one not in known:
                    raise unknown(one, known, what=what, where="the sweep")
        if self.threads < 1:
            raise BadInput(f"threads is {self.threads}; it must be 1 or more")


@dataclass(frozen=True)
class Fit:
    """One fit: a recording, and the options of the coder."""

    number: int
    session: str
    config: Config

    @property
    def name(self) -> str:
        """What files of it are called."""
        return name_of(self.number)


def name_of(number: int) -> str:
    """'fit-00012': what is kept of a fit lies under this name."""
    return f"fit-{number:05d}"


def described(sources: Sequence[Source], grid: Grid, wanted: Wanted) -> dict[str, Any]:
    """What a sweep is, as its ledger says it: everything that its results depend on."""
    varying = grid.varying
    first = grid.cells[0].config.to_dict()
    return {
        "kind": "sweep",
        "data": [{"name": one.name, "sha256": one.digest} for one in sources],
        "fixed": {name: value for name, value in first.items() if name not in varying},
        "varying": list(varying),
        "alone": [at for at, one in enumerate(grid.cells) if one.alone],
        "grid": [_of(one.config, varying) for one in grid.cells],
        "left_out": list(grid.left_out),
        "metrics": list(wanted.metrics),
        "keep": list(wanted.keep),
        "threads": wanted.threads,
    }


def fits_of(made_for: Mapping[str, Any]) -> list[Fit]:
    """All fits that a ledger was made for, in the order of its table."""
    configs = [Config(**_tuples(made_for["fixed"] | one)) for one in made_for["grid"]]
    pairs = [(one["name"], config) for one in made_for["data"] for config in configs]
    return [Fit(number, session, config) for number, (session, config) in enumerate(pairs)]


def tasks_of(sources: Sequence[Source], grid: Grid, wanted: Wanted) -> list[Task]:
    """Everything there is to do; bins come before the fits that need them."""
    bins: list[Task] = []
    fits: list[Task] = []
    for at, source in enumerate(sources):
        numbered = [(at * len(grid.cells) + n, cell) for n, cell in enumerate(grid.cells)]
        for some in _grouped(numbered, _data_key if not source.ready else lambda _: ""):
            needs: Task | None = None
            if not source.ready:
                needs = _bins(source, some[0][1].config)
                bins.append(needs)
            fits += [_fits(source, needs, part, wanted) for part in _stacks(some)]
    return [*bins, *fits]


def _bins(source: Source, config: Config) -> Task:
    about = {"session": source.name, "sha256": source.digest, "config": config.to_dict()}
    return Task(BINS, about, suffix=".nc", paths={"source": source.path})


def _fits(source: Source, bins: Task | None, some: list[tuple[int, Cell]], wanted: Wanted) -> Task:
    about = {
        "session": source.name,
        "sha256": source.digest,
        "fits": [number for number, _ in some],
        "configs": [cell.config.to_dict() for _, cell in some],
        "alone": some[0][1].alone,
        "metrics": list(wanted.metrics),
        "keep": list(wanted.keep),
        "threads": wanted.threads,
    }
    needs = () if bins is None else (bins.id,)
    paths = {"bins": source.path} if source.ready else {}
    return Task(FITS, about, needs=needs, size=len(some), paths=paths)


def _stacks(numbered: list[tuple[int, Cell]]) -> Iterator[list[tuple[int, Cell]]]:
    """Coders that can be trained side by side, in parts; what takes several trainings by itself."""
    for some in _grouped(numbered, _stack_key):
        size = 1 if some[0][1].alone else MOST
        for first in range(0, len(some), size):
            yield some[first : first + size]


def _grouped(numbered: list[tuple[int, Cell]], key: Any) -> list[list[tuple[int, Cell]]]:
    groups: dict[str, list[tuple[int, Cell]]] = {}
    for one in numbered:
        groups.setdefault(key(one[1]), []).append(one)
    return list(groups.values())


def _data_key(cell: Cell) -> str:
    """What the bins of a recording depend on: how it is read and binned, and how far a coder looks."""
    config = cell.config
    own = _of(config, data_options(Config))
    # the parts of a recording lie as far from each other as a coder sees
    return json.dumps([own, reach(config), config.reads == names.EMBEDDING], sort_keys=True)


def _stack_key(cell: Cell) -> str:
    return json.dumps([cell.alone, shared_options(cell.config)], sort_keys=True)


def _of(config: Config, options: Sequence[str]) -> dict[str, Any]:
    """Some of the options; one that is left open says so."""
    given = config.to_dict()
    return {name: given.get(name) for name in options}


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}

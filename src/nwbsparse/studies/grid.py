"""Which options are tried: lists per option, their product, and unions of several such products."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput, raise_together, unknown
from nwbsparse.options.config import Config, field_names, from_dict
from nwbsparse.options.facts import data_options, facts_of
from nwbsparse.options.presets import preset

FIXED, AXES, BLOCKS = "fixed", "axes", "grid"
PRESET = "preset"


@dataclass(frozen=True)
class Cell:
    """One combination of options."""

    config: Config
    named: frozenset[str]
    """The options that the grid says something of; the others stand at their defaults."""

    @property
    def alone(self) -> bool:
        """Whether the grid asks for models of several trainings each: a consensus, or a choice.

        What is not asked for is left out: a fit of a sweep is one training.
        """
        asked = {name for name, facts in facts_of(Config) if facts.many_trainings} & self.named
        consensus = self.config.seeds > 1 and self.config.replicates > 0
        return ("choose" in asked and self.config.choose != "none") or (
            bool(asked - {"choose"}) and consensus
        )


@dataclass(frozen=True)
class Grid:
    """All combinations, in the order in which they were asked for."""

    cells: tuple[Cell, ...]
    left_out: tuple[str, ...] = ()
    """What cannot work, where that was to be left out."""

    @property
    def varying(self) -> tuple[str, ...]:
        """The options that are not the same in all cells."""
        first = self.cells[0].config
        return tuple(
            name
            for name in field_names()
            if any(getattr(one.config, name) != getattr(first, name) for one in self.cells)
        )

    @property
    def varying_data(self) -> tuple[str, ...]:
        """Those of them that make other data: other bins, other units, another embedding."""
        of_data = data_options(Config)
        return tuple(name for name in self.varying if name in of_data)


def read_grid(
    grid: str | Path | Mapping[str, Any] | Sequence[Config], *, skip_invalid: bool = False
) -> Grid:
    """The combinations of options that a grid asks for.

    ::

        [fixed]                  # for all; a published recipe by its name
        preset = "naik2025"

        [axes]                   # every combination of these
        expansion = [2, 4, 8]
        learning_rate = [1e-4, 1e-3]

        [[grid]]                 # and of these; several blocks stand side by side
        axes.k = [8, 16, 32]

        [[grid]]
        fixed.sparsifier = "l1"
        axes.penalty_weight = [1e-3, 1e-2]

    Args:
        grid: a TOML file, the same as a dict, or a list of options (:class:`nwbsparse.Config`).
        skip_invalid: leave out combinations that cannot work, rather than refuse the grid.

    Raises:
        BadInput: options that do not exist, combinations that cannot work (all of them are listed),
            or nothing to try.
    """
    if isinstance(grid, str | Path):
        where = str(grid)
        grid = _read_toml(Path(grid).expanduser())
    else:
        where = "the grid"
    if isinstance(grid, Mapping):
        _check_names(grid, where)
        asked = list(_combinations(grid))
        tried = [_cell(options) for options in asked]
    else:
        tried = [_given(one) for one in grid]
    wrong = [one for one in tried if isinstance(one, str)]
    if wrong and not skip_invalid:
        raise BadInput(
            f"{where}: {len(wrong)} of {len(tried)} combinations cannot work; mend the grid, or leave "
            "them out with --skip-invalid (skip_invalid=True):\n"
            + "\n".join(f"- {one}" for one in wrong)
        )
    cells: dict[Config, Cell] = {}
    for one in tried:
        if isinstance(one, Cell):
            cells.setdefault(one.config, one)  # blocks may overlap
    if not cells:
        none = (
            "no combination of options can work" if wrong else "it holds no combination of options"
        )
        raise BadInput(f"{where} is empty: {none}")
    return Grid(tuple(cells.values()), tuple(wrong))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; a grid is a TOML file with [axes]") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder; a grid is a TOML file with [axes]") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}") from None


def _check_names(grid: Mapping[str, Any], where: str) -> None:
    """Refuse what has no meaning anywhere in a grid, all of it at once."""
    found: list[str] = []
    blocks = grid.get(BLOCKS, [])
    if not isinstance(blocks, Sequence) or any(not isinstance(one, Mapping) for one in blocks):
        raise BadInput(f"{where}: grid is a list of blocks, each with fixed and axes: [[grid]]")
    for number, block in enumerate([grid, *blocks]):
        place = f"block {number} of [[grid]]" if number else ""
        parts = (FIXED, AXES) if number else (FIXED, AXES, BLOCKS)
        found += [_not_there(one, parts, "part", place) for one in block if one not in parts]
        for part in (FIXED, AXES):
            table = block.get(part, {})
            if not isinstance(table, Mapping):
                found.append(f"{_in(place)}{part} is {table!r}; it is a table of options")
                continue
            known = (*field_names(), PRESET)
            found += [
                _not_there(one, known, "axis" if part == AXES else "option", place)
                for one in table
                if one not in known
            ]
            if part == AXES:
                found += _not_lists(table, place)
    raise_together(found, heading=where)


def _not_there(name: str, known: Sequence[str], what: str, place: str) -> str:
    return _in(place) + str(unknown(name, known, what=what)).partition(" (there are:")[0]


def _not_lists(axes: Mapping[str, Any], place: str) -> list[str]:
    found = []
    for name, values in axes.items():
        if isinstance(values, str) or not isinstance(values, Sequence):
            found.append(f"{_in(place)}axis '{name}' is {values!r}; it is a list of values")
        elif not values:
            found.append(f"{_in(place)}axis '{name}' has no values, so there is nothing to try")
    return found


def _in(place: str) -> str:
    return f"{place}: " if place else ""


def _combinations(grid: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each combination as plain values; what a block says wins over what holds for all."""
    for block in grid.get(BLOCKS) or [{}]:
        fixed = {**grid.get(FIXED, {}), **block.get(FIXED, {})}
        axes = {**grid.get(AXES, {}), **block.get(AXES, {})}
        if not fixed and not axes:
            continue
        for values in product(*axes.values()):
            yield fixed | dict(zip(axes, values, strict=True))


def _cell(options: dict[str, Any]) -> Cell | str:
    """A combination; or, in a sentence, why it cannot work."""
    said = ", ".join(f"{name}={value}" for name, value in options.items())
    options = dict(options)
    try:
        named = options.pop(PRESET, None)
        values = (preset(str(named)) if named is not None else {}) | options
        return Cell(from_dict(values), frozenset(values))
    except BadInput as error:
        why = str(error).removeprefix("the options: ").removeprefix("the options cannot work: ")
        return f"{said}: {why}"


def _given(config: Any) -> Cell:
    if not isinstance(config, Config):
        raise BadInput(
            f"a grid is a TOML file, a dict with 'axes', or a list of Config; it holds a "
            f"{type(config).__name__}"
        )
    named = {one.name for one in fields(config) if getattr(config, one.name) != one.default}
    return Cell(config, frozenset(named))

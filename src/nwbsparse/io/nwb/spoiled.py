"""Objects of a known type that pynwb can not build: which they are, found before they stop the file.

pynwb builds a file whole or not at all, and does not say which object it was that stopped it. So each
is built by itself here, the inner ones first; what is left out then is as little as possible.
"""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

from hdmf.build import BuildManager, DatasetBuilder, GroupBuilder
from hdmf.build.builders import BaseBuilder

from nwbsparse.io.nwb.builders import all_in, path_of, target_of, targets_of, type_of
from nwbsparse.io.rules.values import text

_MOST = 200
"""Letters of a library's message."""


def spoiled_in(root: GroupBuilder, manager: BuildManager) -> dict[str, str]:
    """Path → why it cannot be built, of every object that is itself the reason.

    Of a table that fails because some of its columns do not fit it, only these. ``manager`` is of no
    use afterwards: what was built by half stays with it.
    """
    failed: dict[int, tuple[BaseBuilder, str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come again when the file is built for good
        for builder in reversed(list(all_in(root))):  # what is inside comes before what holds it
            if builder is root or type_of(builder) is None:
                continue
            try:
                manager.construct(builder)  # pyright: ignore[reportCallIssue]
            except (
                OSError,
                MemoryError,
            ):  # of the network, the disk or this machine: not of the object
                raise
            except Exception as error:  # hdmf raises anything
                failed[id(builder)] = builder, said_of(error)
    itself = {
        key: held
        for key, held in failed.items()
        if not any(id(one) in failed for one in _rests_on(held[0]))
    }
    found: dict[str, str] = {}
    for builder, why in (itself or failed).values():
        found |= _odd_columns(builder) or {path_of(builder): f"that pynwb cannot build ({why})"}
    return found


def spoiled_root(root: GroupBuilder, error: Exception) -> dict[str, str]:
    """Likewise of what the file says of itself: the one field that NWBFile does not take, if named."""
    why = said_of(error)
    for one in all_in(root):
        is_field = isinstance(one, DatasetBuilder) and type_of(one) is None
        if (is_field and f"'{one.name}'" in why) or f" {one.name}:" in why:
            return {path_of(one): f"that pynwb cannot use ({why})"}
    return {}


def said_of(error: Exception) -> str:
    """What a library says of an error: hdmf puts the whole tree of the file before its sentence."""
    said = text(error.args[-1]) if error.args else type(error).__name__
    return said.rpartition("object due to: ")[2][:_MOST]


def _rests_on(builder: BaseBuilder) -> list[BaseBuilder]:
    """What an object is built of or points to."""
    held = list(all_in(builder))
    return [*held[1:], *(target for one in held for target in targets_of(one))]


def _odd_columns(table: BaseBuilder) -> dict[str, str]:
    """Path → why it does not fit, of the columns for which a table cannot be built."""
    if not isinstance(table, GroupBuilder) or "colnames" not in table.attributes:
        return {}
    rows = {
        name: _length(one.data)
        for name, one in table.datasets.items()
        if f"{name}_index" not in table.datasets
        if name == "id" or type_of(one) is not None
        if not _is_of_another(one, table)
    }
    if not rows:
        return {}
    columns = Counter(n for name, n in rows.items() if name != "id")
    n_rows = rows.get("id", columns.most_common(1)[0][0] if columns else 0)
    if len(columns) == 1 and n_rows not in columns:  # all columns agree: the ids do not fit
        [n_rows] = columns
    found = {}
    for name, n in rows.items():
        if n != n_rows:
            why = f"with {'no rows' if n < 0 else f'{n:,} rows'} in a table of {n_rows:,}"
            for one in _with_its_values(name, table):
                found[path_of(table.datasets[one])] = why
                why = f"whose index is left out, {why}"
    there = {*table.datasets, *table.groups, *table.links}
    base = path_of(table)
    missing = [text(name) for name in table.attributes["colnames"] if text(name) not in there]
    return found | {f"{base}/{name}": "that is listed but not there" for name in missing}


def _length(data: Any) -> int:
    try:
        return -1 if isinstance(data, str | bytes) else len(data)
    except TypeError:  # a single value, or nothing
        return -1


def _is_of_another(column: DatasetBuilder, table: GroupBuilder) -> bool:
    """Whether it is no column but what another points to: the list of names of categories."""
    for one in table.datasets.values():
        target = target_of(one.attributes.get("elements"))
        if target is column:
            return True
    return False


def _with_its_values(name: str, table: GroupBuilder) -> list[str]:
    """A column, and where it is an index what it cuts into rows."""
    names = [name]
    while names[-1].endswith("_index") and names[-1].removesuffix("_index") in table.datasets:
        names.append(names[-1].removesuffix("_index"))
    return names

"""The files of a Kilosort or Phy folder, one by one; nothing in them is ever executed."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.npy import load_npy
from nwbsparse.io.rules.account import Account, counted, listed

MAX_TEXT_BYTES = 64 * 2**20
"""No table of clusters is larger; params.py is a few lines."""

_WHOLE = re.compile(r"-?(0|[1-9]\d*)")
_NUMBER = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.I)
_MISSING = ("", "nan", "none")
_MODULES = ("np", "numpy", "pathlib")
_WRAPPED = re.compile(r"u?int\d*|float\d*|bool_?|str_?|dtype|array|(Pure)?(Posix|Windows)?Path")
"""What numbers, paths and types are wrapped in where a program writes a value as it shows it."""
_UNREADABLE = object()


@dataclass
class ClusterColumn:
    """One column of the tables of clusters, gathered from every file that has it."""

    words: dict[int, str] = field(default_factory=dict)
    """What the files say of each cluster; clusters of which they say nothing are not in it."""
    files: list[str] = field(default_factory=list)
    contradicted: set[int] = field(default_factory=set)
    """Clusters of which a later file said something else."""


def load_array(path: Path) -> np.ndarray:
    """An array file (.npy) of the folder, mapped from disk and read only.

    Raises:
        BadInput: the file is missing, incomplete, no array, or holds pickled objects.
        EnvironmentProblem: this account may not read it.
    """
    return load_npy(path, name=path.name)  # the folder stands in the heading


def load_vector(path: Path) -> np.ndarray:
    """One number per spike, whether the file has the shape (N,), (N, 1) or (1, N), in memory.

    Raises:
        BadInput: see ``load_array``; or the file holds something else.
    """
    array = load_array(path)
    if array.dtype.kind not in "iuf" or not array.ndim or sum(n != 1 for n in array.shape) > 1:
        raise BadInput(
            f"{path.name} holds {array.dtype} of shape {array.shape}, not one number per spike"
        )
    return np.array(array).reshape(-1)


def read_params(path: Path, account: Account) -> dict[str, Any]:
    """What params.py states as ``name = literal``; every other line is reported, none is run.

    Of ``np.float64(30000.0)``, as numpy shows its numbers, the literal in it is taken. A missing
    file states nothing.
    """
    if not path.is_file():
        return {}
    try:
        lines = _text_of(path).splitlines()
    except BadInput as error:
        account.add("other", path.name, 1, 0, repairs=[f"left out: {error}"])
        return {}
    stated, odd, n_lines = {}, [], 0
    for number, line in enumerate(lines, start=1):
        if not (line := line.strip()) or line.startswith("#"):
            continue
        n_lines += 1
        name, _, literal = line.partition("=")
        value = _literal(literal.strip())
        if name.strip().isidentifier() and value is not _UNREADABLE:
            stated[name.strip()] = value
        else:
            odd.append(f"line {number} ({line[:40]!r})")
    repairs = [f"not a plain 'name = value', never executed: {listed(odd)}"] if odd else []
    account.add("other", path.name, n_lines, n_lines - len(odd), repairs=repairs)
    return stated


def _literal(words: str) -> Any:
    """The value that a literal says, also one that a program wrote as it shows it: np.float64(3.0)."""
    try:
        return ast.literal_eval(_Shown().visit(ast.parse(words, mode="eval")))
    except (TypeError, ValueError, SyntaxError, MemoryError, RecursionError):
        return _UNREADABLE


class _Shown(ast.NodeTransformer):
    """What stands in the brackets of a number, path or type, in place of the whole."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        func = node.func
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            known = func.value.id in _MODULES and _WRAPPED.fullmatch(func.attr)
        else:
            known = isinstance(func, ast.Name) and _WRAPPED.fullmatch(func.id)
        return node.args[0] if known and len(node.args) == 1 and not node.keywords else node


def cluster_tables(folder: Path) -> list[Path]:
    """The tables of clusters, the most specific first: cluster_info repeats what others say."""
    found = [*folder.glob("cluster_*.tsv"), *folder.glob("cluster_*.csv")]
    return sorted(
        (path for path in found if path.is_file()),
        key=lambda path: (path.stem == "cluster_info", path.suffix == ".csv", path.name),
    )


def read_cluster_tables(
    folder: Path, account: Account
) -> tuple[dict[str, ClusterColumn], set[int]]:
    """Every column of every table of clusters, and all clusters that the tables name.

    Where two files say different things of a cluster, the first of ``cluster_tables`` is taken
    and the report says so. A table that cannot be read is left out and reported.
    """
    columns: dict[str, ClusterColumn] = {}
    named: set[int] = set()
    for path in cluster_tables(folder):
        try:
            header, rows, repairs = _table(path)
        except BadInput as error:
            account.add("other", path.name, 1, 0, repairs=[f"left out: {error}"])
            continue
        named |= rows.keys()
        for at, name in enumerate(header):
            if name:
                column = columns.setdefault(name, ClusterColumn())
                _merge(column, path.name, {cluster: row[at] for cluster, row in rows.items()})
        if repairs:
            account.add("other", path.name, len(rows), len(rows), repairs=repairs)
    return columns, named


def as_values(words: Mapping[int, str], clusters: np.ndarray) -> np.ndarray:
    """One value per cluster: whole numbers, numbers, or text where a single word is no number.

    A cluster of which nothing is said has NaN or ''. Words such as '001' are names: they stay text.
    """
    said = [words.get(int(cluster), "") for cluster in clusters]
    known = [word for word in said if word]
    if known and all(_WHOLE.fullmatch(word) and len(word) < 18 for word in known):
        if len(known) == len(said):
            return np.array([int(word) for word in said], dtype=np.int64)
        return np.array([float(word or "nan") for word in said])
    if known and all(_NUMBER.fullmatch(word) for word in known):
        return np.array([float(word or "nan") for word in said])
    return np.array(said, dtype=str)


def _merge(column: ClusterColumn, file: str, words: Mapping[int, str]) -> None:
    column.files.append(file)
    for cluster, word in words.items():
        if word.lower() in _MISSING:
            continue
        if column.words.setdefault(cluster, word) != word and not _same_number(
            column.words[cluster], word
        ):
            column.contradicted.add(cluster)


def _same_number(one: str, other: str) -> bool:
    """Whether two words are one number, written with more digits here than there."""
    if not (_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other)):
        return False
    return bool(np.isclose(float(one), float(other), rtol=1e-3))


def _table(path: Path) -> tuple[list[str], dict[int, list[str]], list[str]]:
    """The header without the column of ids, the cells of each cluster, and what was mended."""
    lines = _text_of(path).splitlines()
    if not lines:
        raise BadInput("it is empty")
    delimiter = "\t" if "\t" in lines[0] or "," not in lines[0] else ","
    try:
        header, *cells = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except (csv.Error, ValueError) as error:
        raise BadInput(f"it is not a table ({error})") from None
    lower = [name.strip().lower() for name in header]
    key = next((lower.index(name) for name in ("cluster_id", "id") if name in lower), None)
    if key is None:
        raise BadInput(f"it has no column cluster_id (it has {listed(header)})")
    rows: dict[int, list[str]] = {}
    odd = twice = 0
    for row in cells:
        word = row[key].strip().removesuffix(".0") if len(row) > key else ""
        if not _WHOLE.fullmatch(word) or len(word) > 17 or len(row) > len(header):
            odd += 1
            continue
        twice += int(word) in rows
        row += [""] * (len(header) - len(row))
        rows[int(word)] = [cell.strip() for at, cell in enumerate(row) if at != key]
    repairs = [f"{counted(odd, 'row')} without a cluster number left out"] if odd else []
    if twice:
        repairs.append(f"{counted(twice, 'row')} name a cluster again: the last one is used")
    return [name.strip() for at, name in enumerate(header) if at != key], rows, repairs


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise BadInput(f"it is larger than {MAX_TEXT_BYTES / 2**20:.0f} MiB")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("it is not text") from None
    except PermissionError:
        raise EnvironmentProblem(f"{path} may not be read by this account.") from None

"""Conditions in words, such as ``speed > 3 and quality == 'good'``, evaluated on columns.

A query can come from a TOML file or from the record inside a downloaded recording, so it is
parsed and walked, never executed: comparisons, and/or/not, ``in`` and parentheses, nothing else.
"""

from __future__ import annotations

import ast
import keyword
import operator
import warnings
from collections.abc import Iterable, Mapping
from functools import reduce
from numbers import Number
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput, NwbsparseWarning, raise_together, unknown
from nwbsparse.naming.listed_names import listed_names, names_in
from nwbsparse.naming.number_words import number_of
from nwbsparse.naming.unit_names import names_of_units, own_id

_COMPARE = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_NO_TABLE = ("column", "units")
"""What stands before the brackets where a column is of no table in particular, or of the units."""
_SHOWN = 4


def select(query: str, columns: Mapping[str, np.ndarray], *, what: str) -> np.ndarray:
    """Which rows satisfy a condition.

    ``columns`` are arrays of one length; NaN satisfies no comparison but ``!=``. Names may hold
    dots (``trials.outcome``); one that is no word of its own stands in brackets
    (``trials['stim side']``, ``units['brain area']``). Numbers are compared with numbers and text with
    text. Returns a boolean array of that length.

    Raises:
        BadInput: the query cannot be parsed, names an unknown column (the nearest is suggested),
            compares numbers with text, or does anything but compare.
    """
    try:
        walk = _Walk(query, columns, what)
        found = np.asarray(walk.rows(ast.parse(query, mode="eval").body), dtype=bool)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(
            f"{what}: {query!r:.80} cannot be read as a condition ({error}){walk.hint()}"
        ) from None
    # a condition without a column holds for every row or for none
    return np.broadcast_to(found, (len(next(iter(columns.values()), ())),))


class _Walk:
    def __init__(self, query: str, columns: Mapping[str, np.ndarray], what: str) -> None:
        self.query, self.columns, self.what = query, columns, what

    def rows(self, node: ast.expr) -> np.ndarray:
        match node:
            case ast.BoolOp(op=ast.And(), values=parts):
                return reduce(np.logical_and, [self.rows(part) for part in parts])
            case ast.BoolOp(op=ast.Or(), values=parts):
                return reduce(np.logical_or, [self.rows(part) for part in parts])
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return np.asarray(~self.rows(part))
            case ast.Compare(left=left, ops=ops, comparators=rights):
                sides = [self.value(side) for side in (left, *rights)]
                pairs = zip(ops, sides[:-1], sides[1:], strict=True)
                return reduce(np.logical_and, [self.compare(*pair) for pair in pairs])
        raise self.refusal(node)

    def compare(self, op: ast.cmpop, left: Any, right: Any) -> np.ndarray:
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, list):
                raise BadInput(f"{self.what}: {self.query!r}: 'in' needs a list, such as [1, 2]")
            none = np.zeros(np.shape(left), dtype=bool)
            inside = reduce(
                np.logical_or, [self.compare(ast.Eq(), left, one) for one in right], none
            )
            return ~inside if isinstance(op, ast.NotIn) else inside
        if isinstance(left, list) or isinstance(right, list):
            raise BadInput(f"{self.what}: {self.query!r} compares with a list; write 'in' instead")
        if type(op) not in _COMPARE:
            raise BadInput(f"{self.what}: {self.query!r} uses a comparison that is not known here")
        try:
            return np.asarray(_COMPARE[type(op)](*self.alike(left, right)))
        except TypeError:
            raise BadInput(f"{self.what}: {self.query!r} compares numbers with text") from None

    def alike(self, left: Any, right: Any) -> tuple[Any, Any]:
        """Both sides as numbers or both as text: 1 is not '1' to numpy, which says so of every row."""
        if _is_text(left) == _is_text(right):
            return left, right
        text, number = (left, right) if _is_text(left) else (right, left)
        if np.ndim(text) == 0 and (meant := number_of(str(text))) is not None:
            return (meant, right) if text is left else (left, meant)
        if np.ndim(text) == 0:
            said = f"'{text}' is none"
        else:
            shown = list(dict.fromkeys(str(one) for one in np.ravel(text) if one not in ("", None)))
            said = f"the column holds text: {', '.join(map(repr, shown[:_SHOWN]))}"
            said += f" …; write '{number}'" * (np.ndim(number) == 0)
        raise BadInput(f"{self.what}: {self.query!r} compares numbers with text ({said})")

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as constant):
                return constant
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.value(item) for item in items]
            case ast.Name() | ast.Attribute():
                return self.column(ast.unparse(node))
            case ast.Subscript(value=table, slice=ast.Constant(value=str() as column)):
                return self.column(self.in_brackets(ast.unparse(table), column))
        raise self.refusal(node)

    def in_brackets(self, table: str, column: str) -> str:
        """The name of a column: trials['stim side'] is one of a table, units['brain area'] of units."""
        return column if table in _NO_TABLE and column in self.columns else f"{table}.{column}"

    def column(self, name: str) -> np.ndarray:
        if name not in self.columns:
            raise unknown(name, sorted(map(spelled, self.columns)), what="", where=self.what)
        return np.asarray(self.columns[name])

    def refusal(self, node: ast.expr) -> BadInput:
        return BadInput(
            f"{self.what}: {ast.unparse(node)!r} in {self.query!r} is not a comparison; "
            f"write conditions such as \"speed > 3 and quality == 'good'\"{self.hint()}"
        )

    def hint(self) -> str:
        """How a column is written whose name stands in the condition as it cannot be read."""
        meant = [name for name in self.columns if name in self.query and spelled(name) != name]
        return f"; write {spelled(max(meant, key=len))} for that column" if meant else ""


def spelled(name: str) -> str:
    """A column as a condition names it: trials['stim side'] where the name is no word of its own."""
    words = name.split(".")
    if all(word.isidentifier() and not keyword.iskeyword(word) for word in words):
        return name
    table, dot, column = name.partition(".")
    if dot and column and table.isidentifier() and not keyword.iskeyword(table):
        return f"{table}[{column!r}]"
    return f"{_NO_TABLE[0]}[{name!r}]"


def _is_text(side: Any) -> bool:
    if isinstance(side, str):
        return True
    kind = getattr(getattr(side, "dtype", None), "kind", "")
    # a column of objects without any number is of text that is nowhere known
    is_of_numbers = any(isinstance(one, Number) for one in side) if kind == "O" else False
    return kind in ("U", "S") or (kind == "O" and not is_of_numbers)


def with_ids(
    columns: Mapping[str, np.ndarray], units: str | Iterable[object] | None, *, what: str = "units"
) -> np.ndarray:
    """(unit,) bool: ids ("3,7" or [3, 7]), 'good', or a condition on columns; all when None.

    Args:
        columns: of the units table, ``unit_id`` among them.
        units: what was asked for.
        what: the option that asked, for messages.

    Raises:
        BadInput: an id or column does not exist.
    """
    ids = [
        str(value)
        for value in names_of_units(np.asarray(columns["unit_id"]), columns.get("unit_row"))
    ]
    if units is None:
        return np.ones(len(ids), dtype=bool)
    own = [own_id(name) for name in ids]
    names, shared = set(ids), set(own) - set(ids)
    if isinstance(units, str):
        words = names_in(units, names | shared)
        # the names of pools hold spaces: 'depth 200-300'
        plain = all(
            word in names or word in shared or word.replace("_", "").replace("-", "").isalnum()
            for word in words
        )
        if units.strip() == "good" or not plain:
            text = "quality == 'good'" if units.strip() == "good" else units
            return select(text, columns, what=what)
    else:
        words = [str(word) for word in units]
    missing = [word for word in words if word not in names and word not in shared]
    raise_together(
        [f"there is no unit '{word}' among the {len(ids)} units" for word in missing],
        heading=f"{what} = {units!r}",
    )
    # '1' is the unit of that name, else all units of that id
    several = [word for word in dict.fromkeys(words) if word in shared]
    _say_shared(several, own, ids, what)
    return np.isin(ids, words) | np.isin(own, several)


def _say_shared(words: list[str], own: list[str], names: list[str], what: str) -> None:
    for word in words:
        warnings.warn(
            f"{what}: {own.count(word)} units have the id {word}, and all of them are meant; name one of "
            f"them by its row, as '{names[own.index(word)]}'",
            NwbsparseWarning,
            stacklevel=4,
        )


def in_regions(columns: Mapping[str, np.ndarray], regions: str | Iterable[str]) -> np.ndarray:
    """(unit,) bool: units whose ``region`` is one of these (names, or one text with commas
    between them).

    Raises:
        BadInput: the units have no region, or none lies in one of them.
    """
    if "region" not in columns:
        raise BadInput("regions were asked for, but the units have no region")
    there = np.asarray(columns["region"]).astype(str)
    known = sorted(set(there))
    wanted = names_in(regions, known) if isinstance(regions, str) else list(regions)
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise BadInput(
            f"no unit lies in {listed_names(unknown)}; there are: {listed_names(filter(None, known))}"
        )
    return np.isin(there, wanted)

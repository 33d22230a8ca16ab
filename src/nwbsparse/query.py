"""Conditions in words, such as ``speed > 3 and quality == 'good'``, evaluated on columns.

A query can come from a TOML file or from the record inside a downloaded recording, so it is
parsed and walked, never executed: comparisons, and/or/not, ``in`` and parentheses, nothing else.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput, raise_together, unknown

_COMPARE = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def select(query: str, columns: Mapping[str, np.ndarray], *, what: str) -> np.ndarray:
    """Which rows satisfy a condition.

    ``columns`` are arrays of one length; NaN satisfies no comparison but ``!=``. Names may hold
    dots (``trials.outcome``). Returns a boolean array of that length.

    Raises:
        BadInput: the query cannot be parsed, names an unknown column (the nearest is suggested),
            or does anything but compare.
    """
    try:
        tree = ast.parse(query, mode="eval")
        found = np.asarray(_Walk(query, columns, what).rows(tree.body), dtype=bool)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{what}: {query!r:.80} cannot be read as a condition ({error})") from None
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
            inside = np.isin(left, right)
            return ~inside if isinstance(op, ast.NotIn) else inside
        if isinstance(left, list) or isinstance(right, list):
            raise BadInput(f"{self.what}: {self.query!r} compares with a list; write 'in' instead")
        if type(op) not in _COMPARE:
            raise BadInput(f"{self.what}: {self.query!r} uses a comparison that is not known here")
        try:
            return np.asarray(_COMPARE[type(op)](left, right))
        except TypeError:
            raise BadInput(f"{self.what}: {self.query!r} compares numbers with text") from None

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
        raise self.refusal(node)

    def column(self, name: str) -> np.ndarray:
        if name not in self.columns:
            raise unknown(name, sorted(self.columns), what="", where=self.what)
        return np.asarray(self.columns[name])

    def refusal(self, node: ast.expr) -> BadInput:
        return BadInput(
            f"{self.what}: {ast.unparse(node)!r} in {self.query!r} is not a comparison; "
            "write conditions such as \"speed > 3 and quality == 'good'\""
        )


def is_number(word: str) -> bool:
    """Whether a word reads as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


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
    ids = [str(value) for value in columns["unit_id"]]
    if units is None:
        return np.ones(len(ids), dtype=bool)
    if isinstance(units, str):
        words = [word.strip() for word in units.split(",")]
        # the names of pools hold spaces: 'depth 200-300'
        plain = all(
            word in ids or word.replace("_", "").replace("-", "").isalnum() for word in words
        )
        if units.strip() == "good" or not plain:
            text = "quality == 'good'" if units.strip() == "good" else units
            return select(text, columns, what=what)
    else:
        words = [str(word) for word in units]
    unknown = [
        f"there is no unit '{word}' among the {len(ids)} units" for word in words if word not in ids
    ]
    raise_together(unknown, heading=f"{what} = {units!r}")
    return np.isin(ids, words)


def in_regions(columns: Mapping[str, np.ndarray], regions: str | Iterable[str]) -> np.ndarray:
    """(unit,) bool: units whose ``region`` is one of these (names, or one text with commas).

    Raises:
        BadInput: the units have no region, or none lies in one of them.
    """
    if "region" not in columns:
        raise BadInput("regions were asked for, but the units have no region")
    wanted = (
        [word.strip() for word in regions.split(",")] if isinstance(regions, str) else list(regions)
    )
    there = np.asarray(columns["region"]).astype(str)
    unknown = sorted(set(wanted) - set(there))
    if unknown:
        known = ", ".join(sorted(set(there)))
        raise BadInput(f"no unit lies in {', '.join(unknown)}; there are: {known}")
    return np.isin(there, wanted)

"""A table as programs of labs write it (csv) → columns of numbers, text or true/false."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.behaviour.layout import Columns
from nwbsparse.io.rules.account import Account, counted
from nwbsparse.naming.number_words import is_number

SEPARATORS: Final = (",", ";", "\t")
MISSING: Final = ("", "na", "n/a", "nan", "null", "none", "-")
"""What stands for a value that was not measured."""
_TRUE, _FALSE = "true", "false"


def columns_of_csv(path: Path, account: Account) -> Columns:
    """Name → the values of each column of a csv file, typed by what they are.

    The first line holds the names. Fields are separated by commas, semicolons or tabs, whichever
    splits that line most; where it is semicolons, numbers may have a comma for their point. Lines that
    start with ``#`` are skipped. A column is numbers, or true/false, where all its values are; values
    that are missing become NaN. It is text where most values are no numbers.

    Raises:
        BadInput: no text, no names, no rows, names that repeat, rows of other lengths than the first,
            or a column of numbers with something else in it: row and column are named.
        EnvironmentProblem: this account may not read it.
    """
    names, rows, lines = _rows(path)
    _check_names(names, path)
    if not rows:
        raise BadInput(f"{path} holds names of columns and no rows")
    separated = [np.array(column, dtype=str) for column in zip(*rows, strict=True)]
    commas = _separator(path) == ";"
    found: Columns = {}
    for at, (name, column) in enumerate(zip(names, separated, strict=True)):
        values = _typed(np.char.strip(column), name, path, lines, commas=commas)
        if not name:
            if not _counts_rows(values):
                raise BadInput(
                    f"column {at + 1} of {path} has no name; give it one in the first line"
                )
            account.add("column", f"column {at + 1}", 1, 0, notes=["it only counts the rows"])
            continue
        found[name] = values
    return found


def _separator(path: Path) -> str:
    """What splits the line of names most."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = next((line for line in file if line.strip() and not line.startswith("#")), "")
    return max(SEPARATORS, key=first.count)


def _rows(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """The names, the fields of every row, and the line in which it stands (counted from 1)."""
    names: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        separator = _separator(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=separator)
            for row in reader:
                if not any(field.strip() for field in row) or row[0].startswith("#"):
                    continue
                if not names:
                    names = [field.strip() for field in row]
                    continue
                if len(row) != len(names):
                    raise BadInput(
                        f"{path}, row {reader.line_num}: {counted(len(row), 'field')}, and the line of "
                        f"names has {len(names)}; every row needs as many, empty where a value is missing"
                    )
                rows.append(row)
                lines.append(reader.line_num)
    except PermissionError:
        raise EnvironmentProblem(f"{path} may not be read by this account.") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} is no text in UTF-8: export it as csv (UTF-8)") from None
    except csv.Error as error:
        raise BadInput(f"{path} is no table ({error}); export it as csv (UTF-8)") from None
    if not names:
        raise BadInput(f"{path} is empty")
    return names, rows, lines


def _check_names(names: list[str], path: Path) -> None:
    if all(is_number(name) for name in names):
        raise BadInput(
            f"the first line of {path} holds numbers ({', '.join(names[:4])}), not names of columns; put "
            "a line such as 'time,speed' before it"
        )
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise BadInput(
            f"{path} has several columns called {', '.join(twice)}; give each its own name"
        )


def _typed(
    words: np.ndarray, name: str, path: Path, lines: list[int], *, commas: bool
) -> np.ndarray:
    """Numbers, true/false or text; ``commas``: numbers may have a comma for their point."""
    lower = np.char.lower(words)
    missing = np.isin(lower, MISSING)
    known = lower[~missing]
    if len(known) and np.isin(known, (_TRUE, _FALSE)).all():
        return lower == _TRUE if not missing.any() else np.where(missing, "", lower)
    spelled = np.char.replace(words, ",", ".") if commas else words
    read = pd.to_numeric(pd.Series(np.where(missing, "nan", spelled)), errors="coerce")
    numbers = np.asarray(read)
    odd = np.flatnonzero(np.isnan(numbers.astype(np.float64)) & ~missing)
    if not len(odd) and len(known):
        return numbers.astype(np.float64) if missing.any() else numbers
    if not len(known):
        return np.full(len(words), np.nan)
    if len(odd) * 2 >= len(known):
        return np.where(missing, "", words)
    row, value = lines[int(odd[0])], str(words[odd[0]])
    raise BadInput(
        f"{path}, column '{name}', row {row}: {value!r} is no number, and {len(known) - len(odd):,} others "
        f"of the column are ({counted(len(odd), 'such value')}). Correct it, or leave the field empty"
    )


def _counts_rows(values: np.ndarray) -> bool:
    return values.dtype.kind in "iuf" and bool((np.diff(values) == 1).all())

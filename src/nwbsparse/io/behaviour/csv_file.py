"""A table as programs of labs write it (csv) → columns of numbers, text or true/false."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.behaviour.layout import Columns
from nwbsparse.io.rules.account import Account, counted

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
    separator, skipped = _looked_through(path)
    frame = _frame(path, separator, skipped)
    names = [str(name).strip() for name in frame.iloc[0]]
    _check_names(names, path)
    rows = frame.iloc[1:]
    if not len(rows):
        raise BadInput(f"{path} holds names of columns and no rows")
    found: Columns = {}
    for at, name in enumerate(names):
        words = np.char.strip(rows.iloc[:, at].to_numpy(dtype=str))
        values = _typed(words, name, path, separator, skipped=len(skipped))
        if not name:
            if not _counts_rows(values):
                raise BadInput(
                    f"column {at + 1} of {path} has no name; give it one in the first line"
                )
            account.add("column", f"column {at + 1}", 1, 0, notes=["it only counts the rows"])
            continue
        found[name] = values
    return found


def _looked_through(path: Path) -> tuple[str, list[int]]:
    """What separates fields, and which lines are comments or empty."""
    first, skipped = "", []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, line in enumerate(file):
                if line.startswith("#") or not line.strip():
                    skipped.append(number)
                elif not first:
                    first = line
    except PermissionError:
        raise EnvironmentProblem(f"{path} may not be read by this account.") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} is no text in UTF-8: export it as csv (UTF-8)") from None
    if not first:
        raise BadInput(f"{path} is empty")
    return max(SEPARATORS, key=first.count), skipped


def _frame(path: Path, separator: str, skipped: list[int]) -> pd.DataFrame:
    """All fields as text, the line of names first."""
    try:
        frame = pd.read_csv(
            path,
            sep=separator,
            header=None,
            dtype=str,
            keep_default_na=False,
            skiprows=skipped,
            encoding="utf-8-sig",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        said = str(error).strip().rpartition("C error: ")[2]
        raise BadInput(
            f"{path} is no table: {said}. Every row needs as many fields as the line of names"
        ) from None
    short = frame.isna().any(axis=1).to_numpy()
    if short.any():
        row = int(np.flatnonzero(short)[0])
        raise BadInput(
            f"{path}, row {row + 1 + len(skipped)}: {int(frame.iloc[row].notna().sum())} fields, and the "
            f"line of names has {frame.shape[1]}. Every row needs as many; leave those empty that are "
            "missing"
        )
    return frame


def _check_names(names: list[str], path: Path) -> None:
    if all(_is_number(name) for name in names):
        raise BadInput(
            f"the first line of {path} holds numbers ({', '.join(names[:4])}), not names of columns; put "
            "a line such as 'time,speed' before it"
        )
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise BadInput(
            f"{path} has several columns called {', '.join(twice)}; give each its own name"
        )


def _typed(words: np.ndarray, name: str, path: Path, separator: str, *, skipped: int) -> np.ndarray:
    lower = np.char.lower(words)
    missing = np.isin(lower, MISSING)
    known = lower[~missing]
    if len(known) and np.isin(known, (_TRUE, _FALSE)).all():
        return lower == _TRUE if not missing.any() else np.where(missing, "", lower)
    spelled = np.char.replace(words, ",", ".") if separator == ";" else words
    numbers = pd.to_numeric(
        pd.Series(np.where(missing, "nan", spelled)), errors="coerce"
    ).to_numpy()
    odd = np.flatnonzero(np.isnan(numbers.astype(np.float64)) & ~missing)
    if not len(odd) and len(known):
        return numbers.astype(np.float64) if missing.any() else np.asarray(numbers)
    if not len(known):
        return np.full(len(words), np.nan)
    if len(odd) * 2 >= len(known):
        return np.where(missing, "", words)
    # rows are counted as a spreadsheet does: the line of names is one, and so is a line that is skipped
    row, value = int(odd[0]) + 2 + skipped, str(words[odd[0]])
    raise BadInput(
        f"{path}, column '{name}', row {row}: {value!r} is no number, and {len(known) - len(odd):,} others "
        f"of the column are ({counted(len(odd), 'such value')}). Correct it, or leave the field empty"
    )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _counts_rows(values: np.ndarray) -> bool:
    return values.dtype.kind in "iuf" and bool((np.diff(values) == 1).all())

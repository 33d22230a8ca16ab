"""Tables whose words stay whole, however narrow the terminal: half a hash cannot be searched for."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Sequence[str | Text]
_EDGES = 2
_SHORT = 8  # '< 0.001' is not worth two lines


def print_table(
    console: Console, headings: Sequence[str], rows: Sequence[Row], *, title: str = ""
) -> None:
    """Print a table that breaks lines between words only; what does not fit stands row below row.

    Args:
        console: where to.
        headings: of the columns; a table without any has no line for them.
        rows: as many cells in each as there are headings.
        title: what stands above.
    """
    for between in (3, 2):  # spaces between columns
        room = console.width - _EDGES - between * (len(headings) - 1)
        widths = _widths(headings, rows, room)
        if widths is not None and (between == 2 or not _wraps(headings, rows, widths)):
            console.print(_table(headings, rows, widths, title, narrow=between == 2))
            return
    _print_rows(console, headings, rows, title)


def _table(
    headings: Sequence[str], rows: Sequence[Row], widths: list[int], title: str, *, narrow: bool
) -> Table:
    table = Table(
        title=title or None, title_justify="left", box=box.SIMPLE, pad_edge=False,
        show_header=any(headings), collapse_padding=narrow,
    )  # fmt: skip
    for heading, width in zip(headings, widths, strict=True):
        table.add_column(heading, width=width, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _columns(headings: Sequence[str], rows: Sequence[Row]) -> list[list[str]]:
    return [[heading, *(str(row[at]) for row in rows)] for at, heading in enumerate(headings)]


def _widths(headings: Sequence[str], rows: Sequence[Row], room: int) -> list[int] | None:
    """Columns as wide as their cells or, in less room, at least as their longest words; or None."""
    columns = _columns(headings, rows)
    wanted = [max(map(cell_len, cells)) for cells in columns]
    widths = [max(cell_len(word) for cell in cells for word in _words(cell)) for cells in columns]
    left = room - sum(widths)
    if left < 0:
        return None
    for _ in range(min(left, sum(wanted) - sum(widths))):
        most = max(range(len(widths)), key=lambda at: wanted[at] - widths[at])
        widths[most] += 1
    return widths


def _words(cell: str) -> list[str]:
    return [cell] if cell_len(cell) <= _SHORT else cell.split(" ")


def _wraps(headings: Sequence[str], rows: Sequence[Row], widths: list[int]) -> bool:
    columns = _columns(headings, rows)
    return any(
        cell_len(cell) > width
        for cells, width in zip(columns, widths, strict=True)
        for cell in cells
    )


def _print_rows(console: Console, headings: Sequence[str], rows: Sequence[Row], title: str) -> None:
    """Each row by itself, with lines of its own for each of its cells."""
    if title:
        console.print(title, style="italic")
    widest = max(map(cell_len, headings)) + 2
    for row in rows:
        console.print()
        for heading, cell in zip(headings, row, strict=True):
            longest = max(map(cell_len, str(cell).split(" ")))
            room = max(console.width - widest, longest)
            text = cell if isinstance(cell, Text) else Text(cell)
            for at, line in enumerate(text.wrap(console, room) if str(cell) else ()):
                line.rstrip()
                start = "" if at else heading
                console.print(Text.assemble(f"{start:<{widest}}", line), soft_wrap=True)

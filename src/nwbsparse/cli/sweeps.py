"""What a person sees of a sweep: how far it is, and what came out."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from rich.console import Console
from rich.text import Text

from nwbsparse.cli.whole_words import print_table
from nwbsparse.studies.choice import HIDDEN, R2, choose
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.table import MESSAGE, STATUS
from nwbsparse.views.words import number

SHOWN = {
    "validation_hidden_unit_r2": "hidden units",
    "validation_r2": "R² validation",
    "test_r2": "R² test",
    "train_r2": "R² train",
    "validation_l0": "active",
    "dead_fraction": "dead",
}
"""Numbers that are listed, as far as there are any, and what their columns are called."""


def show_status(console: Console, ledger: Ledger) -> None:
    """How many tasks are done, who works on what, what failed and why, how long it will take."""
    status = ledger.status()
    said = [f"{status.done:,} of {status.total:,} tasks done"]
    said += [f"{len(status.running):,} running"] if status.running else []
    said += [f"{status.failed:,} failed"] if status.failed else []
    if not status.settled:
        left = status.seconds_left
        said.append(f"{status.waiting:,} waiting")
        said.append(
            "about " + _time(left) + " left" if left else "no telling how long it will take"
        )
    console.print(", ".join(said), soft_wrap=True)
    for holder in status.running:
        console.print(f"  {holder}", soft_wrap=True)
    for task in ledger.tasks():
        if (failure := ledger.failure(task)) is not None:
            console.print(
                Text.assemble(("failed ", "bold"), f"({task.kind} {task.id}): {failure.message}"),
                soft_wrap=True,
            )


def status_as_json(ledger: Ledger) -> str:
    """The same for programs."""
    status = ledger.status()
    return json.dumps(
        {
            "total": status.total,
            "done": status.done,
            "running": [str(one) for one in status.running],
            "failed": status.failed,
            "waiting": status.waiting,
            "seconds_left": status.seconds_left,
        }
    )


def show_table(console: Console, table: xr.Dataset, rows: int) -> None:
    """The best fits, how many there are of each status, and the options that would be taken."""
    found = [str(one) for one in table[STATUS].values]
    said = [f"{found.count(one):,} {one}" for one in dict.fromkeys(found)]
    console.print(f"{len(found):,} fits: {', '.join(said)}", soft_wrap=True)
    _show_failures(console, table)
    score = HIDDEN if HIDDEN in table and np.isfinite(table[HIDDEN].values).any() else R2
    if score not in table:
        return
    values = table[score].values
    order = [at for at in np.argsort(-np.nan_to_num(values, nan=-np.inf)) if found[at] == "ok"]
    coords = [str(one) for one in table.coords if table[one].dims == ("fit",)]
    known = [name for name in SHOWN if name in table and np.isfinite(table[name].values).any()]
    shown = {name: SHOWN[name] for name in known}
    print_table(
        console,
        [*coords, *shown.values()],
        [
            [
                *(_cell(table[name].values[at]) for name in coords),
                *(number(table[name].values[at], 3) for name in shown),
            ]
            for at in order[:rows]
        ],
    )
    if len(order) > rows:
        console.print(f"and {len(order) - rows:,} more: --rows, or sweep.nc", soft_wrap=True)
    if (choice := choose(table)) is not None:
        console.print(Text.assemble(("chosen: ", "bold"), choice.because), soft_wrap=True)


def _show_failures(console: Console, table: xr.Dataset) -> None:
    messages: dict[str, int] = {}
    for one in table[MESSAGE].values:
        if one:
            messages[str(one)] = messages.get(str(one), 0) + 1
    for message, n in messages.items():
        console.print(f"  {n:,} ×: {message}", soft_wrap=True)


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "chosen" if np.isnan(value) else f"{value:g}"
    return str(value)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

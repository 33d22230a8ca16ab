"""``nwbsparse sweep status``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console
from nwbsparse.cli.options import Json


def status(folder: Path, /, *, json: Json = False) -> None:
    """Say how far a sweep is: done, running, failed, and how long the rest will take.

    Parameters
    ----------
    folder
        The folder of the sweep.
    json
        As JSON.
    """
    from nwbsparse.cli.sweeps import show_status, status_as_json
    from nwbsparse.studies.ledger import Ledger

    ledger = Ledger(folder)
    if json:
        print(status_as_json(ledger))  # noqa: T201
    else:
        show_status(new_console(), ledger)

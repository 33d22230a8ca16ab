"""``nwbsparse info``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.text import Text

from nwbsparse.cli.console import new_console
from nwbsparse.cli.options import Json


def info(*files: Path, as_json: Json = False) -> None:
    """Show versions, devices and the extension, for bug reports; or which models files hold.

    Annotated files with the same model id hold the same model: of several sessions, each file has
    the part of its own.

    Parameters
    ----------
    files
        Annotated NWB files (HDF5 or Zarr).
    as_json
        Print JSON instead of lines.
    """
    from nwbsparse.cli.info import gather, lines_of, models_of

    facts: dict[str, Any] = models_of(files) if files else gather()
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
        return
    console = new_console()
    for file, held in facts.items() if files else ():
        for line in lines_of(held):
            console.print(Text.assemble((file, "bold"), f" {line}"), soft_wrap=True)
    if files:
        return
    for key, value in facts.items():
        console.print(Text.assemble((f"{key:<20}", "bold"), f" {value}"), soft_wrap=True)

"""``write`` and ``label``: results into NWB files, and what a person says about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from cyclopts import Parameter

from nwbsparse.cli.commands.label import label
from nwbsparse.cli.commands.write import write

Flag = Annotated[bool, Parameter(negative=())]


COMMANDS: tuple[Callable[..., None], ...] = (write, label)

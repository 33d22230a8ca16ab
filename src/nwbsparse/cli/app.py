"""The commands. Each is thin; heavy packages are imported when a command runs."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from nwbsparse.cli import share, understand, writing
from nwbsparse.options.config import Config
from nwbsparse.schema import own_version

app = App(
    name="nwbsparse",
    help="NWB in, sparse nameable latents out: what the populations in a recording represent.",
    version=own_version,
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,  # stopping has an exit code of its own
)

for command in (*understand.COMMANDS, *writing.COMMANDS, *share.COMMANDS):
    app.command(command)

Flags = Annotated[Config, Parameter(name="*")]

"""``nwbsparse config``."""

from __future__ import annotations

import sys

from nwbsparse.cli.app import Flags, app
from nwbsparse.options.config import Config, to_toml


@app.command
def config(config: Flags = Config()) -> None:  # noqa: B008
    """Print the options as TOML, ready for ``nwbsparse run --config``.

    Options that are left to be chosen from the recording are absent.
    """
    sys.stdout.write(to_toml(config))

"""``nwbsparse config``."""

from __future__ import annotations

import sys

from nwbsparse.cli.options import Options
from nwbsparse.options.config import Config
from nwbsparse.options.toml import to_toml


def config(config: Options = Config()) -> None:  # noqa: B008
    """Print the options as TOML, ready for ``nwbsparse run --config``.

    Options that are left to be chosen from the recording are absent.
    """
    sys.stdout.write(to_toml(config))

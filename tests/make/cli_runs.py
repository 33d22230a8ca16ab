"""Calling the command line inside a test."""

import pytest

from nwbsparse.__main__ import main

PLAIN = "--preset=plain"
"""One coder, trained in one go: what tests of anything but the recipe want."""
QUICK = (
    PLAIN, "--bin-width=0.1", "--n-latents=16", "--k=2", "--max-epochs=8", "--n-shifts=50",
)  # fmt: skip


def run_cli(*tokens):
    """The exit code of a command."""
    with pytest.raises(SystemExit) as left:
        main([str(token) for token in tokens])
    return left.value.code

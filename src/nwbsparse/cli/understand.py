"""``evaluate``, ``explain``, ``decode``, ``transfer``, ``report``: what a finished run means."""

from __future__ import annotations

from collections.abc import Callable

from nwbsparse.cli.commands.decode import decode
from nwbsparse.cli.commands.evaluate import evaluate
from nwbsparse.cli.commands.explain import explain
from nwbsparse.cli.commands.report import report
from nwbsparse.cli.commands.transfer import transfer

COMMANDS: tuple[Callable[..., None], ...] = (evaluate, explain, decode, transfer, report)

"""Flags by the names they had: they mean what they meant, and say what they are called now."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_RESULT = {"--name": "--result"}
FORMER: dict[str, dict[str, str]] = dict.fromkeys(
    ("bundle", "decode", "evaluate", "explain", "report", "reproduce", "transfer", "write"), _RESULT
)
"""By command; in ``run`` and ``label`` ``--name`` names a new thing."""


def with_new_flags(tokens: Sequence[str]) -> list[str]:
    """The command's tokens, flags by their names of today."""
    former = FORMER.get(tokens[0], {}) if tokens else {}
    made = []
    for token in tokens:
        flag, equals, value = token.partition("=")
        if flag in former:
            sys.stderr.write(f"nwbsparse: {flag} is called {former[flag]} now; it goes in 1.0\n")
            flag = former[flag]
        made.append(f"{flag}{equals}{value}")
    return made

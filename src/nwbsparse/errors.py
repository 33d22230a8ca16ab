"""What can go wrong, in words that say what happened, where, and what to do.

Exit codes of the command line: 0 ok, 2 bad input, 3 environment (disk, permissions, memory),
4 interrupted and resumable, 5 integrity. Exit 1 is a bug of ours and nothing else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NwbsparseError(Exception):
    """Every error that nwbsparse raises on purpose."""

    exit_code = 2


class BadInput(NwbsparseError, ValueError):
    """The recording, the options or the data cannot be used as given."""

    exit_code = 2


class EnvironmentProblem(NwbsparseError, OSError):
    """The machine stands in the way: disk, permissions, memory, a missing device."""

    exit_code = 3


class IntegrityError(NwbsparseError):
    """What was written or read back is not what it should be."""

    exit_code = 5


class NwbsparseWarning(UserWarning):
    """Every warning that nwbsparse raises on purpose."""


class CoarseClockWarning(NwbsparseWarning):
    """Times were stored so coarsely that they cannot be told apart within a bin."""


def raise_together(problems: Iterable[str], *, heading: str) -> None:
    """Raise one BadInput that lists every problem, or do nothing when there is none."""
    found = list(problems)
    if len(found) == 1:
        raise BadInput(f"{heading}: {found[0]}")
    if found:
        raise BadInput(f"{heading}, {len(found)} problems:\n" + "\n".join(f"- {p}" for p in found))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean 'n_latents'?' for a near miss, '' when nothing is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""

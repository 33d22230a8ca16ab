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


SHOWN = 40
"""Names that a message lists; of more it says how many."""


def unknown(
    name: object,
    known: Iterable[object],
    *,
    what: str,
    of: str = "",
    where: object = "",
    more: str = "",
) -> BadInput:
    """The error for a name that does not exist: the nearest one that does, and which there are.

    Args:
        name: what was asked for.
        known: what could have been.
        what: what the names are of: 'covariate'. 'there is no covariate 'sped'; did you mean …'
        of: whose they are: 'the coder'. 'the coder has no session …; it has …'
        where: what was being read or asked: a file, an option. Stands before all.
        more: what else to say, as a sentence.
    """
    names = [str(one) for one in known]
    listed = ", ".join(names[:SHOWN]) or "none"
    if len(names) > SHOWN:
        listed += f" and {len(names) - SHOWN:,} more"
    said = " ".join(word for word in (what, f"'{name}'") if word) + did_you_mean(str(name), names)
    begin, end = f"{where}: " if str(where) else "", f". {more}" if more else ""
    if of:
        return BadInput(f"{begin}{of} has no {said}; it has {listed}{end}")
    return BadInput(f"{begin}there is no {said} (there are: {listed}){end}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean 'n_latents'?' for a near miss, '' when nothing is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""

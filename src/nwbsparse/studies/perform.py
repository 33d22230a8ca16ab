"""Doing a task that is known by its path alone, as a process of a cluster is asked to."""

from __future__ import annotations

import threading
from pathlib import Path

from nwbsparse.studies.ledger import Ledger, Make, Outcome

_AT_A_TIME = threading.Lock()
"""Threads, and what torch draws at random, belong to the process: one task at a time."""


def perform(path: str | Path, make: Make) -> Outcome:
    """Do the task that a file of a ledger describes, with the threads that the ledger says."""
    from nwbsparse.studies.threads import threads_of

    ledger, task = Ledger.of(path)
    with _AT_A_TIME, threads_of(int(ledger.made_for.get("threads", 1))):
        return ledger.run(task, make)


def do_fits(path: str | Path) -> Outcome:
    """Fit a stack of coders. Torch is imported where the work is done, not where it is dealt out."""
    from nwbsparse.studies.fitting import make_fits

    return perform(path, make_fits)

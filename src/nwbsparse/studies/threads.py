"""How many threads a task computes with: what its bits depend on, so it is the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def threads_of(number: int) -> Iterator[None]:
    """Compute with this many threads: torch, numba, and the libraries beneath NumPy and scikit-learn.

    Sums of another number of threads have other last bits. A worker of a cluster is told its number
    by variables of its environment, which numba does not read, and torch only when it is imported.
    """
    import numba
    import torch
    from numba.core import config
    from threadpoolctl import threadpool_limits

    # numba first: it starts its threads when it is first asked, and sets those of torch by it
    before = numba.get_num_threads(), torch.get_num_threads()
    try:
        with threadpool_limits(number):
            numba.set_num_threads(min(number, int(vars(config)["NUMBA_NUM_THREADS"])))
            torch.set_num_threads(number)
            yield
    finally:
        numba.set_num_threads(before[0])
        torch.set_num_threads(before[1])

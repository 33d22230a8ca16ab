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
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(number)
    numba.set_num_threads(min(number, numba.config.NUMBA_NUM_THREADS))
    try:
        with threadpool_limits(number):
            yield
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])

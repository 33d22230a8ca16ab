"""Work on a file that may be damaged, in a process of its own: HDF5 itself can crash on spoilt bytes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path


def isolated(work: Callable[[Path], list[str]], path: Path) -> list[str]:
    """What ``work`` says of a file, or that the library crashed on it.

    Args:
        work: a function of a module, which is imported anew in the other process.
        path: the file.
    """
    # a fork would inherit the locks of threads that do not exist in it
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(work, path).result()
        except BrokenProcessPool:
            return [
                "the library that reads HDF5 crashes on it: an attribute or a table in it is "
                "damaged; `nwbsparse doctor --save` keeps what can be read"
            ]

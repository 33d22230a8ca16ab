"""The package ``cebra``: imported when it is needed, and seeded."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from nwbsparse.errors import EnvironmentProblem


def package() -> Any:
    """The package ``cebra``.

    Raises:
        EnvironmentProblem: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import cebra
            import cebra.data
            import cebra.distributions
            import cebra.models
            import cebra.solver
    except ImportError as error:
        raise EnvironmentProblem(
            f"embedding by CEBRA needs the package cebra ({error}): pip install 'nwbsparse[embed]'"
        ) from None
    return cebra


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """CEBRA draws from the global generators of torch and numpy: seeded here, and put back after."""
    import torch

    held = np.random.get_state()  # noqa: NPY002  # what CEBRA's samplers of several sessions draw from
    with torch.random.fork_rng(), warnings.catch_warnings():
        # what CEBRA says of its own parts, of which nobody here can choose another
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(held)  # noqa: NPY002

"""The results that an NWB file holds."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.nwb.opening import built, opened
from nwbsparse.io.results.linked import results_alone
from nwbsparse.io.results.parse import is_model
from nwbsparse.io.results.reopen import source_is_here


def models_in(nwbfile: Any) -> dict[str, Any]:
    """Every SparseLatentModel of a file, by name."""
    module = nwbfile.processing.get(MODULE)
    held = {} if module is None else module.data_interfaces
    return {str(name): thing for name, thing in held.items() if is_model(thing)}


@contextmanager
def opened_file(path: Path) -> Iterator[Any]:
    """The NWBFile of a checked path, HDF5 or Zarr; without its links where what they lead to is away."""
    with ExitStack() as held:
        held.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if path.is_dir():
            yield held.enter_context(opened(path)).nwbfile
        elif not source_is_here(path):
            yield held.enter_context(results_alone(path))
        else:
            yield held.enter_context(built(path))[1]

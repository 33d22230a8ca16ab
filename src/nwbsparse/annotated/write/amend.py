"""What was found out about a result, changed in the annotated file that holds it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import xarray as xr
from safetensors.numpy import load as weights_of

from nwbsparse.annotated.read.look import look_at, state_of
from nwbsparse.annotated.read.opened import source_is_here
from nwbsparse.annotated.read.parse import find_model, parse_model
from nwbsparse.annotated.write.write import WriteOptions, write_result
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.opening import check_results_built, opened


def amend(
    path: Path,
    change: Callable[[xr.Dataset], xr.Dataset],
    *,
    result: str | None,
    backup: bool,
    notify: Callable[[str], None],
) -> xr.Dataset:
    """Replace the attribution of a result; coder, activations and recording stay as they are.

    The file is replaced by a complete and verified new one; which recording the result was made
    from is not forgotten.

    Args:
        path: an annotated NWB file (HDF5) that holds its recording.
        change: what is made of the attribution; what it raises leaves the file as it is.
        result: which result, when the file holds several.
        backup: keep the file as it was as ``<path>.bak``.
        notify: called with a line of text when there is something to know.

    Raises:
        BadInput: no results there, or a file that is not self-contained HDF5.
        EnvironmentProblem: it cannot be written there, or another program holds it.
        IntegrityError: what was read is damaged, or what was written reads back otherwise.
    """
    if path.is_dir() or not source_is_here(path):
        raise BadInput(
            f"{path} cannot be replaced as a whole; this works on a self-contained NWB file (HDF5), "
            "as `nwbsparse run` writes it"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = state_of(path)
        with opened(path) as recording:
            check_results_built(recording.unbuildable, path)
            stored = parse_model(find_model(recording.nwbfile, result, path=path))
            seen = look_at(recording.nwbfile, path, state)
    attribution = change(stored.attribution)
    changed = replace(stored, attribution=attribution, weights=weights_of(stored.tensors))
    options = WriteOptions("in_place", replace=True, backup=backup)
    write_result(changed, path, path, options, notify=notify, seen=seen)
    return attribution

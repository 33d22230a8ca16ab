"""Which bins are trained on, which decide when to stop, and which are held out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.schema import check, with_step

MIN_BLOCK = 30.0
"""Seconds a held-out block should last, so that slow behaviour fits into it."""


def split(
    binned: xr.Dataset,
    *,
    test: float = 0.2,
    validation: float = 0.1,
    blocks: int = 10,
    gap: float = 1.0,
) -> xr.Dataset:
    """Deal the bins to training, validation and test in contiguous blocks over the whole session.

    A single trailing test part would compare the maze with the sleep after it. So ``blocks`` test
    blocks are spread evenly (fewer, but at least 3, where they would last less than 30 s), as are
    the validation blocks; ``blocks=1`` is the plain chronological split. Blocks are laid over the
    concatenated segments; ``gap`` seconds are removed from training (or validation) wherever two
    parts meet within that time. Nothing is random.

    Returns the dataset with the coordinate ``split(time)``: 0 train, 1 validation, 2 test, −1 gap.

    Raises:
        BadInput: a part would be empty.
    """
    check(binned, names.BINNED)
    n = binned.sizes[names.TIME]
    width = float(binned.attrs[names.BIN_WIDTH])
    parts = np.full(n, names.TRAIN, dtype=np.int8)
    if blocks == 1:
        cuts = np.round(np.array([1 - test - validation, 1 - test]) * n).astype(int)
        parts[cuts[0] : cuts[1]] = names.VALIDATION
        parts[cuts[1] :] = names.TEST
    else:
        n_test = _n_blocks(test * n * width, blocks)
        n_validation = min(_n_blocks(validation * n * width, blocks), n_test)
        cycle = n / n_test
        with_validation = {
            round((i + 0.5) * n_test / n_validation - 0.5) for i in range(n_validation)
        }
        for i in range(n_test):
            # within a cycle: [validation] train test train, so that test never meets validation
            middle = (i + 0.55) * cycle
            half = test * n / n_test / 2
            parts[round(middle - half) : round(middle + half)] = names.TEST
            if i in with_validation:
                parts[round(i * cycle) : round(i * cycle + validation * n / n_validation)] = (
                    names.VALIDATION
                )
    parts = _with_gaps(parts, binned[names.TIME].values, gap)
    for value, name in enumerate(names.SPLIT_NAMES):
        if not np.any(parts == value):
            raise BadInput(
                f"no bin is left for the {name} part of {n} bins of {width:g} s; "
                "use a smaller gap, fewer blocks or larger shares"
            )
    coordinate = xr.DataArray(
        parts,
        dims=names.TIME,
        attrs={"flag_values": [-1, 0, 1, 2], "flag_meanings": "gap train validation test"},
    )
    parameters = {"test": test, "validation": validation, "blocks": blocks, "gap": gap}
    return with_step(binned.assign_coords({names.SPLIT: coordinate}), "split", parameters)


def part(dataset: xr.Dataset, name: str) -> np.ndarray:
    """(time,) bool: the bins of 'train', 'validation' or 'test'.

    Raises:
        BadInput: the dataset was never split.
    """
    if names.SPLIT not in dataset.coords:
        raise BadInput("the bins were not split yet; call nwbsparse.split(binned) first")
    return dataset[names.SPLIT].values == names.SPLIT_NAMES.index(name)


def _n_blocks(seconds: float, blocks: int) -> int:
    return int(np.clip(seconds // MIN_BLOCK, min(3, blocks), blocks))


def _with_gaps(parts: np.ndarray, times: np.ndarray, gap: float) -> np.ndarray:
    """Bins within ``gap`` seconds of a bin of another part become GAP.

    Test bins are never given up: where training or validation meets test the bins go from the
    former, and from training where it meets validation.
    """
    out = parts.copy()
    for edge in np.flatnonzero(parts[1:] != parts[:-1]):
        left, right = parts[edge], parts[edge + 1]
        if left < right:
            near = (times >= times[edge + 1] - gap) & (parts == left) & (times <= times[edge])
        else:
            near = (times <= times[edge] + gap) & (parts == right) & (times >= times[edge + 1])
        out[near] = names.GAP
    return out

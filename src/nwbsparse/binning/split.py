"""Which bins are trained on, which decide when to stop, and which are held out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput, raise_together
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
    _check_shares(test, validation, blocks, gap)
    n = binned.sizes[names.TIME]
    width = float(binned.attrs[names.BIN_WIDTH])
    if blocks == 1:
        parts = np.full(n, names.TRAIN, dtype=np.int8)
        cuts = np.round(np.array([1 - test - validation, 1 - test]) * n).astype(int)
        parts[cuts[0] : cuts[1]] = names.VALIDATION
        parts[cuts[1] :] = names.TEST
    else:
        parts = _dealt(n, test, validation, n * width, blocks)
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


def _check_shares(test: float, validation: float, blocks: int, gap: float) -> None:
    problems = [
        f"{name} is {share}; it must lie between 0 and 1"
        for name, share in (("test", test), ("validation", validation))
        if not 0 < share < 1
    ]
    if not problems and test + validation >= 1:
        problems.append(f"test + validation is {test + validation:g}; nothing is left to train on")
    if blocks < 1:
        problems.append(f"blocks is {blocks}; it must be 1 or more")
    if not (np.isfinite(gap) and gap >= 0):
        problems.append(f"gap is {gap}; it must be 0 s or more")
    raise_together(problems, heading="the bins cannot be split")


def _dealt(n: int, test: float, validation: float, seconds: float, blocks: int) -> np.ndarray:
    """Cycles of [validation] train test train, so that test never meets validation directly."""
    parts = np.full(n, names.TRAIN, dtype=np.int8)
    n_test = _n_blocks(test * seconds, blocks)
    n_validation = min(_n_blocks(validation * seconds, blocks), n_test)
    if validation / n_validation + test / n_test > 0.9 / n_test:
        n_validation = n_test  # fewer, longer validation blocks would not fit beside a test block
    cycle, held_out = n / n_test, test * n / n_test
    chosen = {round((i + 0.5) * n_test / n_validation - 0.5) for i in range(n_validation)}
    for i in range(n_test):
        first = i * cycle
        checked = validation * n / n_validation if i in chosen else 0.0
        begin = first + checked + (cycle - checked - held_out) / 2
        parts[round(first) : round(first + checked)] = names.VALIDATION
        parts[round(begin) : round(begin + held_out)] = names.TEST
    return parts


def _n_blocks(seconds: float, blocks: int) -> int:
    return int(np.clip(seconds // MIN_BLOCK, min(3, blocks), blocks))


def _with_gaps(parts: np.ndarray, times: np.ndarray, gap: float) -> np.ndarray:
    """Training and validation bins within ``gap`` seconds of test, and training bins within it of
    validation, become GAP; test bins are never given up.
    """
    out = parts.copy()
    for held_out in (names.TEST, names.VALIDATION):
        if np.any(out == held_out):
            near = _distance(times, times[out == held_out]) < gap
            below = (out == names.TRAIN) | ((out == names.VALIDATION) & (held_out == names.TEST))
            out[near & below] = names.GAP
    return out


def _distance(times: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Seconds from each time to the nearest of the others (sorted)."""
    right = np.clip(np.searchsorted(others, times), 0, len(others) - 1)
    left = np.maximum(right - 1, 0)
    return np.minimum(np.abs(times - others[left]), np.abs(others[right] - times))

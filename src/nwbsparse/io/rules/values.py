"""One dataset of a file into memory: text decoded, decompression bombs refused."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from nwbsparse.errors import BadInput

BOMB_BYTES = 256 * 2**20
BOMB_RATIO = 500
"""Real spike times and positions compress 2 to 20 times; zeros that nobody wrote, without end."""


def shape_of(data: Any) -> tuple[int, ...]:
    """The shape of a dataset, array or list, without loading what is on disk; () for None."""
    if data is None:
        return ()
    shape = getattr(data, "shape", None)
    try:
        return tuple(int(n) for n in (np.shape(data) if shape is None else shape))
    except ValueError:  # a list of rows of different lengths
        return (len(data),)


def load(data: Any, *, what: str) -> np.ndarray:
    """The values of a dataset as a numpy array; bytes become text.

    ``what`` names the dataset in messages. What is neither number nor text (references, compound
    rows) comes back as an object array.

    Raises:
        BadInput: the dataset is more than 256 MiB and more than 500 times what is stored of it.
    """
    if isinstance(data, h5py.Dataset):
        refuse_bomb(data, what=what)
    try:
        values: Any = np.asarray(data[:] if shape_of(data) and hasattr(data, "shape") else data)
    except ValueError:  # a list of rows of different lengths
        values = np.empty(len(data), dtype=object)
        values[:] = data
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind != "O":
        return values
    if not all(isinstance(value, str | bytes) for value in values.flat):
        return values
    return np.array([text(value) for value in values.flat], dtype=str).reshape(values.shape)


def text(value: Any) -> str:
    """One value as text, whether the file gave text, bytes, a number or nothing."""
    if value is None:
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def refuse_bomb(data: h5py.Dataset, *, what: str) -> None:
    """Refuse a dataset that claims far more values than are stored of it; nothing is loaded.

    ``what`` names the dataset in the message.

    Raises:
        BadInput: it is more than 256 MiB and more than 500 times what is stored of it.
    """
    logical, stored = int(data.nbytes), int(data.id.get_storage_size())
    if logical > BOMB_BYTES and logical > BOMB_RATIO * stored:
        raise BadInput(
            f"{what} claims {logical / 2**30:.1f} GiB of which {stored / 2**20:.1f} MiB are "
            "stored: it was never written, or it is a decompression bomb. Get the file again from "
            "its source."
        )

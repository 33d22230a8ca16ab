"""pynwb's reader of HDF5 files, going on where a part of the file has a form that it does not know."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

import h5py
from hdmf.build import DatasetBuilder, GroupBuilder
from pynwb import NWBHDF5IO

from nwbsparse.io.nwb.builders import NAMESPACE, TYPE
from nwbsparse.io.nwb.spoiled import said_of
from nwbsparse.io.rules.values import refuse_bomb, text
from nwbsparse.io.rules.vectors import as_vector, is_vector


class LenientHDF5IO(NWBHDF5IO):
    """Reads the tree of a file with an empty part in place of each that cannot be read.

    hdmf reads the whole tree or nothing of it: one dataset without a shape, of bits that mean nothing
    or of references that lead nowhere would stop the file. ``unreadable`` says which parts these are.
    """

    def __init__(self, **given: Any) -> None:
        self.unreadable: dict[str, str] = {}
        """Path → why, for ``sift`` to leave out."""
        super().__init__(**given)

    # hdmf has no public place for it; where it renames these, such files are refused as a whole again
    def _HDF5IO__read_dataset(self, h5obj: Any, name: str | None = None) -> DatasetBuilder:
        if not isinstance(h5obj, h5py.Dataset):  # asked for the target of a reference
            raise TypeError(f"it refers to {h5obj.name}, which holds no values")
        read = super()._HDF5IO__read_dataset  # pyright: ignore[reportAttributeAccessIssue]
        builder = self._or_empty(DatasetBuilder, lambda: read(h5obj, name), h5obj, name)
        return _as_vector(builder, h5obj) if _is_turned_clock(h5obj) else builder

    def _HDF5IO__read_group(
        self, h5obj: Any, name: str | None = None, **given: Any
    ) -> GroupBuilder:
        read = super()._HDF5IO__read_group  # pyright: ignore[reportAttributeAccessIssue]
        return self._or_empty(GroupBuilder, lambda: read(h5obj, name, **given), h5obj, name)

    def _or_empty(self, kind: type, read: Callable[[], Any], h5obj: Any, name: str | None) -> Any:
        try:
            return read()
        except OSError:  # the file is damaged, which is another matter
            raise
        except Exception as error:  # hdmf raises anything
            if h5obj.name == "/":
                raise
            self.unreadable[h5obj.name] = f"of a form that pynwb does not know ({said_of(error)})"
            builder = kind(name or posixpath.basename(h5obj.name), attributes=_type_of(h5obj))
            builder.location = posixpath.dirname(h5obj.name)
            return builder


def _is_turned_clock(dataset: h5py.Dataset) -> bool:
    """Whether these are MATLAB's timestamps, (n, 1): the one vector whose axes pynwb counts."""
    shape = dataset.shape or ()
    return str(dataset.name).endswith("/timestamps") and len(shape) > 1 and is_vector(shape)


def _as_vector(builder: DatasetBuilder, dataset: h5py.Dataset) -> DatasetBuilder:
    refuse_bomb(dataset, what=str(dataset.name))
    made: Any = DatasetBuilder(
        name=builder.name,
        data=as_vector(dataset[()]),
        dtype=dataset.dtype,
        attributes=dict(builder.attributes),
        maxshape=(None,),
        source=builder.source,
    )
    made.location = builder.location
    return made


def _type_of(h5obj: Any) -> dict[str, str]:
    """What an object says that it is, as far as it can be read."""
    stated = {key: h5obj.attrs.get(key) for key in (TYPE, NAMESPACE)}
    return {key: text(value) for key, value in stated.items() if isinstance(value, str | bytes)}

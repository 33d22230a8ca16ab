"""hdmf-zarr's own classes, made to stay in their store, to unpickle nothing, and to lose nothing."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hdmf.build import DatasetBuilder
from hdmf.spec import RefSpec

from nwbsparse.errors import BadInput
from nwbsparse.io.zarr.links import check_reference, refuse_outside
from nwbsparse.io.zarr.metadata import ARRAY_2
from nwbsparse.io.zarr.references import references_without_unpickling

_EXPECTED = (
    "Read '.*' in '.*' via zarr v2 store fallback",
    "Inferred dtype from zarr v2",
    "Could not read spec dataset '.*' via zarr API",
    "Skipping '",
)
"""What hdmf-zarr says of arrays of text in format 2, and what its list of skipped parts says too."""


def inside(kind: Any, root: Path) -> Any:
    """A reader that follows references inside its store only, and reads them without unpickling."""

    class Inside(kind):
        def read_builder(self) -> Any:
            with references_without_unpickling(), _expected_warnings():
                return super().read_builder()

        # references may also stand in data, which no guard reads beforehand
        def resolve_ref(self, zarr_ref: Any) -> Any:
            check_reference(zarr_ref, root, "a reference")
            with references_without_unpickling():
                return super().resolve_ref(zarr_ref)

        # of format 2, hdmf-zarr 0.14 also looks beside the store
        def _resolve_ref_source(self, source_file: str) -> str:
            place = super()._resolve_ref_source(source_file)
            refuse_outside(place, root, "a reference")
            return place

    return Inside


def with_definitions(kind: Any) -> Any:
    """A reader of hdmf-zarr 0.14 that learns the definitions in a store that is open.

    Its own method first asks whether the store is true. zarr counts all that is in it for that, and
    stops at the first array of format 2 that it cannot open.
    """

    class WithDefinitions(kind):
        def load_namespaces_io(self, namespace_catalog: Any, namespaces: Any = None) -> Any:
            with _expected_warnings():
                return self._load_namespaces(namespace_catalog, namespaces, self._file)

    return WithDefinitions


def all_of_format_2(kind: Any) -> Any:
    """A reader of hdmf-zarr 0.14 for format 2 in which references may lead to any array.

    What zarr 3 cannot open (text stored as bytes, pickled tables of references) hdmf-zarr decodes by
    hand, but only where it walks by: the target of a reference (``trials/timeseries``) was a bad link.
    """

    class AllOfFormat2(kind):
        def _read_v2_dataset(self, store: Any, group_path: str, name: str) -> Any:
            built = self._ZarrIO__built
            place = str(Path(store.root, group_path, name))  # as hdmf-zarr joins it
            if place not in built:
                built[place] = super()._read_v2_dataset(store, group_path, name)
            return built[place]

        def resolve_ref(self, zarr_ref: Any) -> Any:
            try:
                return super().resolve_ref(zarr_ref)
            except ValueError:
                store, path = self._file.store, _path_of(zarr_ref)
                if not (Path(store.root) / path / ARRAY_2).is_file():
                    raise
            group, _, name = path.rpartition("/")
            self._read_v2_dataset(store, group, name)
            # whoever follows the reference looks by these two for what was built
            return name, SimpleNamespace(store=store, path=path)

    return AllOfFormat2


def readable(kind: Any) -> Any:
    """A writer of hdmf-zarr 0.13 that refuses what nobody could read again."""

    class Readable(kind):
        def write_dataset(self, **given: Any) -> Any:
            builder = given["builder"]
            fields = builder.dtype if isinstance(builder.dtype, list) else []
            if any(_is_reference(one["dtype"]) for one in fields):
                raise BadInput(
                    f"{builder.path.removeprefix('root')} is a table of references, which hdmf-zarr before "
                    "0.14 can store as Python pickles only: use mode='derived' (HDF5), or hdmf-zarr 0.14 "
                    "(Python 3.12 or newer)."
                )
            return super().write_dataset(**given)

    return Readable


def _is_reference(dtype: Any) -> bool:
    return isinstance(dtype, dict | RefSpec) or dtype == DatasetBuilder.OBJECT_REF_TYPE


def _path_of(reference: Any) -> str:
    """Where in its store a reference leads, without the slash in front."""
    if not isinstance(reference, dict):
        try:
            reference = json.loads(str(reference))
        except ValueError:
            reference = {"path": reference}
    return str(reference["path"]).strip("/")


@contextmanager
def _expected_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        for said in _EXPECTED:
            warnings.filterwarnings("ignore", said)
        yield

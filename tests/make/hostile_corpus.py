"""Files made to harm whoever opens them, each built by script: none is kept, none was downloaded.

``python tests/hostile_corpus.py FOLDER`` writes them all; tests take them one by one.
"""

from __future__ import annotations

import json
import shutil
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from make.recordings import write_recording
from make.zarr_stores import (
    chunks_of,
    edit,
    forget_consolidated,
    golden,
    metadata_of,
    set_attributes,
)

CANARY = "<script>alert('nwbsparse-canary')</script>"
SECRET = "the-secret-that-no-output-may-hold"
Builder = Callable[[Path], Path]
_BUILDERS: dict[str, Builder] = {}


def hostile(build: Callable[[Any, Path], None]) -> Builder:
    """Register a builder that gets an open recording and the folder it lies in."""

    def made(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "outside.txt").write_text(SECRET * 40)
        with h5py.File(folder.parent / "outside.h5", "w") as file:
            file["secret"] = np.frombuffer((SECRET * 8).encode(), dtype="u1")
        path = write_recording(folder / "hostile.nwb")
        with h5py.File(path, "r+") as file:
            build(file, folder)
        return path

    _BUILDERS[build.__name__] = made
    return made


def names() -> list[str]:
    """What the corpus holds."""
    return [*_BUILDERS, *_RESULTS, *_STORES]


def build(name: str, folder: Path) -> Path:
    """Write one hostile file (or Zarr store) into a folder; its path."""
    return (_BUILDERS | _RESULTS | _STORES)[name](folder)


def _put(file: Any, name: str, **made: Any) -> Any:
    """Another dataset in the place of one, with the attributes it had."""
    attributes = dict(file[name].attrs)
    del file[name]
    dataset = file.create_dataset(name, **made)
    dataset.attrs.update(attributes)
    return dataset


@hostile
def external_storage(file: Any, folder: Path) -> None:
    outside = folder.parent / "outside.txt"
    _put(file, "units/spike_times", shape=(20,), dtype="f8", external=[(str(outside), 0, 160)])


@hostile
def virtual_dataset(file: Any, folder: Path) -> None:
    layout = h5py.VirtualLayout((20,), "u1")
    layout[:] = h5py.VirtualSource(str(folder.parent / "outside.h5"), "secret", (272,))[:20]
    attributes = dict(file["units/spike_times"].attrs)
    del file["units/spike_times"]
    file.create_virtual_dataset("units/spike_times", layout).attrs.update(attributes)


@hostile
def link_out_of_the_tree(file: Any, _folder: Path) -> None:
    file["acquisition/evil"] = h5py.ExternalLink("../outside.h5", "/secret")


@hostile
def absolute_link(file: Any, folder: Path) -> None:
    file["acquisition/evil"] = h5py.ExternalLink(str(folder.parent / "outside.h5"), "/secret")


@hostile
def link_to_a_device(file: Any, _folder: Path) -> None:
    file["acquisition/evil"] = h5py.ExternalLink("/dev/zero", "/x")


@hostile
def links_in_a_circle(file: Any, _folder: Path) -> None:
    file["acquisition/a"] = h5py.SoftLink("/acquisition/b")
    file["acquisition/b"] = h5py.SoftLink("/acquisition/a")
    group = file.create_group("processing/round/and")
    group["round"] = file["processing/round"]
    group["top"] = file["/"]


@hostile
def compression_bomb(file: Any, _folder: Path) -> None:
    shape, chunks = (2**31,), (2**20,)  # 16 GiB, of which every chunk is 8 MiB of zeros in 8 kB
    made = _put(
        file, "units/spike_times", shape=shape, dtype="f8", chunks=chunks, compression="gzip"
    )
    packed = zlib.compress(bytes(2**23), 9)
    for at in range(0, shape[0], chunks[0]):
        made.id.write_direct_chunk((at,), packed)


@hostile
def never_written(file: Any, _folder: Path) -> None:
    _put(file, "units/spike_times", shape=(2**40,), dtype="f8", chunks=(2**16,))


@hostile
def one_chunk_of_gigabytes(file: Any, _folder: Path) -> None:
    made = _put(
        file, "units/spike_times", shape=(2**28,), dtype="f8", chunks=(2**28,), compression="gzip"
    )
    made.id.write_direct_chunk((0,), _zeros(2**31))


def _zeros(n_bytes: int) -> bytes:
    """So many zeros, compressed by zlib, without compressing them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (n_bytes % 65521) << 16 | 1  # Adler-32 of zeros
    return b"\x78\x9c" + block * (n_bytes // 2**24) + b"\x03\x00" + checksum.to_bytes(4, "big")


@hostile
def absurd_shape(file: Any, _folder: Path) -> None:
    _put(file, "units/spike_times_index", shape=(2**62,), dtype="u8", chunks=(2**10,))


@hostile
def many_dimensions(file: Any, _folder: Path) -> None:
    _put(file, "units/spike_times", data=np.zeros((1,) * 32))


@hostile
def index_beyond_the_end(file: Any, _folder: Path) -> None:
    values = file["units/spike_times_index"][:].astype("u8")
    values[-1] = 2**63
    _put(file, "units/spike_times_index", data=values)


@hostile
def twenty_thousand_types(file: Any, _folder: Path) -> None:
    types = [
        {"neurodata_type_def": f"T{i}", "neurodata_type_inc": "NWBDataInterface", "doc": "x"}
        for i in range(20_000)
    ]
    space = {
        "namespaces": [
            {
                "name": "ndx-many", "version": "0.1.0", "doc": "x", "author": ["x"],
                "contact": ["x"], "schema": [{"namespace": "core"}, {"source": "types"}],
            }
        ]
    }  # fmt: skip
    group = file["specifications"].create_group("ndx-many/0.1.0")
    group["namespace"] = json.dumps(space)
    group["types"] = json.dumps({"groups": types})


@hostile
def types_that_inherit_in_a_circle(file: Any, _folder: Path) -> None:
    types = [
        {"neurodata_type_def": "A", "neurodata_type_inc": "B", "doc": "x"},
        {"neurodata_type_def": "B", "neurodata_type_inc": "A", "doc": "x"},
    ]
    space = {
        "namespaces": [
            {
                "name": "ndx-circle", "version": "0.1.0", "doc": "x", "author": ["x"],
                "contact": ["x"], "schema": [{"namespace": "core"}, {"source": "types"}],
            }
        ]
    }  # fmt: skip
    group = file["specifications"].create_group("ndx-circle/0.1.0")
    group["namespace"] = json.dumps(space)
    group["types"] = json.dumps({"groups": types})
    thing = file["acquisition"].create_group("evil")
    thing.attrs.update({"neurodata_type": "A", "namespace": "ndx-circle", "object_id": "x"})


@hostile
def script_in_names(file: Any, _folder: Path) -> None:
    _put(file, "identifier", data=CANARY)
    _put(file, "session_description", data=CANARY)
    module = file["processing"].create_group(CANARY.replace("/", "\\"))
    module.attrs.update(
        {
            "neurodata_type": "ProcessingModule",
            "namespace": "core",
            "object_id": "m",
            "description": CANARY,
        }
    )


@hostile
def pickle_in_a_dataset(file: Any, folder: Path) -> None:
    # runs `touch owned` where something unpickles it
    program = f"cposix\nsystem\n(S'touch {folder / 'owned'}'\ntR.".encode()
    file["acquisition/evil"] = np.void(program)
    file["acquisition/evil"].attrs["neurodata_type"] = np.void(program)


@hostile
def groups_a_thousand_deep(file: Any, _folder: Path) -> None:
    group = file["acquisition"]
    for _ in range(3000):
        group = group.create_group("d")


@hostile
def identifier_that_climbs(file: Any, _folder: Path) -> None:
    _put(file, "identifier", data="../../../outside")
    _put(file, "general/session_id", data=np.bytes_(b"../../up\0/\n"))


@hostile
def metadata_of_megabytes(file: Any, _folder: Path) -> None:
    _put(file, "session_description", data="x" * 20_000_000)


def _annotated(change: Callable[[Any, Path], None]) -> Builder:
    def made(folder: Path) -> Path:
        from make.results import made_results
        from nwbsparse.results.results import write

        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "outside.txt").write_text(SECRET * 40)
        source = write_recording(folder / "plain.nwb")
        path = write(made_results(source), folder / "hostile.nwb")
        source.unlink()
        with h5py.File(path, "r+") as file:
            change(file, folder)
        return path

    return made


_MODEL = "processing/sparse_latents/latents"


def _bomb_in_results(file: Any, _folder: Path) -> None:
    _put(file, f"{_MODEL}/decoder_weights", shape=(2**20, 2**16), dtype="f4", chunks=(64, 64))


def _deep_json_in_results(file: Any, _folder: Path) -> None:
    _put(file, f"{_MODEL}/environment", data="[" * 100_000 + "]" * 100_000)


def _pickle_as_weights(file: Any, folder: Path) -> None:
    program = f"cposix\nsystem\n(S'touch {folder / 'owned'}'\ntR.".encode()
    _put(file, f"{_MODEL}/parameters", data=np.frombuffer(program, dtype="u1"))


def _options_of_terabytes(file: Any, _folder: Path) -> None:
    words = json.loads(file[f"{_MODEL}/hyperparameters"][()])
    _put(file, f"{_MODEL}/hyperparameters", data=json.dumps(words | {"n_latents": 2**40}))


_RESULTS: dict[str, Builder] = {
    "bomb_in_results": _annotated(_bomb_in_results),
    "deep_json_in_results": _annotated(_deep_json_in_results),
    "pickle_as_weights": _annotated(_pickle_as_weights),
    "options_of_terabytes": _annotated(_options_of_terabytes),
}


def _zarr(name: str, change: Callable[[Any, Path], None]) -> Builder:
    """A change in a golden store: of either format, whichever hdmf-zarr is here."""

    def made(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "outside.txt").write_text(SECRET * 40)
        path = golden(name, folder)
        # the metadata of each group are to be read, not a copy of them
        forget_consolidated(path)
        change(path, folder)
        return path

    return made


def _program(folder: Path) -> bytes:
    return f"cposix\nsystem\n(S'touch {folder / 'owned'}'\ntR.".encode()


def _zarr_pickle(path: Path, folder: Path) -> None:
    filters = [{"id": "pickle", "protocol": 5}]
    edit(metadata_of(path, "units/spike_times"), dtype="|O", filters=filters, compressor=None)
    chunks_of(path, "units/spike_times")[0].write_bytes(_program(folder))


def _zarr_references(path: Path, folder: Path) -> None:
    place = "general/extracellular_ephys/electrodes/group"
    edit(metadata_of(path, place), compressor=None)
    chunks_of(path, place)[0].write_bytes(_program(folder))


def _zarr3_pickle(path: Path, folder: Path) -> None:
    codecs = [{"name": "numcodecs.pickle", "configuration": {}}]
    edit(metadata_of(path, "units/spike_times"), codecs=codecs)
    chunks_of(path, "units/spike_times")[0].write_bytes(_program(folder))


def _zarr_symlink(path: Path, folder: Path) -> None:
    chunk = chunks_of(path, "units/spike_times")[0]
    chunk.unlink()
    chunk.symlink_to(folder.parent / "outside.txt")


def _zarr_bomb(path: Path, _folder: Path) -> None:
    edit(metadata_of(path, "units/spike_times"), shape=[2**40], chunks=[2**40])


def _zarr3_bomb(path: Path, _folder: Path) -> None:
    grid = {"name": "regular", "configuration": {"chunk_shape": [2**40]}}
    edit(metadata_of(path, "units/spike_times"), shape=[2**40], chunk_grid=grid)


def _zarr_deep_json(path: Path, _folder: Path) -> None:
    (path / "units" / ".zattrs").write_text("[" * 100_000 + "]" * 100_000)


def _zarr3_reference(path: Path, folder: Path) -> None:
    outside = {"_REFERENCE": {"source": f"../../{folder.parent.name}", "path": "/outside.txt"}}
    set_attributes(path, "units/spike_times_index", target=outside)


_STORES: dict[str, Builder] = {
    "zarr_pickle": _zarr("format_2", _zarr_pickle),
    "zarr_references": _zarr("format_2", _zarr_references),
    "zarr_symlink": _zarr("format_2", _zarr_symlink),
    "zarr_bomb": _zarr("format_2", _zarr_bomb),
    "zarr_deep_json": _zarr("format_2", _zarr_deep_json),
    "zarr3_pickle": _zarr("format_3", _zarr3_pickle),
    "zarr3_symlink": _zarr("sharded", _zarr_symlink),
    "zarr3_bomb": _zarr("format_3", _zarr3_bomb),
    "zarr3_reference": _zarr("format_3", _zarr3_reference),
}


if __name__ == "__main__":
    out = Path(sys.argv[1])
    for one in names():
        shutil.rmtree(out / one, ignore_errors=True)
        sys.stdout.write(f"{build(one, out / one)}\n")

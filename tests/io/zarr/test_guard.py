"""A store of either format is no more trusted than an HDF5 file, and is not opened to find out."""

import json

import numpy as np
import pytest

from make.zarr_stores import (
    QUIET,
    chunks_of,
    edit,
    forget_consolidated,
    form_of,
    golden,
    metadata_of,
    need_hdmf_zarr,
    set_attributes,
    writes_format_3,
)
from nwbsparse.errors import BadInput
from nwbsparse.io.check import check_readable
from nwbsparse.io.nwb.read import read_nwb

pytestmark = QUIET

STORES = ["format_2", "format_3", "sharded"]


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    return golden(request.param, tmp_path)


@pytest.fixture(params=["format_2", "format_3"])
def plain(request, tmp_path):
    """Without shards, whose chunks are cut otherwise."""
    return golden(request.param, tmp_path)


@pytest.mark.parametrize("name", [*STORES, "annotated_format_3"])
def test_what_hdmf_zarr_writes_is_let_through(name, tmp_path):
    store = golden(name, tmp_path)
    check_readable(store)
    forget_consolidated(store)
    check_readable(store)


@pytest.mark.parametrize("name", ["units/spike_times/0", "units/secret"])
def test_symbolic_links_are_refused(store, tmp_path, name):
    (tmp_path / "secret").mkdir()
    (store / name).unlink(missing_ok=True)
    (store / name).symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match=rf"/{name} in .* is a symbolic link"):
        check_readable(store)


PICKLED_2 = {"filters": [{"id": "pickle", "protocol": 5}]}
PICKLED_3 = [{"name": "numcodecs.pickle", "configuration": {}}]
IN_SHARDS = [
    {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": [1], "codecs": PICKLED_3, "index_codecs": [{"name": "bytes"}],
        },
    }
]  # fmt: skip


def array_with(store, place, *, form, codecs):
    array = json.loads(metadata_of(store, place).read_text())
    return array | (PICKLED_2 if form == 2 else {"codecs": codecs})


@pytest.mark.parametrize("consolidated", [True, False])
@pytest.mark.parametrize(
    ("name", "codecs"),
    [("format_2", None), ("format_3", PICKLED_3), ("format_3", IN_SHARDS), ("sharded", PICKLED_3)],
)
def test_pickles_are_refused_before_the_store_is_opened(name, codecs, consolidated, tmp_path):
    """The kind: a codec may be named in each group, in what is consolidated, and within another codec."""
    store, form = golden(name, tmp_path), form_of(name)
    array = array_with(store, "units/id", form=form, codecs=codecs)
    if not consolidated:
        metadata_of(store, "units/id").write_text(json.dumps(array))
    elif form == 2:
        held = json.loads((store / ".zmetadata").read_text())
        held["metadata"]["units/id/.zarray"] = array
        (store / ".zmetadata").write_text(json.dumps(held))
    else:
        held = json.loads((store / "zarr.json").read_text())
        held["consolidated_metadata"]["metadata"]["units/id"] = array
        (store / "zarr.json").write_text(json.dumps(held))
    with pytest.raises(BadInput, match=r"/units/id in .* is stored as Python pickles"):
        check_readable(store)


def test_reference_columns_are_refused_where_pickles_would_be_decoded(tmp_path, monkeypatch):
    need_hdmf_zarr()
    store = golden("format_2", tmp_path)
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True)
    with pytest.raises(BadInput, match=r"in .* export it as HDF5: NWBHDF5IO"):
        read_nwb(store)


def test_a_pickle_that_poses_as_references_is_never_decoded(tmp_path):
    need_hdmf_zarr()
    store = golden("format_2", tmp_path)
    edit(store / "units/spike_times/.zarray", **PICKLED_2)
    edit(store / "units/spike_times/.zattrs", zarr_dtype="object")
    forget_consolidated(store)
    with pytest.raises(BadInput):
        read_nwb(store)


def test_of_format_3_no_array_is_taken_for_references(tmp_path):
    store = golden("format_3", tmp_path)
    edit(metadata_of(store, "units/id"), codecs=PICKLED_3)
    set_attributes(store, "units/id", zarr_dtype="object", _DTYPE="object_reference")
    with pytest.raises(BadInput, match=r"/units/id in .* is stored as Python pickles"):
        check_readable(store)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("units", {"zarr_link": [{"name": "evil", "source": "../b.zarr", "path": "/"}]}),
        ("units", {"zarr_link": [{"name": "evil", "path": "/etc"}]}),
        ("units", {"_LINKS": [{"name": "evil", "source": "/etc", "path": "/"}]}),
        ("units/id", {"t": {"zarr_dtype": "object", "value": {"source": "/etc", "path": "/"}}}),
        ("units/id", {"t": {"_REFERENCE": {"source": "../other.zarr", "path": "/"}}}),
        ("units/id", {"t": {"_REFERENCE": {"path": "/etc"}}}),
    ],
)
@pytest.mark.parametrize("consolidated", [True, False])
def test_references_out_of_the_store_are_refused(store, name, held, consolidated):
    if not consolidated:
        set_attributes(store, name, **held)
    elif (store / "zarr.json").exists():
        root = json.loads((store / "zarr.json").read_text())
        root["consolidated_metadata"]["metadata"][name]["attributes"].update(held)
        (store / "zarr.json").write_text(json.dumps(root))
    else:
        root = json.loads((store / ".zmetadata").read_text())
        root["metadata"][f"{name}/.zattrs"].update(held)
        (store / ".zmetadata").write_text(json.dumps(root))
    with pytest.raises(BadInput, match=rf"/{name} in .* points to .*, outside the store"):
        check_readable(store)


@pytest.mark.parametrize("key", ["zarr_link", "_LINKS"])
@pytest.mark.parametrize("source", ["../b", "b"])
def test_references_are_refused_again_when_they_are_followed(store, key, source, monkeypatch):
    """The guard reads no data: pretend that it saw nothing.

    hdmf-zarr 0.14 also looks beside a store of format 2.
    """
    need_hdmf_zarr(3 if (store / "zarr.json").exists() else 2)
    if key == "_LINKS" and (store / ".zgroup").exists():
        need_hdmf_zarr(3)
    (store.parent / "b").mkdir()
    set_attributes(store, "units", **{key: [{"name": "evil", "source": source, "path": "/x"}]})
    forget_consolidated(store)
    monkeypatch.setattr("nwbsparse.io.check.check_zarr", lambda path: None)
    leads_out = source == "../b" or ((store / ".zgroup").exists() and writes_format_3())
    said = (
        r"a reference in .* points to .*, outside the store"
        if leads_out
        else "cannot be read|does not exist"
    )
    with pytest.raises(BadInput, match=said):
        read_nwb(store)


@pytest.mark.parametrize("key", ["zarr_link", "_LINKS"])
def test_references_within_the_store_are_followed(store, key):
    link = {"name": "again", "source": ".", "path": "/units/spike_times"}
    set_attributes(store, "units", **{key: [link]})
    check_readable(store)


def test_bombs_are_refused(plain):
    claims = {"shape": [2**40]}
    edit(metadata_of(plain, "units/spike_times"), **claims)
    with pytest.raises(BadInput, match=r"/units/spike_times in .* claims 8192\.0 GiB of which"):
        check_readable(plain)


@pytest.mark.parametrize("dtype", ["wide text", "table"])
def test_bombs_in_wide_types_are_refused(dtype, tmp_path):
    """The kind: what a value takes is said by the type, not by the shape."""
    store = golden("format_3", tmp_path)
    wide = {"name": "fixed_length_utf32", "configuration": {"length_bytes": 2**40}}
    table = {"name": "struct", "configuration": {"fields": [{"name": "a", "data_type": wide}]}}
    edit(metadata_of(store, "units/id"), data_type=wide if dtype == "wide text" else table)
    with pytest.raises(BadInput, match=r"/units/id in .* claims 4096\.0 GiB of which"):
        check_readable(store)


@pytest.mark.parametrize(("inner", "outer"), [(1, 2**40), (2**40, 2**40)])
def test_bombs_in_shards_are_refused(tmp_path, inner, outer):
    store = golden("sharded", tmp_path)
    file = metadata_of(store, "units/spike_times")
    held = json.loads(file.read_text())
    held["codecs"][0]["configuration"]["chunk_shape"] = [inner]
    edit(file, codecs=held["codecs"], data_type="int8", chunk_grid={
        "name": "regular", "configuration": {"chunk_shape": [outer]},
    })  # fmt: skip
    with pytest.raises(BadInput, match=r"/units/spike_times in .* claims [0-9.]+ GiB of which"):
        check_readable(store)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *(("format_2", one) for one in (
            {"shape": "x"}, {"shape": [-1]}, {"shape": None}, {"shape": [4, 4]}, {"dtype": "nonsense"},
            {"chunks": [0]}, {"chunks": []},
        )),
        *(("format_3", one) for one in (
            {"shape": "x"}, {"shape": [-1]}, {"data_type": "nonsense"}, {"data_type": {}},
            {"codecs": None}, {"chunk_grid": {"name": "rectilinear", "configuration": {}}},
            {"chunk_grid": []},
            {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0]}}},
        )),
    ],
)  # fmt: skip
def test_damaged_metadata_are_refused(tmp_path, name, damage):
    store = golden(name, tmp_path)
    edit(metadata_of(store, "units/id"), **damage)
    with pytest.raises(BadInput, match=r"metadata of /units/id in .* are damaged"):
        check_readable(store)


@pytest.mark.fault(16)
def test_a_missing_shard_is_not_taken_for_zeros(tmp_path):
    store = golden("sharded", tmp_path)
    files = chunks_of(store, "units/spike_times")
    files[-1].unlink()
    said = f"is incomplete: {len(files) - 1} of {len(files)} chunks of /units/spike_times"
    with pytest.raises(BadInput, match=said):
        check_readable(store)


@pytest.mark.fault(16)
@pytest.mark.parametrize("how", ["never written", "cut"])
def test_a_chunk_that_is_missing_in_its_shard_is_not_taken_for_zeros(tmp_path, how):
    store = golden("sharded", tmp_path)
    check_readable(store)
    file = chunks_of(store, "units/spike_times")[0]
    raw = bytearray(file.read_bytes())
    n_index = 4 * 16 + 4  # four chunks, and a checksum
    if how == "cut":
        raw = raw[: n_index // 2]
    else:
        raw[-n_index : -n_index + 16] = b"\xff" * 16
    file.write_bytes(raw)
    with pytest.raises(
        BadInput, match=r"is incomplete: \d+ of \d+ chunks in its shards of /units/spike_times"
    ):
        check_readable(store)


@pytest.mark.parametrize("shards", [None, (4,)])
def test_a_time_of_zero_alone_in_its_chunk_is_no_missing_chunk(tmp_path, shards):
    """zarr 3 does not write a chunk that holds nothing but its fill value."""
    need_hdmf_zarr(3)
    import zarr

    store = golden("format_3", tmp_path)
    units = zarr.open_group(store / "units", mode="r+", use_consolidated=False)
    del units["spike_times"]
    made = units.create_array("spike_times", shape=(5,), dtype="f8", chunks=(2,), shards=shards)
    made[:] = np.array([0.5, 0.6, 0.7, 0.8, 0.0])
    check_readable(store)


@pytest.mark.parametrize("gone", ["0", "1", "2"])
def test_of_format_2_no_chunk_is_forgiven(tmp_path, gone):
    """zarr 2 writes chunks of zeros too: the one that is missing was lost."""
    if writes_format_3():
        pytest.skip("zarr 3 is here, which writes format 2 otherwise")
    import zarr

    store = golden("format_2", tmp_path)
    units = zarr.open_group(str(store / "units"), mode="r+")
    kept = dict(units["spike_times"].attrs)
    del units["spike_times"]
    made = units.create_dataset("spike_times", shape=(5,), dtype="f8", chunks=(2,))
    made[:] = np.array([0.5, 0.6, 0.7, 0.8, 0.0])
    made.attrs.update(kept)
    check_readable(store)
    (store / "units/spike_times" / gone).unlink()
    with pytest.raises(BadInput, match="is incomplete: 2 of 3 chunks of /units/spike_times"):
        check_readable(store)

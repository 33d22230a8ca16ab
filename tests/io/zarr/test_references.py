"""References that were stored as pickles are read, and no pickle is ever unpickled."""

import pickle

import numpy as np
import pytest

from make.zarr_stores import QUIET, RECORDING, chunks_of, golden, need_hdmf_zarr, writes_format_3
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.opening import built
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.io.zarr.references import NotReferences, references_in
from nwbsparse.io.zarr.stack import new_store

pytestmark = QUIET

REFERENCE = {"source": ".", "path": "/general/shank", "object_id": "a", "source_object_id": None}


def column(*values):
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_column_of_references_is_read(protocol):
    found = references_in(pickle.dumps(column(REFERENCE, REFERENCE | {"path": "/b"}), protocol))
    assert found.dtype == object
    assert [one["path"] for one in found] == ["/general/shank", "/b"]
    assert found[0] == REFERENCE


def test_a_table_with_references_is_read():
    dtype = np.dtype([("idx_start", "<i4"), ("count", "<i4"), ("timeseries", "O")])
    made = np.array([(0, 5, REFERENCE), (5, 1, REFERENCE)], dtype=dtype)
    found = references_in(pickle.dumps(made, 5))
    assert found.dtype == dtype
    assert found.tolist() == made.tolist()


class _Harm:
    def __reduce__(self):
        return (print, ("harm",))


class _State(dict):
    pass


@pytest.mark.parametrize(
    "harmful",
    [
        _Harm(), column(_Harm()), column(REFERENCE | {"path": _Harm()}), column(_State(REFERENCE)),
        column([REFERENCE]), np.arange(3.0), {"a": 1}, "text", column(REFERENCE).dtype,
        column(np.arange(3)), column(b"bytes"),
    ],
)  # fmt: skip
def test_whatever_else_a_pickle_makes_is_refused(harmful, capsys):
    """The kind: a pickle calls what it names. Here nothing is called, and nothing else is let through."""
    with pytest.raises(NotReferences):
        references_in(pickle.dumps(harmful, 4))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "damaged", [b"", b"\x80\x05", b"\x80\x05.", b"\x80\x05K\x00K\x00.", b"q\xff"]
)
def test_damaged_pickles_are_refused(damaged):
    with pytest.raises(NotReferences):
        references_in(damaged)


@pytest.fixture
def store(tmp_path):
    need_hdmf_zarr()
    return golden("format_2", tmp_path)


def test_references_of_a_store_of_format_2_lead_where_they_should(store):
    with built(store) as (_, nwbfile):
        assert {one.name for one in nwbfile.electrodes["group"][:]} == {"shank"}
        row = nwbfile.intervals["looks"]["timeseries"][1][0]
        assert row.timeseries.name == "lick"


def test_harm_in_place_of_references_does_nothing(store, capsys):
    """That a codec is allowed for references is no reason to run what stands there."""
    file = chunks_of(store, "general/extracellular_ephys/electrodes/group")[0]
    import numcodecs

    packed = numcodecs.Blosc().encode(pickle.dumps(column(*[_Harm()] * 4), 4))
    file.write_bytes(packed)
    try:
        with built(store) as (_, nwbfile):
            if nwbfile.electrodes is not None:  # a table without its column may be left out by name
                list(nwbfile.electrodes["group"][:])
    except (BadInput, ValueError):
        pass
    assert capsys.readouterr().out == ""


def test_results_are_written_from_a_store_with_electrodes(store, tmp_path):
    """Until now the last step of a run ended in a refusal of numcodecs."""
    from nwbsparse.annotated.recording.stage import write_recording as write_copy
    from nwbsparse.options.nwb_fields import NwbFields

    copy = tmp_path / "copy.nwb"
    write_copy(read_nwb(store), NwbFields(), copy)
    again = read_nwb(copy)
    assert again.units["region"].values.tolist() == ["CA1", "CA3", "é", "?"]
    with built(copy) as (_, nwbfile):
        assert nwbfile.electrodes["group"][0].name == "shank"
        assert nwbfile.intervals["looks"]["timeseries"][0][0].timeseries.name == "lick"


def test_the_codec_is_as_before_when_nothing_is_read(store):
    import numcodecs

    before = numcodecs.registry.codec_registry["pickle"]
    read_nwb(store)
    assert numcodecs.registry.codec_registry["pickle"] is before


def test_tables_of_references_are_not_written_where_nobody_could_read_them(tmp_path):
    """With zarr 2 they are pickles, or JSON that cannot be unpacked: neither is written without a word."""
    need_hdmf_zarr()
    store = tmp_path / "new.nwb.zarr"
    with built(RECORDING, for_copy=True) as (io, nwbfile):
        nwbfile.set_modified()
        given = {"src_io": io, "nwbfile": nwbfile, "write_args": {"link_data": False}}
        if not writes_format_3():
            with (
                new_store(store) as target,
                pytest.raises(BadInput, match=r"/intervals/looks/timeseries is a"),
            ):
                target.export(**given)
            return
        with new_store(store) as target:
            target.export(**given)
    with built(store) as (_, nwbfile):
        assert nwbfile.intervals["looks"]["timeseries"][3][0].timeseries.name == "lick"

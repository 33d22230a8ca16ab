"""doctor() and rescue(): what is wrong with a broken file, and what can be saved of it."""

import hashlib
import shutil
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import nwbsparse
from make.recordings import damaged
from make.zarr_stores import chunks_of, need_hdmf_zarr, writes_format_3
from nwbsparse.errors import BadInput
from nwbsparse.share import doctor as doctoring
from nwbsparse.share.doctor import doctor, remove_caches
from nwbsparse.share.rescue import rescue

MODEL = "/processing/sparse_latents/latents"


@pytest.mark.parametrize("which", ["path", "wide", "source"])
def test_a_sound_file_is_said_to_be_sound(annotated, which):
    found = doctor(getattr(annotated, which))
    assert found.sound and all(part.readable for part in found.parts)
    assert "/units/spike_times" in {part.path for part in found.parts}


def test_a_file_that_lost_its_end_is_read_as_far_as_it_goes(tmp_path):
    """The last 8 kB hold data; the same file whole and cut tells which."""
    path = tmp_path / "a.nwb"
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        file["processing/first"] = np.arange(1000.0)
        file["processing/last"] = np.arange(100_000.0)
    whole = path.read_bytes()
    with h5py.File(path) as file:
        at = file["processing/last"].id.get_offset()
    path.write_bytes(whole[: at + 400_000])
    found = doctor(path)
    assert f"{at + 400_000} of {len(whole)} bytes" in found.problems[0]
    parts = {part.path: part for part in found.parts}
    assert parts["/processing/first"].readable
    assert "gone" in parts["/processing/last"].problem


@pytest.mark.parametrize("share", [0.0001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_no_truncation_is_more_than_it_can_bear(copy, tmp_path, share):
    path = copy()
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    found = doctor(path)
    assert not found.sound
    with h5py.File(tmp_path / "whole.nwb", "w"):
        pass
    (tmp_path / "whole.nwb").write_bytes(content)
    with h5py.File(tmp_path / "whole.nwb") as file:
        for part in found.parts:  # what is called readable is there in the whole file
            assert not part.readable or file[part.path].shape == part.shape


@pytest.mark.slow
def test_flipped_bytes_anywhere_never_break_the_doctor(copy):
    path = copy()
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for _ in range(60):
        spoilt = bytearray(content)
        for at in rng.integers(0, len(content), 20):
            spoilt[at] = rng.integers(256)
        path.write_bytes(bytes(spoilt))
        doctor(path, seconds=5.0)


@pytest.mark.fault(17)
def test_a_changed_array_of_ours_is_named(copy):
    path = copy()
    with damaged(path) as file:
        file[f"{MODEL}/weight/scores"][0, 0] += 1
    found = doctor(path)
    assert "result 'latents'" in found.problems[0] and "weight/scores" in found.problems[0]


@pytest.mark.fault(23)
def test_a_link_that_dangles_is_named(annotated, copy, tmp_path):
    path = Path(shutil.copy(annotated.linked, tmp_path / "lonely.nwb"))
    found = doctor(path)
    assert any("rat.nwb; fetch it first" in one for one in found.problems)
    assert [one.name for one in found.missing] == ["rat.nwb"]
    assert not found.sound and found.whole and not any(one.problem for one in found.parts)
    path = copy()
    with damaged(path) as file:
        file["acquisition/nothing"] = h5py.SoftLink("/not/there")
    assert "links to /not/there, which is not there" in {
        part.problem for part in doctor(path).parts
    }


def test_what_lies_in_a_linked_recording_is_not_lost(annotated):
    found = doctor(annotated.linked)
    assert found.sound and not found.missing
    away = {one.path: one.elsewhere for one in found.parts if one.elsewhere}
    assert away["/units"] == "rat.nwb"
    assert f"{MODEL}/input_population/source_table" in away
    assert not any(one.problem for one in found.parts)


@pytest.mark.fault(1)
def test_unfinished_temporary_files_beside_it_are_named(copy, tmp_path):
    path = copy()
    (tmp_path / ".nwbsparse-0123456789ab.nwb").write_bytes(b"half")
    (tmp_path / ".nwbsparse-0123456789ab.lock").write_bytes(b"{}")
    (tmp_path / ".model.json.partial").write_bytes(b"half")
    found = doctor(path)
    assert found.sound
    assert [one.name for one in found.unfinished] == [
        ".model.json.partial",
        ".nwbsparse-0123456789ab.nwb",
    ]


@pytest.mark.fault(9)
def test_a_half_written_cache_of_pynwb_is_found_and_removed(copy, tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "cache")
    for name, content in {"1.0": b"", "2.0": b"\x80\x05half", "3.0": b"whole."}.items():
        (tmp_path / "cache" / name).mkdir(parents=True)
        (tmp_path / "cache" / name / "pynwb_core_typemap.pkl").write_bytes(content)
    found = doctor(copy())
    assert [one.parent.name for one in found.caches] == ["1.0", "2.0"]
    assert remove_caches(found.caches) == list(found.caches)
    assert not doctoring.broken_caches()


def test_the_cache_is_looked_for_where_pynwb_keeps_it():
    import pynwb
    from platformdirs import user_cache_path

    kept = vars(pynwb)["__resources"]["cached_typemap_path"]
    assert kept.startswith(str(user_cache_path("pynwb-hdmf"))) and kept.endswith(
        "/pynwb_core_typemap.pkl"
    )


def test_time_is_bounded_and_what_was_not_tried_is_said(annotated):
    found = doctor(annotated.path, seconds=0.0)
    tried = [part for part in found.parts if part.shape and part.tried]
    assert found.parts and not tried


def test_looking_changes_nothing(copy, tmp_path):
    path = copy()
    path.write_bytes(path.read_bytes()[:-100])
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    doctor(path)
    rescue(path, tmp_path / "saved")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_a_file_of_another_kind_is_said_to_be_none(tmp_path):
    (tmp_path / "a.nwb").write_text("a letter")
    assert "is not an HDF5 file" in doctor(tmp_path / "a.nwb").problems[0]
    with pytest.raises(BadInput, match="does not exist"):
        doctor(tmp_path / "b.nwb")


def test_everything_of_a_sound_result_is_saved(annotated, tmp_path):
    saved = rescue(annotated.path, tmp_path / "saved")
    assert not saved.lost
    coder = nwbsparse.load(tmp_path / "saved" / "latents")
    assert coder.id == annotated.results.coder.id
    with xr.open_dataset(tmp_path / "saved/latents/activations.nc", engine="h5netcdf") as held:
        np.testing.assert_array_equal(held["data"], annotated.results.latents["activation"])
    table = pd.read_csv(tmp_path / "saved/latents/input-population.csv")
    assert list(table["source_row"]) == [0, 1, 2, 3]
    assert "top_units" in pd.read_csv(tmp_path / "saved/latents/latents.csv")


def test_what_is_whole_of_a_damaged_result_is_saved_and_the_rest_is_named(copy, tmp_path):
    path = copy()
    with damaged(path) as file:
        del file[f"{MODEL}/environment"]
        file[f"{MODEL}/latents/density"].id.get_offset()
    saved = rescue(path, tmp_path / "saved")
    assert any("environment" in one for one in saved.lost)
    names = {one.relative_to(tmp_path / "saved").as_posix() for one in saved.saved}
    assert {"latents/latents.csv", "latents/model.safetensors", "latents.nc"} <= names
    assert "latents/model.json" not in names
    with xr.open_dataset(tmp_path / "saved/latents.nc", engine="h5netcdf") as held:
        assert "decoder_weights" in held


def test_a_folder_in_use_is_not_written_to(annotated, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="not an empty folder"):
        rescue(annotated.path, tmp_path)
    with pytest.raises(BadInput, match="holds no sparse latents"):
        rescue(annotated.source, tmp_path / "new")


def test_a_missing_chunk_of_a_store_is_named(annotated, tmp_path):
    """Of format 3 by the checksums of the result only: zarr 3 does not write chunks of zeros."""
    need_hdmf_zarr()
    from nwbsparse.results.results import write

    path = write(annotated.results, tmp_path / "a.nwb.zarr", mode="zarr")
    assert doctor(path).sound
    chunks_of(path, "processing/sparse_latents/latents/activations/data")[0].unlink()
    began = time.monotonic()
    found = doctor(path)
    assert time.monotonic() - began < 20
    if writes_format_3():
        [said] = found.problems
        assert "activations" in said
        return
    [bad] = [part for part in found.parts if part.problem]
    assert bad.path.endswith("activations/data") and "chunks are missing" in bad.problem

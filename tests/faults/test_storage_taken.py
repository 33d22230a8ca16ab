"""A name that another program takes while a file is being written: what it put there stays."""

import os
from dataclasses import replace

import pytest

from make.results import copied
from make.zarr_stores import writes_format_3
from nwbsparse.annotated.safe import publish as commit
from nwbsparse.errors import BadInput
from nwbsparse.results.results import open_results, write
from nwbsparse.share.bundle import bundle
from nwbsparse.share.subject import SubjectFields

SUBJECT = SubjectFields("rat-7", "P90D", "M", "Rattus norvegicus")


@pytest.fixture
def scene(made_once, tmp_path):
    """folder of a source, results."""
    return tmp_path, copied(made_once, tmp_path)[1]


def taken_at_the_last_moment(monkeypatch, make):
    """Another program makes the target after all that is checked, before it gets its name."""
    name = commit._name

    def late(partial, target):
        make(target)
        name(partial, target)

    monkeypatch.setattr(commit, "_name", late)


def no_hard_links(monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "none"])
@pytest.mark.parametrize("mode", ["derived", "link", "zarr"])
def test_a_target_that_appears_while_it_is_written_is_not_replaced(scene, monkeypatch, mode, links):
    folder, results = scene
    target = folder / ("a.nwb.zarr" if mode == "zarr" else "a.nwb")
    if not links:
        if mode == "zarr" and writes_format_3():
            pytest.skip("zarr 3 itself makes hard links to write")
        no_hard_links(monkeypatch)
    with monkeypatch.context() as patched:
        taken_at_the_last_moment(patched, lambda path: path.write_text("theirs"))
        with pytest.raises(BadInput, match="appeared while it was being written"):
            write(results, target, mode)
    assert target.read_text() == "theirs"
    assert sorted(one.name for one in folder.iterdir()) == [target.name, "source.nwb"]
    target.unlink()
    assert open_results(write(results, target, mode)).coder.id == results.coder.id
    assert target.is_dir() or target.stat().st_nlink == 1


def test_a_store_that_appears_while_it_is_written_is_not_replaced(scene, monkeypatch):
    folder, results = scene

    def theirs(path):
        path.mkdir()
        (path / ".zgroup").write_text("theirs")

    taken_at_the_last_moment(monkeypatch, theirs)
    with pytest.raises(BadInput, match="appeared while it was being written"):
        write(results, folder / "a.nwb.zarr", "zarr")
    assert (folder / "a.nwb.zarr" / ".zgroup").read_text() == "theirs"
    assert sorted(one.name for one in folder.iterdir()) == ["a.nwb.zarr", "source.nwb"]


def test_what_may_be_replaced_still_is(scene):
    folder, results = scene
    target = folder / "a.nwb"
    target.write_text("the previous one")
    renamed = replace(results, environment={"created": "2026-02-02T00:00:00+00:00"})
    assert open_results(write(renamed, target, overwrite=True)).coder.id == results.coder.id


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "none"])
def test_a_bundle_that_appears_meanwhile_is_not_replaced(scene, monkeypatch, links):
    folder, results = scene
    annotated = write(results, folder / "a.nwb")
    if not links:
        no_hard_links(monkeypatch)
    taken_at_the_last_moment(monkeypatch, lambda path: path.write_text("theirs"))
    with pytest.raises(BadInput, match="appeared while it was being written"):
        bundle(annotated, folder / "out", subject=SUBJECT)
    (target,) = (folder / "out").rglob("*.nwb")
    assert target.read_text() == "theirs"
    assert [one.name for one in target.parent.iterdir()] == [target.name]

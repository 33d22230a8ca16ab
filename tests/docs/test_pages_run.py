"""The documents run: every block of Python and every nwbsparse line of a page, in order, in one folder.

What a page leaves open is small (``quick.toml``); what it calls recording.nwb and the like is simulated
(``make/placeholders.py``). A block that cannot run here says why in a comment above it, ``<!-- not run:
reason -->``. Commands in the middle of a sentence are not run; that they exist is held elsewhere.
"""

import re

import pytest

from make.house import ROOT
from make.pages import blocks_of, pages, run_page
from make.placeholders import SEEDS, Placeholders
from make.plugins import roles_as_before

pytestmark = [
    pytest.mark.fits,
    pytest.mark.filterwarnings("ignore:.*:UserWarning:hdmf"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr"),
]
PROVIDED = {
    "README.md": ("kilosort4", "tracking.csv", "broken.nwb"),
    "docs/how-to/share-on-dandi.md": ("results", "broken.nwb"),
    "docs/how-to/sorters-and-behaviour.md": ("kilosort4", "tracking.csv", "lab.nwb"),
    "docs/reference/models.md": ("results",),
    "docs/reference/writing.md": ("annotated.nwb",),
}
"""What a page has besides the recordings that it names: what it makes itself is not among it."""


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def tried(page):
    # pages that show how to add something are short: they are run with all other tests
    short = page.parent.name == "extending"
    return pytest.param(page, id=name_of(page), marks=[] if short else [pytest.mark.slow])


@pytest.fixture(scope="module")
def placeholders(tmp_path_factory):
    return Placeholders(tmp_path_factory.mktemp("placeholders"))


@pytest.mark.parametrize("page", [tried(page) for page in pages()])
def test_a_page_runs_as_it_stands(page, placeholders, tmp_path, monkeypatch):
    text = page.read_text(encoding="utf-8")
    named = [f"{one}.nwb" for one in SEEDS if re.search(rf"\b{one}\.nwb\b", text)]
    for name in (*named, *PROVIDED.get(name_of(page), ())):
        placeholders.put(name, tmp_path, name_of(page))
    monkeypatch.chdir(tmp_path)
    with roles_as_before():
        run_page(page)


def test_what_is_not_run_says_why():
    reasons = {
        name_of(page): one.reason
        for page in pages()
        for one in blocks_of(page)
        if one.reason is not None
    }
    assert {page: reason for page, reason in reasons.items() if len(reason.split()) < 3} == {}


def test_pages_with_code_are_found_and_most_of_it_runs():
    found = {name_of(page): blocks_of(page) for page in pages()}
    assert {"README.md", "docs/how-to/figures.md", "docs/extending/null.md"} <= set(found)
    every = [one for blocks in found.values() for one in blocks]
    assert sum(one.reason is None for one in every) >= 0.8 * len(every)

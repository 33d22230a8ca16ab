"""The one-file report of a small recording, with hostile text wherever a file can hold text."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.confirm import confirm
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import SessionSource
from nwbsparse.results.label import relabelled
from nwbsparse.results.results import Results
from nwbsparse.session import Session
from nwbsparse.views.report.cards import chosen
from nwbsparse.views.report.report import report

CHROMIUM = Path("/usr/bin/chromium")

CANARY = "<script>alert('x')</script>"


class Tags(HTMLParser):
    """All start tags of a page with their attributes, and its text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def with_attribution(results: Results, summary: dict[str, Any], **changed: Any) -> Results:
    """The results with another summary and other values of some variables over latents."""
    attribution = results.attribution.copy()
    for name, values in changed.items():
        attribution[name] = (names.LATENT, np.asarray(values))
    found = summary["latents"]["found"]
    attribution.attrs |= {"summary": json.dumps(summary), "n_explained_latents": found}
    return dataclasses.replace(results, attribution=attribution)


def counts_of(found: int, assessable: int, **by_variable: int) -> dict[str, Any]:
    return {"channels": 16, "assessable": assessable, "found": found, "by_variable": by_variable}


def none_found(results: Results) -> Results:
    n = results.coder.n_latents
    summary = {name: counts_of(0, 12) for name in ("latents", "untrained coder", "raw units")}
    status = ["not found"] * n
    return with_attribution(
        results,
        summary,
        association_status=np.array(status, dtype=object),
        association_q=np.full(n, 0.6),
    )


def test_the_page_loads_nothing(page: Path) -> None:
    tags = Tags(page).tags
    policy = [a["content"] for t, a in tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert not {t for t, _ in tags} & {
        "script",
        "link",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
    }
    assert all((a.get("src") or "data:").startswith("data:") for _, a in tags)
    assert all((a.get("href") or "#").startswith("#") for _, a in tags)
    assert not [key for _, a in tags for key in a if key.startswith("on")]
    assert not re.search(r"https?://|url\(|@import", page.read_text(encoding="utf-8"))
    assert page.stat().st_size < 3_000_000


def test_pictures_load_nothing_either_and_are_well_formed(page: Path) -> None:
    pictures = [a["src"] or "" for t, a in Tags(page).tags if t == "img"]
    assert len(pictures) >= 6
    for picture in pictures:
        svg = base64.b64decode(picture.partition(",")[2])
        for element in ElementTree.fromstring(svg).iter():
            assert not element.tag.endswith("script")
            linked = [v for k, v in element.attrib.items() if k.endswith("href")]
            assert all(link.startswith(("#", "data:")) for link in linked)


def test_text_of_the_file_is_escaped(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 3  # subject, identifier, a condition
    assert "a &amp; b &lt;i&gt;.nwb" in text


def test_every_section_is_there(page: Path, made: tuple[Results, xr.Dataset]) -> None:
    read_page = Tags(page)
    there = {a.get("id") for t, a in read_page.tags if t == "section"}
    assert there == {"found", "read", "quality", "latents", "all", "methods", "next"}
    summary = json.loads(made[0].attribution.attrs["summary"])["latents"]
    assert summary["found"] > 0
    assert f"{summary['found']} of {summary['assessable']}" in read_page.text
    assert made[0].session.source.sha256 in read_page.text


def test_nan_is_shown_as_a_dash(page: Path) -> None:
    text = Tags(page).text
    assert "–" in text
    assert "not assessable" in text
    assert not re.search(r"\bnan\b", text)


def test_zero_found_is_said_to_be_zero(made: tuple[Results, xr.Dataset], tmp_path: Path) -> None:
    results, binned = made
    text = Tags(report(none_found(results), binned, tmp_path / "none.html")).text
    assert "0 of 12" in text
    assert "Zero: no latent follows the behaviour" in text
    assert "No latent was found" in text
    assert "no finding: cannot be told from chance" in text


@pytest.mark.slow
def test_a_control_that_does_as_well_is_said(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    results, binned = made
    units = counts_of(1, 9, position=1)
    alike = {
        "latents": counts_of(9, 10, position=9),
        "untrained coder": counts_of(16, 16, position=16),
        "raw units": units,
    }
    text = Tags(report(with_attribution(results, alike), binned, tmp_path / "a.html")).text
    assert "An untrained coder does as well (16 of 16)" in text
    assert "the population carries position, not that the learned latents are special" in text
    better = alike | {"untrained coder": counts_of(1, 16, position=1)}
    text = Tags(report(with_attribution(results, better), binned, tmp_path / "b.html")).text
    assert "An untrained coder of the same shape finds 1 of 16" in text
    assert "not that the learned latents are special" not in text


def test_a_dictionary_of_relabelled_units_is_called_one(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    results, binned = made
    summary = json.loads(results.attribution.attrs["summary"])
    copied = with_attribution(results, summary, single_unit=np.ones(16, dtype=bool))
    text = Tags(report(copied, binned, tmp_path / "copy.html")).text
    assert "close to a list of the units themselves" in text
    assert "for them the model adds nothing to the unit itself" in text
    assert "under another name" in text


@pytest.mark.slow
def test_with_several_seeds_the_headline_counts_what_is_confirmed(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    results, binned = made
    once = report(results, binned, tmp_path / "once.html").read_text(encoding="utf-8")
    assert "Trained once" in once and "are confirmed" not in once
    n = results.coder.n_latents
    stable = xr.Dataset(
        {"stable": ("latent", np.ones(n, dtype=bool))}, attrs={"coder_id": results.coder.id}
    )
    curated = relabelled(
        confirm(results.attribution, stable), 0, name=f"corner {CANARY}", verdict="accepted"
    )
    counted = int(curated.attrs["n_confirmed_latents"])
    assert counted > 0
    again = report(
        dataclasses.replace(results, attribution=curated), binned, tmp_path / "seeds.html"
    )
    page = again.read_text(encoding="utf-8")
    assert "Trained once" not in page and "assessable latents are confirmed" in page
    assert f"{counted} of " in page
    assert page.count(">confirmed</span>") == min(counted, 10)
    assert CANARY not in page
    if 0 in chosen(curated):
        assert "accepted by a person" in page and "corner &lt;script&gt;" in page


def test_a_recording_without_behaviour_is_reported(
    made: tuple[Results, xr.Dataset],
    explained: Callable[[Session, SparseCoder, xr.Dataset], Results],
    tmp_path: Path,
) -> None:
    session = dataclasses.replace(made[0].session, series={}, intervals={})
    bare = split(to_bins(session, 0.1), blocks=4)
    alone = explained(session, made[0].coder, bare)
    text = Tags(report(alone, bare, tmp_path / "bare.html")).text
    assert "no behaviour and no trials" in text
    assert "Zero latents were assessable" in text


def test_why_nothing_could_be_assessed_is_said(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    results, binned = made
    n = results.coder.n_latents
    status = ["not assessable: never active"] + ["not assessable: only 12 independent shifts"] * (
        n - 1
    )
    summary = {name: counts_of(0, 0) for name in ("latents", "untrained coder", "raw units")}
    none = with_attribution(results, summary, association_status=np.array(status, dtype=object))
    text = Tags(report(none, binned, tmp_path / "none.html")).text
    assert "Zero latents were assessable: only 12 independent shifts." in text


def test_a_page_of_one_of_several_sessions_names_the_others(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    results, binned = made
    coder = copy.deepcopy(results.coder)
    sessions = (SessionSource("monday"), SessionSource("tuesday"))
    coder.record = dataclasses.replace(
        coder.record, model_id="0123456789abcdef", session="monday", sessions=sessions
    )
    one = dataclasses.replace(results, coder=coder)
    text = Tags(report(one, binned, tmp_path / "several.html")).text
    assert "One model of several recordings: learned together with tuesday." in text


def test_other_bins_than_those_of_the_latents_are_refused(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    results, binned = made
    with pytest.raises(BadInput, match="bins"):
        report(results, binned.isel({names.TIME: slice(0, -5)}), tmp_path / "x.html")
    with pytest.raises(BadInput, match="split"):
        report(results, split(binned, blocks=1), tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_nothing_behind(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        report(*made, target)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.browser
def test_a_browser_shows_it_without_complaint(page: Path) -> None:
    if not CHROMIUM.exists() and not shutil.which("chromium"):
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    complaints: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        try:
            for width, height in ((1440, 900), (1280, 720), (420, 800)):
                tab = browser.new_page(viewport={"width": width, "height": height})
                tab.on("console", lambda said: complaints.append(said.text))
                tab.on("pageerror", lambda error: complaints.append(str(error)))
                tab.on("dialog", lambda dialog: complaints.append(dialog.message))
                tab.on("request", lambda request: asked.append(request.url))
                tab.goto(page.as_uri())
                wide = tab.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{wide} px on a screen of {width} px"
                broken = tab.evaluate("[...document.images].filter(i => !i.naturalWidth).length")
                assert broken == 0
                tab.close()
        finally:
            browser.close()
    assert complaints == []
    assert all(url.startswith(("file://", "data:")) for url in asked)

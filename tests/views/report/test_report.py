"""The one-file report of a small recording, with hostile text wherever a file can hold text."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import re
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
from nwbsparse.analysis.behaviour.sentences import told_of
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import SessionSource
from nwbsparse.results.label import relabelled
from nwbsparse.results.results import Results
from nwbsparse.session import Session
from nwbsparse.views.report.found import following
from nwbsparse.views.report.one_cell import one_cell_said, one_group
from nwbsparse.views.report.report import report

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


def none_found(results: Results) -> Results:
    n = results.coder.n_latents
    summary = json.loads(results.attribution.attrs["summary"])
    summary["latents"] |= {"found": 0, "by_variable": {}}
    for one in summary["variables"].values():
        one["found"] = 0
    return with_attribution(
        results,
        summary,
        association_status=np.array(["not found"] * n, dtype=object),
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
    assert there == {
        "found", "follow", "time", "read", "check", "quality", "all", "methods", "next"
    }  # fmt: skip
    summary = json.loads(made[0].attribution.attrs["summary"])["latents"]
    assert summary["found"] > 0
    assert f"{summary['found']} of {summary['channels']} latents follow" in read_page.text
    told = told_of(made[0].attribution)
    text = " ".join(read_page.text.split())
    for sentence in (told.lead, told.units, *(one for _, some in told.variables for one in some)):
        assert " ".join(sentence.split()) in text
    assert made[0].session.source.sha256 in read_page.text


def test_nan_is_shown_as_a_dash(page: Path) -> None:
    text = Tags(page).text
    assert "–" in text
    assert not re.search(r"\bnan\b", text)


def test_zero_found_is_said_to_be_zero(made: tuple[Results, xr.Dataset], tmp_path: Path) -> None:
    results, binned = made
    text = Tags(report(none_found(results), binned, tmp_path / "none.html")).text
    assert "None of 16 latents was found to follow anything" in text
    assert "no latent follows it beyond chance" in text
    assert "No latent was found" in text and "do not read them as findings" in text
    assert "no finding: cannot be told from chance" in text


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
    assert "Trained once" not in page and " confirmed: " in page
    assert f"{counted} of 16 latents" in page
    assert 1 <= page.count(">confirmed</span>") <= counted
    assert CANARY not in page
    variable = str(curated["best_variable"].values[0])
    if 0 in following(curated, variable)[:3]:
        assert "accepted by a person" in page and "corner &lt;script&gt;" in page


def test_every_variable_that_is_followed_has_its_part(
    page: Path, made: tuple[Results, xr.Dataset]
) -> None:
    attribution = made[0].attribution
    summary = json.loads(attribution.attrs["summary"])
    followed = [name for name, one in summary["variables"].items() if one["found"]]
    assert followed
    read_page = Tags(page)
    parts = [a for t, a in read_page.tags if t == "article" and a.get("class") == "variable"]
    assert len(parts) == len(followed)
    cards = [a for t, a in read_page.tags if t == "article" and a.get("class") == "card"]
    assert len(cards) == sum(min(summary["variables"][name]["found"], 3) for name in followed)
    for name in followed:
        latents = following(attribution, name)
        assert len(latents) == summary["variables"][name]["found"]
        assert (np.diff(attribution["association"].values[latents]) <= 0).all()


@pytest.mark.parametrize("n", [1, 2, 6])
def test_latents_that_come_back_and_follow_nothing_are_shown(
    n: int, made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    results, binned = made
    n_latents = results.coder.n_latents
    alive = np.flatnonzero(results.metrics["density"].values > 0)[:n]
    stable = np.zeros(n_latents, dtype=bool)
    stable[alive] = True
    again = xr.Dataset(
        {"stable": ("latent", stable)}, attrs={"coder_id": results.coder.id, "n_seeds": 5}
    )
    unknown = dataclasses.replace(none_found(results), stability=again)
    read_page = Tags(report(unknown, binned, tmp_path / "alone.html"))
    text = " ".join(read_page.text.split())
    assert "come back and follow nothing known" in text
    n_alive = len(alive)
    said = "One latent comes back" if n_alive == 1 else f"{n_alive} latents come back"
    assert said in text and "or the discovery" in text
    shown = [a for t, a in read_page.tags if t == "article" and a.get("class") == "card alone"]
    assert len(shown) == min(n_alive, 4)
    # without hidden units nothing tells most of them
    assert ("Shown: the 4 that are active most often" in text) == (n_alive > 4)
    assert "Active in" in text and "of all bins" in text


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
    assert "Nothing is said about behaviour" in text


def test_why_nothing_could_be_tested_is_said(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    results, binned = made
    n = results.coder.n_latents
    short = (
        "3 independent stretches, 5 are needed (15 × its memory of 8 s); 2 minutes or more would do"
    )
    status = [f"not testable: position: {short}"] * n
    summary = json.loads(results.attribution.attrs["summary"])
    summary["latents"] |= {"assessable": 0, "found": 0}
    summary["variables"]["position"] |= {"testable": 0, "found": 0, "hindrance": short}
    none = with_attribution(results, summary, association_status=np.array(status, dtype=object))
    text = " ".join(Tags(report(none, binned, tmp_path / "none.html")).text.split())
    assert "None of 16 latents could be tested against the behaviour." in text
    assert f"not testable: {short}." in text


def test_results_of_an_earlier_version_say_how_to_explain_them_anew(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    results, binned = made
    told = {"channels": 16, "assessable": 12, "found": 5, "by_variable": {"position": 5}}
    summary = {"latents": told, "untrained coder": told, "raw units": told}
    old = with_attribution(results, summary)
    text = " ".join(Tags(report(old, binned, tmp_path / "old.html")).text.split())
    assert "5 of 12 latents follow something" in text and "an earlier version of nwbsparse" in text


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


def test_a_latent_of_units_that_share_spikes_is_called_one_cell_perhaps(
    made: tuple[Results, xr.Dataset],
) -> None:
    results, binned = made
    attribution = results.attribution.copy()
    weight = np.full(attribution["weight"].shape, 0.01)
    weight[0, [1, 3]] = 1.0
    weight[1, [1, 4]] = 1.0
    attribution["weight"] = (attribution["weight"].dims, weight)
    group = np.arange(binned.sizes[names.UNIT], dtype=np.int32)
    group[3] = 1
    grouped = binned.assign({names.GROUP: (names.UNIT, group)})
    ids = binned[names.UNIT_ID].values
    said = one_group(attribution, grouped, 0)
    assert said == f"mostly units {ids[1]} and {ids[3]}, which share spikes: one cell, perhaps"
    assert one_group(attribution, grouped, 1) == ""
    assert one_group(attribution, binned.drop_vars(names.GROUP, errors="ignore"), 0) == ""
    attribution["single_unit"] = (names.LATENT, np.zeros(results.coder.n_latents, dtype=bool))
    metrics = results.metrics.assign(dead=(names.LATENT, np.zeros(results.coder.n_latents, bool)))
    one = dataclasses.replace(results, attribution=attribution, metrics=metrics)
    assert one_cell_said(one, grouped) == (
        f"1 of 16 latents mostly consists of units that share spikes: latent 0 of {ids[1]} and {ids[3]}. "
        "It is one cell, perhaps: see the data check on shared spikes."
    )
    weight[2:5] = weight[0]
    said = one_cell_said(one, grouped)
    assert said.startswith("4 of 16 latents mostly consist of units")
    assert "1 more latent. Each is one cell, perhaps" in said
    attribution["single_unit"] = (names.LATENT, np.ones(results.coder.n_latents, dtype=bool))
    assert one_cell_said(one, grouped) == ""


def test_an_unexplained_latent_that_is_a_unit_is_called_one(
    made: tuple[Results, xr.Dataset], tmp_path: Path
) -> None:
    """The kind: a finding offered as new in one place that another place of the page explains."""
    results, binned = made
    alive = np.flatnonzero(results.metrics["density"].values > 0)[:2]
    stable, single = np.zeros((2, results.coder.n_latents), dtype=bool)
    stable[alive], single[alive[0]] = True, True
    like = np.full(results.coder.n_latents, 2)
    summary = json.loads(none_found(results).attribution.attrs["summary"])
    none = with_attribution(none_found(results), summary, single_unit=single, like_unit=like)
    attrs = {"coder_id": results.coder.id, "n_seeds": 5}
    again = xr.Dataset({"stable": ("latent", stable)}, attrs=attrs)
    page = report(dataclasses.replace(none, stability=again), binned, tmp_path / "unit.html")
    text = " ".join(Tags(page).text.split())
    assert "1 of them is a unit under another name. The other may be noise" in text
    unit = binned[names.UNIT_ID].values[2]
    section = text.partition("Latents that come back and follow nothing")[2]
    order = [section.index(f"Latent {one} ") for one in alive]
    assert order[1] < order[0] < section.index(f"is unit {unit} under another name")

"""The data check on the report page: what is odd is seen at its top, and all of it in its section."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import xarray as xr

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.results.results import Results
from nwbsparse.session import Session
from nwbsparse.views.report.data_check import findings_of, flags_whole, found_said
from nwbsparse.views.report.report import render


def text_of(results: Results, binned: xr.Dataset) -> str:
    return " ".join(render(results, binned).split())


def silenced(session: Session, start: float, stop: float) -> Session:
    """The recording without the spikes of a stretch."""
    kept = (session.spike_times < start) | (session.spike_times > stop)
    before = np.concatenate([[0], np.cumsum(kept)])
    return dataclasses.replace(
        session,
        spike_times=session.spike_times[kept],
        spike_index=before[session.spike_index].astype(np.int64),
    )


def test_what_is_odd_stands_in_the_section_and_is_named_at_the_top(
    made: tuple[Results, xr.Dataset],
) -> None:
    results, binned = made
    quiet = dataclasses.replace(results, session=silenced(results.session, 300, 360))
    found = findings_of(quiet)
    assert found is not None
    [silent] = [one for one in found if one.check == "silent stretches"]
    page = text_of(quiet, binned)
    section = page.partition('<section id="check">')[2].partition("</section>")[0]
    plain = re.sub(r"</?span[^>]*>", "", section)
    assert silent.what in plain and silent.to_do in plain and silent.where in plain
    assert f'<a href="#check">data check</a> has {found_said(found)}' in page.partition(section)[0]


def test_text_of_the_file_is_escaped(made: tuple[Results, xr.Dataset]) -> None:
    results, binned = made
    series = dict(results.session.series)
    name, one = next(iter(series.items()))
    series[name] = dataclasses.replace(one, name="<b>x</b>", times=one.times + 1e6)
    page = render(
        dataclasses.replace(results, session=dataclasses.replace(results.session, series=series)),
        binned,
    )
    assert "&lt;b&gt;x&lt;/b&gt; was measured from" in page
    assert "<b>x</b>" not in page


def test_a_recording_that_is_not_here_is_not_checked(made: tuple[Results, xr.Dataset]) -> None:
    results, binned = made
    n = results.session.n_units
    gone = dataclasses.replace(
        results.session, spike_times=np.zeros(0), spike_index=np.zeros(n + 1, np.int64)
    )
    without = dataclasses.replace(results, session=gone)
    assert findings_of(without) is None
    assert "Not done: the recording itself is not here." in text_of(without, binned)


def test_flags_are_not_broken_and_text_stays_text() -> None:
    said = flags_whole("use --bin-width, not <b>--units</b>: a--b")
    assert said == (
        'use <span class="flag">--bin-width</span>, not &lt;b&gt;<span class="flag">--units</span>'
        "&lt;/b&gt;: a--b"
    )


def test_notes_are_not_named_at_the_top() -> None:
    def finding(severity: str) -> Finding:
        return Finding("clocks", severity, "x", "y", "z", {})  # type: ignore[arg-type]

    assert found_said([finding("note")]) == found_said([]) == found_said(None) == ""
    several = [finding(one) for one in ("problem", "caution", "caution", "note")]
    assert found_said(several) == "1 problem and 2 cautions"


def test_notes_stand_in_the_section_only(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    section = text.partition('<section id="check">')[2].partition("</section>")[0]
    assert "1 of 9 units never fire" in section
    assert "data check</a> has" not in text

"""The data check of a recording, as the report shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

from nwbsparse.analysis.data_check.check import check
from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.results.results import Results
from nwbsparse.views.words import listing, several

MOST = 3
"""Pieces of advice that are repeated at the end of the page."""
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def findings_of(results: Results) -> list[Finding] | None:
    """What the check found about what the coder was learned from; None where the spikes are not there.

    Of the units, regions, epochs and intervals that the options name, units that share spikes treated
    as the options say.
    """
    session, config = results.session, results.config
    if session.traces is None and not len(session.spike_times):
        return None
    return check(
        session,
        units=config.units,
        regions=config.regions,
        epochs=config.epochs,
        intervals=config.intervals,
        duplicates=config.duplicates,
        pool=config.pool,
    )


@dataclass(frozen=True)
class Advice:
    """What to do first."""

    what: str
    to_do: str


def advice(findings: list[Finding] | None) -> list[Advice]:
    """What to do before anything is made of the results: of the first problems and cautions."""
    serious = [one for one in findings or () if one.severity != "note"]
    return [Advice(f"{one.check[:1].upper()}{one.check[1:]}", one.to_do) for one in serious[:MOST]]


def flags_whole(text: str) -> Markup:
    """Text in which no flag of the command line is broken at the end of a line."""
    return Markup(_FLAG.sub(r'<span class="flag">\g<0></span>', str(escape(text))))  # noqa: S704


def found_said(findings: list[Finding] | None) -> str:
    """'1 problem and 3 cautions': what a reader must not miss; '' where there is none."""
    counted = [
        several(n, severity)
        for severity in ("problem", "caution")
        if (n := sum(one.severity == severity for one in findings or ()))
    ]
    return listing(counted)

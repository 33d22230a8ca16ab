"""What was read and how it was cut into bins: the tables of the report's second section."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.variables import conditions_of, covariates_of, events_of
from nwbsparse.results.results import Results
from nwbsparse.session import ReadLine
from nwbsparse.views.words import duration, listing, percent, several

OWN = "/processing/sparse_latents/"
"""Where nwbsparse's own results stand in a file that it annotated."""
SEXES = {"M": "male", "F": "female", "U": "not known", "O": "other"}
AGES = {"Y": "year", "M": "month", "W": "week", "D": "day"}
"""Letters of durations as NWB has them (ISO 8601)."""
ASIDE = ("column", "other")
"""Kinds of lines that are shown folded: there can be hundreds."""


@dataclass(frozen=True)
class Reading:
    """The account of the reader, sorted for a page."""

    lines: tuple[ReadLine, ...]
    columns: tuple[ReadLine, ...]
    others: tuple[ReadLine, ...]
    n_own: int
    """Lines about results that nwbsparse itself wrote into the file, not shown."""
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One part of the split."""

    name: str
    blocks: str
    """How many, and in how many pieces where the recording has pauses."""
    bins: int
    length: str
    share: str


@dataclass(frozen=True)
class Variable:
    """One covariate, condition or kind of event on the bins."""

    name: str
    kind: str
    detail: str
    """Unit of measure, the values of a condition, or how many events there are."""
    known: str
    notes: str


def reading(results: Results) -> Reading:
    """What was found, kept and dropped in the source, and why."""
    report = results.session.report
    lines = [line for line in report.lines if not line.name.startswith(OWN)]
    return Reading(
        lines=tuple(line for line in lines if line.kind not in ASIDE),
        columns=tuple(line for line in lines if line.kind == "column"),
        others=tuple(line for line in lines if line.kind == "other"),
        n_own=len(report.lines) - len(lines),
        warnings=report.warnings,
    )


def subject_said(subject: Mapping[str, Any]) -> dict[str, str]:
    """What is known of the subject, in words where the file has codes."""
    said = {str(key): str(value) for key, value in subject.items() if value}
    if "age" in said:
        said["age"] = _age(said["age"])
    if "sex" in said:
        said["sex"] = SEXES.get(said["sex"], said["sex"])
    if "description" in said:
        said["description"] = f"“{said['description']}”"
    return said


def _age(age: str) -> str:
    """'60 days or more' of 'P60D/', '49 years' of 'P49Y'; what is no such code as it is."""
    low, between, high = age.partition("/")
    ages = [_iso(one) for one in (low, high)]
    if not between:
        return ages[0] or age
    if ages[0] and ages[1]:
        return f"{ages[0]} to {ages[1]}"
    if ages[0] and not high:
        return f"{ages[0]} or more"
    return f"up to {ages[1]}" if ages[1] and not low else age


def _iso(age: str) -> str:
    """'2 years 3 months' of 'P2Y3M'; '' of what is no such age."""
    if not re.fullmatch(r"P(?=\d)(?:\d+(?:\.\d+)?[YMWD])+", age):
        return ""
    said = [
        f"{n} {AGES[letter]}{'' if n == '1' else 's'}"
        for n, letter in re.findall(r"(\d+(?:\.\d+)?)([YMWD])", age)
    ]
    return " ".join(said)


def dropped_said(results: Results) -> str:
    """'1 of 1,717 events', 'rows of trials'…: what reading left out; '' where it kept everything."""
    lines = [one for one in reading(results).lines if one.dropped]
    said = [f"{one.dropped:,} of {one.found:,} of {one.name.rpartition('/')[2]}" for one in lines]
    return listing(said, most=3)


def parts(binned: xr.Dataset) -> list[Part]:
    """How many blocks, bins and minutes were learned from, chosen on, tested on and left between."""
    split = binned[names.SPLIT].values
    segment = binned[names.SEGMENT].values
    new = np.concatenate([[True], np.diff(split) != 0])
    begins = new | np.concatenate([[True], np.diff(segment) != 0])
    seconds = float(binned.attrs[names.BIN_WIDTH])
    made = []
    said = {
        names.TRAIN: "train: learned from",
        names.VALIDATION: "validation: said when to stop",
        names.TEST: "test: held out, never seen",
        names.GAP: "gap: left out between parts",
    }
    for code, name in said.items():
        mine = split == code
        n = int(mine.sum())
        blocks, pieces = int((new & mine).sum()), int((begins & mine).sum())
        of = f"{blocks:,} in {several(pieces, 'piece')}" if pieces > blocks else f"{blocks:,}"
        made.append(Part(name, of, n, duration(n * seconds), percent(n / max(len(split), 1))))
    return made


def variables(binned: xr.Dataset) -> list[Variable]:
    """Every covariate, condition and kind of event: how much is known, and what to know about it."""
    made = []
    for name in covariates_of(binned):
        values = binned[name].values.reshape(binned.sizes[names.TIME], -1)
        attrs = binned[name].attrs
        made.append(
            Variable(
                name=name,
                kind=f"covariate, {attrs[names.KIND]}",
                detail=str(attrs.get(names.UNITS_OF_MEASURE, "")),
                known=percent(np.isfinite(values).all(axis=1).mean()),
                notes=str(attrs.get("notes", "")),
            )
        )
    for name in conditions_of(binned):
        attrs = binned[name].attrs
        categories = [str(category) for category in json.loads(attrs[names.CATEGORIES])]
        overlapping = binned[attrs[names.TABLE]].attrs.get("n_overlapping_bins", 0)
        made.append(
            Variable(
                name=name,
                kind="condition",
                detail=f"{len(categories)} values: {listing(categories, most=8)}",
                known=percent((binned[name].values >= 0).mean()),
                notes=f"{overlapping:,} bins inside two rows at once belong to none"
                if overlapping
                else "",
            )
        )
    for name in events_of(binned):
        attrs = binned[name].attrs
        detail = several(int(binned[name].sum()), "event")
        outside = [f"{attrs['dropped']:,} in no bin"] if attrs["dropped"] else []
        notes = "; ".join([*outside, *([str(attrs["notes"])] if "notes" in attrs else [])])
        made.append(Variable(name, "event", detail, percent(1.0), notes))
    return made

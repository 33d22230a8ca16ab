"""The first paragraph of the report: what was found, for a reader new to sparse coding."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.claims import FEW_DRAWS
from nwbsparse.analysis.behaviour.sentences import told_of
from nwbsparse.analysis.headline import headline
from nwbsparse.analysis.more_than_units import more_than_units
from nwbsparse.analysis.quality.hidden_said import shared_sentence
from nwbsparse.binning.pools import n_pooled
from nwbsparse.binning.variables import conditions_of, covariates_of, events_of
from nwbsparse.results.results import Results
from nwbsparse.views.report.activity import activity_called, is_of_traces
from nwbsparse.views.report.embedded import learned_from_embedding
from nwbsparse.views.report.one_cell import one_cell_said
from nwbsparse.views.report.populations import learned_apart
from nwbsparse.views.words import duration, listing, number, percent, several, width

MOSTLY = 0.5
PARTLY = 0.1
"""Share of active latents that are one unit under another name: said loudly, said at all."""


@dataclass(frozen=True)
class Headline:
    """What stands at the top of the page."""

    lead: str
    """How many latents are confirmed, and how many follow something."""
    more: str
    """Whether they are more than single units; '' where that is not known."""
    shared: str
    """What units tell of each other, beside simpler models; '' where that is not known."""
    units: str
    """Whether any latent follows something more closely than every unit."""
    recording: str
    learned: str
    notices: tuple[str, ...]


def top_of_page(results: Results, binned: xr.Dataset) -> Headline:
    """What latents follow, whether units have anything in common, and what both were learned from."""
    behaviour = [*covariates_of(binned), *conditions_of(binned), *events_of(binned)]
    told = told_of(results.attribution)
    return Headline(
        lead=headline(results.attribution, results.metrics)[0],
        more=more_than_units(results.attribution, results.metrics),
        shared=shared_sentence(results.metrics),
        units=told.units if told else "",
        recording=_recording(results, binned, behaviour),
        learned=_learned(results, binned),
        notices=tuple(_notices(results, binned)),
    )


def _recording(results: Results, binned: xr.Dataset, behaviour: list[str]) -> str:
    firing = int((binned[names.COUNTS].values > 0).any(axis=0).sum())
    n_units = binned.sizes[names.UNIT]
    seconds = binned.sizes[names.TIME] * float(binned.attrs[names.BIN_WIDTH])
    subject = results.session.subject
    who = f"subject {subject['subject_id']}" if subject.get("subject_id") else ""
    species = str(subject.get("species", ""))
    who = f"{who} ({species})" if who and species else who or species
    regions = ""
    if "region" in binned.coords:
        known = [r for r in dict.fromkeys(str(r) for r in binned["region"].values) if r]
        regions = f" in {listing(known, most=4)}" if known else ""
    units = several(n_units, "unit") + regions
    if results.config.pool is not None:
        units = f"{several(n_pooled(binned), 'unit')} in {several(n_units, 'pool')}{regions}"
    does = "fired" if not is_of_traces(binned) else "was active" if firing == 1 else "were active"
    fired = "" if firing == n_units else f", of which {firing:,} {does} in the bins used"
    said = (
        f"The recording holds {units}{fired}, over {duration(seconds)}{_in_pieces(binned, seconds)}"
    )
    said += f", from {who}. " if who else ". "
    if behaviour:
        return (
            said + f"Beside the {activity_called(binned)} it has {_behaviour(binned, behaviour)}."
        )
    return said + "It holds no behaviour and no trials: there is nothing to compare latents with."


def _in_pieces(binned: xr.Dataset, seconds: float) -> str:
    """' in 128 pieces within 12.8 min', where the recording has pauses worth the name."""
    times, width = binned[names.TIME].values, float(binned.attrs[names.BIN_WIDTH])
    pieces = len(np.unique(binned[names.SEGMENT].values))
    span = float(times[-1] - times[0]) + width
    if pieces < 2 or span < 1.02 * seconds:
        return ""
    return f" in {pieces:,} pieces within {duration(span)}"


def _behaviour(binned: xr.Dataset, named: list[str]) -> str:
    """'position and speed, and trials of 3 tables': what latents could follow."""
    moving = [name for name in named if names.TABLE not in binned[name].attrs]
    tables: dict[str, int] = {}
    for name in named:
        if names.TABLE in binned[name].attrs:
            table = str(binned[name].attrs[names.TABLE])
            tables[table] = tables.get(table, 0) + 1
    said = [listing(moving)] if moving else []
    if tables:
        counted = [f"{table} ({several(n, 'column')})" for table, n in tables.items()]
        said.append(f"intervals of {listing(counted)}")
    return ", and ".join(said)


def _learned(results: Results, binned: xr.Dataset) -> str:
    if results.coder.record.apart:
        return learned_apart(results, binned)
    if not results.coder.record.of_units:
        return learned_from_embedding(results)
    latents, activity = several(results.coder.n_latents, "latent"), activity_called(binned)
    active = float(results.metrics["l0"].mean())
    bins = f"held-out bin of {width(results.coder.record.bin_width)}"
    often = f"In any one {bins} about {number(active, 1)} of them are active."
    if results.coder.n_latents == 1:
        often = f"It is active in {percent(active)} of the held-out bins."
    together = "fire together" if activity == "spikes" else "are active together"
    return (
        f"nwbsparse learned {latents} from the {activity} alone, without seeing the behaviour. A latent "
        f"is a recurring pattern of units that {together}; it is active when its pattern is there. "
        f"{often}"
    )


def _notices(results: Results, binned: xr.Dataset) -> list[str]:
    attribution, metrics = results.attribution, results.metrics
    said = []
    record = results.coder.record
    if record.part_of_several:
        others = listing([one for one in record.session_names if one != record.session])
        said.append(
            f"One model of several recordings: learned together with {others}. Numbers on this page "
            "are of this recording alone."
        )
    if "n_confirmed_latents" not in attribution.attrs:
        said.append(
            "Trained once: whether these latents come back when training begins anew is not known. "
            "With --seeds 5 those that do are counted here as confirmed."
        )
    active = ~metrics["dead"].values.astype(bool)
    single = int(attribution["single_unit"].values[active].sum())
    share = single / max(int(active.sum()), 1)
    counted = _relabelled(single, int(active.sum()), activity_called(binned))
    if share >= MOSTLY:
        said.append(f"The latents are close to a list of the units themselves. {counted}")
    elif share >= PARTLY:
        said.append(f"Part of the latents are units under other names. {counted}")
    if one_cell := one_cell_said(results, binned):
        said.append(one_cell)
    found = attribution["association_status"].values == "found"
    copies = int(attribution["single_unit"].values[found].sum())
    if copies and copies >= MOSTLY * found.sum():
        which = (
            "The one latent"
            if found.sum() == 1
            else f"{copies:,} of the {int(found.sum()):,} latents"
        )
        are = (
            "is a unit under another name: for it"
            if copies == 1
            else "are units under other names: for them"
        )
        said.append(
            f"{which} found to follow something {are} the model adds nothing to the unit itself."
        )
    firing = int((binned[names.COUNTS].values > 0).any(axis=0).sum())
    what = "firing units"
    if not results.coder.record.of_units:
        firing, what = results.coder.n_units, "dims"
    r2 = float(metrics["r2"])
    if r2 > 0.95 and results.coder.n_latents >= firing:
        said.append(
            f"The reconstruction is almost perfect (R² {number(r2, 3)}), which is easy with more latents "
            f"({results.coder.n_latents:,}) than {what} ({firing:,}): it is no evidence that the "
            "latents mean something."
        )
    if results.config.pool is not None:
        said.append(
            f"Where this page speaks of a unit it means a pool (by {results.config.pool}): the summed "
            "spikes of all of its units."
        )
    noted = json.loads(attribution.attrs.get("notes", "[]"))
    said += [note[:1].upper() + note[1:] + "." for note in (str(n) for n in noted) if note]
    few = np.flatnonzero(attribution["association_status"].values == FEW_DRAWS)
    said += few_draws_said(attribution, few, results.config.n_shifts)
    return said


def _relabelled(single: int, n_active: int, activity: str) -> str:
    """How many latents are one unit under another name, and what that means."""
    of = "counts" if activity == "spikes" else "trace"
    if n_active == 1:
        return (
            "The one latent is a unit under another name: its activation correlates at 0.9 or more with "
            f"the {of} of that unit."
        )
    are, their = ("is one unit", "its") if single == 1 else ("are one unit", "their")
    return (
        f"{single:,} of the {n_active:,} latents that are ever active on held-out bins "
        f"({percent(single / n_active)}) {are} under another name: {their} activation correlates at 0.9 or "
        f"more with the {of} of a single unit."
    )


def few_draws_said(attribution: xr.Dataset, few: np.ndarray, n_shifts: int) -> list[str]:
    """Why some latents cannot be told from chance, and what would do: by how chance was drawn of each.

    Where every rearrangement that there is was drawn, more draws cannot help.
    """
    draws = attribution["association_draws"].values[few]
    # labels are exchanged without end, but the first draw is what was measured
    all_made = draws < n_shifts - 1
    said = []
    for made, mine in ((False, few[~all_made]), (True, few[all_made])):
        if not len(mine):
            continue
        n = sorted({int(one) for one in attribution["association_draws"].values[mine]})
        drawn = f"{n[0]:,}" if len(n) == 1 else f"{n[0]:,} to {n[-1]:,}"
        which = f"{several(len(mine), 'latent')} cannot be told from chance"
        why = (
            f"at most one of the {drawn} draws of chance did as well, but so few draws are not enough for "
            "so many variables and latents"
        )
        to_do = (
            "These are all that the trials or the length of the recording allow: fewer variables "
            "(--covariate, --condition) or a longer recording may do, more draws would not."
            if made
            else "More draws (--n-shifts) or fewer variables (--covariate, --condition) may do."
        )
        said.append(f"{which}: {why}. {to_do}")
    return said

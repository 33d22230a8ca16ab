"""check(): what to know about a recording before anything is learned from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from nwbsparse.analysis.data_check.at_once import all_units_at_once
from nwbsparse.analysis.data_check.clocks import clocks_that_do_not_fit
from nwbsparse.analysis.data_check.dominant import unit_that_dominates
from nwbsparse.analysis.data_check.drift import drift_of_activity
from nwbsparse.analysis.data_check.faulty_rois import faulty_traces
from nwbsparse.analysis.data_check.finding import SEVERITIES, Finding
from nwbsparse.analysis.data_check.frozen import frozen_behaviour
from nwbsparse.analysis.data_check.jumps import jumps_of_behaviour
from nwbsparse.analysis.data_check.lost_units import units_that_come_and_go
from nwbsparse.analysis.data_check.recording import CheckedRecording
from nwbsparse.analysis.data_check.shared import units_that_share_spikes
from nwbsparse.analysis.data_check.silence import silent_stretches
from nwbsparse.analysis.data_check.too_few_units import too_few_units, units_that_hardly_fire
from nwbsparse.analysis.data_check.too_short import short_blocks, too_short_to_be_told
from nwbsparse.binning.observed import observed
from nwbsparse.binning.select_units import Units
from nwbsparse.binning.used import used_units
from nwbsparse.options.words import Duplicates
from nwbsparse.session import Session

CHECKS: tuple[Callable[[CheckedRecording], list[Finding]], ...] = (
    units_that_share_spikes,
    unit_that_dominates,
    units_that_come_and_go,
    drift_of_activity,
    silent_stretches,
    all_units_at_once,
    faulty_traces,
    frozen_behaviour,
    jumps_of_behaviour,
    clocks_that_do_not_fit,
    units_that_hardly_fire,
    too_few_units,
    too_short_to_be_told,
    short_blocks,
)


OF_WHAT_IS_LEARNED = (units_that_hardly_fire, too_few_units)
"""Checks of what a coder sees: of pools, where units are pooled. The others are of the units themselves."""


def check(
    session: Session,
    *,
    units: Units | None = None,
    regions: str | Iterable[str] | None = None,
    epochs: str | None = None,
    intervals: str | np.ndarray | None = None,
    duplicates: Duplicates = "keep",
    pool: str | None = None,
) -> list[Finding]:
    """Say what is wrong, odd or too little in a recording, and what to do about it.

    Units that share spikes, one that holds most of them, units that come and go, drift, stretches in
    which nothing fires, moments at which everything does, traces that are stuck, behaviour that is
    frozen or jumps, clocks that do not fit, and what the recording is too short for. Nothing is changed
    and nothing learned; an hour of 300 units takes a second or two.

    Args:
        session: what :func:`nwbsparse.read` returned: spikes, traces or counts.
        units: only these units, as :func:`nwbsparse.to_bins` takes them.
        regions: only units of these brain regions.
        epochs: only these epochs, separated by commas.
        intervals: only the rows of this interval table, or these (n, 2) stretches (s).
        duplicates: what becomes of units that share spikes before anything else is looked at.
        pool: what units are pooled by, as :func:`nwbsparse.to_bins` takes it: whether there are enough
            is asked of the pools, all else of their units.

    Returns:
        What was found, the most serious first; each has ``what``, ``where``, ``to_do``, ``severity``
        and ``numbers``. Empty where nothing was found, and for a recording whose spikes are not there.

    Raises:
        BadInput: there is no such unit, region, epoch or table, or nothing was recorded.
    """
    if session.traces is None and not len(session.spike_times):
        return []
    used = used_units(session, units=units, regions=regions, duplicates=duplicates, pool=pool)
    session, rows = used.distinct.session, used.distinct.rows
    recorded, extent_from = observed(session, epochs=epochs, intervals=intervals)
    pooled = used.pools is not None
    recording = CheckedRecording(session, rows, recorded, extent_from, pooled)
    learned = recording
    if pooled:
        learned = CheckedRecording(used.session, used.rows, recorded, extent_from, noun="pool")
    if recording.seconds <= 0:
        return []
    found = [
        finding
        for one in CHECKS
        for finding in one(learned if one in OF_WHAT_IS_LEARNED else recording)
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))

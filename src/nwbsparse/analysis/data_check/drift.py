"""Whether activity as a whole rises or falls from the beginning of a recording to its end."""

from __future__ import annotations

import numpy as np

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.lost_units import FEWEST_SPIKES
from nwbsparse.analysis.data_check.recording import CheckedRecording, elapsed
from nwbsparse.analysis.data_check.wording import length, percent

CHECK = "drift"
WINDOWS = 30
"""Equal parts of the recorded time; thirds of them are compared."""
SHORTEST = 4.0
"""Seconds of a part below which ups and downs of the moment are no drift."""
FACTOR = 1.5
"""Ratio of the rates in the first and the last third from which on they are said to differ."""
APART = 0.9
"""Share of pairs (a part of the first third, one of the last) that must differ in the same direction:
states that come and go make no drift."""
FEWEST_UNITS = 5
"""Units over which a population is averaged."""
FAR = 1.0
"""Standard deviations (of the noise around it) by which a baseline of fluorescence drifts."""
MOST_UNITS = 0.5
"""Share of the units whose baselines must drift in the same direction."""


def drift_of_activity(recording: CheckedRecording) -> list[Finding]:
    """Rates (or baselines of fluorescence) that differ between the first and the last third."""
    if recording.seconds < WINDOWS * SHORTEST:
        return []
    return _of_rates(recording) if recording.is_events else _of_baselines(recording)


def _of_rates(recording: CheckedRecording) -> list[Finding]:
    often = np.flatnonzero(recording.n_events >= FEWEST_SPIKES)
    if len(often) < FEWEST_UNITS:
        return []
    edges = np.linspace(0, recording.seconds, WINDOWS + 1)
    clocks = [elapsed(recording.train(unit), recording.recorded) for unit in often]
    n = np.stack([np.histogram(clock, edges)[0] for clock in clocks], axis=1)
    relative = n / n.mean(axis=0)  # so that one fast unit is not the population
    first, last = _thirds(relative)
    before, after = (float(one.mean()) for one in (first, last))
    ratio = after / max(before, 1e-9)
    if not (max(ratio, 1 / max(ratio, 1e-9)) >= FACTOR and _apart(first, last)):
        return []
    change = _unit_change(n)
    halved, doubled = int((change <= 0.5).sum()), int((change >= 2).sum())
    fire = recording.fires(2)
    how = (
        f"{fire} {ratio:.2g} times as much as"
        if ratio > 1
        else f"{fire} {percent(ratio)} as much as"
    )
    return [
        Finding(
            CHECK,
            "note",
            f"In the last third of the recording units {how} in the first: {doubled} of "
            f"{len(often)} units at least double their rate, {halved} at least halve it.",
            f"the whole recording ({length(recording.seconds)})",
            _TO_DO,
            {
                "ratio": ratio,
                "n_units": len(often),
                "n_doubled": doubled,
                "n_halved": halved,
                "rates": relative.mean(axis=1).round(4).tolist(),
            },
        )
    ]


_TO_DO = (
    "Did the state change (sleep, satiety, anaesthesia), or the signal? A slow drift is taken off "
    "before latents are compared with behaviour, but they are learned with it. --blocks 1 shows how "
    "well what is learned early holds late; --epochs or --intervals restrict to one state."
)


def _of_baselines(recording: CheckedRecording) -> list[Finding]:
    values, clock = recording.samples, elapsed(recording.sample_times, recording.recorded)
    good = np.flatnonzero(np.isfinite(values).all(axis=0) & (np.ptp(values, axis=0) > 0))
    if len(good) < FEWEST_UNITS:
        return []
    part = np.minimum((clock / recording.seconds * WINDOWS).astype(int), WINDOWS - 1)
    cuts = np.flatnonzero(np.diff(part)) + 1
    pieces = np.split(values[:, good].astype(np.float64), cuts)
    if len(pieces) < WINDOWS:
        return []
    level = np.stack([np.median(piece, axis=0) for piece in pieces])
    around = np.concatenate([piece - one for piece, one in zip(pieces, level, strict=True)])
    noise = 1.4826 * np.median(np.abs(around), axis=0)
    first, last = _thirds(level)
    moved = (last.mean(axis=0) - first.mean(axis=0)) / np.maximum(noise, 1e-12)
    up, down = float((moved > FAR).mean()), float((moved < -FAR).mean())
    share = max(up, down)
    if share < MOST_UNITS:
        return []
    verb = "rises" if up > down else "falls"
    return [
        Finding(
            CHECK,
            "note",
            f"The baseline of {percent(share)} of {len(good)} units {verb} from the first to the last "
            f"third by more than their noise (median {abs(np.median(moved)):.2g} standard deviations).",
            f"the whole recording ({length(recording.seconds)})",
            "Bleaching, or a drift of focus? Use traces with the baseline taken off (ΔF/F with a "
            "running baseline, or deconvolved events).",
            {"share_of_units": share, "direction": verb, "median": float(np.median(moved))},
        )
    ]


def _thirds(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    third = WINDOWS // 3
    return table[:third], table[-third:]


def _apart(first: np.ndarray, last: np.ndarray) -> bool:
    """Whether nearly all pairs of parts differ in the same direction."""
    pairs = last.mean(axis=1)[None, :] - first.mean(axis=1)[:, None]
    return max(float((pairs > 0).mean()), float((pairs < 0).mean())) >= APART


def _unit_change(n: np.ndarray) -> np.ndarray:
    """(unit,) rate in the last third over that in the first."""
    first, last = _thirds(n)
    return last.sum(axis=0) / np.maximum(first.sum(axis=0), 0.5)

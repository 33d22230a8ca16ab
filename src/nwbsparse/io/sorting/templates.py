"""Where on the probe a unit sits: the channel on which its template is largest."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.rules.account import Account, counted
from nwbsparse.io.sorting.phy import load_array, load_vector


def positions_on_probe(
    folder: Path, ids: np.ndarray, clusters: np.ndarray, account: Account
) -> dict[str, np.ndarray]:
    """``x``, ``y``, ``depth`` (µm, depth = y) and ``peak_channel`` of each unit.

    A cluster that was merged or split by hand has no template of its own: the one that most of
    its spikes came from stands for it. NaN (−1 for the channel) where there is none. Empty where
    the folder has no ``templates.npy`` and ``channel_positions.npy``; damaged files are reported
    and left out, since the spikes do not need them.
    """
    needed = [folder / "templates.npy", folder / "channel_positions.npy"]
    if not all(path.exists() for path in needed):
        return {}
    try:
        templates, positions = (load_array(path) for path in needed)
        if templates.ndim != 3 or not all(templates.shape) or templates.dtype.kind not in "iuf":
            raise BadInput(
                f"templates.npy has the shape {templates.shape}, not (template, sample, channel)"
            )
        if positions.ndim != 2 or positions.shape[1] < 2 or positions.dtype.kind not in "iuf":
            raise BadInput(
                f"channel_positions.npy has the shape {positions.shape}, not (channel, 2)"
            )
        template = _template_of(folder, ids, clusters, len(templates))
        channel = _peak_channels(folder, templates, template, len(positions))
        raw = _raw_channels(folder, channel, len(positions))
    except BadInput as error:
        account.add("column", "units/depth", len(ids), 0, repairs=[f"left out: {error}"])
        return {}
    known = channel >= 0
    at = np.array(positions[np.where(known, channel, 0), :2], dtype=np.float64)
    at[~known] = np.nan
    lack = len(ids) - int(known.sum())
    notes = ["channel with the largest template, µm; depth = y"]
    notes += [f"{counted(lack, 'unit')} without a template: NaN"] if lack else []
    account.add("column", "units/x, y, depth, peak_channel", len(ids), len(ids) - lack, notes=notes)
    return {"x": at[:, 0], "y": at[:, 1], "depth": at[:, 1], "peak_channel": raw}


def _template_of(
    folder: Path, ids: np.ndarray, clusters: np.ndarray, n_templates: int
) -> np.ndarray:
    """The template that most spikes of each cluster came from, −1 where none is known."""
    path = folder / "spike_templates.npy"
    template = np.where((ids >= 0) & (ids < n_templates), ids, -1)  # true until curation
    if not path.exists():
        return template
    of_spike = load_vector(path)
    if len(of_spike) != len(clusters) or not (np.mod(of_spike, 1) == 0).all():
        raise BadInput("spike_templates.npy does not fit the spikes")
    known = (of_spike >= 0) & (of_spike < n_templates)
    pairs = np.searchsorted(ids, clusters[known]) * n_templates + of_spike[known].astype(np.int64)
    pairs, n_spikes = np.unique(pairs, return_counts=True)
    pairs = pairs[np.argsort(n_spikes, kind="stable")]  # the most used comes last, and stays
    template[pairs // n_templates] = pairs % n_templates
    return template


def _peak_channels(
    folder: Path, templates: np.ndarray, template: np.ndarray, n_channels: int
) -> np.ndarray:
    """The channel (row of ``channel_positions``) where each template spans the most; −1: none."""
    sparse = [folder / name for name in ("templates_ind.npy", "template_ind.npy")]
    where = next((load_array(path) for path in sparse if path.exists()), None)
    if where is not None and where.shape != (len(templates), templates.shape[2]):
        raise BadInput(f"templates_ind.npy has the shape {where.shape}, which fits no template")
    peak = np.full(len(template), -1, dtype=np.int64)
    for row, number in enumerate(template):
        if number < 0:
            continue
        span = np.nan_to_num(np.ptp(np.asarray(templates[number], dtype=np.float64), axis=0))
        if span.any():
            local = int(np.argmax(span))
            peak[row] = local if where is None else int(where[number, local])
    return np.where(peak < n_channels, peak, -1)


def _raw_channels(folder: Path, channel: np.ndarray, n_channels: int) -> np.ndarray:
    """The channel's number in the raw recording, where ``channel_map.npy`` gives it."""
    path = folder / "channel_map.npy"
    if not path.exists():
        return channel
    mapped = load_vector(path)
    if len(mapped) != n_channels:
        raise BadInput(f"channel_map.npy names {len(mapped)} channels for {n_channels} positions")
    return np.where(channel >= 0, mapped.astype(np.int64)[np.maximum(channel, 0)], -1)

"""Did the latents find what was planted? Criteria for simulations whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from nwbsparse.simulate.placecells import Field

CURVE_BINS = 40


@dataclass(frozen=True)
class Recovered:
    """The latent that stands for one planted place cell, if any does."""

    unit: int
    latent: int | None
    match: float
    """1 − RMSE between the latent's and the planted normalised tuning curve."""
    single_unit: bool
    """Whether the latent is that unit under another name (r ≥ 0.9)."""


def recovered_placecells(
    activation: np.ndarray,
    counts: np.ndarray,
    dictionary: np.ndarray,
    positions: np.ndarray,
    fields: Sequence[Field],
    *,
    likeness: float = 0.9,
) -> list[Recovered]:
    """For each planted place cell, the best latent that meets Bhagat 2025's recovery criterion.

    A latent counts for cell ``u`` (field centre c, widths s_L, s_R) when its 40-bin activation
    curve has 1 − RMSE ≥ 0.6 to the true normalised curve, its peak within 0.075 m, a mean outside
    [c − 2 s_L, c + 2 s_R] of at most 0.4, ≥ 100 active samples of which ≥ 20 in the field, a
    conditional z of ``u`` ≥ 0.3, a decoder loading of ``u`` ≥ 0.1, and ``u`` leads both.

    Args:
        activation: (bin, latent).
        counts: (bin, unit); planted cells are the first units.
        dictionary: (latent, unit) decoder rows.
        positions: (bin,) m, on a track from 0 to 1 m.
        fields: the planted fields, in the order of the units.
        likeness: correlation with the unit's counts from which on a latent is that unit.
    """
    active = activation > 0
    spread = np.where(counts.std(axis=0) > 0, counts.std(axis=0), 1.0)
    z = (counts - counts.mean(axis=0)) / spread
    n = np.maximum(active.sum(axis=0), 1)
    conditional = (active.T.astype(float) @ z) / n[:, None]
    edges = np.linspace(0.0, 1.0, CURVE_BINS + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    code = np.clip(np.searchsorted(edges, positions, side="right") - 1, 0, CURVE_BINS - 1)
    visits = np.maximum(np.bincount(code, minlength=CURVE_BINS), 1)
    onehot = np.zeros((CURVE_BINS, len(code)))
    onehot[code, np.arange(len(code))] = 1.0
    curves = (onehot @ activation / visits[:, None]).T
    found = []
    for unit, field in enumerate(fields):
        truth = field.shape(centres)
        inside = (centres >= field.centre - 2 * field.left) & (
            centres <= field.centre + 2 * field.right
        )
        in_field = (positions >= field.centre - 2 * field.left) & (
            positions <= field.centre + 2 * field.right
        )
        best: tuple[float, int] | None = None
        for latent, curve in enumerate(curves):
            if curve.max() <= 0 or active[:, latent].sum() < 100:
                continue
            normal = curve / curve.max()
            match = 1 - float(np.sqrt(np.mean((normal - truth) ** 2)))
            meets = (
                match >= 0.6
                and abs(centres[curve.argmax()] - field.centre) <= 0.075
                and normal[~inside].mean() <= 0.4
                and np.count_nonzero(active[:, latent] & in_field) >= 20
                and conditional[latent, unit] >= 0.3
                and dictionary[latent, unit] >= 0.1
                and conditional[latent].argmax() == unit
                and dictionary[latent].argmax() == unit
            )
            if meets and (best is None or match > best[0]):
                best = (match, latent)
        if best is None:
            found.append(Recovered(unit, None, float("nan"), False))
            continue
        r = np.corrcoef(activation[:, best[1]], counts[:, unit])[0, 1]
        found.append(Recovered(unit, best[1], best[0], bool(r >= likeness)))
    return found


def matched_cosine(dictionary: np.ndarray, planted: np.ndarray) -> np.ndarray:
    """(source,) cosine of each planted source with the dictionary row matched to it.

    Rows are matched one to one so that the sum of cosines is largest; sources beyond the number
    of rows get 0.
    """
    return matching_rows(dictionary, planted)[1]


def matching_rows(dictionary: np.ndarray, planted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(source,) the dictionary row matched to each planted source, −1 for none; and their cosine.

    As :func:`matched_cosine` matches them.
    """
    rows = dictionary / np.maximum(np.linalg.norm(dictionary, axis=1, keepdims=True), 1e-12)
    sources = planted / np.maximum(np.linalg.norm(planted, axis=1, keepdims=True), 1e-12)
    cosine = sources @ rows.T
    source, row = linear_sum_assignment(-cosine)
    matched, out = np.full(len(planted), -1), np.zeros(len(planted))
    matched[source], out[source] = row, cosine[source, row]
    return matched, out

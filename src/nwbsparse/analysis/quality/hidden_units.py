"""hidden_units(): how well a coder tells units it does not see from those it sees."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from scipy.special import xlogy

from nwbsparse import names
from nwbsparse.analysis.apply.heldout import Scored, whole_bins
from nwbsparse.analysis.quality.ablation import Ablation
from nwbsparse.analysis.quality.hidden_baselines import BASELINES
from nwbsparse.analysis.quality.hidden_bins import (
    Seen,
    are_counts,
    pieces,
    read_at_once,
    seen_in,
    units_in,
)
from nwbsparse.analysis.quality.hidden_said import NOTE, SHARES, shares
from nwbsparse.analysis.quality.hidden_setting import Setting
from nwbsparse.analysis.quality.roots import rate_of_root
from nwbsparse.analysis.representation import Representation, named_apart
from nwbsparse.binning.split import part
from nwbsparse.deprecated import renamed
from nwbsparse.models.coder import SparseCoder
from nwbsparse.population import unit_coords
from nwbsparse.training.hidden_units import BLOCKS, HiddenScore, with_hidden
from nwbsparse.training.hiding import unit_groups

LEAST_RATE = 1e-3
"""Share of a unit's mean rate in training that no told rate lies below."""
GAINS = 100_000
"""Pairs of a latent and a unit up to which the gain is given pair by pair."""


@renamed(data="binned")
def hidden_units(
    coder: SparseCoder,
    binned: xr.Dataset,
    *,
    split: str = "test",
    detail: Literal["stored", "all"] = "stored",
    beside: Sequence[Representation] = (),
) -> xr.Dataset:
    """How much of units that it does not see a coder tells from those it sees, on held-out bins.

    A coder that copies single units tells nothing here, though it reconstructs everything. Groups
    of units (those that share spikes, as training grouped them) are dealt into four folds; each is
    hidden in all bins, and reconstructed from the rest. Nothing is fitted again.

    Args:
        coder: a trained coder.
        binned: the split Binned dataset.
        split: "test" or "validation".
        detail: "all" gives the gain of each latent unit by unit.
        beside: other methods, as functions of the recording: each is made anew without the units of
            each fold, and hidden units are regressed on its channels (ridge, penalty by validation).

    Returns:
        Dataset over units, latents and ``baseline`` (pca, factor_analysis and nmf with as many
        components as there are latents, ridge: a regression on all visible units, and those beside),
        all told in the same way: ``hidden_unit_r2`` with ``hidden_unit_r2_se`` (over ten blocks of bins),
        ``hidden_unit_bits`` (bits per spike; counts only), ``unit_hidden_r2(unit)``,
        ``unit_hidden_bits(unit)``, ``hidden_gain(latent)`` (R² with all latents minus R² without
        it), ``hidden_baseline_r2(baseline)`` with ``hidden_baseline_r2_se``,
        ``hidden_baseline_bits(baseline)`` and ``unit_hidden_baseline_r2(baseline, unit)``; with
        ``detail="all"`` also ``hidden_gain_unit(latent, unit)``, up to 100,000 of these numbers.
        ``docs/reference/metrics.md`` defines them. ``attrs`` say whether the units share anything
        (``shares``), and which were left out. Where nothing can be hidden (coders of an embedding,
        of other units than they read, of later bins; a single unit) there are no variables, and
        ``attrs["hidden_units_note"]`` says why.

    Raises:
        BadInput: not split, or other units than the coder's.
    """
    part(binned, split)
    beside = named_apart(beside, BASELINES)
    if note := _why_not(coder):
        return xr.Dataset(attrs={NOTE: note})
    coder.record.columns(binned[names.UNIT_ID].values)
    train, bins = (whole_bins(coder, binned, one) for one in ("train", split))
    units = units_in(coder, binned, train, unit_groups(coder.config.groups, binned))
    if units.n_groups < 2 or not len(bins):
        few = "no unit takes part" if not units.kept.any() else "all units are one group"
        few = "one unit takes part" if units.kept.sum() == 1 else few
        why = f"{few}, and none is left to tell another from" if len(bins) else f"no {split} bins"
        return xr.Dataset(attrs={NOTE: why})
    world = Setting(coder, binned, units, train)
    told = _Told(world, detail, binned, beside)
    edges = np.linspace(0, len(bins), BLOCKS + 1).round().astype(int)
    for block, (first, stop) in enumerate(pairwise(edges)):
        for some in pieces(bins[first:stop], read_at_once(coder)):
            told.add(block, some, seen_in(coder, binned, units, some))
    return told.dataset(binned)


def _why_not(coder: SparseCoder) -> str:
    """Why nothing can be hidden from a coder; '' where it can."""
    if not coder.record.of_units:
        return "the coder reads an embedding, which was made from all units: none can be hidden"
    if coder.record.apart:
        return "the coder reconstructs other units than it reads: they are hidden as it is"
    if coder.config.lag:
        return "the coder reconstructs another bin than it reads: R² says how well it is told"
    return ""


class _Told:
    """Sums over bins, from which all scores follow; the coder first, then the baselines."""

    def __init__(
        self, world: Setting, detail: str, binned: xr.Dataset, beside: Sequence[Representation]
    ) -> None:
        self.world, self.detail = world, detail
        units, coder = world.units, world.coder
        self.folds: list[Int[np.ndarray, " hidden"]] = [
            np.flatnonzero((units.fold == number) & units.kept)
            for number in np.unique(units.fold[units.kept])
        ]
        self.ablations = [Ablation(coder, columns) for columns in self.folds]
        n_units = len(units.kept)
        self.around = np.zeros((BLOCKS, n_units))
        self.spikes, self.n = np.zeros(n_units), np.zeros(n_units)
        self.counts = units.counts
        self.beside = world.beside(beside, binned, self.folds)
        self.simpler = (*BASELINES, *(one.name for one in self.beside))
        n_models = 1 + len(self.simpler)
        self.error = np.zeros((n_models, BLOCKS, n_units))
        self.likelihood = np.zeros((n_models, n_units))

    def add(self, block: int, bins: np.ndarray, piece: Seen) -> None:
        target, observed = self.world.target(piece), piece.observed
        self.around[block] += np.square(target).sum(axis=0)
        self.spikes += piece.raw.sum(axis=0)
        self.n += observed.sum(axis=0)
        self.counts = self.counts and are_counts(piece.raw, observed)
        kept = self.world.units.kept
        self._score(0, block, piece, target, self._by_coder(bins, piece))
        simpler = self.world.baselines.predict(self.world.seen(piece)[:, kept])
        for at, name in enumerate(BASELINES, start=1):
            if name in simpler:
                guess = np.zeros(target.shape)
                guess[:, kept] = simpler[name]
                self._score(at, block, piece, target, guess)
        for at, one in enumerate(self.beside, start=1 + len(BASELINES)):
            self._score(at, block, piece, target, one.predict(bins))

    def _score(
        self, model: int, block: int, piece: Seen, target: np.ndarray, guess: np.ndarray
    ) -> None:
        observed, units = piece.observed, self.world.units
        self.error[model, block] += np.square((target - guess) * observed).sum(axis=0)
        if self.counts:
            rate, mean = guess * units.spread + units.mean, units.mean
            if self.world.coder.config.transform == "sqrt":
                rate, mean = rate_of_root(rate), rate_of_root(mean)
            rate = np.maximum(rate, LEAST_RATE * mean)
            gained = xlogy(piece.raw, rate) - rate
            self.likelihood[model] += gained.sum(axis=0, where=observed)

    def _by_coder(self, bins: np.ndarray, piece: Seen) -> Float[np.ndarray, "bin unit"]:
        """Every unit from the others, in standard deviations about its mean."""
        coder, units, rest = self.world.coder, self.world.units, self.world.rest
        scale, offset = self.world.scale, self.world.offset
        out = np.zeros(piece.values.shape)
        z = (piece.values - offset) / scale
        every = len(piece.y) // len(bins)
        own = slice(every - 1, None, every)  # of a decoder with time courses, the bin's own row
        for columns, ablation in zip(self.folds, self.ablations, strict=True):
            hidden = np.isin(np.arange(len(units.kept)), columns)
            with torch.no_grad():
                y = rest + with_hidden(piece.y - rest, torch.from_numpy(hidden), piece.asked)
                pi = coder.pre_activation(y if coder.window > 1 else y[:, -1])
                active = coder.activate(pi)
                made = coder.decode(active).view(len(bins), -1, coder.n_targets)[:, -1]
            told = made.numpy()[:, columns].astype(np.float64)
            observed = piece.observed[:, columns]
            out[:, columns] = told * scale[columns] + offset[columns]
            ablation.add(
                Scored(
                    bins,
                    y[own].numpy(),
                    np.where(observed, z[:, columns], 0.0),
                    observed,
                    np.where(observed, told, 0.0)[None],
                    pi[own].numpy(),
                    active.view(len(bins), -1, active.shape[1]).numpy(),
                )
            )
        return (out - units.mean) / units.spread * units.kept

    def dataset(self, binned: xr.Dataset) -> xr.Dataset:
        """The scores, from the sums."""
        units, coder = self.world.units, self.world.coder
        kept, baselines = units.kept, self.world.baselines
        scores = [HiddenScore(one[:, kept], self.around[:, kept]) for one in self.error]
        others = (one.name for one in self.beside)
        known = np.isin(self.simpler, (*baselines.names, *others))
        r2 = np.where(known, [one.r2 for one in scores[1:]], np.nan)
        errors = np.where(known, [one.standard_error for one in scores[1:]], np.nan)
        per_unit = np.stack([_spread(one.unit_r2, kept) for one in scores])
        variables: dict[str, Any] = {
            "hidden_unit_r2": scores[0].r2,
            "hidden_unit_r2_se": scores[0].standard_error,
            "unit_hidden_r2": (names.UNIT, per_unit[0]),
            "hidden_baseline_r2": ("baseline", r2),
            "hidden_baseline_r2_se": ("baseline", errors),
            "unit_hidden_baseline_r2": (
                ("baseline", names.UNIT),
                np.where(known[:, None], per_unit[1:], np.nan),
            ),
        }
        variables |= self._gains()
        if self.counts:
            bits, unit_bits = self._bits()
            variables |= {
                "hidden_unit_bits": bits[0],
                "unit_hidden_bits": (names.UNIT, unit_bits),
                "hidden_baseline_bits": ("baseline", np.where(known, bits[1:], np.nan)),
            }
        ids = unit_coords(binned)
        out = [str(one) for one in binned[names.UNIT_ID].values[~kept]]
        attrs = {
            SHARES: shares(scores[0].r2, scores[0].standard_error),
            "hidden_units_left_out": json.dumps(out),
            "hidden_groups": units.n_groups,
            "hidden_baseline_rank": baselines.rank,
            "hidden_ridge_alpha": baselines.alpha,
        }
        coords = {
            names.LATENT: np.arange(coder.n_latents),
            "baseline": np.array(self.simpler, dtype=object),
            names.GROUP: (names.UNIT, units.group),
            **ids,
        }
        return xr.Dataset(variables, coords=coords, attrs=attrs)

    def _gains(self) -> dict[str, Any]:
        """R² that is lost without each latent, over all units and unit by unit."""
        coder, units = self.world.coder, self.world.units
        gain = np.full((coder.n_latents, len(units.kept)), np.nan)
        for columns, ablation in zip(self.folds, self.ablations, strict=True):
            gain[:, columns] = ablation.gain * (self.world.scale / units.spread)[columns] ** 2
        around = self.around.sum(axis=0)
        total = around[units.kept].sum()
        pooled = np.nansum(gain, axis=1) / total if total > 0 else np.full(len(gain), np.nan)
        made: dict[str, Any] = {"hidden_gain": (names.LATENT, pooled)}
        if self.detail == "all" and gain.size <= GAINS:
            per_unit = gain / np.where(around > 0, around, np.nan)
            made["hidden_gain_unit"] = ((names.LATENT, names.UNIT), per_unit)
        return made

    def _bits(self) -> tuple[Float[np.ndarray, " model"], Float[np.ndarray, " unit"]]:
        """Bits per spike against each unit's mean over these bins, in all; the coder's per unit."""
        kept = self.world.units.kept
        null = xlogy(self.spikes, self.spikes / np.maximum(self.n, 1)) - self.spikes
        gained = (self.likelihood - null) / np.log(2)
        with np.errstate(invalid="ignore", divide="ignore"):
            bits = gained[:, kept].sum(axis=1) / self.spikes[kept].sum()
            per_unit = np.where(kept & (self.spikes > 0), gained[0] / self.spikes, np.nan)
        return np.where(np.isfinite(bits), bits, np.nan), per_unit


def _spread(values: np.ndarray, kept: Bool[np.ndarray, " unit"]) -> Float[np.ndarray, " unit"]:
    """Values of units that take part among all; NaN for the others."""
    out = np.full(len(kept), np.nan)
    out[kept] = values
    return out

"""The numbers of model quality, each with one sentence that says what it means."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.quality.hidden_said import shared_sentence
from nwbsparse.options.config import Config
from nwbsparse.options.legality import is_penalised
from nwbsparse.results.results import Results
from nwbsparse.training.start import FEWEST
from nwbsparse.views.report.activity import is_of_traces
from nwbsparse.views.report.one_cell import perhaps_one_cell
from nwbsparse.views.words import number, percent, several

FAR_MORE = 1.5
"""Times k from which on so many latents are far more than training asked for."""


@dataclass(frozen=True)
class Quality:
    """One number on held-out bins."""

    name: str
    value: str
    meaning: str


def quality(results: Results, binned: xr.Dataset) -> list[Quality]:
    """Reconstruction and sparsity on the test bins, for readers who meet these words first here."""
    metrics, attribution, config = results.metrics, results.attribution, results.config
    unit_r2 = metrics["unit_r2"].values
    silent = int(np.isnan(unit_r2).sum())
    known = unit_r2[np.isfinite(unit_r2)]
    active = ~metrics["dead"].values.astype(bool)
    n_active = int(active.sum())
    single = int(attribution["single_unit"].values[active].sum())
    traces = is_of_traces(binned)
    never = "were never active" if traces else "never fired"
    if traces and silent == 1:
        never = "was never active"
    left_out = f"; without {several(silent, 'unit')} that {never} on these bins" if silent else ""
    scale = "traces" if traces else "counts"
    scale = f"z-scored {scale}" if metrics.attrs.get("target") == "zscore" else scale
    apart = results.coder.record.apart
    sees = "" if apart or config.lag else "Of units the coder sees: a copy has 1. "
    whose, of = "the reconstructed units'" if apart else "all units'", "unit"
    if not results.coder.record.of_units:
        whose, of, scale = "all dims'", "dim", scale.replace(scale.rpartition(" ")[2], "values")
        sees = ""
        left_out = f"; without {several(silent, of)} constant on these bins" if silent else ""
    if is_penalised(config.sparsifier):
        asked, meant = f"penalty {config.penalty_weight:g}", "Training put a penalty on it"
    else:
        asked, meant = f"k = {config.k}", "Training asked for k"
    shown = [
        Quality(
            _called(of, sees),
            number(float(metrics["r2"]), 3),
            f"{sees}Share of the variance of {whose} {scale} that the latents give back. 1 is perfect, "
            f"0 is no better than each {of}'s mean.",
        ),
        Quality(
            f"R² of the median {of}",
            number(float(np.median(known)) if len(known) else np.nan, 3),
            f"The same for each {of} by itself{left_out}.",
        ),
        Quality(
            "Cosine per bin",
            number(float(metrics["bin_cosine"].mean()), 3),
            f"How alike the true and the reconstructed pattern over {of}s are, whatever their size.",
        ),
        Quality(
            "Active latents per bin (L0)",
            f"{number(float(metrics['l0'].mean()), 1)} ({asked})",
            f"Mean number of latents active at once on held-out bins. {meant}"
            f"{sparse_said(float(metrics['l0'].mean()), config)}",
        ),
        Quality(
            "Dead latents",
            percent(float(metrics["dead"].mean())),
            "Latents that are never active on held-out bins. They cost nothing and say nothing.",
        ),
        Quality(
            "Always-on latents",
            percent(float(metrics["always_on"].mean())),
            "Latents active in more than half of the bins: more a background than an event.",
        ),
        Quality(
            "One unit under another name",
            percent(single / n_active) if n_active else "–",
            f"{single_said(single, n_active)}{_groups_said(results, binned, single)}",
        ),
    ]
    if metrics.sizes.get("matryoshka_level", 1) > 1:
        sizes, r2 = metrics["level_size"].values, metrics["level_r2"].values
        said = ", ".join(f"{int(n):,}: {number(r, 3)}" for n, r in zip(sizes, r2, strict=True))
        meaning = "With only the first so many latents, coarse to fine."
        shown.insert(1, Quality("R² by level", said, meaning))
    return [*_of_hidden_units(metrics, events="event" if traces else "spike"), *shown]


def sparse_said(l0: float, config: Config) -> str:
    """Whether about as many are active on held-out bins as training asked for."""
    if is_penalised(config.sparsifier) or config.k is None:
        return "."
    if l0 > FAR_MORE * config.k:
        return (
            f"; held out there are {number(l0 / config.k, 1)} times as many: what is recorded there is "
            "less sparse in these latents than what they were learned from."
        )
    return (
        ", and held out there are about as many."
        if l0 * FAR_MORE > config.k
        else ", and held out there are fewer."
    )


def single_said(single: int, n_active: int) -> str:
    """How many of the latents that are active on held-out bins are one unit under another name."""
    on = "on held-out bins"
    if not n_active:
        return f"No latent is active {on}."
    if n_active == 1:
        does = "correlates" if single else "does not correlate"
        return f"The one latent active {on} {does} at 0.9 or more with a single unit."
    who, correlate = (
        f"{single:,}" if single else "None",
        "correlate" if single > 1 else "correlates",
    )
    return f"{who} of the {n_active:,} latents active {on} {correlate} at 0.9 or more with a single unit."


def _groups_said(results: Results, binned: xr.Dataset, single: int) -> str:
    """How many more are units that share spikes."""
    n = len(perhaps_one_cell(results, binned))
    if not n:
        return ""
    if results.coder.n_latents == 1:
        return " It mostly consists of units that share spikes."
    consist = "consists" if n == 1 else "consist"
    more = " more" if single else ""
    return f" {n:,}{more} mostly {consist} of units that share spikes, perhaps one cell."


def _called(of: str, sees: str) -> str:
    if of == "dim":
        return "R² of the embedding"
    return "Reconstruction R²" if sees else "R² of the population"


def _of_hidden_units(metrics: xr.Dataset, *, events: str) -> list[Quality]:
    """What comes first: a coder that only copies units has nothing to show here."""
    meaning = shared_sentence(metrics)
    if not meaning:
        return []
    if "hidden_unit_r2" not in metrics:
        return [Quality("R² of hidden units", "–", meaning)]
    out = len(json.loads(metrics.attrs.get("hidden_units_left_out", "[]")))
    if out:
        take, are = ("takes", "is") if out == 1 else ("take", "are")
        meaning += (
            f" {several(out, 'unit')} that {are} active in fewer than {FEWEST} of the training bins {take} "
            "no part."
        )
    value, error = (number(metrics[f"hidden_unit_r2{one}"], 3) for one in ("", "_se"))
    shown = [Quality("R² of hidden units", f"{value} ± {error}", meaning)]
    if "hidden_unit_bits" in metrics:
        shown.append(
            Quality(
                f"Bits per {events} of hidden units",
                number(metrics["hidden_unit_bits"], 3),
                f"How much better their {events}s are told than by each unit's mean rate; below 0 worse.",
            )
        )
    return shown


def held_out_said(results: Results) -> str:
    """'17,225 test bins'."""
    metrics = results.metrics
    return f"{metrics.sizes[names.TIME]:,} {metrics.attrs.get(names.SPLIT, 'test')} bins"

"""The figures of a whole result, by name: what the report shows, and what can be asked for beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nwbsparse.results.results import Results
from nwbsparse.roles import Registry
from nwbsparse.training.consensus import SHARE as CONSENSUS_SHARE
from nwbsparse.views import plots
from nwbsparse.views.plots.candidates import rule_said
from nwbsparse.views.words import several

FIGURES = Registry("figure", called_with=("results", "binned"), facts={"in_report": True})
"""Functions ``(results, binned) → (title, axes)``, or None where there is nothing to draw.

``in_report``: whether every report shows it; the others are drawn where they are asked for.
"""
FEWEST = 3
"""Latents from which on there is a distribution to draw."""
Drawn = tuple[str, Axes] | None


def draw(name: str, results: Results, binned: xr.Dataset) -> Drawn:
    """The figure of this name: its title and the axes; None where there is nothing to draw.

    Raises:
        BadInput: there is none of this name.
    """
    return FIGURES[name](results, binned)


def draw_all(
    results: Results, binned: xr.Dataset, names: Sequence[str] | None = None
) -> list[tuple[str, Axes]]:
    """These figures, or those that every report shows, as far as there is something to draw.

    Raises:
        BadInput: there is none of a name.
    """
    if names is None:
        names = [name for name in FIGURES if FIGURES.fact(name, "in_report")]
    drawn = [draw(name, results, binned) for name in names]
    return [one for one in drawn if one is not None]


@FIGURES.register("hidden_units")
def hidden_units(results: Results, binned: xr.Dataset) -> Drawn:
    """How well hidden units are told, beside simpler models."""
    del binned
    if "hidden_unit_r2" not in results.metrics:
        return None
    return "R² of hidden units, beside simpler models", plots.hidden_units(results.metrics)


@FIGURES.register("unit_r2")
def unit_r2(results: Results, binned: xr.Dataset) -> Drawn:
    """How well each unit is reconstructed."""
    del binned
    metrics = results.metrics
    return f"Held-out R² of each {metrics['unit_r2'].dims[0]}", plots.unit_r2(metrics)


@FIGURES.register("l0_histogram")
def l0_histogram(results: Results, binned: xr.Dataset) -> Drawn:
    """How many latents are active at once."""
    del binned
    return "Active latents per held-out bin", plots.l0_histogram(results.metrics, results.config.k)


@FIGURES.register("density_histogram")
def density_histogram(results: Results, binned: xr.Dataset) -> Drawn:
    """How often latents are active; of one or two their cards say it."""
    del binned
    if int((results.metrics["density"] > 0).sum()) < FEWEST:
        return None
    return "How often each latent is active", plots.density_histogram(results.metrics)


@FIGURES.register("training_history")
def training_history(results: Results, binned: xr.Dataset) -> Drawn:
    """How training went."""
    del binned
    return "Loss during training", plots.training_history(results.coder.record.history)


@FIGURES.register("candidates")
def candidates(results: Results, binned: xr.Dataset) -> Drawn:
    """What was tried before the size was chosen."""
    del binned
    if not results.coder.record.learned.get("candidates"):
        return None
    title = f"How many latents: what was tried. {rule_said(results.coder)}"
    if results.stability is not None and "recurrence" in results.coder.record.learned:
        n_seeds = int(results.stability.attrs["n_seeds"])
        n = several(results.coder.n_latents, "latent")
        least = int(np.ceil(CONSENSUS_SHARE * n_seeds - 1e-9))
        title += f" Of {n_seeds} seeds of that size {n} came back in {least} or more"
        title += ": their consensus, which is used." if n_seeds > 1 else "."
    return title, plots.candidates(results.coder)


@FIGURES.register("stability_matrix", in_report=False)
def stability_matrix(results: Results, binned: xr.Dataset) -> Drawn:
    """Which latents come back from other seeds."""
    del binned
    if results.stability is None:
        return None
    return "Latents of other seeds", plots.stability_matrix(results.stability)


@FIGURES.register("reconstruction_examples", in_report=False)
def reconstruction_examples(results: Results, binned: xr.Dataset) -> Drawn:
    """What the reconstruction looks like."""
    made = plots.reconstruction_examples(results.coder, binned, results.metrics)
    return "Units and what the latents give back of them", made

"""Tables of what a run means, for the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console
from rich.text import Text

from nwbsparse.analysis.behaviour.sentences import sentences
from nwbsparse.analysis.quality.hidden_said import CALLED, shared_sentence
from nwbsparse.cli.whole_words import print_table
from nwbsparse.views.words import measure, number, p_value, percent


def show_metrics(console: Console, metrics: xr.Dataset, coder: Any) -> None:
    """The numbers of ``evaluate``, a line each."""
    split = metrics.attrs["split"]
    held = "held-out" if split == "test" else split
    of = str(metrics["unit_r2"].dims[0])
    if said := shared_sentence(metrics):
        console.print(said, soft_wrap=True)
    rows: list[tuple[str, str]] = [
        *_of_hidden_units(metrics, held),
        (reconstruction(coder, held), number(metrics["r2"], 3)),
        (f"R² of a {of}, median", number(metrics["unit_r2"].median(), 3)),
        ("R² of a bin, median", number(metrics["bin_r2_median"], 3)),
        (f"cosine over {of}s, mean of bins", number(metrics["bin_cosine"].mean(), 3)),
        (f"cosine over bins, mean of {of}s", number(metrics["unit_cosine"].mean(), 3)),
    ]
    if "explained_deviance" in metrics:
        rows.append(("explained deviance", number(metrics["explained_deviance"], 3)))
    rows += [
        ("active latents per bin (L0)", number(metrics["l0"].mean())),
        ("share of activations not zero", percent(metrics["nonzero_ratio"])),
        ("latents never active there", percent(metrics["dead"].mean())),
        ("latents active in over half of the bins", percent(metrics["always_on"].mean())),
    ]
    if len(coder.levels) > 1:
        sizes = metrics["level_size"].values
        rows += [
            (f"R² of the first {size:,} latents", number(value, 3))
            for size, value in zip(sizes, metrics["level_r2"].values, strict=True)
        ]
    if "band_error" in metrics:
        rows += [
            (f"power error, {band}", percent_signed(value))
            for band, value in zip(
                metrics["band"].values, metrics["band_error"].values, strict=True
            )
        ]
    if "variance_attribution" in metrics:
        worth = metrics["variance_attribution"].values
        best = np.argsort(-np.nan_to_num(worth, nan=-np.inf))[:3]
        said = ", ".join(f"{at} ({number(worth[at], 3)})" for at in best if np.isfinite(worth[at]))
        rows.append(("latents that R² needs most (loss without)", said or "–"))
    print_table(console, ("", ""), rows)
    console.print(f"{int(metrics.attrs['n_bins']):,} bins", style="dim")


def reconstruction(coder: Any, held: str) -> str:
    """What R² is of: only a coder that sees what it reconstructs can copy it."""
    told = coder.record.apart or coder.config.lag
    if told or not coder.record.of_units:
        return f"R² ({held})"
    return f"reconstruction R² ({held}); a copy has 1"


def _of_hidden_units(metrics: xr.Dataset, held: str) -> list[tuple[str, str]]:
    if "hidden_unit_r2" not in metrics:
        return []
    r2, error = (number(metrics[f"hidden_unit_r2{one}"], 3) for one in ("", "_se"))
    rows = [(f"R² of hidden units ({held})", f"{r2} ± {error}")]
    rows += [
        (f"  {CALLED.get(str(name), str(name))}", number(value, 3))
        for name, value in zip(
            metrics["baseline"].values, metrics["hidden_baseline_r2"].values, strict=True
        )
        if np.isfinite(value)
    ]
    if "hidden_unit_bits" in metrics:
        rows.append(("bits per spike of hidden units", number(metrics["hidden_unit_bits"], 3)))
    return rows


def percent_signed(share: float) -> str:
    """'+3 %', '−20 %', '0 %', '–'."""
    if np.isfinite(share) and abs(share) < 0.005:
        return "0 %"
    return "–" if not np.isfinite(share) else f"{share:+.0%}".replace("-", "−").replace("%", " %")


def show_attribution(console: Console, attribution: xr.Dataset, *, top: int) -> None:
    """What was found, beside the controls, and the latents with the clearest meaning."""
    for sentence in sentences(attribution):
        console.print(sentence, highlight=False)
    for note in json.loads(attribution.attrs["notes"]):
        console.print(Text.assemble(("note:", "yellow"), f" {note}"), soft_wrap=True)
    status = attribution["association_status"].values
    q = attribution["association_q"].values
    association = attribution["association"].values
    found = np.flatnonzero(status == "found")
    found = found[np.argsort(-np.abs(association[found]))][:top]
    if not len(found):
        return
    rows: list[Sequence[str]] = []
    for latent in found:
        confirmed = str(attribution["confirmed_status"].values[latent])
        low, high = (attribution[f"association_{end}"].values[latent] for end in ("low", "high"))
        rows.append(
            (
                str(int(attribution["latent"].values[latent])),
                str(attribution["follows"].values[latent]),
                f"{number(association[latent])} [{number(low)} to {number(high)}]",
                p_value(q[latent]),
                str(attribution["label"].values[latent]),
                "yes" if confirmed == "confirmed" else confirmed.partition(":")[0],
            )
        )
    print_table(console, ("latent", "follows", "r", "q", "in words", "confirmed"), rows)


def show_decoding(console: Console, scores: xr.Dataset) -> None:
    """Inputs × targets: R² of covariates, balanced accuracy of conditions."""
    targets = [str(one) for one in scores["target"].values]
    rows: list[Sequence[str | Text]] = []
    for at, source in enumerate(scores["input"].values):
        cells = []
        for column in range(len(targets)):
            r2 = float(scores["r2"].values[at, column])
            accuracy = float(scores["balanced_accuracy"].values[at, column])
            if np.isfinite(r2):
                cells.append(number(r2))
            else:
                cells.append(percent(accuracy) if np.isfinite(accuracy) else "–")
        rows.append((str(source), str(int(scores["n_dims"].values[at])), *cells))
    chance = [
        percent(one) if np.isfinite(one) else "0.00" for one in scores["chance"].values.tolist()
    ]
    rows.append((Text("chance", "dim"), "", *(Text(one, "dim") for one in chance)))
    print_table(console, ("from", "dims", *targets), rows)
    console.print("covariates: R²; conditions: balanced accuracy; held-out bins", style="dim")
    for name, said in zip(targets, scores["status"].values, strict=True):
        if said:
            console.print(Text.assemble((f"{name}:", "yellow"), f" {said}"))


def show_transfer(console: Console, moved: xr.Dataset) -> None:
    """How many latents keep their meaning in another session, and which."""
    console.print(
        Text.assemble(
            (f"{moved.attrs['n_kept']} of {moved.attrs['n_found']}", "bold"),
            f" latents keep their meaning; {moved.attrs['n_units_matched']} units are in both",
        )
    )
    rows: list[Sequence[str]] = []
    for at in np.flatnonzero(moved["variable"].values != ""):
        here, there = (str(moved[name].values[at]) for name in ("variable", "variable_there"))
        rows.append(
            (
                str(int(moved["latent"].values[at])),
                here,
                there,
                measure(moved["tuning_correlation"].values[at]),
                str(moved["status"].values[at]),
            )
        )
    print_table(console, ("latent", "here", "there", "tuning correlation", ""), rows)

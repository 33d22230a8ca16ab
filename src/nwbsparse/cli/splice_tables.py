"""Tables of a coder inside a network: what is kept, and what goes with the latents of each variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from nwbsparse import names
from nwbsparse.cli.whole_words import print_table

if TYPE_CHECKING:
    from nwbsparse.runs.splice.measured import Measured
    from nwbsparse.runs.splice.splice_recordings import Spliced

SHOWN = ("latents", "raw dims", "pca", "random latents", "shuffled labels", "untrained network")


def show_spliced(console: Console, made: Spliced) -> None:
    """Print what both ways of training keep, and the ablation matrix, last that of the frozen network."""
    for pair in reversed(made.pairs):
        _show_kept(console, pair)
        _show_matrix(console, pair)
    console.print(f"page   {made.page}", soft_wrap=True)
    for path in made.files:
        console.print(f"NWB    {path}", soft_wrap=True)


def _show_kept(console: Console, pair: Measured) -> None:
    report = pair.report
    heads = [str(one) for one in report[names.HEAD].values]
    rows = [
        (
            str(one),
            *(_number(float(report["score"].sel({names.REPRESENTATION: one, names.HEAD: head})))
              for head in heads),
            _number(float(report["loss_recovered_mean"].sel({names.REPRESENTATION: one}))),
        )
        for one in report[names.REPRESENTATION].values
    ]  # fmt: skip
    title = f"{pair.name}: test trials, with this in the place of {report.attrs['site']}"
    print_table(console, ("", *heads, "loss recovered"), rows, title=title)


def _show_matrix(console: Console, pair: Measured) -> None:
    matrix = pair.ablation
    heads = [str(one) for one in matrix[names.HEAD].values]
    held = [str(one) for one in matrix[names.REPRESENTATION].values]
    rows = []
    for called in (one for one in SHOWN if one in held):
        own = matrix.sel({names.REPRESENTATION: called, names.ABLATION: "resample"})
        for removed in heads:
            drop = own["normalised_drop"].sel({names.REMOVED: removed})
            n = matrix["n_removed"].sel({names.REPRESENTATION: called, names.REMOVED: removed})
            rows.append(
                (
                    called,
                    f"{removed} ({int(n)})",
                    *(_number(float(drop.sel({names.HEAD: head}))) for head in heads),
                    _number(float(own["selectivity_index"].sel({names.REMOVED: removed}))),
                )
            )
    title = (
        f"{pair.name}: share lost of what each variable was above chance, when latents are removed"
    )
    print_table(console, ("", "removed", *heads, "index"), rows, title=title)
    console.print()


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""

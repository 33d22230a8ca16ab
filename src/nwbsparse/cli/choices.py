"""What was tried before training, and what it led to, as a small table."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from nwbsparse.cli.whole_words import print_table


def show_choices(console: Console, learned: dict[str, Any]) -> None:
    """Print the candidates: every smoothing, and of every number of latents the best k.

    Nothing is printed of a coder for which nothing was chosen.
    """
    tried = learned.get("candidates") or []
    if not tried:
        return
    penalised = any(one["penalty_weight"] for one in tried)
    knob = "penalty_weight" if penalised else "k"
    rows = []
    for one in best_of_sizes(tried):
        score = f"{one['score']:.3f} ± {one['standard_error']:.3f}"
        rows.append(
            (
                f"{one['smoothing'] * 1000:g} ms", f"{one['n_latents']}", f"{one[knob]:g}", score,
                "chosen" if one["chosen"] else "",
            )
        )  # fmt: skip
    headings = (
        "smoothing", "latents", "penalty" if penalised else "active", "R² of hidden units", "",
    )  # fmt: skip
    print_table(console, headings, rows, title="tried, on validation bins")


def best_of_sizes(tried: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the candidates of one smoothing and size the chosen one, or the best; in their order."""
    best: dict[tuple[float, int], dict[str, Any]] = {}
    for one in tried:
        key = one["smoothing"], one["n_latents"]
        before = best.get(key)
        if before is None or _rank(one) > _rank(before):
            best[key] = one
    return list(best.values())


def _rank(one: dict[str, Any]) -> tuple[bool, float]:
    score = one["score"]
    return one["chosen"], score if score == score else float("-inf")

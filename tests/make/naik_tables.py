"""Made-up tables of fits of Naik 2025, in which this or that is so."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import xarray as xr

from nwbsparse.runs.papers.naik2025_table import tidy

SIZES, KS, SEEDS = (8, 64), (8, 16, 32), (0, 1)
SCORES = (
    "neuron_paper", "neuron_text", "train_neuron_code", "behaviour_paper", "behaviour_per_behaviour",
    "train_behaviour_code", "position_r2", "direction_accuracy", "train_position_r2",
    "train_direction_accuracy",
)  # fmt: skip
Score = Callable[..., float]


def flat(**_: Any) -> float:
    return 0.5


def table(
    *,
    embedding: Score = flat,
    network: Score = flat,
    latents: Score = flat,
    untrained: Score = flat,
    shuffled: Score = flat,
    r2: Score = flat,
    untrained_r2: Score = flat,
    active: Score = lambda k, n_latents, **_: k / n_latents,
    sizes: tuple[int, ...] = SIZES,
    settings: bool = True,
    behaviour: bool = True,
    animals: tuple[str, ...] = ("buddy",),
) -> xr.Dataset:
    """A table of fits whose scores are what these functions say.

    Args:
        embedding: of (score, dims, hidden_units, cebra_rate).
        network: the same of networks of random weights: of (score, dims, seed).
        latents, untrained, shuffled: of (score, dims, k, seed).
        r2, untrained_r2: of (method, dims, expansion, k).
        active: share of latents, of (method, k, n_latents).
        settings: whether the 16 embeddings were made, or stored ones taken.
        behaviour: whether there is any.
    """
    rows: list[dict[str, Any]] = []
    for animal, dims in product(animals, sizes):
        own = {"animal": animal, "dims": dims}
        asked = product((32, 64), (1e-3, 5e-3)) if settings else [(None, None)]
        for hidden, rate in asked:
            about = {"hidden_units": hidden, "cebra_rate": rate}
            given = {"dims": dims, **about}
            rows.append(_scored(own | about | {"part": "embedding", "method": "cebra", "seed": 0},
                                embedding if behaviour else None, given))  # fmt: skip
        for seed in SEEDS:
            for method, control, score in (
                ("random network", "untrained", network), ("shifted dims", "shuffled", flat)
            ):  # fmt: skip
                about = {"part": "embedding", "method": method, "control": control, "seed": seed}
                rows.append(_scored(own | about, score if behaviour else None,
                                    {"dims": dims, "seed": seed}))  # fmt: skip
        rows += _sweep(own, r2, untrained_r2, active)
        for control, score in (("", latents), ("untrained", untrained), ("shuffled", shuffled)):
            for k, seed in product(KS, SEEDS):
                about = {
                    "part": "analysis",
                    "method": "topk",
                    "control": control,
                    "k": k,
                    "seed": seed,
                }
                about |= {"expansion": 8, "n_latents": 8 * dims, "learning_rate": 1e-3}
                about |= {"nonzero_ratio": k / (8 * dims), "train_nonzero_ratio": k / (8 * dims)}
                given = {"dims": dims, "k": k, "seed": seed}
                rows.append(_scored(own | about, score if behaviour else None, given))
    if behaviour:
        about = {"part": "baseline", "method": "smoothed counts", "nonzero_ratio": 0.6}
        rows += [_scored({"animal": one} | about, flat, {}) for one in animals]
    return tidy(rows, {"version": "0", "paper": "Naik 2025"})


def _sweep(
    own: dict[str, Any], r2: Score, untrained_r2: Score, active: Score
) -> list[dict[str, Any]]:
    rows = []
    methods = ("standard", "topk", "exponential", "jumprelu")
    for method, expansion, rate, k in product(methods, (2, 4, 8), (1e-4, 1e-3), KS):
        n_latents = expansion * own["dims"]
        given = {"method": method, "dims": own["dims"], "expansion": expansion, "k": k}
        for control, score in (("", r2), ("untrained", untrained_r2)):
            share = min(active(method=method, k=k, n_latents=n_latents), 1.0)
            found = score(**given)
            rows.append(own | {
                "part": "sweep", "method": method, "control": control, "expansion": expansion,
                "n_latents": n_latents, "learning_rate": rate, "seed": 0,
                "k": k if method == "topk" else None, "r2": found, "train_r2": found,
                "nonzero_ratio": share, "train_nonzero_ratio": share,
            })  # fmt: skip
    return rows


def _scored(about: dict[str, Any], score: Score | None, given: dict[str, Any]) -> dict[str, Any]:
    if score is None:
        return about
    return about | {name: score(score=name, **given) for name in SCORES}

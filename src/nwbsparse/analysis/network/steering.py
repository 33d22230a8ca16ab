"""Set the latents of a variable to what they are in another condition: does the network answer that one?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.ablation_bench import LEAST_ABOVE_CHANCE, Bench, asked_heads
from nwbsparse.analysis.network.latent_choice import COUNTS
from nwbsparse.analysis.network.site_channels import (
    SiteChannels,
    channels_of,
    components_of,
    raw_dims,
)
from nwbsparse.analysis.network.site_scores import drops, site_scores
from nwbsparse.analysis.network.steered_answers import (
    other_conditions,
    profiles,
    set_to,
    target_effect,
)
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.schema import own_version
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.head_scores import Answers, answers
from nwbsparse.splice.transformer import PopulationTransformer

DOSES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
STEERABLE, ENTANGLED, NOT_ENCODED = "steerable", "encoded but entangled", "not encoded"
LEAST_TARGET, LEAST_ENCODED = 0.5, 0.1
MOST_OFF_TARGET = 0.5
"""Of the target area."""
RANDOM = "random latents"


def steering(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    coder: SparseCoder | SiteChannels,
    *,
    at: str,
    heads: Sequence[str] | None = None,
    doses: Sequence[float | int] = DOSES,
    counts: Sequence[int] = COUNTS,
    seed: int = 0,
) -> xr.Dataset:
    """Move the latents of one variable to another condition, and see what the network then answers.

    In every test trial the latents that stand for a variable (chosen as in
    :func:`nwbsparse.analysis.network.ablation_matrix.ablation_matrix`) are set to ``dose`` times their mean
    course over training trials of another condition, which is drawn; all others and what the coder misses
    stay.

    Args:
        model: a trained decoder.
        sessions: its trials.
        coder: of the site.
        at: name of the site: ``blocks.1``.
        heads: the variables; all when left open. At least two.
        doses: growing from 0, where the latents are silent; at 1 they have the other condition's value.
        counts: numbers of latents that are tried on validation trials.
        seed: of the conditions that are drawn.

    Returns:
        ``target(representation, steered, dose)``: of categories how much more probable the network finds
        the other condition than it did, as a share of what it does where that one was shown; of numbers and
        angles the share of the way of its answers from the one to the other. ``off_target(representation,
        steered, dose, head)``: share that each other variable loses of what it is above chance, NaN of the
        steered one. ``target_area`` and ``off_target_area(…, head)``: means over the range of doses;
        ``worst_off_target_area``: of the variable that loses most. ``n_set``: how many latents are set.
        ``outcome``: ``steerable`` (target area at least .5, the largest off-target area at most half of
        it), ``not encoded`` (target area below .1, or no latent differs with the variable), ``encoded but
        entangled`` otherwise. Representations: ``latents``, ``raw dims``, ``pca``, ``random latents``.

    Raises:
        BadInput: fewer than two variables, unknown names, doses that do not grow from 0, no such site.
    """
    asked = asked_heads(model, heads, what="steering")
    doses = [float(one) for one in doses]
    if len(doses) < 2 or doses[0] != 0 or not np.all(np.diff(doses) > 0):
        raise BadInput(f"doses={doses}: they must grow from 0")
    bench = Bench(model, list(sessions), at, asked)
    channels = channels_of(coder)
    rng = np.random.default_rng(seed)
    described = [channels, raw_dims(), components_of(bench.train.activity)]
    chosen = {one.name: bench.chosen(one, counts=counts, seed=seed) for one in described}
    alive = bench.alive(channels)
    named = {one.name: one for one in described} | {RANDOM: channels}
    chosen[RANDOM] = [
        rng.choice(alive, min(len(one), len(alive)), replace=False).tolist()
        for one in chosen[channels.name]
    ]
    base = answers(model, sessions, part=names.TEST, heads=asked)
    target = np.full((len(named), len(asked), len(doses)), np.nan)
    off = np.full((*target.shape, len(asked)), np.nan)
    for number, name in enumerate(asked):
        shown = bench.groups[name].of(base.targets[name])
        wanted = other_conditions(shown, bench.codes[name], rng)
        for row, (called, one) in enumerate(named.items()):
            values = profiles(one.of(bench.train.activity), bench.codes[name])
            for place, dose in enumerate(doses):
                change = set_to(chosen[called][number], values, wanted, dose)
                with one.edited(model, at, change):
                    found = answers(model, sessions, part=names.TEST, heads=asked)
                target[row, number, place] = target_effect(
                    model.heads[name], base.outputs[name], found.outputs[name], shown, wanted
                )
                off[row, number, place] = _lost(bench, found, number)
    n_latents = [[len(some) for some in chosen[called]] for called in named]
    return _dataset(bench, list(named), doses, target, off, n_latents, seed)


def outcome(target_area: float, worst_off_target_area: float) -> str:
    """What to call a target area beside the largest off-target area."""
    if not target_area >= LEAST_ENCODED:
        return NOT_ENCODED
    aside = max(np.nan_to_num(worst_off_target_area), 0.0)
    if target_area >= LEAST_TARGET and aside <= MOST_OFF_TARGET * target_area:
        return STEERABLE
    return ENTANGLED


def _lost(bench: Bench, found: Answers, steered: int) -> np.ndarray:
    """(head,) what the others lose; NaN of the steered one."""
    gone = drops(bench.base, site_scores(bench.model, found), margin=LEAST_ABOVE_CHANCE)
    return np.array(
        [np.nan if at == steered else gone[name] for at, name in enumerate(bench.heads)]
    )


def _area(values: np.ndarray, doses: Sequence[float], axis: int) -> np.ndarray:
    return np.trapezoid(values, np.array(doses), axis=axis) / (doses[-1] - doses[0])


def _dataset(
    bench: Bench,
    called: list[str],
    doses: list[float],
    target: np.ndarray,
    off: np.ndarray,
    n_latents: list[list[int]],
    seed: int,
) -> xr.Dataset:
    two = (names.REPRESENTATION, names.STEERED)
    # a condition that is answered more than where it was shown is not more than answered
    areas, aside = _area(np.minimum(target, 1.0), doses, -1), _area(off, doses, -2)
    worst = np.fmax.reduce(aside, axis=-1)
    words = [
        [outcome(*pair) for pair in zip(*row, strict=True)]
        for row in zip(areas, worst, strict=True)
    ]
    heads = np.array(bench.heads, dtype=object)
    return xr.Dataset(
        {
            "target": ((*two, names.DOSE), target),
            "off_target": ((*two, names.DOSE, names.HEAD), off),
            "target_area": (two, areas),
            "off_target_area": ((*two, names.HEAD), aside),
            "worst_off_target_area": (two, worst),
            "n_set": (two, n_latents),
            "outcome": (two, np.array(words, dtype=object)),
        },
        coords={
            names.REPRESENTATION: np.array(called, dtype=object),
            names.STEERED: heads,
            names.HEAD: heads,
            names.DOSE: doses,
        },
        attrs={
            names.SCHEMA: names.STEERING, "site": bench.at, "part": "test", "seed": seed,
            "version": own_version(),
        },
    )  # fmt: skip

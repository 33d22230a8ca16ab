"""Take away the latents of one variable and ask the network for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.ablation_bench import (
    ABLATIONS,
    Bench,
    asked_heads,
    selectivity_index,
)
from nwbsparse.analysis.network.latent_choice import COUNTS
from nwbsparse.analysis.network.site_channels import (
    SiteChannels,
    channels_of,
    components_of,
    raw_dims,
)
from nwbsparse.errors import unknown
from nwbsparse.models.coder import SparseCoder
from nwbsparse.schema import own_version
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.transformer import PopulationTransformer

RANDOM, SHUFFLED, UNTRAINED = "random latents", "shuffled labels", "untrained network"


def ablation_matrix(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    coder: SparseCoder | SiteChannels,
    *,
    at: str,
    heads: Sequence[str] | None = None,
    untrained: tuple[PopulationTransformer, SparseCoder] | None = None,
    ablations: Sequence[str] = ABLATIONS,
    counts: Sequence[int] = COUNTS,
    n_draws: int = 5,
    seed: int = 0,
) -> xr.Dataset:
    """Does removing the latents of one variable take that variable away, and only that?

    Latents are ordered by their η² for a variable minus that for any other, on training trials; how many
    are removed is chosen on validation trials (the largest selectivity index under resampling); every
    variable is measured on test trials. What the coder misses of the site stays there (error term).

    Args:
        model: a trained decoder.
        sessions: its trials.
        coder: of the site.
        at: name of the site: ``blocks.1``.
        heads: the variables; all when left open. At least two.
        untrained: a decoder that learned nothing and a coder of its site
            (:func:`nwbsparse.analysis.network.site_controls.untrained_network`), to stand beside.
        ablations: what is put in the place of the latents: what they do in another training trial
            (``resample``, all of them from the same one), their ``mean``, ``zero``.
        counts: numbers of latents that are tried.
        n_draws: of random latents, of shuffled labels, and of trials that are resampled.
        seed: of all that is drawn.

    Returns:
        ``normalised_drop(representation, ablation, removed, head)`` = (score − score without) / (score −
        chance), NaN of a head less than .05 above chance; ``selectivity_index(representation, ablation,
        removed)`` = own drop minus the largest of another variable; ``n_removed(representation, removed)``:
        0 where nothing differs with the variable; ``latents_removed(removed, latent)`` of the coder;
        ``score(representation, head)`` of the network before, ``chance(head)``, ``metric(head)``.
        Representations: ``latents``, ``raw dims``, ``pca`` (all chosen alike), ``random latents`` (as many
        as of the coder, among those that are ever active; the mean of the draws), ``shuffled labels``
        (latents that differ with labels permuted within sessions, or over them; as many at most),
        ``untrained network``.

    Raises:
        BadInput: fewer than two variables, unknown names, no such site, or no trials.
    """
    heads = asked_heads(model, heads, what="an ablation matrix")
    for one in ablations:
        if one not in ABLATIONS:
            raise unknown(one, ABLATIONS, what="ablation")
    bench = Bench(model, list(sessions), at, heads)
    rng = np.random.default_rng(seed)
    channels = channels_of(coder)
    made: dict[str, _Row] = {}

    def measured(
        one: SiteChannels, chosen: Sequence[Sequence[int]], on: Bench = bench, draws: int = n_draws
    ) -> np.ndarray:
        return np.stack([
            [on.dropped(one, latents, ablation, seed=seed, n_draws=draws) for latents in chosen]
            for ablation in ablations
        ])  # fmt: skip

    for one in (channels, raw_dims(), components_of(bench.train.activity)):
        chosen = bench.chosen(one, counts=counts, seed=seed)
        made[one.name] = _Row(measured(one, chosen), chosen)
    chosen = made[channels.name].chosen
    alive = bench.alive(channels)
    draws = [
        [rng.choice(alive, min(len(one), len(alive)), replace=False).tolist() for one in chosen]
        for _ in range(n_draws)
    ]
    made[RANDOM] = _Row(_mean_of([measured(channels, draw, draws=1) for draw in draws]), chosen)
    draws = [
        bench.for_shuffled(channels, [len(one) for one in chosen], rng) for _ in range(n_draws)
    ]
    made[SHUFFLED] = _Row(_mean_of([measured(channels, draw, draws=1) for draw in draws]), chosen)
    score = {name: bench.score for name in made}
    if untrained is not None:
        raw, own = untrained
        other = Bench(raw, list(sessions), at, heads)
        chosen = other.chosen(channels_of(own), counts=counts, seed=seed)
        made[UNTRAINED] = _Row(measured(channels_of(own), chosen, other), chosen)
        score[UNTRAINED] = other.score
    return _dataset(bench, made, score, channels, ablations, at, seed)


@dataclass(frozen=True)
class _Row:
    drop: np.ndarray
    """(ablation, removed, head)."""
    chosen: Sequence[Sequence[int]]


def _mean_of(drawn: Sequence[np.ndarray]) -> np.ndarray:
    return np.mean(np.stack(list(drawn)), axis=0)


def _dataset(
    bench: Bench,
    made: dict[str, _Row],
    score: dict[str, np.ndarray],
    channels: SiteChannels,
    ablations: Sequence[str],
    at: str,
    seed: int,
) -> xr.Dataset:
    drop = np.stack([one.drop for one in made.values()])
    three = (names.REPRESENTATION, names.ABLATION, names.REMOVED)
    n_latents = bench.n_channels(channels)
    taken = np.zeros((len(bench.heads), n_latents), dtype=bool)
    for number, chosen in enumerate(made[channels.name].chosen):
        taken[number, list(chosen)] = True
    heads = np.array(bench.heads, dtype=object)
    base = bench.base
    return xr.Dataset(
        {
            "normalised_drop": ((*three, names.HEAD), drop),
            "selectivity_index": (three, selectivity_index(drop)),
            "n_removed": (
                (names.REPRESENTATION, names.REMOVED),
                [[len(one) for one in row.chosen] for row in made.values()],
            ),
            "latents_removed": ((names.REMOVED, names.LATENT), taken),
            "score": ((names.REPRESENTATION, names.HEAD), np.stack([score[name] for name in made])),
            "chance": (names.HEAD, [base[name].chance for name in bench.heads]),
            "metric": (names.HEAD, np.array([base[name].metric for name in bench.heads], object)),
        },
        coords={
            names.REPRESENTATION: np.array(list(made), dtype=object),
            names.ABLATION: np.array(list(ablations), dtype=object),
            names.REMOVED: heads,
            names.HEAD: heads,
            names.LATENT: np.arange(n_latents),
        },
        attrs={
            names.SCHEMA: names.ABLATION_MATRIX, "site": at, "part": "test", "seed": seed,
            "version": own_version(),
        },
    )  # fmt: skip

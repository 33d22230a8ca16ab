"""Which latents come back when training starts from other weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.optimize import linear_sum_assignment

from nwbsparse import names
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.binning.split import part
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config
from nwbsparse.progress import Progress, silent
from nwbsparse.training.consensus import ALIKE, CUT, unit_columns
from nwbsparse.training.consensus import SHARE as KEPT
from nwbsparse.training.engine import TrainingDiverged
from nwbsparse.training.fit import fit, fit_many
from nwbsparse.training.learn import choose_open, is_consensus, said_of_choice
from nwbsparse.training.phases import Phases
from nwbsparse.training.start import untrained

SAME = 0.7
"""Correlation of activations from which on two latents count as the same."""
SHARE = 0.8
"""Share of the other seeds in which a stable latent must be found again."""
CHANCE = 0.99
"""Quantile of the matches between untrained coders that a match must exceed."""
METHOD = (
    "dictionaries of coders that differ in their seed alone, matched one to one by cosine (Hungarian "
    f"method); a latent is found again where the cosine exceeds {CHANCE:.0%} of the matches between "
    f"untrained coders and the activations correlate by {SAME:g} or more on test bins"
)


CONSENSUS_METHOD = (
    f"rows of all seeds clustered by cosine (average linkage, {CUT:g}), clusters of {KEPT:.0%} of "
    "the seeds kept and refitted; a latent is found again where another consensus, of other seeds, "
    f"has a row of cosine {CUT:g} whose activations correlate by {ALIKE:g} or more on held-out bins"
)


@dataclass(frozen=True)
class Seeds:
    """One recipe trained from several initial weights."""

    coders: list[SparseCoder]
    stability: xr.Dataset
    """How each latent of the first coder comes back in the others."""


@renamed(data="binned")
def fit_seeds(
    binned: xr.Dataset,
    config: Config,
    *,
    progress: Progress = silent,
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> Seeds:
    """Train coders of ``config.seeds`` seeds, and say which latents come back.

    By default what comes back is the coder that :func:`nwbsparse.fit` gives, a consensus of all
    seeds; with ``replicates=0`` the coders differ in their seed alone, are trained as one stack, and
    the latents of the first are matched with the others'.

    Args:
        data, config, progress: as of :func:`nwbsparse.fit`.
        checkpoint, resume: likewise; a stack of seeds without consensus is not saved on the way.

    Raises:
        TrainingDiverged: one of them did.
        BadInput: fewer than two seeds, or as :func:`nwbsparse.fit`.
    """
    if is_consensus(config):
        coder = fit(binned, config, progress=progress, checkpoint=checkpoint, resume=resume)
        found = stability_of(coder)
        assert found is not None
        return Seeds([coder], found)
    nowhere = Phases(None, binned, config, resume=False)
    chosen, tried = choose_open(binned, config, None, progress, nowhere)
    seeds = range(config.seed, config.seed + config.seeds)
    made = fit_many(binned, [chosen.replace(seed=seed) for seed in seeds], progress=progress)
    coders: list[SparseCoder] = []
    for one in made:
        if isinstance(one, TrainingDiverged):
            raise one
        if tried:
            said = said_of_choice(config, chosen, tried) | {"method": "seeds"}
            one.record = replace(one.record, learned=said)
        coders.append(one)
    return Seeds(coders, stability(coders, binned))


def stability_of(coder: SparseCoder) -> xr.Dataset | None:
    """How the latents of a consensus come back, from its record; None for any other coder.

    Returns:
        Dataset with ``recurrence(latent)`` (share of the seeds that have it), with several
        consensuses ``again(latent)`` (share of the others in which it was found), and
        ``stable(latent)``: found in 80 % of the others, or, of a single consensus, in 80 % of its
        seeds.
    """
    learned = coder.record.learned
    if "recurrence" not in learned:
        return None
    recurrence = np.array(learned["recurrence"], dtype=np.float64)
    variables = {"recurrence": (names.LATENT, recurrence)}
    again = learned.get("again")
    if again is not None:
        variables["again"] = (names.LATENT, np.array(again, dtype=np.float64))
    stable = variables["again" if again is not None else "recurrence"][1] >= SHARE
    options = learned["options"]
    return xr.Dataset(
        variables | {"stable": (names.LATENT, stable)},
        coords={names.LATENT: np.arange(coder.n_latents)},
        attrs={
            "stability_method": CONSENSUS_METHOD,
            names.CODER_ID: coder.id,
            "n_seeds": int(options["seeds"]),
            "n_replicates": int(options["replicates"]),
        },
    )


@renamed(data="binned")
def stability(coders: Sequence[SparseCoder], binned: xr.Dataset) -> xr.Dataset:
    """Find each latent of the first coder again in coders trained from other seeds.

    Dictionaries are matched one to one by cosine (Hungarian method). A fixed limit on the cosine
    would be no evidence, since random dictionaries of few units match well: a match counts when it
    exceeds 99 % of the matches between *untrained* coders of the same shape and the activations
    correlate by 0.7 or more on held-out bins.

    Returns:
        Dataset with ``match(latent, seed)`` (cosine), ``partner(latent, seed)`` (its latent there),
        ``agreement(latent, seed)`` (correlation of activations on test bins; NaN for a latent that
        is never active there), ``recurrence(latent)`` (share of the other seeds in which it was
        found) and ``stable(latent)`` (in 80 % of them or more); ``attrs['chance_match']``, and in words
        ``attrs['stability_method']``.

    Raises:
        BadInput: fewer than two coders, or coders of different shapes or units.
    """
    if len(coders) < 2:
        raise BadInput(f"stability compares several seeds, {len(coders)} is not enough; give 5")
    first = coders[0]
    for other in coders[1:]:
        if other.dictionary.shape != first.dictionary.shape:
            raise BadInput("stability compares coders of one shape, these differ")
    held_out = binned.isel({names.TIME: np.flatnonzero(part(binned, "test"))})
    rows = [coder.dictionary.detach().numpy() for coder in coders]
    active = [unit_columns(dense(encode(coder, held_out))) for coder in coders]
    matches, partners, agreements = [], [], []
    for other, activation in zip(rows[1:], active[1:], strict=True):
        cosine, partner = match_rows(rows[0], other)
        matches.append(cosine)
        partners.append(partner)
        agreements.append((active[0] * activation[:, partner]).sum(axis=0))
    chance = float(np.quantile(_chance_matches(first, binned, len(coders)), CHANCE))
    match, agreement = np.stack(matches, axis=1), np.stack(agreements, axis=1)
    with np.errstate(invalid="ignore"):
        recurrence = ((match > chance) & (agreement >= SAME)).mean(axis=1)
    return xr.Dataset(
        {
            "match": ((names.LATENT, "seed"), match),
            "partner": ((names.LATENT, "seed"), np.stack(partners, axis=1)),
            "agreement": ((names.LATENT, "seed"), agreement),
            "recurrence": (names.LATENT, recurrence),
            "stable": (names.LATENT, recurrence >= SHARE),
        },
        coords={
            names.LATENT: np.arange(first.n_latents),
            "seed": [coder.config.seed for coder in coders[1:]],
        },
        attrs={
            "chance_match": chance,
            "stability_method": METHOD,
            names.CODER_ID: first.id,
            "n_seeds": len(coders),
        },
    )


def match_rows(first: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair the rows of two dictionaries so that the sum of cosines is largest.

    Returns (row,) the cosine of each row of the first with its partner, and (row,) the partner.
    """
    a, b = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        for rows in (first, other)
    )
    cosine = a @ b.T
    row, partner = linear_sum_assignment(-cosine)
    return cosine[row, partner].astype(np.float64), partner


def _chance_matches(coder: SparseCoder, binned: xr.Dataset, n_seeds: int) -> np.ndarray:
    """Matches between untrained coders of the same shape, of as many pairs as were trained."""
    seeds = range(coder.config.seed, coder.config.seed + n_seeds)
    rows = [
        untrained(replace(coder.record, config=coder.config.replace(seed=seed), history=()), binned)
        .dictionary.detach()
        .numpy()
        for seed in seeds
    ]
    return np.concatenate([match_rows(rows[0], other)[0] for other in rows[1:]])

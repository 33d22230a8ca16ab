"""Labels in words: what a latent follows, in a small grammar, with its score and n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Entries, entries_of
from nwbsparse.analysis.behaviour.coding import EVENT, Coded, code_variables
from nwbsparse.analysis.behaviour.conditions import condition_effects
from nwbsparse.analysis.behaviour.design import Ground, make_ground
from nwbsparse.errors import BadInput

GAIN = 1.15
"""A second clause must raise the correlation in both halves of the training bins by this factor."""
SIMPLER = 0.9
"""An open range is said instead of a closed one where it correlates at least this much as well."""
MIN_BINS = 20
"""Held-out bins that must fulfil a label, and that must not."""
LEAST = 0.505
"""AUROC below which a label would say nothing: it rounds to 0.50."""
MOST_ACTIVE = 0.5
"""Share of the bins a clause may hold in: what is true most of the time tells nothing apart."""


@dataclass(frozen=True)
class Clause:
    """One statement about one variable: some of its neighbouring tuning bins, or a category."""

    variable: Coded
    codes: np.ndarray
    """The codes for which it is true."""
    words: str


def labels_in_words(attribution: xr.Dataset, data: xr.Dataset, latents: xr.Dataset) -> xr.Dataset:
    """Say in words what each explained latent follows: "speed > 0.3 m/s while position in [1.2, 1.4] m".

    Only latents whose association was found get a label; the others get ''. The grammar::

        label   = clause [" while " clause] " (AUROC " number ", n = " bins ")"
        clause  = covariate " > " edge [unit] | covariate " < " edge [unit]
                | covariate " in [" edge ", " edge "]" [unit]
                | position " in [" x ", " x "] × [" y ", " y "]" [unit]
                | variable " = " category | event | "no " event

    Edges are those of the tuning bins (angles may pass through ±π: "in [2.6, -2.6]"). The first
    clause is about the latent's tested variable: the range (of a map, the rectangle) whose bins
    correlate best with the activation on training and validation bins, true in at most half of them;
    an open range where it does 90 % as well.
    A second clause about another variable is added when it raises that correlation by 15 % in each
    of two alternating halves of those bins. AUROC (is the latent more active where the label is
    true?) and n (bins where it is true) are of the held-out bins on which all its variables are
    known; they had no part in the choice. Where the AUROC rounds to 0.50 or less, or fewer
    than 20 such bins are true or false, there is nothing to say: ''.

    Args:
        attribution: what :func:`nwbsparse.explain` gave.
        data: the split Binned dataset it was made from.
        latents: the activations it was made from.

    Returns:
        The attribution with ``label(latent)``, ``label_auroc(latent)`` and ``label_bins(latent)``
        (NaN and 0 without a label).

    Raises:
        BadInput: other latents or bins than those of the attribution.
    """
    _check_same(attribution, data, latents)
    ground = make_ground(data, n_draws=1, seed=0)
    entries = entries_of(latents)
    fitting, testing = entries.at(ground.fitting), entries.at(ground.testing)
    variables = {variable.name: variable for variable in code_variables(data)}
    n_latents = attribution.sizes[names.LATENT]
    label = np.full(n_latents, "", dtype=object)
    auroc, n_bins = np.full(n_latents, np.nan), np.zeros(n_latents, dtype=np.int64)
    for latent in np.flatnonzero(attribution["association_status"].values == "found"):
        name = str(attribution["best_variable"].values[latent])
        if name not in variables:
            continue  # a conjunction says it already; its parts are labelled by themselves
        condition = str(attribution["best_condition"].values[latent])
        activity = fitting.dense(np.array([latent]))[0]
        clauses = _clauses(activity, variables, name, condition, ground)
        if not clauses:
            continue
        score, n = _score(testing, int(latent), clauses, ground.testing)
        if np.isfinite(score) and score >= LEAST:
            said = " while ".join(clause.words for clause in clauses)
            label[latent] = f"{said} (AUROC {score:.2f}, n = {n:,})"
            auroc[latent], n_bins[latent] = score, n
    return attribution.assign(
        label=(names.LATENT, label),
        label_auroc=(names.LATENT, auroc),
        label_bins=(names.LATENT, n_bins),
    )


def _check_same(attribution: xr.Dataset, data: xr.Dataset, latents: xr.Dataset) -> None:
    coder, other = (one.attrs.get(names.CODER_ID) for one in (attribution, latents))
    if coder != other or latents.sizes[names.TIME] != data.sizes[names.TIME]:
        raise BadInput(
            "labels need the attribution, the data and the latents of one coder and one recording; "
            f"here they are of coders {str(coder)[:12]} and {str(other)[:12]}, "
            f"{data.sizes[names.TIME]:,} and {latents.sizes[names.TIME]:,} bins"
        )


def _clauses(
    activity: np.ndarray,
    variables: dict[str, Coded],
    name: str,
    condition: str,
    ground: Ground,
) -> list[Clause]:
    """One or two clauses from the fitting bins, of which ``activity`` is."""
    everything = np.ones(len(activity), dtype=bool)
    first_of = variables[name]
    options = _options(first_of)
    if condition:
        options = [one for one in options if first_of.labels[one[0]] == condition]
    first = _best(activity, first_of, options, ground, within=everything)
    if first is None:
        return []
    truth = _true(first, ground.fitting)
    best: tuple[float, Clause] | None = None
    for other in variables.values():
        if other.name == name:
            continue
        known = (first_of.codes[ground.fitting] >= 0) & (other.codes[ground.fitting] >= 0)
        second = _best(activity, other, _options(other), ground, within=truth & known)
        if second is None:
            continue
        both = truth & _true(second, ground.fitting)
        gains = [
            _correlation(activity[half], both[half]) / _correlation(activity[half], truth[half])
            for half in (known & (ground.fold == 0), known & (ground.fold == 1))
        ]
        gain = float(np.min(gains))  # NaN where a half says nothing: no gain
        if gain >= GAIN and (best is None or gain > best[0]):
            best = gain, second
    return [first] if best is None else [first, best[1]]


def _best(
    activity: np.ndarray,
    variable: Coded,
    options: Sequence[np.ndarray],
    ground: Ground,
    *,
    within: np.ndarray,
) -> Clause | None:
    """The option that correlates best with the activity on some of the fitting bins."""
    codes = np.where(within, variable.codes[ground.fitting], -1)
    known = codes >= 0
    n = np.bincount(codes[known], minlength=variable.size).astype(np.float64)
    if not options or not activity[known].any():
        return None
    total = np.bincount(codes[known], weights=activity[known], minlength=variable.size)
    inside = np.zeros((len(options), variable.size))
    for row, option in enumerate(options):
        inside[row, option] = 1.0
    n_in, n_all = inside @ n, n.sum()
    share = n_in / n_all
    with np.errstate(invalid="ignore", divide="ignore"):
        # the correlation with an indicator, up to the spread of the activity
        score = (inside @ total / n_in - total.sum() / n_all) * np.sqrt(share / (1 - share))
    score[(n_in < MIN_BINS) | (share > MOST_ACTIVE)] = -np.inf
    score = np.nan_to_num(score, nan=-np.inf)
    at = int(score.argmax())
    if not np.isfinite(score[at]) or score[at] <= 0:
        return None
    if variable.kind == names.CONTINUOUS:  # "speed > 0.5" rather than "in [0.5, 0.89]"
        open_ended = [one[0] == 0 or one[-1] == variable.size - 1 for one in options]
        simpler = np.where(open_ended, score, -np.inf)
        at = int(simpler.argmax()) if simpler.max() >= SIMPLER * score[at] else at
    return Clause(variable, options[at], _words(variable, options[at]))


def _options(variable: Coded) -> list[np.ndarray]:
    """The sets of codes that a clause may be about."""
    if variable.kind == names.CATEGORICAL:
        return [np.array([code]) for code in range(variable.size)]
    if len(variable.shape) == 1:
        n = variable.size
        runs = [np.arange(a, b + 1) for a, b in combinations_with_replacement(range(n), 2)]
        if variable.kind == names.CIRCULAR:
            runs = [np.arange(a, a + length) % n for a in range(n) for length in range(1, n)]
        return [run for run in runs if len(run) < n]
    grid = np.arange(variable.size).reshape(variable.shape)
    sides = [list(combinations_with_replacement(range(n), 2)) for n in variable.shape]
    boxes = [grid[a : b + 1, c : d + 1].ravel() for a, b in sides[0] for c, d in sides[1]]
    return [box for box in boxes if len(box) < variable.size]


def _words(variable: Coded, codes: np.ndarray) -> str:
    if variable.kind == names.CATEGORICAL:
        category = variable.labels[codes[0]]
        if variable.labels == EVENT:
            return variable.name if category == EVENT[0] else f"no {variable.name}"
        return f"{variable.name} = {category}"
    unit = f" {variable.unit}" if variable.unit else ""
    if len(variable.shape) == 2:
        rows, columns = np.unravel_index(codes, variable.shape)
        spans = [
            f"[{edge[at.min()]:.3g}, {edge[at.max() + 1]:.3g}]"
            for edge, at in zip(variable.edges, (columns, rows), strict=True)
        ]
        return f"{variable.name} in {' × '.join(spans)}{unit}"
    edge, first, last = variable.edges[0], int(codes[0]), int(codes[-1])
    if variable.kind == names.CONTINUOUS and last == variable.size - 1:
        return f"{variable.name} > {edge[first]:.3g}{unit}"
    if variable.kind == names.CONTINUOUS and first == 0:
        return f"{variable.name} < {edge[last + 1]:.3g}{unit}"
    return f"{variable.name} in [{edge[first]:.3g}, {edge[last + 1]:.3g}]{unit}"


def _true(clause: Clause, bins: np.ndarray) -> np.ndarray:
    return np.isin(clause.variable.codes[bins], clause.codes)


def _correlation(activity: np.ndarray, truth: np.ndarray) -> float:
    if not truth.any() or truth.all() or activity.std() == 0:
        return np.nan
    return float(np.corrcoef(activity, truth)[0, 1])


def _score(
    testing: Entries, latent: int, clauses: Sequence[Clause], bins: np.ndarray
) -> tuple[float, int]:
    """AUROC of the latent for the label on held-out bins, and the bins where it is true."""
    known = np.all([clause.variable.codes[bins] >= 0 for clause in clauses], axis=0)
    truth = np.all([_true(clause, bins) for clause in clauses], axis=0) & known
    if truth.sum() < MIN_BINS or (known & ~truth).sum() < MIN_BINS:
        return np.nan, int(truth.sum())
    codes = np.where(known, np.where(truth, 0, 1), -1).astype(np.int32)
    label = Coded("label", names.CATEGORICAL, codes, ("true", "false"), shape=(2,))
    activity = testing.dense(np.array([latent])).T
    found = condition_effects(activity, [label], np.arange(len(codes)))
    return float(found.auroc[0, 0]), int(truth.sum())

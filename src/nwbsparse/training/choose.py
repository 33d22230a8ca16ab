"""Smoothing, number of latents and k, chosen by how well hidden units are told (recipe, 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.options.config import Config
from nwbsparse.options.legality import is_penalised
from nwbsparse.progress import Progress
from nwbsparse.training.bins import windows_of
from nwbsparse.training.hidden_units import LEAST_SHARED, HiddenScore
from nwbsparse.training.hiding import unit_groups
from nwbsparse.training.prepare import new_coders
from nwbsparse.training.scores import folds_of_bins, score
from nwbsparse.training.start import rarely_active
from nwbsparse.training.train import train

UPDATES = 300
"""Of a candidate; 600 rank candidates alike (ρ .95), 100 do not."""
SIGMAS = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Smoothing (s) that is tried, where it is 0 or half a bin and more."""
SIGMA_SIZE = (16, 3)
"""Latents and k with which smoothing is chosen."""
SIZES = (4, 8, 16, 32, 64, 128, 256, 512)
ACTIVE = (1, 2, 3, 5, 8)
PENALTIES = (0.03, 0.1, 0.3)
SEEDS = 2
GOOD = 0.95
"""Share of the best size's score from which a smaller one will do."""
BEYOND = 4
"""Sizes per group of units at the most: patterns may outnumber units."""
GAIN, WITHOUT_GAIN = 0.01, 2
"""Share by which a size must be better to be so, and sizes that were not, after which none is tried."""


@dataclass(frozen=True)
class Candidate:
    """One choice that was tried, and how well hidden units were told on validation bins."""

    smoothing: float
    """s."""
    n_latents: int
    k: int
    penalty_weight: float
    """0 where k says how many latents are active."""
    score: float
    """R² of hidden units, mean over seeds."""
    standard_error: float
    """Over blocks of bins."""
    chosen: bool = False


Tried = Callable[[list[Candidate]], None]


def choose(
    binned: Any,
    config: Config,
    *,
    target: Any = None,
    progress: Progress,
    known: Sequence[Candidate],
    tried: Tried,
) -> tuple[Config, list[Candidate]]:
    """The options with smoothing, n_latents and k settled, and all that was tried for it.

    What the options give is fixed; only the rest is chosen. Candidates are trained on training bins
    and compared on validation bins; test bins have no part in it.

    Args:
        binned: split Binned dataset.
        config: options with ``choose`` other than none.
        target: what is reconstructed, where it is another dataset.
        progress: called after every stack of candidates.
        known: what an earlier run, stopped in between, had tried already.
        tried: called with everything tried so far, after every stack.
    """
    search = _Search(binned, target, config, progress, list(known), tried)
    if config.smoothing is None:
        config = config.replace(smoothing=search.smoothing() if config.choose == "all" else 0.0)
    if not config.levels and (config.n_latents is None or _amount(config) is None):
        config = search.size(config)
    chosen = [
        Candidate(**{**asdict(one), "chosen": search.is_choice(one, config)})
        for one in search.found
    ]
    return config, chosen


class _Search:
    def __init__(
        self,
        binned: Any,
        target: Any,
        config: Config,
        progress: Progress,
        known: list[Candidate],
        tried: Tried,
    ) -> None:
        self.data, self.target, self.config = binned, target, config
        self.progress, self.tried = progress, tried
        self.found: list[Candidate] = []
        self.known = known
        self.group = unit_groups(config.groups, binned)
        train = np.asarray(binned[names.SPLIT].values) == names.TRAIN
        rare = rarely_active(np.asarray(binned[names.COUNTS].values), train)
        self.n_groups = len(np.unique(self.group[~rare]))
        self.folds = folds_of_bins(binned)
        self.steps = 0

    def smoothing(self) -> float:
        """The σ of the best score; of equals the smaller."""
        scores = {}
        n_latents = min(SIGMA_SIZE[0], 2 * self.data.sizes[names.UNIT])
        k = max(1, min(SIGMA_SIZE[1], n_latents // 4))
        for sigma in self._sigmas():
            config = self.config.replace(
                smoothing=sigma, n_latents=n_latents, k=k, levels=(), expansion=None
            )
            scores[sigma] = _order(self._scores([config], seeds=1)[0].score)
        return max(scores, key=lambda sigma: (scores[sigma], -sigma))

    def size(self, config: Config) -> Config:
        """The smallest number of latents whose score is 95 % of the best, then its best k.

        Larger sizes are tried first, from 16 on, then smaller ones while these are good enough.
        Where units share almost nothing (recipe, 10), no size is better than the smallest.
        """
        sizes = self._sizes(config)
        first = next((at for at, one in enumerate(sizes) if one >= SIGMA_SIZE[0]), len(sizes) - 1)
        best: dict[int, tuple[Candidate, Config]] = {}
        near: int | float | None = None
        since = 0
        for n_latents in sizes[first:]:
            before = _highest(best)
            best[n_latents] = self._best_of(config, n_latents, near)
            near = _amount(best[n_latents][1])
            gained = _highest(best) > before * (1 + np.sign(before) * GAIN)
            since = 0 if gained else since + 1
            if since >= WITHOUT_GAIN:
                break
        for n_latents in sizes[:first][::-1]:
            if _order(best[min(best)][0].score) < _good(_highest(best)):
                break
            best[n_latents] = self._best_of(config, n_latents, None)
        if _highest(best) < LEAST_SHARED:
            if sizes[0] not in best:
                best[sizes[0]] = self._best_of(config, sizes[0], None)
            return best[sizes[0]][1]
        edge = _good(_highest(best))
        return next(one for _, (found, one) in sorted(best.items()) if _order(found.score) >= edge)

    def _best_of(
        self, config: Config, n_latents: int, near: int | float | None
    ) -> tuple[Candidate, Config]:
        """The best of one size; its k is near that of the size before, where there was one."""
        amounts = self._amounts(config, n_latents)
        if near in amounts and not is_penalised(config.sparsifier):
            at = amounts.index(near)
            amounts = amounts[max(at - 1, 0) : at + 2]
        tries = [
            config.replace(n_latents=n_latents, **{_knob(config): amount}) for amount in amounts
        ]
        found = self._scores(tries, seeds=SEEDS)
        top = int(np.argmax([_order(one.score) for one in found]))
        return found[top], tries[top]

    def is_choice(self, one: Candidate, config: Config) -> bool:
        """Whether this is what was chosen."""
        return (
            one.smoothing == config.smoothing
            and one.n_latents == config.n_latents
            and _amount(config) in (one.k, one.penalty_weight)
        )

    def _sigmas(self) -> Iterator[float]:
        width = float(self.data.attrs[names.BIN_WIDTH])
        segments = np.asarray(self.data[names.SEGMENT].values)
        longest = float(np.median(np.bincount(segments - segments.min()))) * width / 4
        for sigma in SIGMAS:
            if sigma == 0 or width / 2 <= sigma <= longest:
                yield sigma

    def _sizes(self, config: Config) -> list[int]:
        """Sizes that may be tried, rising: up to four times the groups of units that take part."""
        if config.n_latents is not None:
            return [config.n_latents]
        least = config.k or 1
        most = max(BEYOND * self.n_groups, SIZES[0])
        sizes = [size for size in SIZES if least <= size <= most] or [least]
        return [*sizes, most] if sizes[-1] < most < SIZES[-1] else sizes

    def _amounts(self, config: Config, n_latents: int) -> list[int | float]:
        given = _amount(config)
        if is_penalised(config.sparsifier):
            return list(PENALTIES) if given is None else [given]
        if given is not None:
            return [given]
        return [k for k in ACTIVE if k <= max(n_latents // 4, 1)]

    def _scores(self, configs: list[Config], *, seeds: int) -> list[Candidate]:
        """Train and score some choices of one shape; what was tried before is looked up."""
        wanted = [_key(self._named(one, 0.0, 0.0)) for one in configs]
        # in the order in which they were tried: smoothing and size may try one choice each
        made = self.known[len(self.found) : len(self.found) + len(configs)]
        if [_key(one) for one in made] != wanted:
            made = self._trained(configs, seeds)
        self.found += made
        self.steps += 1
        self.tried(self.found)
        self.progress("choose", self.steps, self.steps + 1, r2=max(one.score for one in made))
        return made

    def _trained(self, configs: list[Config], seeds: int) -> list[Candidate]:
        # over folds, other bins are as good as other seeds
        seeds = 1 if len(self.folds) > 1 else seeds
        wanted = [one.replace(seed=one.seed + at) for one in configs for at in range(seeds)]
        scores: list[list[HiddenScore]] = [[] for _ in configs]
        for data in self.folds:
            coders = new_coders(data, wanted, self.target, updates=UPDATES)
            windows = windows_of(coders[0].record, data, target=self.target)
            trained = train(coders, data, self.target, windows=windows, checks=1)
            for at, one in enumerate(score(trained, windows, windows.validation, self.group)):
                scores[at // seeds] += [] if one is None else [one]
        return [
            self._named(config, *_mean(some)) for config, some in zip(configs, scores, strict=True)
        ]

    def _named(self, config: Config, mean: float, error: float) -> Candidate:
        penalised = is_penalised(config.sparsifier)
        return Candidate(
            smoothing=config.smoothing or 0.0,
            n_latents=config.n_latents or 0,
            k=0 if penalised else config.k or 0,
            penalty_weight=(config.penalty_weight or 0.0) if penalised else 0.0,
            score=mean,
            standard_error=error,
        )


def _mean(scores: Sequence[HiddenScore]) -> tuple[float, float]:
    """Mean score and standard error; NaN where every seed diverged."""
    if not scores:
        return np.nan, np.nan
    return (
        float(np.mean([one.r2 for one in scores])),
        float(np.mean([one.standard_error for one in scores])),
    )


def _order(score: float) -> float:
    """A score as it is compared: what has none is worse than anything."""
    return score if np.isfinite(score) else -np.inf


def _highest(best: Mapping[int, tuple[Candidate, Config]]) -> float:
    """The best score of some sizes."""
    return max((_order(one.score) for one, _ in best.values()), default=-np.inf)


def _good(highest: float) -> float:
    """The score from which a size will do."""
    return GOOD * highest if highest > 0 else highest


def _knob(config: Config) -> str:
    """The option that says how sparse a coder is."""
    return "penalty_weight" if is_penalised(config.sparsifier) else "k"


def _amount(config: Config) -> int | float | None:
    return getattr(config, _knob(config))


def _key(one: Candidate) -> tuple[int | float, ...]:
    return one.smoothing, one.n_latents, one.k, one.penalty_weight

"""A decoder with its trials, on which channels of a site are taken away and what is left is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.analysis.network.groups import Groups, groups_of, is_constant
from nwbsparse.analysis.network.label_permutations import permutation_p
from nwbsparse.analysis.network.latent_choice import choose
from nwbsparse.analysis.network.selective import Eta2, eta2_of, grouped, per_trial, ranked
from nwbsparse.analysis.network.shuffled_labels import shuffled
from nwbsparse.analysis.network.site_channels import SiteChannels
from nwbsparse.analysis.network.site_scores import SiteScore, drops, site_scores
from nwbsparse.analysis.network.site_trials import SiteTrials, captured
from nwbsparse.errors import BadInput, unknown
from nwbsparse.splice.ablations import mean_of, only, resample_of, zero
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.head_scores import answers
from nwbsparse.splice.replace import Change
from nwbsparse.splice.transformer import PopulationTransformer

RESAMPLE, MEAN, ZERO = "resample", "mean", "zero"
ABLATIONS = (RESAMPLE, MEAN, ZERO)
ALPHA, PERMUTATIONS = 0.01, 199
LEAST_ABOVE_CHANCE = 0.05
"""What a head must be above chance before a share of it can be lost."""


@dataclass(frozen=True)
class Bench:
    """What is measured again and again: the decoder, its trials, and what it answers undisturbed."""

    model: PopulationTransformer
    sessions: Sequence[SessionTrials]
    at: str
    heads: list[str]

    @cached_property
    def train(self) -> SiteTrials:
        """The site in training trials."""
        return captured(self.model, self.sessions, at=self.at, part=names.TRAIN)

    @cached_property
    def groups(self) -> dict[str, Groups]:
        """The values of each variable as groups."""
        return {
            name: groups_of(self.model.heads[name], self.train.target(name)) for name in self.heads
        }

    @cached_property
    def codes(self) -> dict[str, np.ndarray]:
        """The group of every training trial, per variable."""
        return grouped(self.groups, self.train)

    @cached_property
    def _base(self) -> dict[int, dict[str, SiteScore]]:
        return {part: self._scores(part) for part in (names.VALIDATION, names.TEST)}

    @property
    def base(self) -> dict[str, SiteScore]:
        """Scores of the intact network on test trials."""
        return self._base[names.TEST]

    @cached_property
    def constant(self) -> dict[str, bool]:
        """Whether a variable is one and the same in each session."""
        return {name: is_constant(list(self.sessions), name) for name in self.heads}

    @property
    def score(self) -> np.ndarray:
        """(head,) the same as numbers."""
        return np.array([self.base[name].value for name in self.heads])

    def eta2(self, channels: SiteChannels) -> Eta2:
        """η² of every channel for every variable on training trials."""
        return eta2_of(per_trial(channels, self.train), self.codes)

    def n_channels(self, channels: SiteChannels) -> int:
        """How many there are."""
        return int(channels.of(self.train.activity[:1]).shape[-1])

    def alive(self, channels: SiteChannels) -> np.ndarray:
        """The channels that change in training trials."""
        return np.flatnonzero(np.ptp(per_trial(channels, self.train), axis=0) > 0)

    def chosen(
        self, channels: SiteChannels, *, counts: Sequence[int], seed: int
    ) -> list[list[int]]:
        """The channels of each variable: ordered on training trials, their number from validation.

        Taken are only those that differ with the variable more than permuted labels make them differ
        (p < .01): so that with labels that mean nothing nothing is taken.
        """
        eta2, made = self.eta2(channels), []
        activation = per_trial(channels, self.train)
        rng = np.random.default_rng(seed)
        for number, name in enumerate(self.heads):
            differs = self._differs(activation, name, self.codes[name], rng)

            def worth(latents: Sequence[int], number: int = number) -> float:
                lost = self.dropped(
                    channels, latents, RESAMPLE, part=names.VALIDATION, seed=seed, n_draws=1
                )
                return float(_index_of(lost, number))

            made.append(choose(eta2, number, worth, among=differs, counts=counts).tolist())
        return made

    def for_shuffled(
        self, channels: SiteChannels, counts: Sequence[int], rng: np.random.Generator
    ) -> list[list[int]]:
        """The channels that would be taken for labels that were permuted."""
        activation = per_trial(channels, self.train)
        session = self.train.session.numpy()
        made = []
        for number, name in enumerate(self.heads):
            over = self.constant[name]
            drawn = shuffled(self.codes[name], session, over=over, rng=rng)
            differs = self._differs(activation, name, drawn, rng)
            order = ranked(eta2_of(activation, self.codes | {name: drawn}), number)
            made.append(order[differs[order]][: counts[number]].tolist())
        return made

    def _differs(
        self, activation: np.ndarray, head: str, group: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """(channel,) whether it differs between groups of training trials, p < .01."""
        session = self.train.session.numpy()
        tested = permutation_p(
            activation, group, session, constant=self.constant[head], n=PERMUTATIONS, rng=rng
        )
        return tested.p < ALPHA

    def dropped(
        self,
        channels: SiteChannels,
        latents: Sequence[int],
        ablation: str,
        *,
        seed: int,
        part: int = names.TEST,
        n_draws: int = 1,
    ) -> np.ndarray:
        """(head,) share of each variable that is lost without these channels."""
        code = channels.of(self.train.activity)
        n = n_draws if ablation == RESAMPLE else 1
        lost = []
        for draw in range(n):
            change = only(latents, _change(ablation, code, seed * 1000 + draw))
            with channels.edited(self.model, self.at, change):
                without = self._scores(part)
            gone = drops(self._base[part], without, margin=LEAST_ABOVE_CHANCE)
            lost.append([gone[name] for name in self.heads])
        return np.mean(lost, axis=0)

    @torch.no_grad()
    def _scores(self, part: int) -> dict[str, SiteScore]:
        return site_scores(
            self.model, answers(self.model, self.sessions, part=part, heads=self.heads)
        )


def asked_heads(
    model: PopulationTransformer, heads: Sequence[str] | None, *, what: str
) -> list[str]:
    """The variables that are asked for; all when left open.

    Raises:
        BadInput: one that the decoder does not have, or fewer than two.
    """
    asked = list(model.heads) if heads is None else list(dict.fromkeys(heads))
    for name in asked:
        if name not in model.heads:
            raise unknown(name, model.heads, what="head", of="the decoder")
    if len(asked) < 2:
        raise BadInput(
            f"{what} needs two variables or more, here: {', '.join(asked)}. That others stay is half of "
            "what is measured"
        )
    return asked


def selectivity_index(drop: np.ndarray) -> np.ndarray:
    """(…, removed): own drop minus the largest of another variable.

    Args:
        drop: (…, removed, head), variables in the same order.
    """
    return np.stack([_index_of(drop[..., at, :], at) for at in range(drop.shape[-1])], axis=-1)


def _index_of(drop: np.ndarray, own: int) -> np.ndarray:
    return np.asarray(drop[..., own] - np.delete(drop, own, axis=-1).max(axis=-1))


def _change(ablation: str, code: Tensor, seed: int) -> Change:
    if ablation == RESAMPLE:
        return resample_of(code, seed=seed)
    return mean_of(code) if ablation == MEAN else zero

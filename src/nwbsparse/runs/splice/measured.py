"""Everything that is measured of a decoder and a coder at one of its sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr

from nwbsparse.analysis.network.ablation_matrix import ablation_matrix
from nwbsparse.analysis.network.probing import site_probing
from nwbsparse.analysis.network.site_dataset import site_dataset
from nwbsparse.analysis.network.site_selectivity import site_selectivity
from nwbsparse.analysis.network.splice_report import splice_report
from nwbsparse.analysis.network.steering import steering
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.splice import SpliceOptions
from nwbsparse.runs.outputs import Notify
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.transformer import PopulationTransformer


@dataclass(frozen=True)
class Measured:
    """A decoder with a coder at its site, and what was found of the two."""

    name: str
    """``frozen``: the coder was trained on the decoder as it was; ``together``: both went on together."""
    model: PopulationTransformer
    coder: SparseCoder
    site_data: xr.Dataset
    """The site's activity, as bins of a joined dataset."""
    report: xr.Dataset
    selectivity: xr.Dataset
    ablation: xr.Dataset
    probing: xr.Dataset
    steering: xr.Dataset
    untrained_selectivity: xr.Dataset | None = None
    """Of the same layer of a network that learned nothing, and a coder fitted to that."""

    @property
    def tables(self) -> dict[str, xr.Dataset]:
        """What was found, by the names of the files it is kept in."""
        beside = self.untrained_selectivity
        return {
            "splice_report": self.report,
            "site_selectivity": self.selectivity,
            "ablation_matrix": self.ablation,
            "site_probing": self.probing,
            "steering": self.steering,
            **({} if beside is None else {"untrained_selectivity": beside}),
        }


def measured(
    name: str,
    model: PopulationTransformer,
    coder: SparseCoder,
    trials: Sequence[xr.Dataset],
    sessions: Sequence[SessionTrials],
    options: SpliceOptions,
    *,
    untrained: tuple[PopulationTransformer, SparseCoder] | None = None,
    untrained_selectivity: xr.Dataset | None = None,
    notify: Notify = lambda _: None,
) -> Measured:
    """Measure a coder at the site of a decoder, on test trials.

    Args:
        name: what the pair is called.
        model, coder: the pair.
        trials, sessions: the trials, as datasets and as tensors.
        options: which site, how many permutations and draws.
        untrained: a decoder that learned nothing, with a coder of its site.
        untrained_selectivity: what latents of that one differ with.
        notify: called with a line of text at every step.
    """
    at, seed = options.at, options.seed
    site_data = site_dataset(model, trials, sessions, at=at)
    notify(f"{name}: fidelity")
    report = splice_report(model, sessions, coder, site_data, at=at)
    notify(f"{name}: selectivity")
    selectivity = site_selectivity(
        model, sessions, coder, at=at, n_permutations=options.n_permutations, seed=seed
    )
    notify(f"{name}: ablation")
    ablation = ablation_matrix(
        model, sessions, coder, at=at, untrained=untrained, n_draws=options.n_draws, seed=seed
    )
    notify(f"{name}: probing and steering")
    return Measured(
        name,
        model,
        coder,
        site_data,
        report,
        selectivity,
        ablation,
        site_probing(model, sessions, coder, at=at, seed=seed),
        steering(model, sessions, coder, at=at, seed=seed),
        untrained_selectivity,
    )

"""Which bins CEBRA may draw, and which pairs of them: whole windows and pairs inside one stretch only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int

from nwbsparse.embedding.cebra_nearest import Nearest
from nwbsparse.embedding.cebra_package import package
from nwbsparse.embedding.rows import Rows
from nwbsparse.embedding.supervision import Covariates
from nwbsparse.errors import BadInput


def dataset_of(
    rows: Rows, covariates: Covariates, field: tuple[int, int], settings: Mapping[str, Any]
) -> Any:
    """The bins that CEBRA may draw, by their numbers among themselves, and the windows around them."""
    import torch

    cebra = package()
    whole = rows.learned & rows.whole(*field)
    if covariates.known is not None:
        whole &= covariates.known
    centres = np.flatnonzero(whole)
    offset = int(settings["time_offsets"])
    if len(centres) <= max(sum(field), offset):
        with_behaviour = " with known behaviour" if covariates.kinds else ""
        raise BadInput(
            f"only {len(centres):,} training bins{with_behaviour} have a whole window of {sum(field)} bins "
            "around them; CEBRA cannot learn from so few. Use wider parts (--blocks), or a smaller "
            "model_architecture (offset1-model sees one bin)"
        )
    continuous = covariates.continuous
    if continuous is not None:
        continuous = continuous[centres]
        if settings["standardise"]:
            spread = continuous.std(axis=0)
            continuous = (continuous - continuous.mean(axis=0)) / np.where(spread > 0, spread, 1)
    discrete = None if covariates.discrete is None else covariates.discrete[centres]
    if discrete is not None:  # CEBRA counts classes from 0 to the largest
        discrete = np.unique(discrete, return_inverse=True)[1].reshape(-1).astype(np.int64)

    class Bins(cebra.data.TensorDataset):
        """Windows around the bins that may be drawn."""

        def __getitem__(self, index: Any) -> Any:
            seen = torch.from_numpy(centres)[index][:, None] + reach[None, :]
            return table[seen].transpose(2, 1)

        def time_first(self, index: Any) -> Any:
            """(window, sample, unit): the same windows, bin by bin."""
            return table[torch.from_numpy(centres)[index][None, :] + reach[:, None]]

        @property
        def continuous_index(self) -> Any:
            return self.continuous

        @property
        def discrete_index(self) -> Any:
            return self.discrete

    table = torch.from_numpy(rows.table)
    reach = torch.arange(-field[0], field[1])
    made = Bins(
        rows.table[centres],
        continuous=np.zeros((len(centres), 1), np.float32)
        if continuous is None and discrete is None
        else None
        if continuous is None
        else continuous.astype(np.float32),
        discrete=discrete,
    )
    made.by_time = continuous is None and discrete is None
    made.pairs = _pairs(centres, rows.stretch, offset)
    return made


def _pairs(
    centres: Int[np.ndarray, " bin"], stretch: Int[np.ndarray, " time"], offset: int
) -> Int[np.ndarray, "pair two"]:
    """Numbers of two bins that can be drawn and lie ``offset`` bins apart in one stretch.

    Raises:
        BadInput: there are none.
    """
    later = np.searchsorted(centres, centres + offset)
    there = later < len(centres)
    first = np.flatnonzero(there)
    later = later[there]
    apart = centres[later] == centres[first] + offset
    alike = stretch[centres[later]] == stretch[centres[first]]
    found = np.column_stack([first, later])[apart & alike]
    if not len(found):
        raise BadInput(
            f"no two training bins of one stretch lie time_offsets={offset} bins apart with whole windows"
        )
    return found


def loader_of(datasets: list[Any], settings: Mapping[str, Any]) -> tuple[Any, str]:
    """What draws the batches, and the name of CEBRA's solver that goes with it."""
    data = package().data
    common = {
        "num_steps": int(settings["max_iterations"]),
        "batch_size": int(settings["batch_size"]),
    }
    offset, conditional = int(settings["time_offsets"]), str(settings["conditional"])
    first = datasets[0]
    if len(datasets) > 1:
        together = data.DatasetCollection(*datasets)
        if first.discrete is not None:
            return data.DiscreteMultiSessionDataLoader(dataset=together, **common), "multi-session"
        loader = data.ContinuousMultiSessionDataLoader(
            dataset=together, time_offset=offset, **common
        )
        loader.sampler.time_difference = np.concatenate([_changes(one).numpy() for one in datasets])
        return loader, "multi-session"
    common["dataset"] = first
    if first.by_time:
        loader = data.ContinuousDataLoader(conditional="time", time_offset=offset, **common)
        loader.distribution = _by_time(first.pairs)
        return loader, "single-session"
    if first.discrete is not None and first.continuous is None:
        return data.DiscreteDataLoader(**common), "single-session"
    if first.discrete is not None:
        loader = data.MixedDataLoader(time_offset=offset, **common)
        loader.distribution.time_difference = _changes(first)
        loader.distribution.index = Nearest(first.continuous, first.discrete)
        return loader, "single-session"
    kind = data.HybridDataLoader if settings["hybrid"] else data.ContinuousDataLoader
    loader = kind(
        conditional=conditional, time_offset=offset, delta=float(settings["delta"]), **common
    )
    behaviour = loader.behavior_distribution if settings["hybrid"] else loader.distribution
    if hasattr(behaviour, "time_difference"):
        behaviour.time_difference = _changes(first)
    if hasattr(behaviour, "index"):
        behaviour.index = Nearest(first.continuous)
    if settings["hybrid"]:
        loader.time_distribution = _by_time(first.pairs)
        return loader, "single-session-hybrid"
    if conditional == "time":
        loader.distribution = _by_time(first.pairs)
    return loader, "single-session"


def seed_samplers(loader: Any, seed: int) -> None:
    """Seed every generator that a loader draws from: CEBRA starts them from the clock."""
    found, seen = [loader], set()
    while found:
        one = found.pop()
        if isinstance(one, list):
            found += one
        elif id(one) not in seen and type(one).__module__.startswith(("cebra.", __name__)):
            seen.add(id(one))
            if hasattr(type(one), "generator"):
                one.generator.manual_seed(seed)
            found += list(getattr(one, "__dict__", {}).values())


def _changes(dataset: Any) -> Any:
    """How continuous covariates change over the time offset, of pairs inside stretches only."""
    first, later = dataset.pairs.T
    return dataset.continuous[later] - dataset.continuous[first]


def _by_time(pairs: Int[np.ndarray, "pair two"]) -> Any:
    """CEBRA's time-contrastive sampling, of pairs inside stretches only."""
    import torch

    base = package().distributions.TimeContrastive
    firsts, later = (torch.from_numpy(np.ascontiguousarray(one)) for one in pairs.T)

    class WithinStretches(base):
        def sample_prior(self, num_samples: int, offset: Any = None) -> Any:  # noqa: ARG002
            return firsts[self.randint(0, len(firsts), (num_samples,))]

        def sample_conditional(self, reference_idx: Any) -> Any:
            return later[torch.searchsorted(firsts, reference_idx)]

    return WithinStretches(num_samples=len(firsts) + 1, time_offset=1)

"""CEBRA (Schneider, Lee & Mathis 2023): a network that puts moments alike in time or behaviour close.

Networks, losses, samplers and the solver are those of the package ``cebra``; what is ours is which bins
it sees: only training bins, only windows that lie inside a stretch, and only pairs of one stretch. The
fitted network is kept as numbers and the name of its architecture. CEBRA's own files are pickles and are
never read. CEBRA is patented (US 20240412853); who uses it commercially needs a licence of EPFL.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from nwbsparse.embedding.covariates import Covariates
from nwbsparse.embedding.embedder import Embedder
from nwbsparse.embedding.rows import Rows
from nwbsparse.errors import BadInput, EnvironmentProblem, unknown

SETTINGS: dict[str, Any] = {
    "model_architecture": "offset10-model",
    "num_hidden_units": 64,
    "max_iterations": 2_000,
    "batch_size": 256,
    "learning_rate": 1e-3,
    "time_offsets": 5,
    "temperature": 0.1,
    "temperature_mode": "constant",
    "min_temperature": 0.1,
    "distance": "cosine",
    "conditional": "time_delta",
    "delta": 0.1,
    "hybrid": False,
    "standardise": True,
    "align": "centre",
}
"""What CEBRA is trained with unless something else is asked for: as Naik (2025) did, and in CEBRA's words.

Two are ours: with ``standardise`` continuous covariates are z-scored before distances between them are
taken; ``align="last"`` lets the window of a bin end at it, so that nothing later is seen."""
ALIGNMENTS = ("centre", "last")
_PIECE = 4096  # windows that go through the network at once


def package() -> Any:
    """The package ``cebra``.

    Raises:
        EnvironmentProblem: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import cebra
            import cebra.data
            import cebra.distributions
            import cebra.models
            import cebra.solver
    except ImportError as error:
        raise EnvironmentProblem(
            f"embedding by CEBRA needs the package cebra ({error}): pip install 'nwbsparse[embed]'"
        ) from None
    return cebra


def settings_of(_method: str) -> dict[str, Any]:
    """The settings of CEBRA with their defaults."""
    return dict(SETTINGS)


def receptive_field(settings: Mapping[str, Any]) -> tuple[int, int]:
    """Bins before its own that the network sees, and bins from its own on.

    Raises:
        BadInput: CEBRA has no such architecture.
    """
    offset = network(settings, n_units=1, dims=1).get_offset()
    before, after = int(offset.left), int(offset.right)
    if settings["align"] not in ALIGNMENTS:
        raise unknown(settings["align"], ALIGNMENTS, what="alignment")
    return (before, after) if settings["align"] == "centre" else (before + after - 1, 1)


def network(settings: Mapping[str, Any], *, n_units: int, dims: int) -> Any:
    """An untrained network of an architecture.

    Raises:
        BadInput: CEBRA has no such architecture.
    """
    cebra, name = package(), str(settings["model_architecture"])
    if name not in cebra.models.get_options():
        raise unknown(name, cebra.models.get_options(), what="architecture of CEBRA")
    return cebra.models.init(
        name, num_neurons=n_units, num_units=int(settings["num_hidden_units"]), num_output=dims
    )


def fit(
    _method: str,
    rows: Rows,
    dims: int,
    settings: Mapping[str, Any],
    seed: int,
    covariates: Covariates,
) -> Embedder:
    """Train CEBRA on one recording: by time alone, or by behaviour where covariates are named.

    Raises:
        BadInput: fewer whole windows than a batch can be drawn from, or settings that exclude each other.
        EnvironmentProblem: cebra is not installed.
    """
    return fit_sessions([rows], dims, settings, seed, [covariates])[0]


def fit_sessions(
    sessions: list[Rows],
    dims: int,
    settings: Mapping[str, Any],
    seed: int,
    covariates: list[Covariates],
) -> list[Embedder]:
    """Train CEBRA on one recording, or on several at once: a network each, one space for all.

    Of several, CEBRA's multi-session solver pairs moments of different recordings by their behaviour,
    so covariates are needed.

    Raises:
        BadInput, EnvironmentProblem: as :func:`fit`; several without covariates, or with covariates
            that its multi-session solver does not take together.
    """
    import torch

    cebra = package()
    _check(settings, covariates, several=len(sessions) > 1)
    field = receptive_field(settings)
    datasets = [
        _dataset(one, behaviour, field, settings)
        for one, behaviour in zip(sessions, covariates, strict=True)
    ]
    with _seeded(seed):
        loader, solver = _loader(datasets, settings)
        networks = [network(settings, n_units=one.table.shape[1], dims=dims) for one in sessions]
        model = networks[0] if len(networks) == 1 else torch.nn.ModuleList(networks)
        loader.dataset.configure_for(model)
        criterion = _criterion(settings)
        parameters = [*model.parameters(), *criterion.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=float(settings["learning_rate"]))
        fitted = cebra.solver.init(
            solver, model=model, criterion=criterion, optimizer=optimiser, tqdm_on=False
        )
        fitted.fit(loader=loader)
    kept = dict(settings)
    return [
        Embedder("cebra", kept | {"kinds": behaviour.kinds, "dims": dims}, _arrays(one), field)
        for one, behaviour in zip(networks, covariates, strict=True)
    ]


def transform(embedder: Embedder, rows: Rows) -> Float[np.ndarray, "time dim"]:
    """The embedding of every bin, float32; at the edge of a stretch its first or last bin stands in."""
    import torch

    trained = restored(embedder, n_units=rows.table.shape[1])
    windows = rows.windows(*embedder.receptive_field)
    out = []
    with torch.no_grad():
        for first in range(0, len(windows), _PIECE):
            seen = rows.table[windows[first : first + _PIECE]]  # (bin, window, unit)
            made = trained(torch.from_numpy(np.ascontiguousarray(seen.transpose(0, 2, 1))))
            out.append(made.reshape(len(seen), -1).numpy())
    return np.concatenate(out).astype(np.float32)


def restored(embedder: Embedder, *, n_units: int) -> Any:
    """The trained network of an embedder, in evaluation mode.

    Raises:
        EnvironmentProblem: cebra is not installed.
    """
    import torch

    trained = network(embedder.settings, n_units=n_units, dims=int(embedder.settings["dims"]))
    trained.load_state_dict({name: torch.from_numpy(one) for name, one in embedder.arrays.items()})
    return trained.eval()


def _arrays(model: Any) -> dict[str, np.ndarray]:
    return {name: one.detach().cpu().numpy() for name, one in model.state_dict().items()}


def _check(settings: Mapping[str, Any], covariates: list[Covariates], *, several: bool) -> None:
    continuous = any(one.continuous is not None for one in covariates)
    discrete = any(one.discrete is not None for one in covariates)
    if settings["hybrid"] and (discrete or not continuous):
        raise BadInput("hybrid=true trains by time and behaviour: name continuous covariates alone")
    if several and continuous == discrete:
        have = "both kinds are named" if continuous else "none is named"
        raise BadInput(
            "several recordings are put into one space by their behaviour: name continuous covariates, "
            f"or conditions, that all of them have ({have})"
        )
    if several and settings["hybrid"]:
        raise BadInput("hybrid=true is for one recording: CEBRA has no such sampler of several")


def _dataset(
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


def _loader(datasets: list[Any], settings: Mapping[str, Any]) -> tuple[Any, str]:
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
        return loader, "single-session"
    kind = data.HybridDataLoader if settings["hybrid"] else data.ContinuousDataLoader
    loader = kind(
        conditional=conditional, time_offset=offset, delta=float(settings["delta"]), **common
    )
    behaviour = loader.behavior_distribution if settings["hybrid"] else loader.distribution
    if hasattr(behaviour, "time_difference"):
        behaviour.time_difference = _changes(first)
    if settings["hybrid"]:
        loader.time_distribution = _by_time(first.pairs)
        return loader, "single-session-hybrid"
    if conditional == "time":
        loader.distribution = _by_time(first.pairs)
    return loader, "single-session"


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


def _criterion(settings: Mapping[str, Any]) -> Any:
    models, temperature = package().models, float(settings["temperature"])
    names_ = {
        ("constant", "cosine"): "FixedCosineInfoNCE",
        ("constant", "euclidean"): "FixedEuclideanInfoNCE",
        ("auto", "cosine"): "LearnableCosineInfoNCE",
        ("auto", "euclidean"): "LearnableEuclideanInfoNCE",
    }
    wanted = str(settings["temperature_mode"]), str(settings["distance"])
    if wanted not in names_:
        raise BadInput(
            f"temperature_mode={wanted[0]}, distance={wanted[1]}: CEBRA knows constant and auto, "
            "cosine and euclidean"
        )
    if wanted[0] == "auto":
        return getattr(models, names_[wanted])(
            temperature=temperature, min_temperature=float(settings["min_temperature"])
        )
    return getattr(models, names_[wanted])(temperature=temperature)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """CEBRA draws from the global generators of torch and numpy: seeded here, and put back after."""
    import torch

    held = np.random.get_state()  # noqa: NPY002  # what CEBRA's samplers of several sessions draw from
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(held)  # noqa: NPY002

"""CEBRA (Schneider, Lee & Mathis 2023): a network that puts moments alike in time or behaviour close.

Networks, losses and samplers are those of the package ``cebra``; what is ours is which bins it sees
(only training bins, only windows that lie inside a stretch, and only pairs of one stretch), and how an
update is computed where that is quicker (:mod:`nwbsparse.embedding.cebra_training`). The fitted network
is kept as numbers and the name of its architecture. CEBRA's own files are pickles and are never read.
CEBRA is patented (US 20240412853); who uses it commercially needs a licence of EPFL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from nwbsparse.embedding.cebra_package import package, seeded
from nwbsparse.embedding.cebra_sampling import dataset_of, loader_of, seed_samplers
from nwbsparse.embedding.cebra_training import train
from nwbsparse.embedding.embedder import Embedder
from nwbsparse.embedding.rows import Rows
from nwbsparse.embedding.supervision import Covariates
from nwbsparse.errors import BadInput, unknown

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

    _check(settings, covariates, several=len(sessions) > 1)
    field = receptive_field(settings)
    datasets = [
        dataset_of(one, behaviour, field, settings)
        for one, behaviour in zip(sessions, covariates, strict=True)
    ]
    with seeded(seed):
        loader, solver = loader_of(datasets, settings)
        seed_samplers(loader, seed)
        networks = [network(settings, n_units=one.table.shape[1], dims=dims) for one in sessions]
        model = networks[0] if len(networks) == 1 else torch.nn.ModuleList(networks)
        loader.dataset.configure_for(model)
        train(
            model,
            _criterion(settings),
            loader,
            solver,
            learning_rate=float(settings["learning_rate"]),
        )
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

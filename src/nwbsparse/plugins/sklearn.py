"""A sparse coder as a scikit-learn transformer, for pipelines and grid searches."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from nwbsparse import names
from nwbsparse.errors import raise_together
from nwbsparse.models.coder import as_tensor
from nwbsparse.options.config import Config, from_dict
from nwbsparse.options.presets import preset
from nwbsparse.training.fit import fit

CHUNK = 8192
DTYPES = (np.float64, np.float32, np.uint8, np.uint16, np.int32, np.int64)
"""Numbers that are taken as they are; others become the first."""


class SparseCoderTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Sparse latents of a matrix of counts or traces, as a scikit-learn transformer.

    ``X`` is (n_samples, n_features): bins in the order of time, one column per unit. Each row is
    encoded by itself; coders that see several bins, or reconstruct other units, are fitted with
    :func:`nwbsparse.fit`. A parameter left at None is what ``config`` says, and what that leaves
    open is chosen from ``X`` (``coder_.config`` tells).

    Training stops by the loss on a tenth of the rows (``validation``) that are not learned from:
    the ends of ten stretches of equal length (``config.blocks``; fewer when there are few rows),
    so that they stand for the whole recording. Neighbouring bins are alike; to judge a coder, hold
    out rows of your own, in blocks (``KFold`` without shuffling).

    Args:
        n_latents: how many latents; absent: four per feature that is ever above 0, a multiple of
            32, at least 64.
        k: mean number of latents active in a row; absent: mean number of features above 0.
        expansion: how many latents per feature, in place of ``n_latents``.
        levels: Matryoshka levels "n_latents:k:weight", such as ``("16:1", "64:4:0.5")``.
        sparsifier: "batch_topk", "topk", "l1", "jumprelu" or "gated".
        penalty_weight: weight of the sparsity penalty (l1, jumprelu, gated).
        loss: "mse" of z-scores, or "msle", "poisson", "negative_binomial" of counts.
        max_epochs: passes over the rows; absent: as many as give 3,000 updates.
        batch_size: rows per update; absent: 1,024, or an eighth of few rows.
        learning_rate: peak step size.
        validation: share of the rows that say when to stop.
        random_state: seed of the initial weights and of the order of rows, or a
            ``numpy.random.RandomState`` to draw it from. None is ``config.seed``, so that two fits
            are alike.
        config: every other option.

    Attributes:
        coder_: the :class:`nwbsparse.SparseCoder`; its ``record.history`` says how training went.
        components_: (n_latents, n_features), the dictionary in the units of ``X``: what an
            activation of 1 adds to a row (before the output function, with losses of counts).
        n_features_in_, feature_names_in_: as everywhere in scikit-learn.
    """

    def __init__(
        self,
        n_latents: int | None = None,
        *,
        k: int | None = None,
        expansion: int | None = None,
        levels: tuple[str, ...] | None = None,
        sparsifier: str | None = None,
        penalty_weight: float | None = None,
        loss: str | None = None,
        max_epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        validation: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        config: Config | None = None,
    ) -> None:
        self.n_latents = n_latents
        self.k = k
        self.expansion = expansion
        self.levels = levels
        self.sparsifier = sparsifier
        self.penalty_weight = penalty_weight
        self.loss = loss
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation = validation
        self.random_state = random_state
        self.config = config

    def fit(self, X: Any, y: Any = None) -> SparseCoderTransformer:  # noqa: ARG002
        """Learn the latents of a matrix, rows in the order of time.

        Raises:
            BadInput: options that cannot work together or with ``X`` (a ``ValueError``).
            TrainingDiverged: the loss exploded; use a smaller ``learning_rate``.
        """
        config = self._options()
        X = validate_data(self, X, dtype=DTYPES, ensure_min_samples=2)
        ids = getattr(self, "feature_names_in_", range(X.shape[1]))
        parts = held_out(len(X), share=config.validation, blocks=config.blocks)
        data = xr.Dataset(
            {names.COUNTS: ((names.TIME, names.UNIT), X)},
            coords={
                names.SPLIT: (names.TIME, np.where(parts, names.VALIDATION, names.TRAIN)),
                names.UNIT_ID: (names.UNIT, [str(one) for one in ids]),
            },
            attrs={names.BIN_WIDTH: config.bin_width or 1.0},
        )
        self.coder_ = fit(data, config)
        rows = self.coder_.dictionary.detach() * self.coder_.scale
        self.components_ = rows.numpy()
        self._n_features_out = self.coder_.n_latents
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Activations (n_samples, n_latents), mostly zero; a row's do not depend on the others."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=DTYPES, reset=False)
        parts = as_tensor(X).split(CHUNK)
        return np.concatenate([self._encode(part)[1].numpy() for part in parts])

    @torch.no_grad()
    def inverse_transform(self, X: Any) -> np.ndarray:
        """What activations say about each feature (n_samples, n_features), in the units of ``X``."""
        check_is_fitted(self)
        coder = self.coder_
        table = check_array(X, dtype=str(self.components_.dtype))
        if table.shape[1] != coder.n_latents:
            raise ValueError(
                f"X has {table.shape[1]} latents, but {type(self).__name__} has {coder.n_latents}"
            )
        made = [coder.decode(part) for part in as_tensor(table).split(CHUNK)]
        return coder.counts_of(torch.cat(made)).numpy()

    @torch.no_grad()
    def score(self, X: Any, y: Any = None) -> float:  # noqa: ARG002
        """R²: the share of the variance of ``X`` that the latents reconstruct.

        In the scale that the coder sees: z-scores unless the loss wants counts. More active
        latents reconstruct more: compare at equal ``k``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=DTYPES, reset=False)
        error = total = 0.0
        rows = as_tensor(X)
        mean = self.coder_.normalise(rows).double().mean(dim=0)
        for part in rows.split(CHUNK):
            z, activation = self._encode(part)
            error += float((z - self.coder_.decode(activation)).double().square().sum())
            total += float((z - mean).square().sum())
        return 1 - error / total if total > 0 else float("nan")

    @torch.no_grad()
    def _encode(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows as the coder sees them, and their activations."""
        z = self.coder_.normalise(rows)
        return z, self.coder_.activate(self.coder_.pre_activation(z))

    def _options(self) -> Config:
        """The config with what the parameters say."""
        given = {
            name: value.item() if isinstance(value, np.generic) else value  # grids hold NumPy's
            for name, value in self.get_params(deep=False).items()
            if value is not None and name not in ("config", "random_state")
        }
        if self.random_state is not None:
            given["seed"] = given["order_seed"] = _seed(self.random_state)
        config = from_dict(
            (self.config or Config(**preset("plain"))).to_dict() | given, where="the parameters"
        )
        problems = [
            f"{what} needs more than one row at a time; bin the recording and use nwbsparse.fit"
            for what, several in {
                f"encoder={config.encoder}": config.encoder != "linear",
                f"decoder={config.decoder}": config.decoder != "linear",
                f"lag={config.lag}": config.lag != 0,
                f"smoothing={config.smoothing}": bool(config.smoothing),
            }.items()
            if several
        ]
        if config.target_units or config.target_regions:
            problems.append(
                "a target needs two populations; bin the recording and use nwbsparse.fit"
            )
        raise_together(problems, heading="a matrix cannot be learned from with these options")
        return config

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def held_out(n: int, *, share: float, blocks: int) -> Bool[np.ndarray, " row"]:
    """The rows that say when to stop: the end of each of ``blocks`` equal stretches.

    Of few rows fewer stretches, and at least one row.
    """
    blocks = max(1, min(blocks, int(n * share), n // 2))
    length = min(max(round(n * share / blocks), 1), n // blocks - 1)
    chosen = np.zeros(n, dtype=bool)
    for end in np.round(np.arange(1, blocks + 1) * n / blocks).astype(int):
        chosen[end - length : end] = True
    return chosen


def _seed(random_state: Any) -> int:
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return int(random_state)

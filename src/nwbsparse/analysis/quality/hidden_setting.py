"""What scores of hidden units are measured in, and the baselines that stand beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from nwbsparse.analysis.apply.heldout import whole_bins
from nwbsparse.analysis.quality.hidden_baselines import Baselines, fit_baselines
from nwbsparse.analysis.quality.hidden_beside import Beside
from nwbsparse.analysis.quality.hidden_bins import (
    Seen,
    Table,
    Units,
    pieces,
    read_at_once,
    seen_in,
    spaced,
)
from nwbsparse.analysis.representation import Representation
from nwbsparse.models.coder import SparseCoder


class Setting:
    """The coder, the units' scale, and the baselines fitted on training bins."""

    def __init__(
        self, coder: SparseCoder, binned: xr.Dataset, units: Units, train: np.ndarray
    ) -> None:
        self.coder, self.units = coder, units
        self.offset, self.scale = (one.numpy().astype(np.float64) for one in coder.target_scaling)
        self.centre, self.width = np.zeros(len(units.kept)), np.ones(len(units.kept))
        raw = self.table(binned, train)
        n = np.maximum(raw.observed.sum(axis=0), 1)
        self.centre = np.where(units.kept, raw.x.sum(axis=0, dtype=np.float64) / n, 0.0)
        square = np.square(np.where(raw.observed, raw.x - self.centre, 0)).sum(axis=0) / n
        self.width = np.where(units.kept & (square > 0), np.sqrt(square), 1.0)
        # hidden means standing at the mean; of what was scaled that is 0 by its making
        rest = self.centre if coder.config.scaling[0] == "none" else np.zeros(len(units.kept))
        self.rest = torch.from_numpy(rest).to(coder.scale.dtype)
        kept = units.kept
        x = np.where(raw.observed, (raw.x - self.centre) / self.width, 0).astype(np.float32)
        table = Table(x[:, kept], raw.y[:, kept], raw.observed[:, kept])
        checked = self.table(binned, whole_bins(coder, binned, "validation"))
        none = -(coder.offset / coder.scale).numpy().astype(np.float64)
        self.baselines: Baselines = fit_baselines(
            table,
            Table(checked.x[:, kept], checked.y[:, kept], checked.observed[:, kept]),
            np.unique(units.fold[kept], return_inverse=True)[1],
            n_latents=coder.n_latents,
            floor=((none - self.centre) / self.width)[kept],
        )

    def seen(self, piece: Seen) -> Float[np.ndarray, "bin unit"]:
        """What baselines see: the bin itself, standardised; 0 where it was not observed."""
        every = len(piece.y) // max(len(piece.values), 1)
        own = piece.y[every - 1 :: every, -1].numpy()
        return np.where(piece.observed, (own - self.centre) / self.width, 0)

    def target(self, piece: Seen) -> Float[np.ndarray, "bin unit"]:
        """What is to be told, in standard deviations about the mean; 0 where not observed."""
        return (piece.values - self.units.mean) / self.units.spread * piece.observed

    def beside(
        self,
        methods: Sequence[Representation],
        binned: xr.Dataset,
        folds: list[np.ndarray],
    ) -> list[Beside]:
        """Other methods, fitted on the bins that the baselines are fitted on."""
        if not methods:
            return []
        bins = [spaced(whole_bins(self.coder, binned, part)) for part in ("train", "validation")]
        train, validation = ((some, self.table(binned, some)) for some in bins)
        return [Beside(one, binned, folds, train, validation) for one in methods]

    def table(self, binned: xr.Dataset, bins: np.ndarray) -> Table:
        """At most 20,000 of these bins."""
        n_units = len(self.units.kept)
        found = [(np.zeros((0, n_units), np.float32),) * 2 + (np.zeros((0, n_units), bool),)]
        for some in pieces(spaced(bins), read_at_once(self.coder)):
            piece = seen_in(self.coder, binned, self.units, some)
            x, y = (one.astype(np.float32) for one in (self.seen(piece), self.target(piece)))
            found.append((x, y, piece.observed))
        x, y, observed = (np.concatenate(one) for one in zip(*found, strict=True))
        return Table(x, y, observed)

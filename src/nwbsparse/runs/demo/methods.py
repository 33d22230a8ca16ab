"""What other methods make of planted patterns: units, PCA, NMF, and a coder that sees what it writes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.recovery import matched_cosine
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config
from nwbsparse.options.presets import preset
from nwbsparse.training.fit import fit

ALIKE = 0.8
"""Cosine with its row from which on a planted pattern counts as found."""
LATENTS, UNITS, PCA, NMF, PLAIN = "latents", "units", "PCA", "NMF", "--preset plain"


@dataclass(frozen=True)
class Matched:
    """How well one method's rows match the planted patterns."""

    rows: int
    """How many patterns it offers."""
    cosine: np.ndarray
    """(pattern,) with the row matched to it, one to one."""

    @property
    def found(self) -> int:
        """Planted patterns with a row of cosine .8 or more."""
        return int((self.cosine >= ALIKE).sum())

    @property
    def precision(self) -> float:
        """Share of the rows that are a planted pattern."""
        return self.found / max(self.rows, 1)


def rows_of(coder: SparseCoder) -> np.ndarray:
    """(latent, unit) what a little of each latent adds to the counts, whatever scale it learned in."""
    _, scale = coder.target_scaling
    rows = coder.dictionary.detach().double().numpy() * scale.double().numpy()
    if coder.config.transform == "sqrt":  # d n = 2 √n · d √n, at the mean root
        rows *= 2 * coder.offset.double().numpy()
    return rows


def matched(rows: np.ndarray, planted: np.ndarray, *, signed: bool = False) -> Matched:
    """Rows (row, unit) beside the planted patterns; of ``signed`` ones both signs are tried."""
    tried = np.concatenate([rows, -rows]) if signed else rows
    return Matched(len(rows), matched_cosine(tried, planted))


def compare(
    coder: SparseCoder, binned: xr.Dataset, planted: np.ndarray, *, seed: int
) -> Mapping[str, Matched]:
    """The latents beside units, as many components of PCA and of NMF, and a plain coder of as many.

    All but the latents are fitted on the training bins too; none of them knows the truth, but for
    the number of patterns, which is that of the latents.
    """
    from sklearn.decomposition import NMF as Factors
    from sklearn.decomposition import PCA as Components

    counts = binned[names.COUNTS].values[binned[names.SPLIT].values == names.TRAIN]
    counts = counts.astype(np.float64)
    n = coder.n_latents
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged yet says nothing here
        factors = Factors(
            n_components=n,  # pyright: ignore[reportArgumentType]
            init="random",
            random_state=seed,
            max_iter=300,
        ).fit(counts)
        components = Components(min(n, counts.shape[1]), random_state=seed).fit(counts)
    plain = Config(**preset("plain"), bin_width=coder.config.bin_width, n_latents=n, seed=seed)
    plain = plain.replace(k=min(coder.config.k or 3, n))
    return {
        LATENTS: matched(rows_of(coder), planted),
        UNITS: matched(np.eye(counts.shape[1]), planted),
        PCA: matched(np.asarray(components.components_), planted, signed=True),
        NMF: matched(np.asarray(factors.components_), planted),
        PLAIN: matched(rows_of(fit(binned, plain)), planted),
    }

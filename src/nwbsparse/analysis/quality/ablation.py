"""What is lost without one latent: ΔR² of every unit, for all latents in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from nwbsparse import names
from nwbsparse.analysis.apply.heldout import Scored, dictionary_by_lag
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.decoders import OUTPUTS

ENTRIES = 2_000_000
"""Values held at once where every removal is worked out by itself."""


class Ablation:
    """ΔR² = R² with all latents − R² with one latent's activation set to zero in the decoder.

    The encoder is not run again: what the other latents say stays as it was. For a linear output
    and a decoder of one bin in closed form: with ``e`` the residual and ``D`` the dictionary,
    ``Σ(e + a·D)² − Σe² = 2 D Σa·e + D² Σa²``, two matrix products for all latents and units.
    Otherwise (rates, time courses) the reconstruction without the latent is worked out exactly
    wherever the latent takes part.

    Latents are removed one at a time: where several latents say the same thing each of them is
    worth little, and the values need not add up to R².
    """

    def __init__(self, coder: SparseCoder, columns: np.ndarray | None = None) -> None:
        """``columns``: the units that pieces hold; all that are reconstructed when absent."""
        kept = slice(None) if columns is None else columns
        self.blocks = dictionary_by_lag(coder)[:, :, kept]
        bias = coder.decoder_bias.detach().numpy().astype(np.float64)[-coder.n_targets :]
        self.bias = bias[kept]
        self.output = coder.output
        self.gain = np.zeros((coder.n_latents, len(self.bias)))
        self.closed = coder.output == "identity" and len(self.blocks) == 1

    def add(self, piece: Scored) -> None:
        if self.closed:
            activation, rows = piece.activation.astype(np.float64), self.blocks[0]
            self.gain += 2 * rows * (activation.T @ piece.residual)
            self.gain += rows**2 * ((activation**2).T @ piece.observed.astype(np.float64))
        else:
            self._exactly(piece)

    def _exactly(self, piece: Scored) -> None:
        """Every (bin, latent) pair in which the latent takes part, some at a time."""
        row, latent = np.nonzero((piece.code > 0).any(axis=1))
        order = np.argsort(latent, kind="stable")
        row, latent = row[order], latent[order]
        # the reconstruction before the output function
        linear = self.bias + np.einsum("tld,ldu->tu", piece.code, self.blocks, optimize=True)
        width = self.blocks.shape[2]
        at_once = max(1, ENTRIES // max(width * len(self.blocks), 1))
        for start in range(0, len(row), at_once):
            some = slice(start, start + at_once)
            code = piece.code[row[some], :, latent[some]].astype(np.float64)
            part = np.einsum("pl,lpu->pu", code, self.blocks[:, latent[some]])
            z, observed = piece.target[row[some]], piece.observed[row[some]]
            without = linear[row[some]] - part
            without = OUTPUTS[self.output](torch.from_numpy(without)).numpy()
            lost = np.where(observed, (z - without) ** 2, 0.0) - piece.residual[row[some]] ** 2
            edges = np.flatnonzero(np.diff(latent[some], prepend=-1))
            self.gain[latent[some][edges]] += np.add.reduceat(lost, edges, axis=0)

    def per_unit(self, variance: Float[np.ndarray, " unit"]) -> Float[np.ndarray, "latent unit"]:
        """ΔR² of each unit; NaN for units without variance."""
        out = np.full(self.gain.shape, np.nan)
        np.divide(self.gain, variance, out=out, where=np.broadcast_to(variance > 0, out.shape))
        return out

    def variables(self, variance: Float[np.ndarray, " unit"]) -> dict[str, Any]:
        """ΔR² over all units that vary."""
        varies = variance > 0
        total = variance[varies].sum()
        share = np.full(len(self.gain), np.nan)
        if total > 0:
            share = self.gain[:, varies].sum(axis=1) / total
        return {"variance_attribution": (names.LATENT, share)}

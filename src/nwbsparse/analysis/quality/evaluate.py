"""evaluate(): how well a coder does on bins it has never seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.heldout import scored, whole_bins
from nwbsparse.analysis.quality.ablation import Ablation
from nwbsparse.analysis.quality.deviance import LOSSES, ExplainedDeviance
from nwbsparse.analysis.quality.hidden_units import hidden_units
from nwbsparse.analysis.quality.reconstruction import Reconstruction, Sparsity
from nwbsparse.analysis.quality.spectrum import Spectrum
from nwbsparse.analysis.representation import Representation
from nwbsparse.binning.split import part
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.schema import check, with_step


@renamed(data="binned")
def evaluate(
    coder: SparseCoder,
    binned: xr.Dataset,
    *,
    split: str = "test",
    detail: Literal["stored", "all"] = "stored",
    beside: Sequence[Representation] = (),
) -> xr.Dataset:
    """Hidden units, reconstruction and sparsity on held-out bins.

    Definitions (``z`` target as the coder sees it, ``ẑ`` reconstruction, over bins of the part):

    - ``unit_r2(unit)`` = 1 − Σ(z−ẑ)² / Σ(z−z̄)²; NaN for units that are constant there
    - ``r2``: the same with both sums over all units that vary (weighted by variance)
    - ``level_r2(matryoshka_level)``: r2 of each level
    - ``unit_cosine(unit)`` over bins; ``bin_cosine(time)`` over units, NaN in empty bins
    - ``l0(time)``: active latents per bin; ``density(latent)``: share of bins a latent is active
    - ``dead(latent)``: never active in the part; ``always_on(latent)``: in more than half of it

    Reconstruction is of units that the coder sees: one that copies them has an R² of 1. How well it
    tells units that it does not see stands beside it with ``detail="all"``
    (:func:`~nwbsparse.analysis.quality.hidden_units.hidden_units`), and ``bin_r2(time)``, means and
    medians of these distributions, ``nonzero_ratio``, ``variance_attribution(latent)``, the spectrum
    and coherence of every unit and, for coders of rates, ``explained_deviance``:
    ``docs/reference/metrics.md`` defines them.

    Bins in which a unit was not observed count neither way. Of a coder that sees several bins or
    looks ahead, only windows that stay in one segment and touch no other part are counted; what is
    compared is the bin of the activation (or that ``lag`` bins later). The recording is read once,
    piece by piece; memory does not grow with it but for the numbers per bin.

    Of a coder of an embedding all that is said of units here is of its dims, over ``dim``.

    Args:
        coder: a trained coder.
        binned: the split Binned dataset.
        split: "test", "validation" or "train"; what the last gives is no held-out number.
        detail: "stored", what an annotated file holds, or "all".
        beside: other methods whose scores of hidden units stand beside the coder's, as functions of
            the recording; with ``detail="all"``.

    Raises:
        BadInput: not split, or other units than the coder's.
    """
    if beside and detail != "all":
        raise BadInput("other methods stand beside the scores of hidden units: use detail='all'")
    part(binned, split)  # says so when the bins were not split yet
    bins = whole_bins(coder, binned, split)
    reconstruction, sparsity = Reconstruction(coder, len(bins)), Sparsity(coder, len(bins))
    ablation = Ablation(coder)
    more: list[Any] = []
    if detail == "all":
        width = float(binned.attrs[names.BIN_WIDTH])
        more.append(Spectrum(bins, binned[names.SEGMENT].values, coder.n_targets, width))
        more += [ExplainedDeviance(coder)] if coder.config.loss in LOSSES else []
        more.append(ablation)
    for piece in scored(coder, binned, bins):
        for one in (reconstruction, sparsity, *more):
            one.add(piece)
    variables = reconstruction.variables() | sparsity.variables()
    if detail == "all":
        variables |= ablation.variables(reconstruction.variance)
        for one in (reconstruction, sparsity, *more):
            variables |= one.more_variables() if one is not ablation else {}
    written = coder.writes(binned)
    metrics = xr.Dataset(
        written.named(variables),
        coords={
            names.TIME: binned[names.TIME].values[bins],
            names.LATENT: np.arange(coder.n_latents),
            **written.coords(),
        },
        attrs={
            names.SCHEMA: names.METRICS,
            names.SPLIT: split,
            "n_bins": len(bins),
            names.CODER_ID: coder.id,
            names.SOURCE_SHA256: str(binned.attrs.get(names.SOURCE_SHA256, "")),
            "target": coder.config.scaling[0],
        },
    )
    if detail == "all":
        hidden = hidden_units(coder, binned, split=split, detail=detail, beside=beside)
        metrics = metrics.assign(hidden.data_vars).assign_attrs(hidden.attrs)
    return check(with_step(metrics, "evaluate", {"split": split}, since=binned), names.METRICS)

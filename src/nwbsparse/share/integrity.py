"""Does what we stored fit together, and is it what was written? Asked part by part, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nwbsparse.annotated.elements.populations import populations_of, reconstructed_by
from nwbsparse.annotated.read.checksums import check_manifest
from nwbsparse.annotated.record import NewerFormat, read_record
from nwbsparse.errors import IntegrityError

BLOCK = 2**20
"""Values that are looked at together."""


def problems_of(model: Any) -> list[str]:
    """What is wrong with one stored model; empty when nothing is.

    Its checksums, the shapes of its parts against each other, the rows and ids of the units it
    refers to, its activations (finite, each index a latent, ``indptr`` growing), its splits.
    Damage in one part does not keep the others from being looked at.

    Raises:
        NewerFormat: a later version of nwbsparse wrote it, so that nothing can be said.
    """
    found: list[str] = []
    for check in (_sums, _shapes, _units, _activations, _splits, _scores):
        try:
            found += check(model)
        except NewerFormat:
            raise
        except IntegrityError as error:
            found.append(str(error))
        except Exception as error:  # a part that is missing or of another kind raises anything
            found.append(f"{check.__name__[1:]} cannot be checked: {type(error).__name__}: {error}")
    return found


def _sums(model: Any) -> list[str]:
    check_manifest(model, read_record(model))
    return []


def _shapes(model: Any) -> Iterator[str]:
    n_latents, n_units = int(model.num_latents), len(model.input_population)
    n_out = len(reconstructed_by(model))
    decoder = tuple(model.decoder_weights.shape)
    if decoder[0] != n_latents or decoder[-1] != n_out:
        yield f"decoder_weights is {decoder}, for {n_latents} latents and {n_out} units"
    if len(model.latents) != n_latents:
        yield f"the latents table has {len(model.latents)} rows, for {n_latents} latents"
    for name, length in (("pre_bias", n_units), ("encoder_bias", n_latents)):
        held = getattr(model, name, None)
        if held is not None and held.shape[0] != length:
            yield f"{name} has {held.shape[0]} values, for {length}"
    for name in ("decoder_weights", "encoder_weights", "decoder_bias", "encoder_bias", "pre_bias"):
        held = getattr(model, name, None)
        if held is not None and not _all(held, lambda block: bool(np.isfinite(block).all())):
            yield f"{name} holds values that are not finite"


def _units(model: Any) -> Iterator[str]:
    for name, population in populations_of(model).items():
        yield from _of_population(name, population)


def _of_population(name: str, population: Any) -> Iterator[str]:
    table = getattr(population, "source_table", None)
    said = str(getattr(population, "source_table_object_id", "") or "")
    if table is None:
        return  # the recording is not here, or its units stand in no table
    if said and str(table.object_id) != said:
        yield f"{name} links to the table {table.object_id}; it was made from {said}"
    rows = np.asarray(population["source_row"][:])
    if len(rows) and (rows.min() < 0 or rows.max() >= len(table)):
        yield f"{name} refers to rows 0 to {rows.max()} of {len(table)} units"
        return
    held = np.asarray(table.id[:])[rows]
    if not np.array_equal(held, np.asarray(population["source_id"][:])):
        changed = int((held != np.asarray(population["source_id"][:])).sum())
        yield (
            f"{changed} units of the recording have other ids than those the model was made from "
            f"({name})"
        )


def _activations(model: Any) -> Iterator[str]:
    n_latents = int(model.num_latents)
    for series in model.latent_activation_series.values():
        if tuple(series.data.shape[1:]) != (n_latents,):
            yield f"{series.name} is {tuple(series.data.shape)}, for {n_latents} latents"
        if not _all(series.data, lambda block: bool(np.isfinite(block).all())):
            yield f"{series.name} holds values that are not finite"
    for series in model.sparse_latent_activations.values():
        n_bins, n = int(series.num_bins), int(series.values.shape[0])
        if series.indptr.shape[0] != n_bins + 1:
            yield f"{series.name}: indptr has {series.indptr.shape[0]} values, for {n_bins} bins"
        if series.indices.shape[0] != n:
            yield f"{series.name}: {series.indices.shape[0]} indices for {n} values"
        last = 0
        for block in _blocks(series.indptr):
            steps = np.diff(block.astype(np.int64), prepend=last)
            if (steps < 0).any():
                yield f"{series.name}: indptr falls, where it can only grow"
                break
            last = int(block[-1])
        if last != n:
            yield f"{series.name}: indptr ends at {last}, for {n} values"
        if not _all(series.indices, lambda block: int(block.max(initial=0)) < n_latents):
            yield f"{series.name}: an index is no latent (there are {n_latents})"
        if not _all(series.values, lambda block: bool(np.isfinite(block).all())):
            yield f"{series.name} holds values that are not finite"


def _splits(model: Any) -> Iterator[str]:
    n = int(np.asarray(model.splits["n_bins"][:]).sum())
    for series in model.latent_activation_series.values():
        if n != series.data.shape[0]:
            yield f"splits speak of {n} bins, {series.name} has {series.data.shape[0]}"
    for series in model.sparse_latent_activations.values():
        if n != int(series.num_bins):
            yield f"splits speak of {n} bins, {series.name} has {int(series.num_bins)}"


def _scores(model: Any) -> Iterator[str]:
    for name, one in model.latent_attributions.items():
        expected = (len(one.latents.data), len(one.targets.data))
        for part in ("scores", "p_values", "null_mean", "null_std"):
            held = getattr(one, part, None)
            if held is not None and tuple(held.shape) != expected:
                yield f"{name}: {part} is {tuple(held.shape)}, for {expected}"
        targets = np.asarray(one.targets.data[:])
        if len(targets) and targets.max() >= len(one.targets.table):
            yield f"{name} refers to row {targets.max()} of {len(one.targets.table)}"


def _blocks(data: Any) -> Iterator[np.ndarray]:
    rows = max(1, BLOCK // max(1, int(np.prod(data.shape[1:], dtype=np.int64))))
    for at in range(0, data.shape[0], rows):
        yield np.asarray(data[at : at + rows])


def _all(data: Any, holds: Callable[[np.ndarray], bool]) -> bool:
    return all(holds(block) for block in _blocks(data))

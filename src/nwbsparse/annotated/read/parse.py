"""The extension's types in an NWB file → a result again, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nwbsparse import names
from nwbsparse.annotated.elements.activations import activations_in
from nwbsparse.annotated.elements.embedding import embedder_in, embedding_in
from nwbsparse.annotated.elements.held_out_bins import held_out_bins_in
from nwbsparse.annotated.elements.latents import latents_in
from nwbsparse.annotated.elements.leftovers import restore, tables_of
from nwbsparse.annotated.elements.metrics import metrics_in
from nwbsparse.annotated.elements.placed import together
from nwbsparse.annotated.elements.populations import digests_of_model, populations_in
from nwbsparse.annotated.elements.scores import scores_in
from nwbsparse.annotated.elements.sessions import source_in, target_in
from nwbsparse.annotated.elements.splits import splits_in
from nwbsparse.annotated.elements.variables import variables_in
from nwbsparse.annotated.elements.weights import tensors_in, weights_in
from nwbsparse.annotated.read.checksums import Manifest, check_manifest
from nwbsparse.annotated.record import read_record
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.errors import BadInput, IntegrityError, NwbsparseError, unknown
from nwbsparse.io.nwb.contents import MODULE


def find_model(nwbfile: Any, name: str | None, *, path: Path) -> Any:
    """The model of this name in a file; the only one when no name is given.

    Raises:
        BadInput: there is none, or several and no name was given.
    """
    module = nwbfile.processing.get(MODULE)
    found = {} if module is None else {
        key: thing
        for key, thing in module.data_interfaces.items()
        if is_model(thing)
    }  # fmt: skip
    if not found:
        raise BadInput(f"{path} holds no sparse latents; `nwbsparse run {path.name}` makes them")
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name is None:
        raise BadInput(f"{path} holds several results; choose one of {', '.join(sorted(found))}")
    if name not in found:
        raise unknown(name, sorted(found), what="result", where=path)
    return found[name]


def is_model(thing: Any) -> bool:
    """Whether an object of a file is a model, whichever class it was read as."""
    return getattr(thing, "neurodata_type", type(thing).__name__) == "SparseLatentModel"


def parse_model(model: Any, *, manifest: Manifest | None = None) -> StoredResult:
    """Everything that was stored about a model.

    ``manifest``: the checksums it must have; by default those that were stored with it.

    Raises:
        IntegrityError: parts are missing, do not fit together, or changed since they were written.
    """
    with whole(model):
        record = read_record(model)
        check_manifest(model, record, manifest)
        tables = {key: model.parent[f"{model.name}_{key}"] for key in tables_of(record.parts)}
        found = together(
            latents_in(model),
            populations_in(model),
            {
                names.LATENTS: activations_in(model, record.parts[names.LATENTS]["variables"])
                | splits_in(model),
                names.METRICS: metrics_in(model) | held_out_bins_in(model),
                names.ATTRIBUTION: scores_in(model) | variables_in(model),
            },
        )
        parts = {key: restore(said, found[key], tables) for key, said in record.parts.items()}
        return StoredResult(
            name=model.name,
            words=record.words,
            tensors=tensors_in(model),
            weights=weights_in(model),
            source=source_in(model),
            environment=record.run,
            target=target_in(model, record.target),
            embedding=embedding_in(model, parts[names.LATENTS][names.TIME].values),
            embedder=embedder_in(model),
            digests=digests_of_model(model),
            latents=parts[names.LATENTS],
            metrics=parts[names.METRICS],
            attribution=parts[names.ATTRIBUTION],
            stability=parts.get(names.STABILITY),
            more=record.more,
        )


@contextmanager
def whole(model: Any) -> Iterator[None]:
    """Say that a result is damaged, whatever goes wrong while it is read."""
    try:
        yield
    except (KeyError, AttributeError, TypeError, ValueError, IndexError, OSError) as error:
        if isinstance(error, NwbsparseError):
            raise
        raise IntegrityError(f"the result '{model.name}' is damaged: {error!r}") from error

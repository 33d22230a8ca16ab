"""A result → the extension's types, element by element, ready to be added to an NWB file."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from typing import Any

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.annotated.elements.activations import activations
from nwbsparse.annotated.elements.choice import candidates_table, choice_attributes
from nwbsparse.annotated.elements.descriptions import architecture_said, description_of, model_card
from nwbsparse.annotated.elements.embedding import embedder_fields, embedding_series
from nwbsparse.annotated.elements.held_out_bins import held_out_bins
from nwbsparse.annotated.elements.latents import latents_table
from nwbsparse.annotated.elements.leftovers import layout_of, plain_json, rest_tables
from nwbsparse.annotated.elements.metrics import metrics_table
from nwbsparse.annotated.elements.populations import population_tables
from nwbsparse.annotated.elements.recurrence import recurrence_attributes
from nwbsparse.annotated.elements.scores import scores
from nwbsparse.annotated.elements.sessions import sessions_table
from nwbsparse.annotated.elements.splits import splits_table
from nwbsparse.annotated.elements.storage import Pack, packed
from nwbsparse.annotated.elements.variables import variables_table
from nwbsparse.annotated.elements.weights import weights
from nwbsparse.annotated.record import Record
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.schema import own_version


def build_model(
    stored: StoredResult, nwbfile: Any, *, pack: Pack = packed, dense: bool | None = None
) -> list[Any]:
    """The SparseLatentModel of a result, and the series and tables that go beside it.

    Only its populations of units refer to anything outside the model: to the units of
    ``nwbfile``. ``dense`` says how activations are stored; None: as a full table for up to 256
    latents.
    """
    attribution = stored.attribution
    series = embedding_series(stored, pack)
    populations, of_populations = population_tables(stored, nwbfile, series)
    latents, of_latents = latents_table(stored, populations[names.UNIT])
    variables, rows, of_variables = variables_table(attribution)
    scored, of_scores = scores(attribution, latents, populations, variables, rows, pack)
    active, of_activations = activations(stored.latents, latents, pack, dense=dense)
    splits, of_splits = splits_table(stored.latents)
    metrics, sizes, of_metrics = metrics_table(stored.metrics)
    beside, of_bins = held_out_bins(stored, pack)
    placed = of_populations + of_latents + of_variables + of_scores
    placed = placed + of_activations + of_splits + of_metrics + of_bins
    layouts = {key: layout_of(one, placed.of(key), key) for key, one in stored.parts.items()}
    beside += rest_tables(stored.name, stored.parts, layouts, pack)
    record = _record(stored, layouts, beside)
    config = record.config
    model = ndx.SparseLatentModel(
        name=stored.name,
        description=description_of(stored, populations),
        architecture=architecture_said(config),
        activation_function=config.get("sparsifier", "batch_topk"),
        software="nwbsparse",
        software_version=own_version(),
        seed=int(config["seed"]),
        target_l0=float(config["k"]),
        created=str(stored.environment["created"]),
        hyperparameters=record.options_json(),
        environment=record.to_json(),
        model_card=model_card(stored),
        latents=latents,
        metrics=metrics,
        sessions=sessions_table(stored, nwbfile),
        splits=splits,
        latent_attributions=scored,
        **{table.name: table for table in populations.values()},
        **({} if variables is None else {"variables": variables}),
        **({} if series is None else {"embedding": series}),
        **embedder_fields(stored, pack),
        **weights(stored, pack),
        **sizes,
        **recurrence_attributes(stored),
        **choice_attributes(config),
        **candidates_table(stored),
        **active,
    )
    return [model, *beside]


def _record(stored: StoredResult, layouts: dict[str, Any], beside: list[Any]) -> Record:
    """What the model says of itself; its checksums are taken when it is in a file."""
    return Record(
        config=stored.words["config"],
        coder={key: value for key, value in stored.words.items() if key != "config"},
        parts=layouts,
        run=plain_json(stored.environment),
        beside=tuple(one.name for one in beside),
        target=None if stored.target is None else {"series": stored.target.series},
        more=stored.more,
    )

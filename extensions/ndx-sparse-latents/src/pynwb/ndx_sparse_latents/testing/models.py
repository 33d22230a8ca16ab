"""Small made-up models, and a recording to put them in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
from pynwb import NWBFile
from pynwb.core import NWBDataInterface
from pynwb.file import Subject

from .. import SparseLatentModel
from .parts import (
    mock_CandidatesTable,
    mock_embedding,
    mock_LatentActivationSeries,
    mock_LatentAttribution,
    mock_LatentsTable,
    mock_ModelMetricsTable,
    mock_PopulationTable,
    mock_SourceSessionsTable,
    mock_SparseLatentActivations,
    mock_splits,
    mock_VariablesTable,
)


def mock_NWBFile(*, num_units: int = 6) -> NWBFile:
    """Make a recording of some units that passes nwbinspector's checks."""
    file: Any = NWBFile(
        session_description="A mock recording of a mouse that does nothing.",
        identifier="mock-sparse-latents",
        session_start_time=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        session_id="1",
        experimenter=["Doe, Jane"],
        institution="Mock University",
        experiment_description="Nothing is tested.",
        keywords=["mock"],
    )
    file.subject = Subject(
        subject_id="A", species="Mus musculus", sex="F", age="P90D", description="A mock mouse."
    )
    rng = np.random.default_rng(0)
    for _ in range(num_units):
        file.add_unit(spike_times=np.sort(rng.uniform(0.0, 1.0, 20)))
    return file


def mock_SparseLatentModel(
    *,
    name: str = "sae",
    file: Any = None,
    num_latents: int = 8,
    num_lags: int | None = None,
    optional: bool = True,
    embedding: bool = False,
) -> NWBDataInterface:
    """Make a model, with every optional part unless `optional=False`.

    With `file`, an NWBFile, its population is linked to that file's units, and the model is added
    to its processing module sparse_latents, which is made if it is missing. With `embedding=True`
    it reads the dims of an embedding, and the units are what its latents are explained with.
    """
    units = None if file is None else file.units
    if embedding:
        explained = mock_PopulationTable("explained_population", source_table=units)
        series = mock_embedding()
        population = mock_PopulationTable(source_series=series)
        latents = mock_LatentsTable(num_latents=num_latents, population=explained)
        optional_parts = {
            "embedding": series,
            "explained_population": explained,
            "latent_attributions": [mock_LatentAttribution(latents, explained, name="units")],
        }
    else:
        population = mock_PopulationTable(source_table=units)
        latents = mock_LatentsTable(
            num_latents=num_latents, population=population if optional else None
        )
        optional_parts = _optional_parts(population, latents) if optional else {}
    middle = () if num_lags is None else (num_lags,)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(num_latents, *middle, len(population))).astype(np.float32)
    model = SparseLatentModel(
        name=name,
        description="mock model",
        architecture="linear_batchtopk",
        activation_function="batch_topk",
        software="mock",
        software_version="0.0",
        num_latents=num_latents,
        hyperparameters=json.dumps({"k": 2}),
        decoder_weights=weights,
        input_population=population,
        latents=latents,
        **optional_parts,
    )
    if file is not None:
        if "sparse_latents" not in file.processing:
            file.create_processing_module("sparse_latents", "Sparse latent models of the units.")
        file.processing["sparse_latents"].add(model)
    return model


def _optional_parts(population: Any, latents: Any) -> dict[str, Any]:
    """Make everything that a model may do without."""
    rng = np.random.default_rng(1)
    variables = mock_VariablesTable()
    num_inputs, num_latents = len(population), len(latents)
    return {
        "seed": 2**40,
        "target_l0": 2.0,
        "created": "2026-01-02T03:04:05+00:00",
        "checkpoint_uri": "https://example.org/mock.safetensors",
        "checkpoint_sha256": "0" * 64,
        "smoothing": 0.1,
        "mask": 0.25,
        "sign": "nonnegative",
        "seeds": 10,
        "replicates": 2,
        "stability_method": "mock comparison",
        "chance_match": 0.6,
        "environment": json.dumps({"numpy": np.__version__}),
        "model_card": "# A mock model\n\nIt knows nothing.",
        "matryoshka_sizes": np.array([num_latents // 2, num_latents], dtype=np.int32),
        "decoder_bias": np.zeros(num_inputs, dtype=np.float32),
        "encoder_weights": rng.normal(size=(num_inputs, num_latents)).astype(np.float32),
        "encoder_bias": np.zeros(num_latents, dtype=np.float32),
        "pre_bias": np.zeros(num_inputs, dtype=np.float32),
        "threshold": np.ones((2, num_latents), dtype=np.float32),
        "parameters": np.frombuffer(b"not really safetensors", dtype=np.uint8),
        "output_population": mock_PopulationTable("output_population", num_channels=num_inputs),
        "explained_population": mock_PopulationTable("explained_population"),
        "variables": variables,
        "metrics": mock_ModelMetricsTable(),
        "candidates": mock_CandidatesTable(),
        "sessions": mock_SourceSessionsTable(),
        "splits": mock_splits(),
        # A list even for one: the generated setter refuses a bare object.
        "latent_activation_series": [mock_LatentActivationSeries(latents)],
        "sparse_latent_activations": [
            mock_SparseLatentActivations(latents),
            mock_SparseLatentActivations(
                latents,
                name="with_gaps",
                timestamps=np.concatenate([np.arange(25), 100 + np.arange(25)]) * 0.02 + 0.01,
            ),
        ],
        "latent_attributions": [
            mock_LatentAttribution(latents, population, name="units"),
            mock_LatentAttribution(latents, variables, name="behavior"),
        ],
        "embedding": mock_embedding(),
    }

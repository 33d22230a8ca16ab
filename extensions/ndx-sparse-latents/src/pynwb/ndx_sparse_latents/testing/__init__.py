"""Small made-up objects of every type, for tests and for trying things out."""

from .models import mock_NWBFile, mock_SparseLatentModel
from .parts import (
    mock_activations,
    mock_CandidatesTable,
    mock_embedding,
    mock_LatentActivationSeries,
    mock_LatentAttribution,
    mock_LatentsTable,
    mock_ModelMetricsTable,
    mock_PopulationTable,
    mock_region,
    mock_SourceSessionsTable,
    mock_SparseLatentActivations,
    mock_splits,
    mock_VariablesTable,
)

__all__ = [
    "mock_CandidatesTable",
    "mock_LatentActivationSeries",
    "mock_LatentAttribution",
    "mock_LatentsTable",
    "mock_ModelMetricsTable",
    "mock_NWBFile",
    "mock_PopulationTable",
    "mock_SourceSessionsTable",
    "mock_SparseLatentActivations",
    "mock_SparseLatentModel",
    "mock_VariablesTable",
    "mock_activations",
    "mock_embedding",
    "mock_region",
    "mock_splits",
]

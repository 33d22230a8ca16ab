"""Small made-up objects of the types that a model contains."""

from __future__ import annotations

from typing import Any

import numpy as np
from hdmf.common.table import DynamicTable, DynamicTableRegion
from pynwb import TimeSeries
from pynwb.core import NWBDataInterface
from pynwb.epoch import TimeIntervals

from .. import (
    CandidatesTable,
    LatentActivationSeries,
    LatentAttribution,
    LatentsTable,
    ModelMetricsTable,
    PopulationTable,
    SourceSessionsTable,
    SparseLatentActivations,
    VariablesTable,
)


def mock_region(table: DynamicTable, name: str = "latents") -> DynamicTableRegion:
    """Refer to all rows of a table."""
    rows = np.arange(len(table), dtype=np.int32)
    return DynamicTableRegion(name=name, data=rows, description="all rows", table=table)


def mock_PopulationTable(
    name: str = "input_population",
    *,
    num_channels: int = 6,
    source_table: Any = None,
    source_series: Any = None,
) -> DynamicTable:
    """Make a population; with a table or series as source it is linked and its ids are recorded."""
    provenance: dict[str, Any] = {}
    if source_series is not None:
        num_channels = source_series.data.shape[1]
        provenance = {
            "source_series": source_series,
            "source_series_object_id": source_series.object_id,
        }
    if source_table is not None:
        num_channels = len(source_table)
        provenance = {
            "source_table": source_table,
            "source_table_object_id": source_table.object_id,
            "source_table_path": "/units",
        }
        file = source_table.get_ancestor("NWBFile")
        if file is not None:
            provenance["source_file_identifier"] = file.identifier
            provenance["source_file_object_id"] = file.object_id
    table = PopulationTable(name=name, description="mock channels", **provenance)
    ids = np.arange(num_channels) if source_table is None else source_table.id[:]
    for row, source_id in enumerate(ids):
        table.add_row(
            # hdmf keeps the width of what it is given: a plain int would become int64.
            source_row=np.int32(row),
            source_id=np.int64(source_id),
            unit_name=f"unit {source_id}",
            lag=np.float32(0.0),
            offset=0.5,
            scale=2.0,
            group=np.int32(row // 2),
            hidden_unit_r2=np.float32(0.3),
            activity_sha256=f"{row:064x}",
        )
    return table


def mock_LatentsTable(
    *, num_latents: int = 8, population: DynamicTable | None = None
) -> DynamicTable:
    """Make latents; with `population` they have ragged top units (1, 2 or 3 of them)."""
    table = LatentsTable(name="latents", description="mock latents")
    for row in range(num_latents):
        top: dict[str, Any] = {}
        if population is not None:
            units = list(range(1 + row % 3))
            top = {"top_units": units, "top_unit_weights": [1.0 / (1 + unit) for unit in units]}
        table.add_row(
            is_dead=row == num_latents - 1,
            density=0.25,
            mean_activation=0.1,
            matryoshka_level=row // max(1, num_latents // 2),
            mean_active_value=0.4,
            max_activation=3.0,
            variance_explained=0.05,
            best_variable="position",
            best_condition="left" if row % 2 else "",
            selectivity=0.7,
            label=f"latent {row}",
            recurrence=0.75,
            again=1.0,
            hidden_gain=0.02,
            r=0.4,
            r_low=0.3,
            r_high=0.5,
            r_null_mean=0.1,
            q=0.01,
            status="confirmed" if row else "not assessable: too little activity",
            confirmed=row > 0,
            tuning=[0.0, 1.0, 0.5],
            **top,
        )
    if population is not None:
        table["top_units"].target.table = population
    return table


def mock_VariablesTable() -> DynamicTable:
    """Make one continuous variable and two conditions of a categorical one."""
    table = VariablesTable(name="variables", description="mock variables")
    for variable, condition, kind in (
        ("speed", "", "continuous"),
        ("choice", "left", "categorical"),
        ("choice", "right", "categorical"),
    ):
        table.add_row(
            variable=variable,
            condition=condition,
            kind=kind,
            source_object_id="00000000-0000-0000-0000-000000000000",
            source_path=f"/processing/behavior/{variable}",
        )
    return table


def mock_ModelMetricsTable() -> DynamicTable:
    """Make two metrics of a test split."""
    table = ModelMetricsTable(name="metrics", description="mock metrics")
    table.add_row(metric="r2", value=0.5, split="test", matryoshka_level=-1)
    table.add_row(metric="l0", value=2.0, split="test", matryoshka_level=0)
    return table


def mock_CandidatesTable() -> DynamicTable:
    """Make two candidates, of which the second was chosen."""
    table = CandidatesTable(name="candidates", description="mock candidates")
    for row in range(2):
        table.add_row(
            score=0.1 * (1 + row),
            chosen=row == 1,
            standard_error=0.01,
            smoothing=0.05 * (1 + row),
            num_latents=np.int32(8),
            k=2.0,
            penalty_weight=0.0,
        )
    return table


def mock_SourceSessionsTable() -> DynamicTable:
    """Make one source session."""
    table = SourceSessionsTable(name="sessions", description="mock sessions")
    table.add_row(
        nwb_identifier="mock",
        nwb_object_id="00000000-0000-0000-0000-000000000000",
        session_id="1",
        subject_id="A",
        uri="dandi://dandi/000000/mock.nwb",
        sha256="0" * 64,
    )
    return table


def mock_splits() -> TimeIntervals:
    """Make one training and one test interval."""
    splits = TimeIntervals(name="splits", description="mock splits")
    splits.add_column("split", "part of the recording")
    splits.add_interval(start_time=0.0, stop_time=0.6, split="train")
    splits.add_interval(start_time=0.8, stop_time=1.0, split="test")
    return splits


def mock_embedding() -> TimeSeries:
    """Make an embedding of three dims."""
    return TimeSeries(
        name="embedding",
        description="mock embedding",
        data=np.random.default_rng(2).normal(size=(50, 3)).astype(np.float32),
        unit="a.u.",
        starting_time=0.01,
        rate=50.0,
    )


def mock_activations(num_bins: int, num_latents: int) -> np.ndarray:
    """Make a bins by latents array in which about one entry in five is active."""
    rng = np.random.default_rng(0)
    active = rng.random((num_bins, num_latents)) < 0.2
    return (active * rng.uniform(0.1, 3.0, active.shape)).astype(np.float32)


def mock_LatentActivationSeries(
    latents: DynamicTable, *, name: str = "dense", num_bins: int = 50, **time: Any
) -> TimeSeries:
    """Make dense activations; `time` replaces the regular 20 ms bins."""
    return LatentActivationSeries(
        name=name,
        description="mock activations",
        data=mock_activations(num_bins, len(latents)),
        unit="a.u.",
        bin_width=0.02,
        latents=mock_region(latents),
        **(time or {"starting_time": 0.01, "rate": 50.0}),
    )


def mock_SparseLatentActivations(
    latents: DynamicTable, *, name: str = "sparse", num_bins: int = 50, **time: Any
) -> NWBDataInterface:
    """Make the same activations as mock_LatentActivationSeries, stored sparsely."""
    dense = mock_activations(num_bins, len(latents))
    bins, indices = np.nonzero(dense)
    counts = np.bincount(bins, minlength=num_bins)
    return SparseLatentActivations(
        name=name,
        description="mock activations",
        num_bins=num_bins,
        num_latents=len(latents),
        bin_width=0.02,
        values=dense[bins, indices],
        indices=indices.astype(np.uint16),
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64),
        latents=mock_region(latents),
        **(time or {"starting_time": 0.01, "rate": 50.0}),
    )


def mock_LatentAttribution(
    latents: DynamicTable, targets: DynamicTable, *, name: str = "attribution"
) -> NWBDataInterface:
    """Make the correlation of every latent with every row of `targets`."""
    pairs = np.random.default_rng(0).random((len(latents), len(targets)), dtype=np.float32)
    return LatentAttribution(
        name=name,
        description="mock attribution",
        metric="pearson_r",
        split="test",
        scores=pairs,
        p_values=pairs / 10,
        q_values=pairs / 5,
        null_mean=pairs * 0,
        null_std=pairs * 0 + 1,
        low=pairs - np.float32(0.1),
        high=pairs + np.float32(0.1),
        latents=mock_region(latents),
        targets=mock_region(targets, "targets"),
    )

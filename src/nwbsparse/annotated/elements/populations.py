"""The units that a model reads and those that it reconstructs ⇄ the populations in its file."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.annotated.elements.digests import add_digests, digests_in
from nwbsparse.annotated.elements.embedding import dims_table
from nwbsparse.annotated.elements.merged import MERGED, add_merged, is_pool, merged_in
from nwbsparse.annotated.elements.placed import Found, Placed, numbered, there
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.errors import BadInput
from nwbsparse.io.unit_digests import UnitDigests

INPUT, OUTPUT = "input_population", "output_population"
EXPLAINED = "explained_population"
"""The units of a model that reads an embedding: what its latents are compared with."""
ELSEWHERE = "elsewhere"
"""Attribute that holds the objects of a recording beside a new file that will only link to them."""
UNIT_METRICS = {
    "unit_r2": "test_r2",
    "unit_cosine": "test_cosine",
    "unit_hidden_r2": "hidden_unit_r2",
    names.GROUP: "group",
}
"""Metrics of units that have a column, and its name: that of the extension where it has one."""


@dataclass(frozen=True)
class Axis:
    """One of the two dimensions of units, and what says which unit is which along it."""

    dim: str
    unit_id: str
    unit_row: str
    merged_units: str


RECONSTRUCTED = Axis(names.UNIT, names.UNIT_ID, names.UNIT_ROW, names.MERGED_UNITS)
READ = Axis(names.INPUT_UNIT, names.INPUT_UNIT_ID, names.INPUT_UNIT_ROW, names.INPUT_MERGED_UNITS)
"""Only where a model reconstructs other units than it reads."""


def axes_of(dataset: xr.Dataset) -> tuple[Axis, ...]:
    """The dimensions of units of an attribution: one, or two where the populations are apart."""
    return (RECONSTRUCTED, READ) if names.INPUT_UNIT_ID in dataset.coords else (RECONSTRUCTED,)


def populations_of_units(stored: StoredResult) -> tuple[str, ...]:
    """Names of the populations that refer to the table of the recorded units."""
    if stored.embedding is not None:
        return (EXPLAINED,)
    return (INPUT, OUTPUT)[: len(axes_of(stored.attribution))]


def population_tables(
    stored: StoredResult, nwbfile: Any, series: Any = None
) -> tuple[dict[str, DynamicTable], Placed]:
    """Dimension of units → their table: the only tables that refer to anything outside the model.

    The units that are read stand in ``input_population``; ``output_population`` is there where those
    that are reconstructed are others. Of a model that reads an embedding (``series``) its dims stand
    in ``input_population``, and ``explained_population`` are the units.

    Raises:
        BadInput: the attribution speaks of one population and the coder of two, or the other way.
    """
    placed = Placed(
        metrics=_placed_of_metrics(stored), attribution=_coordinates_of(stored.attribution)
    )
    return _tables(stored, nwbfile, series), placed


def _tables(stored: StoredResult, nwbfile: Any, series: Any) -> dict[str, DynamicTable]:
    if series is not None:
        said = "the recorded units, which the latents are compared with"
        dims = dims_table(stored, series, INPUT)
        _add_metrics(dims, stored)
        units = _table(stored, nwbfile, EXPLAINED, RECONSTRUCTED, None, said)
        return {names.DIM: dims, names.UNIT: units}
    apart = len(axes_of(stored.attribution)) == 2
    if apart != bool(stored.words.get("target_ids")):
        raise BadInput(
            "the attribution has input units, but the coder reconstructs the units that it reads"
            if apart
            else "the attribution says nothing of the units that the coder reads, which are others "
            "than those it reconstructs: make it with explain(coder, binned)"
        )
    if not apart:
        said = "the units the model reads and reconstructs, in model order"
        return {names.UNIT: _table(stored, nwbfile, INPUT, RECONSTRUCTED, "", said)}
    read = "the units the model reads, in model order"
    made = "the units the model reconstructs from those it reads, in model order"
    return {
        names.INPUT_UNIT: _table(stored, nwbfile, INPUT, READ, "", read),
        names.UNIT: _table(stored, nwbfile, OUTPUT, RECONSTRUCTED, "target_", made),
    }


def populations_of(model: Any) -> dict[str, Any]:
    """Name → population of a model in a file, what it reads first."""
    found = {name: getattr(model, name, None) for name in (INPUT, OUTPUT, EXPLAINED)}
    return {name: population for name, population in found.items() if population is not None}


def reconstructed_by(model: Any) -> Any:
    """The population that a model reconstructs."""
    found = populations_of(model)
    return found.get(OUTPUT, found[INPUT])


def recorded_in(model: Any) -> Any:
    """The population whose rows are units of the recording.

    Of a model of an embedding those that its latents are compared with.
    """
    found = populations_of(model)
    return found.get(EXPLAINED, found[INPUT])


def populations_in(model: Any) -> Found:
    """The coordinates of both dimensions of units, as a model in a file says them, and unit metrics."""
    found = populations_of(model)
    table = reconstructed_by(model)
    if EXPLAINED in found:
        named = _coordinates(found[EXPLAINED], RECONSTRUCTED)
        named[names.DIM] = np.arange(len(found[INPUT]))
    else:
        named = _coordinates(table, RECONSTRUCTED)
        named |= _coordinates(found[INPUT], READ) if OUTPUT in found else {}
    known = {key: column for key, column in UNIT_METRICS.items() if column in table.colnames}
    metrics = {key: np.asarray(table[column][:]) for key, column in known.items()}
    return {names.METRICS: named | metrics, names.ATTRIBUTION: named}


def _placed_of_metrics(stored: StoredResult) -> frozenset[str]:
    metrics = stored.metrics
    if not _of_the_same_units(stored):
        return frozenset()
    placed = _coordinates_of(metrics) | there(metrics, *UNIT_METRICS)
    ours, theirs = (one.coords.get(names.UNIT_ROW) for one in (metrics, stored.attribution))
    if ours is None or theirs is None or not np.array_equal(ours.values, theirs.values):
        placed -= {names.UNIT_ROW}
    return placed


def _coordinates_of(dataset: xr.Dataset) -> frozenset[str]:
    """Those coordinates of units that populations say, and that need no other place."""
    placed = frozenset[str]()
    for axis in axes_of(dataset):
        placed |= {axis.unit_id, axis.unit_row, axis.merged_units} & {
            str(key) for key in dataset.coords
        }
        placed |= numbered(dataset, axis.dim)
    # the numbers of dims are always 0 … n−1
    return placed | ({names.DIM} if names.DIM in dataset.coords else set())


def _of_the_same_units(stored: StoredResult) -> bool:
    """Whether metrics and attribution speak of the same units (or dims) in the same order."""
    if stored.embedding is not None:
        return all(
            one.sizes.get(names.DIM) == stored.embedding.sizes[names.DIM]
            for one in (stored.metrics, stored.attribution)
        )
    both = [one.coords.get(names.UNIT_ID) for one in (stored.metrics, stored.attribution)]
    if both[0] is None or both[1] is None or both[0].shape != both[1].shape:
        return False
    return list(map(str, both[0].values)) == list(map(str, both[1].values))


def _coordinates(population: Any, axis: Axis) -> dict[str, Any]:
    named: dict[str, Any] = {
        axis.dim: np.arange(len(population)),
        axis.unit_id: np.array([str(name) for name in population["unit_name"][:]], dtype=object),
        axis.unit_row: np.asarray(population["source_row"][:]),
    }
    if MERGED in population.colnames:
        named[axis.merged_units] = merged_in(population)
    return named


def _table(
    stored: StoredResult, nwbfile: Any, name: str, axis: Axis, scaling: str | None, said: str
) -> DynamicTable:
    """Units as rows; ``scaling`` is how the model's weights call what they are scaled by, if any."""
    apart = stored.target is not None and name == OUTPUT
    source = stored.target.source if stored.target is not None and apart else stored.source
    table = ndx.PopulationTable(
        name=name,
        description=said,
        **_link(nwbfile, source.units_object_id),
        source_table_object_id=source.units_object_id,
        source_table_path=source.units_path,
        source_file_identifier=source.identifier,
        source_file_object_id=source.object_id,
    )
    ids, rows = (stored.attribution[key].values for key in (axis.unit_id, axis.unit_row))
    numeric = np.issubdtype(ids.dtype, np.integer)
    made_of = stored.attribution.coords.get(axis.merged_units)
    for at, (row, unit_id) in enumerate(zip(rows, ids, strict=True)):
        pool = made_of is not None and is_pool(str(made_of.values[at]), int(row))
        number = (
            int(unit_id)
            if numeric and not pool
            else _id_there(nwbfile, source.units_object_id, int(row))
        )
        scaled = {}
        if scaling is not None:
            both = ("offset", "scale")
            scaled = {key: np.float32(stored.weights[f"{scaling}{key}"][at]) for key in both}
        table.add_row(
            source_row=np.int32(row),
            source_id=np.int64(number),
            unit_name=str(unit_id),
            **scaled,
        )
    if axis is RECONSTRUCTED and scaling is not None:
        _add_metrics(table, stored)
    known = stored.digests.get(axis.dim, {})
    if made_of is not None:
        add_merged(table, map(str, made_of.values), known)
    add_digests(table, known)
    return table


def digests_of_model(model: Any) -> dict[str, UnitDigests]:
    """What the units of a model in a file did when it was made."""
    found = populations_of(model)
    if EXPLAINED in found:
        return digests_in({names.UNIT: found[EXPLAINED]})
    apart = {names.INPUT_UNIT: found[INPUT]} if OUTPUT in found else {}
    return digests_in(apart | {names.UNIT: reconstructed_by(model)})


def _id_there(nwbfile: Any, object_id: str, row: int) -> int:
    """The id in the source table of the unit in a row: a unit may be called otherwise, a pool is.

    Of units that stand in no table, and where ids are text, the row.
    """
    table = getattr(nwbfile, ELSEWHERE, nwbfile.objects).get(object_id)
    found = table.id[row] if isinstance(table, DynamicTable) else row
    return int(found) if isinstance(found, int | np.integer) else row


def _add_metrics(table: DynamicTable, stored: StoredResult) -> None:
    """How well each row is reconstructed, as columns."""
    if not _of_the_same_units(stored):
        return
    words = {one["name"]: one["description"] for one in ndx.PopulationTable.__columns__}
    for key, column in UNIT_METRICS.items():
        if key in stored.metrics:
            values = stored.metrics[key].values
            table.add_column(
                name=column,
                description=words.get(column, f"{key} on held-out bins"),
                data=values.astype(np.int32 if key == names.GROUP else np.float64),
            )


def _link(nwbfile: Any, object_id: str) -> dict[str, Any]:
    """A link to the table of the source units; none for units that stand in no table."""
    table = nwbfile.objects.get(object_id)
    return {"source_table": table} if isinstance(table, DynamicTable) else {}

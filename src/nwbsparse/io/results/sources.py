"""What a stored model says about where it came from: the recording, and the tables of its units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nwbsparse.io.results.stored import OtherTable
from nwbsparse.io.stream import is_address
from nwbsparse.session import Source


def other_table(model: Any, said: Mapping[str, str] | None) -> OtherTable | None:
    """The table of the units that are reconstructed, if not that of the units that are read."""
    if said is None:
        return None
    return OtherTable(source_of(model, model.output_population), str(said["series"]))


def source_of(model: Any, population: Any) -> Source:
    """The recording a model was made from, and the table that a population refers to."""
    row = model.sessions.to_dataframe().iloc[0]
    uri = str(row["uri"])
    return Source(
        path=None,
        sha256=str(row["sha256"]),
        identifier=str(row["nwb_identifier"]),
        object_id=str(row["nwb_object_id"]),
        session_id=str(row["session_id"]),
        units_path=str(population.source_table_path),
        units_object_id=str(population.source_table_object_id),
        uri=uri if is_address(uri) else "",  # of a local file its name stands there
    )

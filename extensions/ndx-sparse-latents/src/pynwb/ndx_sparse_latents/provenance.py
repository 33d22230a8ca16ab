"""Check that a population still points at the recording it was made from."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_source(table: Any) -> list[str]:
    """Say what is wrong with where a PopulationTable says its units came from.

    An external link is also looked for in the current folder, so it can attach another file of the
    same name without a word. Hence the object ids in the table are compared with those of the
    objects that its links lead to, or, without a link, with the objects in the same file.

    Returns one sentence per problem; an empty list means that everything recorded was found and
    agrees. A recorded id that nothing here can be compared with is a problem too.
    """
    problems = []
    sources = {}
    for field in ("source_table", "source_series"):
        recorded = getattr(table, f"{field}_object_id", None)
        linked = getattr(table, field, None)
        if linked is None and recorded is not None:
            linked = _in_same_file(table, recorded)
            if linked is None:
                problems.append(
                    f"{field}: object id {recorded} is recorded, but there is no link to it and it "
                    "is not in this file, so it was not checked."
                )
        elif linked is not None and recorded is None:
            problems.append(f"{field}: linked to '{linked.name}', but no object id is recorded.")
        elif linked is not None and linked.object_id != recorded:
            problems.append(
                f"{field}: the link leads to '{linked.name}' with object id {linked.object_id}, "
                f"but {recorded} is recorded: probably another file of the same name."
            )
        if linked is not None:
            sources[field] = linked
            problems += _check_file(table, field, linked)
    if "source_table" in sources:
        problems += _check_rows(table, sources["source_table"])
    return problems


def _in_same_file(table: Any, object_id: str) -> Any | None:
    """Find an object of the table's own file by its id."""
    file = table.get_ancestor("NWBFile")
    return None if file is None else file.objects.get(object_id)


def _check_file(table: Any, field: str, linked: Any) -> list[str]:
    """Compare the recorded file with the file that the linked object is in."""
    file = linked.get_ancestor("NWBFile")
    if file is None:
        return []
    problems = []
    for stored, found in (
        ("source_file_identifier", file.identifier),
        ("source_file_object_id", file.object_id),
    ):
        recorded = getattr(table, stored, None)
        if recorded is not None and recorded != found:
            problems.append(
                f"{field}: '{linked.name}' is in a file whose {stored.removeprefix('source_file_')}"
                f" is {found}, but {recorded} is recorded."
            )
    return problems


def _check_rows(table: Any, source: Any) -> list[str]:
    """Compare source_row and source_id with the ids of the linked table."""
    ids = np.asarray(source.id[:])
    rows = np.asarray(table["source_row"].data[:])
    expected = np.asarray(table["source_id"].data[:])
    if len(rows) and (rows.min() < 0 or rows.max() >= len(ids)):
        return [f"source_row: points outside '{source.name}', which has {len(ids)} rows."]
    different = int((ids[rows.astype(np.int64)] != expected).sum())
    if different:
        return [
            f"source_id: {different} of {len(rows)} ids differ from those in '{source.name}': "
            "its rows were changed or sorted since."
        ]
    return []

"""Many recordings looked at one by one: what each holds, and whether a run can be made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nwbsparse.analysis.data_check.check import check
from nwbsparse.binning.account import accounted
from nwbsparse.binning.describe import describe
from nwbsparse.errors import NwbsparseError
from nwbsparse.io.read import read_as
from nwbsparse.io.stream import public_address
from nwbsparse.options.config import ReadOptions


def look_over(
    sources: Sequence[str], options: ReadOptions, *, strict: bool = False
) -> Iterator[dict[str, Any]]:
    """What ``describe`` says of each recording, in their order, as plain values, one after the other.

    ``usable`` is false where a recording cannot be read, or where the data check finds a problem;
    ``why_not`` says which. One that cannot be read has nothing else but its ``source``.
    """
    for source in sources:
        named = {"source": public_address(source) or source}
        try:
            session = read_as(source, options, strict=strict)
            session = accounted(session, duplicates=options.duplicates)
            seen, found = describe(session), check(session, duplicates=options.duplicates)
        except NwbsparseError as error:
            yield named | {"usable": False, "why_not": str(error)}
            continue
        problems = [one.what for one in found if one.severity == "problem"]
        verdict = {"usable": not problems, "why_not": " ".join(problems)}
        yield seen | named | verdict | {"check": [one.to_dict() for one in found]}

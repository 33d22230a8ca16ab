"""What flags say in small languages of their own: cuts, pairs, matchings."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput
from nwbsparse.naming.listed_names import name_and_rest, pieces, unquoted


def cut(said: str, known: Collection[str] = ()) -> tuple[str, Any]:
    """'speed' → ('speed', None); 'speed=4' → quantiles; 'speed=0,5,20' → edges.

    A name that holds '=' is taken whole where it is ``known``, or stands in quotes.
    """
    name, edges = name_and_rest(said, "=", known)
    if edges is None:
        return name, None
    try:
        parts = [float(one) for one in edges.split(",")]
    except ValueError:
        raise BadInput(
            f"--condition {said}: after '=' stands a number of quantiles or edges, as speed=4 or "
            "speed=0,5,20; a name that holds '=' itself stands in quotes"
        ) from None
    return name, int(parts[0]) if len(parts) == 1 else parts


def pair(said: str, sign: str, how: str, known: Collection[str] = ()) -> tuple[str, str]:
    """Both sides of a sign; ``how`` it is written is said where it is not there.

    A name that holds the sign is taken whole where it is ``known``, or stands in quotes.
    """
    first, second = name_and_rest(said, sign, known)
    whole = second is None or second in known or len(pieces(second, sign)) == 1
    if not (first and second and whole):
        raise BadInput(
            f"'{said}' is not understood; write {how}, and in quotes a name that holds '{sign}' itself"
        )
    return first, unquoted(second)


def matching_in(path: Path) -> dict[str, str]:
    """Which unit of another recording is which, from a JSON file."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(said, dict):
        raise BadInput(f'{path} must hold one object: {{"unit id of the coder": "unit id there"}}')
    return said

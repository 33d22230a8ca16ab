"""What flags say in small languages of their own: cuts, pairs, matchings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput


def cut(said: str) -> tuple[str, Any]:
    """'speed' → ('speed', None); 'speed=4' → quantiles; 'speed=0,5,20' → edges."""
    name, given, edges = said.partition("=")
    if not given:
        return name, None
    try:
        parts = [float(one) for one in edges.split(",")]
    except ValueError:
        raise BadInput(
            f"--condition {said}: after '=' stands a number of quantiles or edges, as speed=4 or "
            "speed=0,5,20"
        ) from None
    return name, int(parts[0]) if len(parts) == 1 else parts


def pair(said: str, sign: str, how: str) -> tuple[str, str]:
    """Both sides of a sign; ``how`` it is written is said where it is not there."""
    first, given, second = said.partition(sign)
    if not (given and first and second):
        raise BadInput(f"'{said}' is not understood; write {how}")
    return first, second


def matching_in(path: Path) -> dict[str, str]:
    """Which unit of another recording is which, from a JSON file."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(said, dict):
        raise BadInput(f'{path} must hold one object: {{"unit id of the coder": "unit id there"}}')
    return said

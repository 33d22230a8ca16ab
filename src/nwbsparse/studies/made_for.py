"""What a folder of results was made for: nothing else goes into it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput
from nwbsparse.files.whole import write_whole
from nwbsparse.schema import own_version
from nwbsparse.studies.task import json_in, plain

FORMAT = 1
LEDGER = "ledger.json"
_SHOWN = 5


def begin(folder: Path, made_for: Mapping[str, Any]) -> None:
    """Write down what a folder is for, or make sure that it is for that.

    Raises:
        BadInput: it is for something else, which is named.
    """
    path = folder / LEDGER
    wanted = json.loads(json.dumps({"version": own_version(), **made_for}, default=plain))
    if not path.exists():
        if folder.exists() and not folder.is_dir():
            raise BadInput(f"{folder} is a file; results go into a folder")
        if there := [one for one in ("tasks", "results") if (folder / one).exists()]:
            raise BadInput(
                f"{folder} holds {' and '.join(there)}, and no {LEDGER} that says of what; use another "
                "folder"
            )
        content = {"format": FORMAT, "made_for": wanted}
        write_whole(path, json.dumps(content, indent=1, sort_keys=True) + "\n")
    other = _differences(made_for_in(folder), wanted)
    if other:
        raise BadInput(
            f"{folder} holds the results of another sweep; it differs in "
            + "; ".join(other[:_SHOWN])
            + (f"; and {len(other) - _SHOWN} more" if len(other) > _SHOWN else "")
            + ". Use another folder"
        )


def _differences(there: Any, here: Any, name: str = "") -> list[str]:
    """'axes.k (there [4], here [4, 8])' for all in which two descriptions differ."""
    if isinstance(there, dict) and isinstance(here, dict):
        keys = sorted({*there, *here})
        return [
            one
            for key in keys
            for one in _differences(
                there.get(key), here.get(key), f"{name}.{key}" if name else str(key)
            )
        ]
    if there == here:
        return []
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here) > 1:
        pairs = zip(there, here, strict=True)
        found = [_differences(a, b, f"{name}[{at}]") for at, (a, b) in enumerate(pairs)]
        return [one for some in found for one in some]
    return [f"{name or 'what it is'} (there {_short(there)}, here {_short(here)})"]


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    said = json.dumps(value)
    return said if len(said) <= 80 else f"{said[:77]}…"


def made_for_in(folder: Path) -> dict[str, Any]:
    """What the ledger in a folder is for.

    Raises:
        BadInput: there is none, or it is damaged or of another format.
    """
    path = folder / LEDGER
    if not path.is_file():
        raise BadInput(f"{folder} holds no sweep: there is no {LEDGER} in it")
    found = json_in(path)
    if found is None or not isinstance(found.get("made_for"), dict):
        raise BadInput(f"{path} is damaged: it does not say what the results beside it are for")
    if found.get("format") != FORMAT:
        raise BadInput(
            f"{path} has format {found.get('format')}, and this nwbsparse reads {FORMAT}; use the "
            "version that made it, or another folder"
        )
    return found["made_for"]

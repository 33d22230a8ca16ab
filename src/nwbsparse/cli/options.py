"""``--config run.toml``: options from a file, overridden by those on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nwbsparse.config import from_dict, read_toml
from nwbsparse.errors import BadInput


def with_config_file(tokens: Sequence[str]) -> list[str]:
    """The command's tokens with those of its ``--config`` file added, where not given already.

    Raises:
        BadInput: the file does not exist, is not TOML, or holds unknown or wrongly typed options.
    """
    tokens = list(tokens)
    path = _take(tokens)
    if path is None:
        return tokens
    values = read_toml(path)
    from_dict(values, where=str(path))
    given = {
        token.partition("=")[0].removeprefix("--").replace("-", "_")
        for token in tokens
        if token.startswith("--")
    }
    for key, value in values.items():
        if key not in given:
            flag = f"--{key.replace('_', '-')}"
            for one in value if isinstance(value, list) else [value]:
                tokens.append(f"{flag}={one}")
    return tokens


def _take(tokens: list[str]) -> Path | None:
    for at, token in enumerate(tokens):
        if token.startswith("--config="):
            del tokens[at]
            return Path(token.partition("=")[2])
        if token == "--config":  # noqa: S105
            if at + 1 == len(tokens):
                raise BadInput("--config needs the path of a TOML file")
            path = Path(tokens[at + 1])
            del tokens[at : at + 2]
            return path
    return None

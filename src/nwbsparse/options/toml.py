"""Options as TOML, in files and as text."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from nwbsparse.errors import BadInput
from nwbsparse.options.config import Config, check_names
from nwbsparse.options.earlier import as_meant


def read_toml(path: str | Path) -> dict[str, Any]:
    """The options written in a TOML file, as plain values, names checked."""
    path = Path(path).expanduser()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(
            f"{path} does not exist; `nwbsparse config > {path.name}` writes one"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}") from None
    values.pop("source", None)
    check_names(values, where=str(path))
    return as_meant(values)


def to_toml(config: Config, *, source: str | None = None) -> str:
    """The options as TOML; ``source`` records which recording they were used on."""
    values: dict[str, Any] = {"source": source} if source else {}
    return tomli_w.dumps(values | config.to_dict())

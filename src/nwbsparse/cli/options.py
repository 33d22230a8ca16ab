"""Types of flags; ``--config run.toml`` and ``--preset NAME``: options from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from nwbsparse.errors import BadInput
from nwbsparse.options.binning import BinOptions
from nwbsparse.options.config import Config, ReadOptions, from_dict
from nwbsparse.options.decoder import DecoderOptions
from nwbsparse.options.embedding import MethodOptions
from nwbsparse.options.nwb_fields import NwbFields
from nwbsparse.options.presets import EMBEDDINGS, preset
from nwbsparse.options.splice import SpliceOptions
from nwbsparse.options.toml import read_toml

Flag = Annotated[bool, Parameter(negative=())]
Repeated = Annotated[list[str], Parameter(negative=())]
Options = Annotated[Config, Parameter(name="*")]
"""All options, a flag each."""
Reading = Annotated[ReadOptions, Parameter(name="*")]
"""Those of reading, a flag each."""


@dataclass(frozen=True, kw_only=True)
class EmbeddingOptions(MethodOptions, BinOptions, ReadOptions):
    """Embedding: what it takes to read and bin a recording and embed it."""


Embedding = Annotated[EmbeddingOptions, Parameter(name="*")]
"""Those of an embedding, a flag each."""
Decoder = Annotated[DecoderOptions, Parameter(name="*")]
"""Those of a decoder of trials, a flag each."""
Splice = Annotated[SpliceOptions, Parameter(name="*")]
"""Those of a coder inside a decoder, a flag each."""
Fields = Annotated[NwbFields, Parameter(name="*")]
"""What a person says about a session that comes from no NWB file, a flag each."""
Json = Annotated[bool, Parameter(name="--json", negative=())]

_WHAT_IS_READ = {"embed", "embedding", "reads"}


def with_config_file(tokens: Sequence[str]) -> list[str]:
    """The command's tokens with those of its file and preset added, where not given already.

    What is typed wins over the file, the file over the preset. How a preset makes an embedding is added
    where what the coder reads is said neither on the line nor in the file.

    Raises:
        BadInput: the file does not exist, is not TOML, or holds unknown or wrongly typed options;
            or there is no such preset.
    """
    tokens = list(tokens)
    name = _take(tokens, "--preset", "the name of a published recipe")
    path = _take(tokens, "--config", "the path of a TOML file")
    values: dict[str, Any] = {} if name is None else preset(name)
    given = {
        token.partition("=")[0].removeprefix("--").replace("-", "_")
        for token in tokens
        if token.startswith("--")
    }
    written: dict[str, Any] = {}
    if path is not None:
        written = read_toml(Path(path))
        from_dict(written, where=path)
    if name is not None and not _WHAT_IS_READ & (given | written.keys()):
        values |= EMBEDDINGS.get(name, {})
    values |= written
    for key, value in values.items():
        if key not in given:
            flag = f"--{key.replace('_', '-')}"
            for one in value if isinstance(value, list) else [value]:
                tokens.append(f"{flag}={one}")
    return tokens


def _take(tokens: list[str], flag: str, what: str) -> str | None:
    """Remove a flag and its value from the tokens; the value."""
    for at, token in enumerate(tokens):
        if token.startswith(f"{flag}="):
            del tokens[at]
            return token.partition("=")[2]
        if token == flag:
            if at + 1 == len(tokens):
                raise BadInput(f"{flag} needs {what}")
            value = tokens[at + 1]
            del tokens[at : at + 2]
            return value
    return None

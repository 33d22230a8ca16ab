"""An embedding that is made in place of the counts: by which method, and from what."""

import json
from dataclasses import dataclass
from typing import Any

from nwbsparse.errors import BadInput
from nwbsparse.naming.listed_names import pieces, unquoted
from nwbsparse.options.facts import option
from nwbsparse.options.words import Embed


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """Embedding: what the method is given."""

    makes_data = True
    embed_dims: int | None = option(None, above=0)
    """Dims of the embedding. Absent: 8."""
    embed_covariates: str | None = None
    """Covariates and conditions that CEBRA is trained by, with commas; "place": position. Absent: time."""
    embed_smoothing: float = option(0.0, least=0)
    """Standard deviation (s) of the Gaussian that counts are smoothed with before they are embedded."""
    embed_seed: int = option(0, least=0, below=2**63)
    """Seed of the method's random start and of its controls; the coder's is another."""
    embed_settings: str | None = None
    """Settings of the method in its own words, with commas: "max_iterations=5000,align=last"."""

    @property
    def embedding_covariates(self) -> list[str]:
        """The names of the covariates and conditions."""
        given = pieces(self.embed_covariates) if self.embed_covariates else []
        return [unquoted(one) or one for one in given]

    @property
    def embedding_settings(self) -> dict[str, Any]:
        """{name: value} of the method's settings: numbers, true, false, null and words.

        Raises:
            BadInput: a piece is not of the form name=value, or a name stands there twice.
        """
        found: dict[str, Any] = {}
        for piece in pieces(self.embed_settings) if self.embed_settings else []:
            name, equals, said = (part.strip() for part in piece.partition("="))
            if not (equals and name.isidentifier() and said):
                raise BadInput(
                    f"embed_settings has {piece!r}; it takes name=value, such as max_iterations=5000"
                )
            if name in found:
                raise BadInput(f"embed_settings names {name} twice; name it once")
            try:
                found[name] = json.loads(said)
            except ValueError:
                found[name] = unquoted(said) or said
        return found


@dataclass(frozen=True, kw_only=True)
class EmbedOptions(MethodOptions):
    """Embedding: what the coder reads in place of counts, and how that is made."""

    makes_data = True
    embed: Embed = option("none", common=True)
    """Make an embedding of the counts on training bins, and let the coder read it."""


def embedding_problems(config: Any) -> list[str]:
    """What cannot work about the options of an embedding, one sentence each."""
    found = []
    try:
        _ = config.embedding_settings
    except BadInput as error:
        found.append(str(error))
    if config.embed == "none":
        found += [
            f"{name} is of an embedding that is made here; name the method with embed"
            for name in ("embed_dims", "embed_covariates", "embed_settings")
            if getattr(config, name)
        ]
    elif config.embed_covariates and config.embed != "cebra":
        found.append(
            f"embed_covariates: {config.embed} sees the activity alone; only embed=cebra is trained by them"
        )
    return found

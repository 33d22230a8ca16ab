"""What was fitted to make an embedding: arrays and words, kept as safetensors. Nothing in it can run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from safetensors import SafetensorError
from safetensors.numpy import load, save

from nwbsparse import names
from nwbsparse.errors import BadInput, IntegrityError

_WORDS = "words"
_FORMAT = 1
_BYTES = "embedder_byte"


@dataclass(frozen=True)
class Embedder:
    """A fitted method: what it takes to embed other bins of the same units."""

    method: str
    settings: Mapping[str, Any]
    """How it was fitted: every setting of the method, whether given or its default."""
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Empty for a method that embeds only what it was fitted on (t-SNE, UMAP)."""
    receptive_field: tuple[int, int] = (0, 1)
    """Bins before its own that it sees, and bins from its own on."""

    def to_bytes(self) -> bytes:
        """As safetensors: the same embedder always gives the same bytes."""
        words = {
            "format": _FORMAT,
            "method": self.method,
            "settings": dict(self.settings),
            "receptive_field": list(self.receptive_field),
        }
        arrays = {name: np.ascontiguousarray(one) for name, one in sorted(self.arrays.items())}
        return save(arrays, metadata={_WORDS: json.dumps(words, sort_keys=True)})


def embedder_from(data: bytes | np.ndarray, *, where: str = "the embedder") -> Embedder:
    """An embedder from its bytes.

    Raises:
        IntegrityError: they are no safetensors of an embedder.
        BadInput: they are of a later format.
    """
    held = bytes(data) if isinstance(data, bytes) else np.asarray(data, dtype=np.uint8).tobytes()
    try:
        arrays = load(held)
        words = json.loads(_metadata(held)[_WORDS])
        before, after = (int(one) for one in words["receptive_field"])
        format_, method, settings = int(words["format"]), str(words["method"]), words["settings"]
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise IntegrityError(f"{where} is damaged: {error}") from None
    if format_ > _FORMAT:
        raise BadInput(f"{where} has format {format_}; this nwbsparse reads up to {_FORMAT}")
    return Embedder(method, settings, arrays, (before, after))


def embedder_of(binned: xr.Dataset) -> Embedder | None:
    """The fitted method that made a dataset's embedding; None where there is none to apply."""
    if names.EMBEDDER not in binned:
        return None
    return embedder_from(binned[names.EMBEDDER].values)


def embedder_bytes(binned: xr.Dataset) -> bytes | None:
    """The bytes of that method, as they are stored."""
    return binned[names.EMBEDDER].values.tobytes() if names.EMBEDDER in binned else None


def with_embedder(binned: xr.Dataset, held: bytes) -> xr.Dataset:
    """The dataset with the bytes of the fitted method beside its embedding."""
    return binned.assign({names.EMBEDDER: (_BYTES, np.frombuffer(held, dtype=np.uint8))})


def _metadata(held: bytes) -> dict[str, str]:
    """The words in the header of safetensors: eight bytes of length, then JSON."""
    length = int.from_bytes(held[:8], "little")
    return json.loads(held[8 : 8 + length])["__metadata__"]

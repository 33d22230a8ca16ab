"""The weights of a coder ⇄ the arrays of its model: as safetensors, and plain for other readers."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbsparse.annotated.elements.storage import Pack
from nwbsparse.annotated.stored import StoredResult


def weights(stored: StoredResult, pack: Pack) -> dict[str, Any]:
    """The fields of a model that hold its weights."""
    held = stored.weights
    n_latents, encoder = len(held["dictionary"]), held.get("encoder_weight")
    return {
        "num_latents": n_latents,
        "decoder_weights": pack(_by_lag(stored)),
        "decoder_bias": held["decoder_bias"].astype(np.float32),
        "encoder_weights": None if encoder is None else pack(encoder.T.astype(np.float32)),
        "encoder_bias": held["encoder_bias"].astype(np.float32),
        "pre_bias": held["pre_bias"].astype(np.float32),
        "threshold": np.repeat(held["threshold"][:, None], n_latents, axis=1).astype(np.float32),
        "parameters": pack(np.frombuffer(stored.tensors, dtype=np.uint8)),
    }


def weights_in(model: Any) -> dict[str, np.ndarray]:
    """The plain arrays of a model in a file, under the names that the coder has for them."""
    encoder = model.encoder_weights
    return {
        "dictionary": model.decoder_weights[:].reshape(int(model.num_latents), -1),
        **({} if encoder is None else {"encoder_weight": encoder[:].T}),
    }


def tensors_in(model: Any) -> bytes:
    """The coder's safetensors, as they stand in a file."""
    return bytes(np.asarray(model.parameters[:]).tobytes())


def _by_lag(stored: StoredResult) -> np.ndarray:
    """The dictionary as (latent, unit), or (latent, lag, unit) where it has several lags."""
    rows = stored.weights["dictionary"].astype(np.float32)
    n_units = len(stored.weights.get("target_offset", stored.weights["offset"]))
    n_lags = rows.shape[1] // n_units
    return rows if n_lags == 1 else rows.reshape(len(rows), n_lags, n_units)

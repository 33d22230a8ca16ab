"""The inputs and weights that every peer is given, and how its answers are stored.

Needs numpy only, so that it runs in any peer's environment. Names and shapes are nwbsparse's:
``input`` [bin, unit], ``encoder_weight`` and ``dictionary`` [latent, unit], ``encoder_bias``
[latent], ``decoder_bias`` [unit]. Latents from ``FIRST_DEAD`` on never reach a selection: the dead
ones of auxiliary losses.
"""

import json
import platform
from pathlib import Path

import numpy as np

N_BINS, N_UNITS, N_LATENTS, K = 64, 20, 48, 4
FIRST_DEAD = 36
LEVELS = [12, 24, 48]
GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden" / "oracles"
MARGIN = 1e-5  # float32 sums in another order must not flip a selection


def seeded():
    """Every array that goes in, float32."""
    rng = np.random.default_rng(2024)
    dictionary = rng.standard_normal((N_LATENTS, N_UNITS))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    codes = rng.exponential(1.0, (N_BINS, N_LATENTS)) * (rng.random((N_BINS, N_LATENTS)) < 0.2)
    decoder_bias = 0.3 * rng.standard_normal(N_UNITS)
    inputs = codes @ dictionary + decoder_bias + 0.1 * rng.standard_normal((N_BINS, N_UNITS))
    # not tied: a transposed or swapped matrix shows
    encoder_weight = dictionary + 0.1 * rng.standard_normal(dictionary.shape)
    encoder_bias = 0.1 * rng.standard_normal(N_LATENTS) - 0.1
    dead = slice(FIRST_DEAD, None)
    reach = ((inputs - decoder_bias) @ encoder_weight[dead].T).max(axis=0)
    encoder_bias[dead] = rng.uniform(0.1, 0.4, N_LATENTS - FIRST_DEAD) - reach
    threshold = rng.uniform(0.2, 0.6, N_LATENTS)
    found = {
        "input": inputs,
        "encoder_weight": encoder_weight,
        "encoder_bias": encoder_bias,
        "dictionary": dictionary,
        "dictionary_norm": rng.uniform(0.5, 2.0, N_LATENTS),
        "decoder_bias": decoder_bias,
        "threshold": threshold,
        "log_threshold": np.log(threshold),
        "gate_bias": encoder_bias,
        "gate_magnitude_bias": encoder_bias + 0.1 * rng.standard_normal(N_LATENTS),
        "gate_log_scale": 0.3 * rng.standard_normal(N_LATENTS),
    }
    return {name: np.ascontiguousarray(value, np.float32) for name, value in found.items()}


def pre_activation(given, *, subtract_bias=True):
    """π in float64, to measure how far it stays from every decision."""
    wide = {name: value.astype(np.float64) for name, value in given.items()}
    y = wide["input"] - wide["decoder_bias"] * subtract_bias
    return y @ wide["encoder_weight"].T + wide["encoder_bias"]


def check_margins(given):
    """No value of ours lies so near a threshold or a rank that rounding could decide it."""
    pre = pre_activation(given)
    rows = np.sort(pre, axis=1)[:, ::-1]
    flat = np.sort(pre.ravel())[::-1]
    other = pre_activation(given, subtract_bias=False)
    gaps = {
        "relu": np.abs(pre).min(),
        "topk": (rows[:, K - 1] - rows[:, K]).min(),
        "batch_topk": flat[K * N_BINS - 1] - flat[K * N_BINS],
        "jumprelu": np.abs(pre - given["threshold"]).min(),
        "jumprelu, input as it is": np.abs(other - given["threshold"]).min(),
    }
    assert min(gaps.values()) > MARGIN, gaps
    assert rows[:, K - 1].min() > pre[:, FIRST_DEAD:].max(), "a dead latent would be selected"
    return {name: float(gap) for name, gap in gaps.items()}


def batch_threshold(given):
    """A threshold between the last value that batch top-k keeps and the first that it drops."""
    flat = np.sort(pre_activation(given).ravel())[::-1]
    return float(np.float32((flat[K * N_BINS - 1] + flat[K * N_BINS]) / 2))


def save(name, arrays, words):
    """``<name>.npz`` (no pickles) and ``<name>.json`` beside each other."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    words = {**words, "python": platform.python_version(), "numpy": np.__version__}
    arrays = {key: np.asarray(value) for key, value in arrays.items()}
    for key, value in arrays.items():
        assert value.dtype == np.float32 and np.isfinite(value).all(), key
    np.savez_compressed(GOLDEN / f"{name}.npz", **arrays)
    words["shapes"] = {key: list(value.shape) for key, value in arrays.items()}
    (GOLDEN / f"{name}.json").write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in GOLDEN.glob(f"{name}.*")) / 1e3
    print(f"{name}: {len(arrays)} arrays, {size:.0f} kB")

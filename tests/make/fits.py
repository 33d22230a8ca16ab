"""Trainings small enough for tests, what they give, and how to stop them anywhere."""

import hashlib
import itertools
import signal

from nwbsparse.models.checkpoint import to_bytes
from nwbsparse.training import engine

QUICK = {"n_latents": 32, "k": 3, "batch_size": 128, "max_epochs": 6}

KINDS = {
    "batch_topk": {"n_latents": 32, "k": 3},
    "topk": {"sparsifier": "topk", "n_latents": 32, "k": 3},
    "l1": {"sparsifier": "l1", "n_latents": 24, "k": 3},
    "exponential": {"sparsifier": "l1", "penalty": "exponential", "n_latents": 24, "k": 3},
    "jumprelu": {"sparsifier": "jumprelu", "n_latents": 24, "k": 3},
    "gated": {"sparsifier": "gated", "n_latents": 24, "k": 3},
    "levels": {"levels": ("4:1", "12:2", "32:3")},
    "nested": {"levels": ("4:2", "12:2", "32:2"), "nesting": "nested"},
    "weighted": {"levels": ("4:1:0.5", "12:2:2", "32:3")},
    "window": {"encoder": "window", "window": 4, "n_latents": 32, "k": 3},
    "transformer": {"encoder": "transformer", "window": 4, "n_latents": 32, "k": 3},
    "transformer_before": {
        "encoder": "transformer",
        "attention": "model",
        "window": 4,
        "d_model": 16,
        "n_blocks": 1,
        "n_latents": 32,
        "k": 3,
    },
    "convolution": {"decoder": "convolution", "window": 4, "n_latents": 32, "k": 3},
    "resample": {"n_latents": 96, "k": 2, "revival": "resample", "dead_window": 5},
    "transcoder": {"target_units": "0,3,5,9", "lag": 1, "n_latents": 32, "k": 3},
}
"""Every kind of coder, by what is special about it."""


def everything(coder):
    """Whatever a training decides: weights, thresholds, scaling, and how it went."""
    return hashlib.sha256(to_bytes(coder)).hexdigest(), coder.record.history


def at_start_of_update(monkeypatch, number, act):
    """Do something while update ``number`` (counted from 1 in this process) is being made."""
    counted = itertools.count(1)
    original = engine.step_size

    def counting(*given):
        if next(counted) == number:
            act()
        return original(*given)

    monkeypatch.setattr(engine, "step_size", counting)


def raises(number):
    """Send this process a signal."""
    return lambda: signal.raise_signal(number)

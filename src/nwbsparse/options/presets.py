"""Published recipes by name, as options of ours."""

from __future__ import annotations

from itertools import product
from typing import Any

from nwbsparse.errors import unknown
from nwbsparse.options.config import Config
from nwbsparse.options.earlier import BEFORE_HIDING

_ONE_COPY = BEFORE_HIDING | {"seeds": 1, "last_batch": "drop"}
"""One coder that sees what it reconstructs, as published: nothing of the default recipe."""

_NAIK = _ONE_COPY | {
    "sparsifier": "topk", "k": 32, "expansion": 8, "learning_rate": 1e-3, "batch_size": 256,
    "max_epochs": 50, "schedule": "constant", "clip": 0.0, "patience": 10_000, "rows": "free",
    "pre_bias": "none", "normalisation": "none", "output": "identity", "initialisation": "uniform",
    "revival": "none", "blocks": 1, "level_terms": "mean",
}  # fmt: skip

PRESETS: dict[str, dict[str, Any]] = {
    "plain": _ONE_COPY | {"normalisation": "zscore", "level_terms": "mean"},
    "naik2025": _NAIK,
    "naik2025-code": _NAIK | {"batch_size": 512, "last_batch": "keep"},
    "nldisco": _ONE_COPY | {
        "sparsifier": "batch_topk", "nesting": "independent", "loss": "msle",
        "normalisation": "none", "output": "relu", "revival": "auxiliary", "aux_weight": 1.0,
        "learning_rate": 5e-3, "schedule": "trapezoid", "batch_size": 1024,
        "level_terms": "mean",
    },
    "nldisco-placecells": _ONE_COPY | {
        "bin_width": 0.01, "n_latents": 128, "k": 4, "test": 0.4, "blocks": 10,
        "normalisation": "zscore",
        "level_terms": "mean",
    },
}  # fmt: skip
"""name → options.

``plain``: what was the default before units were hidden: z-scores, four latents per unit, one seed.
``naik2025``: the model that Naik (2025) chose for analysis (TopK, eight latents per dimension),
trained as the paper says. ``naik2025-code``: as its published numbers were made (batches of 512, and
a smaller one at the end of each pass).
``nldisco``: batch top-k with auxiliary loss and the log error of Bhagat et al. (2025); give the
levels. ``nldisco-placecells``: the size of their simulation's coder with our loss, since theirs is
not defined for the z-scores that it is given. All take the mean of the levels' losses, as they did
before there was a sum, so that they train to the same bits; ``level_terms="sum"`` is Algorithm 1."""

_CEBRA = (
    "model_architecture=offset10-model,num_hidden_units=64,max_iterations=2000,batch_size=256,"
    "learning_rate=0.001,time_offsets=5,temperature=0.1,temperature_mode=constant,distance=cosine"
)
EMBEDDINGS: dict[str, dict[str, Any]] = {
    "naik2025": {
        "embed": "cebra", "embed_dims": 8, "embed_covariates": "place", "embed_settings": _CEBRA,
    },
    "naik2025-code": {"embed": "cebra", "embed_dims": 8, "embed_settings": _CEBRA},
}  # fmt: skip
"""name → the options of the embedding that the recipe's coder reads, where it reads one.

The paper trains CEBRA by position and direction (its section 3.2); the code that made its numbers gave it
no labels. ``--preset`` of ``run`` and ``fit`` takes both halves; :func:`preset` is the coder's alone, which
reads whatever it is given."""

NAIK_EXPANSIONS, NAIK_RATES = (2, 4, 8), (1e-4, 3e-4, 1e-3)
NAIK_PENALTIES, NAIK_K, NAIK_BANDWIDTHS = (1e-4, 1e-3, 1e-2), (8, 16, 32), (5e-4, 1e-3, 5e-3)


def preset(name: str) -> dict[str, Any]:
    """The options of a published recipe's coder.

    Raises:
        BadInput: there is no recipe of that name.
    """
    if name not in PRESETS:
        raise unknown(name, PRESETS, what="preset")
    return dict(PRESETS[name])


def naik_grid(*, as_published: bool = False, n_units: int = 1) -> list[Config]:
    """The 135 sparse autoencoders of one animal and embedding size (Naik 2025, section 3.3).

    27 standard, 27 TopK and 81 with the saturating penalty that the paper calls JumpReLU; k is
    clamped to the number of latents where it is larger.

    Args:
        as_published: the penalties as the paper's code weighs them: summed over the batch and
            beside a mean over dimensions, so batch size times dimensions larger.
        n_units: embedding dimensions, for that factor.
    """
    base = preset("naik2025-code" if as_published else "naik2025")
    factor = base["batch_size"] * n_units if as_published else 1
    plain = base | {"sparsifier": "l1"}
    del plain["k"]
    grid: list[dict[str, Any]] = []
    for expansion, rate in product(NAIK_EXPANSIONS, NAIK_RATES):
        size = {"expansion": expansion, "learning_rate": rate}
        grid += [plain | size | {"penalty_weight": w * factor} for w in NAIK_PENALTIES]
        grid += [base | size | {"k": k} for k in NAIK_K]
        grid += [
            plain
            | size
            | {"penalty": "exponential", "penalty_weight": w * factor, "bandwidth": bandwidth}
            for w, bandwidth in product(NAIK_PENALTIES, NAIK_BANDWIDTHS)
        ]
    return [Config(**options) for options in grid]

"""Which options can work together, said in words that name what is legal."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from nwbsparse.errors import BadInput
from nwbsparse.options.embedding import embedding_problems
from nwbsparse.options.facts import facts_of
from nwbsparse.options.pooling import parse_pool
from nwbsparse.options.registered import known, said_of, words_of

LEGAL_TARGETS: dict[str, tuple[tuple[str, str], ...]] = {
    "mse": (
        ("scaled", "identity"), ("zscore", "identity"), ("none", "identity"), ("none", "relu"),
        ("none", "softplus"), ("none", "exp"),
    ),
    "msle": (
        ("scaled", "relu"), ("scaled", "softplus"), ("scaled", "exp"),
        ("none", "relu"), ("none", "softplus"), ("none", "exp"),
    ),
    "poisson": (
        ("scaled", "softplus"), ("scaled", "exp"), ("none", "softplus"), ("none", "exp"),
    ),
    "negative_binomial": (
        ("scaled", "softplus"), ("scaled", "exp"), ("none", "softplus"), ("none", "exp"),
    ),
}  # fmt: skip
"""loss → the (normalisation, output) pairs under which it is defined; the first is the default.

MSLE takes a logarithm and Poisson a rate: neither exists for the negative targets that a z-score
makes, nor for the negative reconstructions of an identity output."""

PENALISED = ("l1", "jumprelu", "gated")
"""Sparsifiers that a penalty makes sparse; the others are told how many latents to keep."""

_LEVEL = re.compile(
    r"\s*([0-9]{1,9})\s*:\s*([0-9]{1,9})\s*"
    r"(?::\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|[+-]?inf)\s*)?",
    re.IGNORECASE,
)


def problems(config: Any, choices: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Everything that cannot work about a :class:`nwbsparse.Config`, one sentence each.

    Args:
        config: the options.
        choices: for options that are one of several words, those words.
    """
    found = _out_of_range(config)
    for field, words in choices.items():
        value = getattr(config, field)
        if value is not None and not known(field, value, words):
            found.append(f"{field} is {value!r}; choose one of {', '.join(words_of(field, words))}")
    if not config.name or any(not (c.isalnum() or c in "-_") for c in config.name):
        found.append(f"name is {config.name!r}; use letters, digits, '-' and '_'")
    found += _levels(config) + _target(config) + _window(config) + _sparsity(config)
    if config.transform == "sqrt" and not takes_any_number(config.loss):
        found.append(
            f"transform=sqrt makes roots of counts, for which loss={config.loss} is not defined; use "
            "transform=none or loss=mse"
        )
    return found + _embedding(config) + _hiding(config) + _pool(config)


def is_penalised(sparsifier: str) -> bool:
    """Whether a penalty makes latents sparse; else the sparsifier is told how many to keep."""
    return sparsifier in PENALISED or bool(said_of("sparsifier", sparsifier, "penalised"))


def targets_of(loss: str) -> tuple[tuple[str, str], ...]:
    """The (normalisation, output) pairs under which a loss is defined; none for one that is unknown."""
    return LEGAL_TARGETS.get(loss) or LEGAL_TARGETS.get(str(said_of("loss", loss, "like")), ())


def takes_any_number(loss: str) -> bool:
    """Whether a loss is defined for what lies below 0 too; else for counts and rates."""
    return ("zscore", "identity") in targets_of(loss)


def parse_levels(levels: tuple[str, ...]) -> list[tuple[int, int]]:
    """['16:1', '64:4:0.5'] → [(16, 1), (64, 4)]: latents and k of each Matryoshka level."""
    return [_parse_level(level)[:2] for level in levels]


def parse_weights(levels: tuple[str, ...]) -> list[float]:
    """['16:1', '64:4:0.5'] → [1.0, 0.5]: the weight of each Matryoshka level's loss."""
    return [_parse_level(level)[2] for level in levels]


def _parse_level(level: str) -> tuple[int, int, float]:
    found = _LEVEL.fullmatch(str(level))
    if found is None:
        raise ValueError(
            f'level {level!r} is not of the form "n_latents:k" or "n_latents:k:weight", such as '
            '"64:4" or "64:4:0.5"'
        )
    size, k, weight = found.groups(default="1")
    return int(size), int(k), float(weight)


def _out_of_range(config: Any) -> list[str]:
    found = []
    for name, facts in facts_of(config):
        value = getattr(config, name)
        if facts.bounded and value is not None:
            problem = facts.problem(name, value)
            found += [problem] if problem else []
    if config.test + config.validation >= 1:
        both = config.test + config.validation
        found.append(f"test + validation is {both:g}; nothing is left to train on")
    if config.band and (len(config.band) != 2 or not 0 < config.band[0] < config.band[1]):
        found.append(f"band is {config.band}; it must be two growing frequencies > 0 Hz")
    return found


def _levels(config: Any) -> list[str]:
    found, parsed = [], []
    for level in config.levels:
        try:
            parsed.append(_parse_level(level))
        except ValueError as error:
            found.append(str(error))
    levels = [(size, k) for size, k, _ in parsed]
    if levels and not found:
        found += _together(config, levels)
    if config.expansion is not None and (config.n_latents is not None or config.levels):
        found.append("expansion and n_latents (or levels) are both given; give one of them")
    pairs = levels
    if not config.levels and config.n_latents and config.k:
        pairs = [(config.n_latents, config.k)]
    for size, k in pairs:
        if k > size:
            found.append(f"k is {k} but there are only {size} latents; k must not exceed n_latents")
        if k <= 0:
            found.append(f"k is {k} in level {size}:{k}; it must be > 0")
    for size, k, weight in parsed:
        if not (math.isfinite(weight) and weight > 0):
            found.append(
                f"the weight is {weight:g} in level {size}:{k}:{weight:g}; it must be > 0 and finite"
            )
    return found


def _together(config: Any, levels: list[tuple[int, int]]) -> list[str]:
    """What is wrong about the levels as a whole."""
    found = []
    sizes = [size for size, _ in levels]
    if sizes != sorted(set(sizes)):
        found.append(f"levels {config.levels} must grow")
    for field, value in (("n_latents", levels[-1][0]), ("k", levels[-1][1])):
        given = getattr(config, field)
        if given is not None and given != value:
            found.append(f"{field} is {given} but the largest level says {value}; give one of them")
    if config.nesting == "nested" and len({k for _, k in levels}) > 1:
        found.append(
            f"nesting=nested selects once for all levels, so {config.levels} must have one k; "
            "give each level the same, or use nesting=independent"
        )
    return found


def _target(config: Any) -> list[str]:
    legal = targets_of(config.loss)
    fits = [
        pair
        for pair in legal
        if config.normalisation in (None, pair[0]) and config.output in (None, pair[1])
    ]
    if fits or not legal:
        return []
    named = " or ".join(f"normalisation={n}, output={o}" for n, o in legal)
    return [
        f"loss={config.loss} is not defined with normalisation={config.normalisation or 'auto'}, "
        f"output={config.output or 'auto'}; legal with it: {named}"
    ]


def _window(config: Any) -> list[str]:
    found = []
    window = config.window
    if config.decoder == "convolution" and config.encoder != "linear":
        found.append(
            f"decoder=convolution needs encoder=linear, not {config.encoder}: it gives each latent "
            "a time course of its own, so the encoder must look at single bins"
        )
    one_bin = config.encoder == "linear" and config.decoder == "linear"
    if one_bin and window not in (None, 1):
        found.append(
            f"encoder=linear sees one bin, but window is {window}; use encoder=window or "
            "encoder=transformer, or decoder=convolution"
        )
    if not one_bin and window is not None and window < 2:
        what = f"encoder={config.encoder}, decoder={config.decoder}"
        found.append(f"window is {window}; {what} needs a window of 2 bins or more")
    if config.decoded == "all" and (one_bin or config.decoder == "convolution"):
        found.append(
            "decoded=all needs encoder=window or encoder=transformer with decoder=linear; one bin "
            "is reconstructed otherwise (decoded=last)"
        )
    attends = config.encoder == "transformer" and config.attention == "model"
    if attends and config.n_heads > 0 and config.d_model % config.n_heads:
        found.append(
            f"d_model is {config.d_model}; it must be a multiple of n_heads {config.n_heads}"
        )
    if config.target_units and config.target_regions:
        found.append("target_units and target_regions are both given; give one of them")
    return found


def _sparsity(config: Any) -> list[str]:
    found = []
    if config.penalty == "exponential" and config.sparsifier != "l1":
        found.append(f"penalty=exponential belongs to sparsifier=l1, not {config.sparsifier}")
    if config.penalty_weight is not None and not is_penalised(config.sparsifier):
        found.append(
            f"penalty_weight has no meaning for sparsifier={config.sparsifier}, which keeps k "
            f"latents; it belongs to {', '.join(PENALISED)}"
        )
    kernel = config.sparsifier == "jumprelu" or config.penalty == "exponential"
    if config.bandwidth is None or kernel:
        return found
    # one of others is given the number, whatever it does with it
    if config.sparsifier in PENALISED or not is_penalised(config.sparsifier):
        found.append("bandwidth belongs to sparsifier=jumprelu or penalty=exponential")
    return found


def _embedding(config: Any) -> list[str]:
    made = embedding_problems(config)
    if config.reads != "embedding":
        return made
    return made + [
        f"{field} names units, but a coder with reads=embedding reconstructs the embedding's dims"
        for field in ("target_units", "target_regions")
        if getattr(config, field)
    ]


def _pool(config: Any) -> list[str]:
    if config.pool is None:
        return []
    try:
        parse_pool(config.pool)
    except BadInput as error:
        return [str(error)]
    return []


def _hiding(config: Any) -> list[str]:
    found = []
    if not config.mask:
        return found
    if config.reads == "embedding":
        found.append(
            "mask hides units, but a coder with reads=embedding reads dims, which have no neighbours "
            "to be told from; use mask=0"
        )
    other = [name for name in ("target_units", "target_regions", "lag") if getattr(config, name)]
    if other:
        found.append(
            f"mask hides what must be told from other units; with {' and '.join(other)} what is "
            "reconstructed is not what is read, so nothing need be hidden: use mask=0"
        )
    if config.revival == "resample":
        found.append(
            "revival=resample gives dead latents what single bins leave over, hidden or not; with a "
            "mask use revival=auxiliary"
        )
    return found

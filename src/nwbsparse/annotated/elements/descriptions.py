"""What a stored model is, in words: for readers of the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nwbsparse import names
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.schema import own_version


def description_of(stored: StoredResult, populations: Mapping[str, Any]) -> str:
    """What a model is of, in one sentence or two."""
    config = stored.words["config"]
    return (
        f"Sparse latents of {_units_said(populations)} in bins of {config['bin_width']} s, "
        f"{config['k']} active per bin on average.{_one_of_several(stored)}"
    )


def _units_said(populations: Mapping[str, Any]) -> str:
    """'12 units', or '12 units, from which 5 others are reconstructed,'."""
    written = len(populations[names.UNIT])
    if names.DIM in populations:
        return f"an embedding of {written} units in {len(populations[names.DIM])} dims,"
    read = populations.get(names.INPUT_UNIT)
    if read is None:
        return f"{written} units"
    return f"{len(read)} units, from which {written} others are reconstructed,"


def architecture_said(config: Mapping[str, Any]) -> str:
    """What the model is, in words; all of its weights stand in ``parameters``."""
    window = config.get("window", 1)
    over = f" over {window} bins" if window > 1 else ""
    encoder = {"transformer": f"transformer ({config.get('attention')} attention)"}.get(
        config.get("encoder", "linear"), "linear encoder"
    )
    levels = f", {config.get('nesting')} Matryoshka levels" if config.get("levels") else ""
    convolution = config.get("decoder") == "convolution"
    decoder = "dictionary of time courses" if convolution else "linear dictionary"
    rule = config.get("sparsifier", "batch_topk").replace("_", " ").replace("topk", "top-k")
    return f"{encoder}{over if not convolution else ''}, {rule}{levels}, {decoder}" + (
        over if convolution else ""
    )


def model_card(stored: StoredResult) -> str:
    """What a user of a model should know, as Markdown."""
    summary = json.loads(stored.attribution.attrs.get("summary", "{}"))
    lines = [
        f"# {stored.name}",
        "",
        f"Learned by nwbsparse {own_version()} from `{stored.source.identifier}` "
        f"(sha256 {stored.source.sha256[:16]}…).{_one_of_several(stored)}",
        "",
    ]
    if stored.words.get("target_ids"):
        read, made = (len(stored.words[key]) for key in ("unit_ids", "target_ids"))
        lines += [f"It reads {read} units and reconstructs {made} others.", ""]
    said = {"r2": "held-out R²", "l0": "active latents per held-out bin"}
    lines += [
        f"- {words} {float(stored.metrics[key].mean()):.3f}"
        for key, words in said.items()
        if key in stored.metrics
    ]
    variables = summary.pop("variables", {})
    for who, one in summary.items():  # of versions before 0.2 also what they are compared with
        lines.append(
            f"- {who}: {one['found']} of {one['assessable']} that could be tested follow a variable (FDR)"
        )
    lines += [_followed(name, one) for name, one in variables.items() if "strongest" in one]
    return "\n".join(lines)


def _followed(name: str, one: dict[str, Any]) -> str:
    """How closely a variable is followed, and what all latents tell of it together."""
    strongest = one["strongest"]
    ends = [f"{strongest[end]:.2f}" for end in ("low", "high") if end in strongest]
    interval = f" [{' to '.join(ends)}]" if ends else ""
    said = (
        f"- {name}: strongest r {strongest['r']:.2f}{interval}, followed by {one['found']} latents"
    )
    if "hindrance" in one:
        said += f"; not testable: {one['hindrance']}"
    if "together" in one:
        share = one["together"]["share"]
        said += (
            f"; all latents together tell it in {share['latents']:.0%} of the time, as many units in "
            f"{share['units']:.0%}, chance {one['together']['chance']:.0%}"
        )
    return said


def _one_of_several(stored: StoredResult) -> str:
    """That a model was learned from several recordings, of which this file holds one."""
    words = stored.words
    if not words.get("model_id"):
        return ""
    called = ", ".join(one["name"] for one in words["sessions"])
    return (
        f" Part of the model {words['model_id']} of {len(words['sessions'])} sessions ({called}): "
        f"this is its part for the session {words['session']}; latents have the same numbers in all."
    )

"""Decoders on disk: safetensors for the numbers, JSON for the words. Nothing in them can run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes

from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.files.whole import write_whole
from nwbsparse.models.stored_words import stored_words
from nwbsparse.splice.heads import Head
from nwbsparse.splice.learning import digest_of
from nwbsparse.splice.transformer import PopulationTransformer

FORMAT = 1
TENSORS = "decoder.safetensors"
WORDS = "decoder.json"


def save_decoder(model: PopulationTransformer, folder: str | Path) -> None:
    """Write ``decoder.safetensors`` and ``decoder.json``, each complete or not at all.

    Raises:
        EnvironmentProblem: the folder cannot be written to.
    """
    folder = Path(folder).expanduser()
    state = {name: one.detach().cpu().contiguous() for name, one in model.state_dict().items()}
    words = {
        "format": FORMAT,
        "id": digest_of(state),
        "options": model.options,
        # lists, because the order of sessions and heads is that of the weights
        "sessions": [{"name": name, "n_units": n} for name, n in model.sessions.items()],
        "heads": [{"name": name, **asdict(head)} for name, head in model.heads.items()],
        "history": model.history,
    }
    write_whole(folder / TENSORS, tensors_to_bytes(state, metadata={"nwbsparse": str(FORMAT)}))
    write_whole(folder / WORDS, json.dumps(words, indent=1, sort_keys=True))


def load_decoder(folder: str | Path) -> PopulationTransformer:
    """Read what :func:`save_decoder` wrote, on the CPU and in evaluation mode.

    Raises:
        BadInput: there is no decoder in the folder, or one of a later version of nwbsparse.
        IntegrityError: it is damaged.
    """
    folder = Path(folder).expanduser()
    words = stored_words(folder, tensors=TENSORS, words=WORDS, what="decoder")
    if words.get("format", 0) > FORMAT:
        raise BadInput(
            f"this decoder has format {words['format']}; this nwbsparse reads up to {FORMAT}"
        )
    try:
        model = _described(words)
        state = tensors_from_bytes((folder / TENSORS).read_bytes())
        model.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise IntegrityError(f"the stored decoder is damaged: {error}") from error
    if digest_of(state) != words.get("id"):
        raise IntegrityError(
            "the stored decoder is damaged: words and tensors do not belong together"
        )
    return model.eval()


def _described(words: dict[str, Any]) -> PopulationTransformer:
    """An untrained decoder of the stored description."""
    heads = {}
    for one in words["heads"]:
        rest: dict[str, Any] = {key: value for key, value in one.items() if key != "name"}
        rest["values"] = tuple(rest["values"])
        heads[str(one["name"])] = Head(**rest)
    sessions = {str(one["name"]): int(one["n_units"]) for one in words["sessions"]}
    model = PopulationTransformer(sessions, heads, **words["options"])
    model.history = list(words["history"])
    return model

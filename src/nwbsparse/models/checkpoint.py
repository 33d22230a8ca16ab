"""Coders on disk: safetensors for the numbers, JSON for the words. Nothing in them can run."""

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
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import CoderRecord, SessionSource
from nwbsparse.models.stored_words import stored_words
from nwbsparse.options.config import check_stored, from_dict
from nwbsparse.options.earlier import as_meant

FORMAT = 1
TENSORS = "model.safetensors"
WORDS = "model.json"


def to_bytes(coder: SparseCoder) -> bytes:
    """The coder's tensors as safetensors: the same coder always gives the same bytes."""
    state = {
        name: tensor.detach().cpu().contiguous() for name, tensor in coder.state_dict().items()
    }
    # one entry of metadata: safetensors writes several in an order that changes from run to run
    return tensors_to_bytes(state, metadata={"nwbsparse": str(FORMAT)})


def to_words(coder: SparseCoder) -> dict[str, Any]:
    """Everything else a coder needs, as plain JSON values."""
    record = coder.record
    return {
        "format": FORMAT,
        "id": coder.id,
        "config": record.config.to_dict(),
        "unit_ids": list(record.unit_ids),
        "target_ids": None if record.target_ids is None else list(record.target_ids),
        "unit_hash": record.unit_hash,
        "bin_width": record.bin_width,
        "source_sha256": record.source_sha256,
        "history": list(record.history),
        "software": record.software,
        **({"learned": record.learned} if record.learned else {}),
        **_several(record),
    }


def _several(record: CoderRecord) -> dict[str, Any]:
    """What a coder has to say that came from several sessions; the others say nothing of it."""
    if not record.sessions:
        return {}
    words: dict[str, Any] = {"sessions": [asdict(one) for one in record.sessions]}
    return words | (
        {"model_id": record.model_id, "session": record.session} if record.model_id else {}
    )


def from_parts(tensors: bytes, words: dict[str, Any]) -> SparseCoder:
    """The coder again, ready to encode.

    Raises:
        BadInput: written by a later version of nwbsparse, or with what a package brought that is not
            installed.
        IntegrityError: tensors and words do not belong together.
    """
    if words.get("format", 0) > FORMAT:
        raise BadInput(
            f"this coder has format {words['format']}; this nwbsparse reads up to {FORMAT}"
        )
    if isinstance(words.get("config"), dict):
        check_stored(words["config"], dict(words.get("software", {})))
    try:
        record = CoderRecord(
            config=from_dict(as_meant(words["config"]), where="the stored options"),
            unit_ids=tuple(words["unit_ids"]),
            target_ids=tuple(words["target_ids"]) if words.get("target_ids") else None,
            bin_width=float(words["bin_width"]),
            source_sha256=words["source_sha256"],
            history=tuple(words["history"]),
            software=dict(words["software"]),
            learned=dict(words.get("learned", {})),
            model_id=str(words.get("model_id", "")),
            session=str(words.get("session", "")),
            sessions=tuple(
                SessionSource(**{key: str(value) for key, value in dict(one).items()})
                for one in words.get("sessions", ())
            ),
        )
        coder = SparseCoder(record)
        coder.load_state_dict(tensors_from_bytes(tensors))
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise IntegrityError(f"the stored coder is damaged: {error}") from error
    if coder.id != words["id"]:
        raise IntegrityError(
            f"the stored coder is damaged: it should be {words['id']}, it is {coder.id}"
        )
    return coder.eval()


def save(coder: SparseCoder, folder: str | Path) -> None:
    """Write ``model.safetensors`` and ``model.json``, each complete or not at all.

    Raises:
        EnvironmentProblem: the folder cannot be written to.
    """
    folder = Path(folder).expanduser()
    write_whole(folder / TENSORS, to_bytes(coder))
    write_whole(folder / WORDS, json.dumps(to_words(coder), indent=1, sort_keys=True))


def load(folder: str | Path) -> SparseCoder:
    """Read what :func:`save` wrote.

    Raises:
        BadInput: there is no coder in the folder.
        IntegrityError: it is damaged.
    """
    folder = Path(folder).expanduser()
    words = stored_words(folder, tensors=TENSORS, words=WORDS, what="coder")
    return from_parts((folder / TENSORS).read_bytes(), words)

"""A training on disk in one file: tensors and words under a checksum, of one training and no other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.files.whole import write_whole

DIGEST = 32
"""Hexadecimal digits of the checksum that stands before the words."""


def write_sealed(path: Path, tensors: Mapping[str, Tensor], words: Mapping[str, Any]) -> None:
    """Write tensors and words, complete or not at all; an earlier file stays until then.

    Raises:
        EnvironmentProblem: the file cannot be written.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(words)
    # one entry of metadata: safetensors writes several in an order that changes from run to run
    content = tensors_to_bytes(plain, metadata={"nwbsparse": _digest(text, plain) + text})
    write_whole(path, content)


def read_sealed(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and words of a file, on the CPU.

    Raises:
        IntegrityError: it is damaged.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            text = (stored.metadata() or {})["nwbsparse"]
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        if text[:DIGEST] != _digest(text[DIGEST:], tensors):
            raise ValueError("its checksum is another")
        return tensors, json.loads(text[DIGEST:])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> IntegrityError:
    """The error for a stored training that cannot be gone on with."""
    return IntegrityError(f"{path} is damaged ({error}); remove it to train from the beginning")


def check_same(path: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Make sure that a stored training is the one that is to go on.

    Args:
        path: where it is stored.
        then: what it was made of: options, data.
        now: the same of the training that is to go on.

    Raises:
        BadInput: they differ.
    """
    plain = json.loads(json.dumps(now))
    if dict(then) == plain:
        return
    names = sorted({*then, *plain})
    other = [name for name in names if then.get(name) != plain.get(name)]
    shown = ", ".join(
        f"{name} ({then.get(name)!r} then, {plain.get(name)!r} now)" for name in other[:5]
    )
    raise BadInput(
        f"{path} belongs to another training: {shown} differ; resume with the same options and "
        "data, or remove it"
    )


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=DIGEST // 2)
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).numpy().data)
    return digest.hexdigest()

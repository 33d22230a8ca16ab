"""validate(): is this file sound, and would an archive take it? Everything in one table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as arrays_from_bytes

from nwbsparse.annotated.read.opened import models_in, opened_file
from nwbsparse.annotated.read.parse import parse_model
from nwbsparse.annotated.record import NewerFormat
from nwbsparse.errors import BadInput, EnvironmentProblem, NwbsparseError
from nwbsparse.io.check import Damaged, bombs_in, check_readable
from nwbsparse.io.stops import stops_are_heard
from nwbsparse.models.checkpoint import from_parts
from nwbsparse.share.findings import Finding, counted
from nwbsparse.share.identity import identity_said
from nwbsparse.share.integrity import problems_of
from nwbsparse.share.other_validators import by_dandi, by_nwbinspector, by_pynwb


@dataclass(frozen=True)
class ValidationReport:
    """What all checks say about one file."""

    path: Path
    findings: tuple[Finding, ...]

    @property
    def damaged(self) -> bool:
        """Whether data in the file are not what was written."""
        return any(one.severity == "damage" for one in self.findings)

    @property
    def n_errors(self) -> int:
        """How many findings are errors or damage; of a source's own errors among them."""
        return sum(one.count for one in self.findings if one.severity in ("error", "damage"))

    @property
    def n_errors_of_results(self) -> int:
        """How many of them are about the sparse latents; the others are about the recording."""
        found = (one for one in self.findings if one.severity in ("error", "damage"))
        return sum(one.count for one in found if one.of_results)

    @property
    def holds_results(self) -> bool:
        """Whether there are sparse latents in the file, sound or not."""
        return any(one.of_results and one.severity in ("ok", "damage") for one in self.findings)

    @property
    def exit_code(self) -> int:
        """5 for damage, else 0: errors of a schema are the file's own business."""
        return 5 if self.damaged else 0


@stops_are_heard()
def validate(file: str | Path) -> ValidationReport:
    """Check an NWB file with every validator at hand: its schema, best practice, DANDI, our results.

    pynwb's schema validation, nwbinspector with DANDI's configuration, ``dandi validate`` (the
    last two where they are installed; else that is said) and our own integrity check of every
    result: checksums, shapes, ids of the linked units, indices, finite values, and whether the
    stored coder is the one that made the activations. Nothing is written.

    Args:
        file: an NWB file, HDF5 or Zarr, with sparse latents or without.

    Raises:
        BadInput: it is not an NWB file, or not one that is safe to open.
        EnvironmentProblem: it may not be read here, or another program holds it.
    """
    path = Path(file).expanduser()
    try:
        check_readable(path)
        bombs = bombs_in(path)
    except Damaged as error:
        return ValidationReport(path, (Finding("nwbsparse", "damage", str(error)),))
    if bombs:
        return ValidationReport(path, tuple(_refused(bombs)))
    found = counted(_own(path))
    found += by_pynwb(path) + by_nwbinspector(path) + by_dandi(path)
    return ValidationReport(path, tuple(found))


def _refused(bombs: list[str]) -> Iterator[Finding]:
    for said in bombs:
        yield Finding("nwbsparse", "damage", said)
    for tool in ("pynwb", "nwbinspector", "dandi"):
        yield Finding(tool, "skipped", "not run: it would unpack what the line above names")


def _own(path: Path) -> Iterator[Finding]:
    try:
        with opened_file(path) as nwbfile:
            models = models_in(nwbfile)
            for name, model in models.items():
                yield from _of_model(name, model)
            if not models:
                yield Finding("nwbsparse", "note", "there are no sparse latents in this file")
    except (NwbsparseError, OSError, RuntimeError) as error:
        if isinstance(error, EnvironmentProblem):
            raise
        # what pynwb refuses is whole all the same: nothing of it is other than was written
        severity = (
            "error" if isinstance(error, BadInput) and not isinstance(error, Damaged) else "damage"
        )
        yield Finding("nwbsparse", severity, str(error))


def _of_model(name: str, model: Any) -> Iterator[Finding]:
    try:
        problems = problems_of(model)
    except NewerFormat as error:
        yield Finding("nwbsparse", "skipped", str(error), name)
        return
    problems += [] if problems else _of_coder(model)
    for problem in problems:
        yield Finding("nwbsparse", "damage", problem, name)
    if not problems:
        said = "checksums, shapes, links, indices, values and the coder are right"
        yield Finding("nwbsparse", "ok", f"{said}; {identity_said(model)}", name)


def _of_coder(model: Any) -> list[str]:
    """Whether the stored coder works, made the activations, and equals the plain arrays beside it."""
    try:
        stored = parse_model(model)
        coder = from_parts(stored.tensors, dict(stored.words))
        arrays = arrays_from_bytes(stored.tensors)
    except (NwbsparseError, SafetensorError) as error:
        return [str(error)]
    found = []
    if stored.latents.attrs.get("coder_id") != coder.id:
        found.append("the activations were not made by the stored coder")
    for name, values in stored.weights.items():
        held = arrays.get(name)
        if held is not None and not np.array_equal(held.astype(np.float32).ravel(), values.ravel()):
            found.append(f"{name} differs from the coder's own ({name} in parameters)")
    return found


__all__ = ["BadInput", "Finding", "ValidationReport", "validate"]

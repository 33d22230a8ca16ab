"""A new NWB file from a source and a result: complete and verified, or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pynwb
from pynwb import NWBHDF5IO

from nwbsparse import names
from nwbsparse.errors import BadInput, EnvironmentProblem, IntegrityError
from nwbsparse.io.check import sha256_of
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.nwb.opening import built
from nwbsparse.io.results.build import build_model
from nwbsparse.io.results.carried import allow_plain_columns, leave_out_raw
from nwbsparse.io.results.parse import find_model, parse_model
from nwbsparse.io.results.stored import StoredResult
from nwbsparse.schema import own_version


def write_derived(
    stored: StoredResult, source: Path, target: Path, *, overwrite: bool = False
) -> Path:
    """Write a new self-contained NWB file: the source without raw data, with the result added.

    The source is only ever read. The new file is exported to a hidden temporary file in the
    target's folder, reopened, compared with what should be in it, validated against the source's
    own errors, synced, and renamed into place: at every moment the target is either absent (or the
    previous file) or complete.

    Raises:
        BadInput: the target exists, or is the source, or the source changed since it was read.
        EnvironmentProblem: the folder cannot be written to, or too little space is left.
        IntegrityError: what was read back is not what was written; nothing is left behind.
    """
    source, target = Path(source).resolve(), Path(target)
    _check_target(source, target, overwrite=overwrite)
    if stored.source.sha256 and sha256_of(source) != stored.source.sha256:
        raise BadInput(f"{source} changed since it was read; read it again and run once more")
    folder = target.resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(prefix=".nwbsparse-", dir=folder))
    except OSError as error:
        raise EnvironmentProblem(
            f"results cannot be written to {folder}: {error.strerror}"
        ) from None
    try:
        partial = workplace / target.name
        kept, known_errors = _export(stored, source, partial)
        _verify(stored, partial, kept)
        _validate(partial, known_errors)
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        partial.replace(target)
    except OSError as error:
        raise EnvironmentProblem(
            f"{target} could not be written ({error}); {source.name} is unchanged"
        ) from error
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return target


def _check_target(source: Path, target: Path, *, overwrite: bool) -> None:
    if target.resolve() == source:
        raise BadInput(
            f"{target} is the source itself, which is never written to; choose another name"
        )
    if target.exists() and not overwrite:
        raise BadInput(f"{target} exists; use --overwrite or another --name")
    # a derived file is at most the source plus the model: a cheap bound that catches full disks
    free = shutil.disk_usage(next(p for p in target.resolve().parents if p.exists())).free
    if free < source.stat().st_size:
        raise EnvironmentProblem(
            f"{target.parent} has {free / 1e9:.2f} GB free; up to "
            f"{source.stat().st_size / 1e9:.2f} GB are needed"
        )


def _export(stored: StoredResult, source: Path, partial: Path) -> tuple[dict[str, str], set[str]]:
    """Write the file; returns what must be in it (object id → type), and the source's own errors.

    What nobody can build cannot be written either: the report of the source names it.
    """
    with warnings.catch_warnings():
        # what the libraries say about the source was reported when it was read
        warnings.simplefilter("ignore")
        with built(source, for_copy=True) as (source_io, nwbfile):
            known_errors = _validation_errors(io=source_io)
            _check_units(stored, nwbfile, source)
            leave_out_raw(nwbfile)
            allow_plain_columns(nwbfile)
            _add(stored, nwbfile)
            kept = _types(nwbfile)
            with NWBHDF5IO(path=str(partial), mode="w") as target_io:
                target_io.export(src_io=source_io, nwbfile=nwbfile, write_args={"link_data": False})
    return kept, known_errors


def _check_units(stored: StoredResult, nwbfile: Any, source: Path) -> None:
    wanted = stored.source.units_object_id
    if wanted and wanted not in nwbfile.objects:
        raise BadInput(f"the units in {source} are others than those the result was made from")


def _add(stored: StoredResult, nwbfile: Any) -> None:
    module = nwbfile.processing.get(MODULE)
    if module is None:
        module = nwbfile.create_processing_module(MODULE, "sparse latents learned by nwbsparse")
    if stored.name in module.data_interfaces:
        made = getattr(module[stored.name], "created", "earlier")
        raise BadInput(
            f"a result named '{stored.name}' exists in the source (made {made}); use --name"
        )
    for thing in build_model(stored, nwbfile):
        module.add(thing)
    if getattr(nwbfile, "was_generated_by", None) is None:
        nwbfile.was_generated_by = [("nwbsparse", own_version())]
    nwbfile.set_modified()


def _types(nwbfile: Any) -> dict[str, str]:
    """Object id → type of everything in the file."""
    nwbfile.all_children()  # `objects` is otherwise what it was when first asked for
    return {
        object_id: str(getattr(thing, "neurodata_type", type(thing).__name__))
        for object_id, thing in nwbfile.objects.items()
    }


def _verify(stored: StoredResult, partial: Path, kept: dict[str, str]) -> None:
    """Read the file again and compare: every object, and every number of the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with NWBHDF5IO(path=str(partial), mode="r") as io:
            nwbfile: Any = io.read()
            there = _types(nwbfile)
            lost = [
                f"{kind} {object_id}"
                for object_id, kind in kept.items()
                if there.get(object_id) != kind
            ]
            if lost:
                raise IntegrityError(
                    f"{len(lost)} objects are missing after writing: {', '.join(lost[:5])}"
                )
            again = parse_model(find_model(nwbfile, stored.name, path=partial))
    wrong = [] if again.tensors == stored.tensors else ["parameters"]
    for part in ("latents", "metrics", "attribution"):
        wrong += _differences(getattr(stored, part), getattr(again, part), part)
    if wrong:
        raise IntegrityError(
            f"after writing, these differ from what was computed: {', '.join(wrong)}"
        )


def _differences(written: Any, read: Any, part: str) -> list[str]:
    wrong = []
    said = [names.SEGMENT, names.SPLIT, names.LEVEL, names.UNIT_ID, names.UNIT_ROW]
    chosen = [*written.data_vars, *(name for name in said if name in written.coords)]
    for name in chosen:
        variable = written[name]
        if name not in read.variables:
            wrong.append(f"{part}.{name} (missing)")
        elif variable.dtype.kind in "OU":
            if list(map(str, variable.values)) != list(map(str, read[name].values)):
                wrong.append(f"{part}.{name}")
        elif not np.allclose(
            variable.values.astype(np.float64),
            np.asarray(read[name].values, dtype=np.float64),
            rtol=1e-6,
            atol=1e-12,
            equal_nan=True,
        ):
            wrong.append(f"{part}.{name}")
    return wrong


def _validate(partial: Path, known_errors: set[str]) -> None:
    """The new file may have the validation errors that its source has, and no others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        added = _validation_errors(path=str(partial)) - known_errors
    if added:
        raise IntegrityError(
            "the written file has new validation errors: " + "; ".join(sorted(added)[:5])
        )


def _validation_errors(**opened: Any) -> set[str]:
    """What ``pynwb.validate`` says about a path or an open io, against the schemas installed here."""
    return {str(error) for error in pynwb.validate(**opened, use_cached_namespaces=False)}

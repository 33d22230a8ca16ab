"""Results: everything about one model of one recording, written to NWB and opened again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import xarray as xr

from nwbsparse.config import Config
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.models.checkpoint import from_parts, to_bytes, to_words
from nwbsparse.models.coder import SparseCoder
from nwbsparse.session import Session
from nwbsparse.training.device import pick_device


@dataclass(frozen=True)
class Results:
    """A recording, the coder learned from it, its latents, how good they are, what they mean."""

    session: Session
    coder: SparseCoder
    latents: xr.Dataset
    metrics: xr.Dataset
    attribution: xr.Dataset
    environment: Mapping[str, Any] = field(default_factory=dict)
    """When, where and with what it was made."""

    @property
    def config(self) -> Config:
        return self.coder.config

    @property
    def name(self) -> str:
        return self.coder.config.name


def environment(coder: SparseCoder) -> dict[str, Any]:
    """Versions, device, threads and time: what a reader needs to make the result again."""
    return {
        **coder.record.software,
        "device": str(pick_device(coder.config.device)),
        "threads": torch.get_num_threads(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def can_annotate(session: Session) -> bool:
    """Whether an annotated copy can be written: the source is an NWB file (HDF5) on this machine."""
    source = session.source
    return bool(source.nwb_version) and source.path is not None and source.path.is_file()


def derived_name(source: Path, name: str) -> str:
    """File name of the annotated copy of a recording."""
    return f"{source.stem}_desc-{name}_sparse.nwb"


def write(results: Results, to: str | Path, *, overwrite: bool = False) -> Path:
    """Write a new NWB file: the recording without raw data, with the latents and their meaning.

    Model, weights, latents, activations, attributions, metrics and splits stand in
    ``/processing/sparse_latents``; anyone can read them, with pynwb alone. The source is only
    read. The file is reopened and compared before it gets its name.

    Raises:
        BadInput: the file exists (``overwrite``), or the session did not come from a file.
        EnvironmentProblem: it cannot be written there.
        IntegrityError: what was read back differs; nothing is left behind.
    """
    from nwbsparse.io.results.stored import StoredResult
    from nwbsparse.io.results.write import write_derived

    source = results.session.source
    if source.path is None or not can_annotate(results.session):
        raise BadInput(
            "the session did not come from an NWB file (HDF5) on this machine, so there is none "
            "to annotate"
        )
    coder = results.coder
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in coder.state_dict().items()}
    stored = StoredResult(
        name=results.name,
        words=to_words(coder),
        tensors=to_bytes(coder),
        weights=weights,
        latents=results.latents,
        metrics=results.metrics,
        attribution=results.attribution,
        source=source,
        environment=dict(results.environment) or environment(coder),
    )
    return write_derived(stored, source.path, Path(to), overwrite=overwrite)


def open_results(path: str | Path, *, name: str | None = None) -> Results:
    """Open an annotated NWB file: the datasets and a working coder, from the file alone.

    Args:
        path: what :func:`write` or ``nwbsparse run`` wrote.
        name: which result, when the file holds several.

    Raises:
        BadInput: no sparse latents in the file, or several and no name.
        IntegrityError: the stored coder or datasets are damaged.
    """
    from nwbsparse.io.check import check_readable
    from nwbsparse.io.nwb.opening import built
    from nwbsparse.io.reading import read_as
    from nwbsparse.io.results.parse import find_model, parse_model

    path = check_readable(path)
    with warnings.catch_warnings():
        # the reading below puts them into the report
        warnings.simplefilter("ignore")
        with built(path) as (_, nwbfile):
            stored = parse_model(find_model(nwbfile, name, path=path))
    coder = from_parts(stored.tensors, dict(stored.words))
    session = read_as(path, coder.config)
    if stored.latents.attrs.get("coder_id") != coder.id:
        raise IntegrityError(f"{path}: the activations were not made by the stored coder")
    return Results(
        session=session,
        coder=coder,
        latents=stored.latents,
        metrics=stored.metrics,
        attribution=stored.attribution,
        environment=stored.environment,
    )

"""The files of a run: written to a hidden folder, and moved to their places together."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse.analysis.quality.stability import Seeds
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.files.made_folder import check_writable, made_folder
from nwbsparse.io.stream import public_address
from nwbsparse.models import checkpoint
from nwbsparse.options.config import Config
from nwbsparse.options.nwb_fields import NwbFields
from nwbsparse.options.toml import to_toml
from nwbsparse.results.folder import (
    ATTRIBUTION,
    METRICS,
    NUMBERS,
    STABILITY,
    keep_embedding,
    save_netcdf,
    to_json,
)
from nwbsparse.results.results import Results, derived_name, write
from nwbsparse.session import Session
from nwbsparse.views.report.report import report

Say = Callable[[str], None]
NO_FIELDS = NwbFields()
REPORT, OPTIONS, LOG = "report.html", "run.toml", "log.txt"


class Log:
    """Lines that are said as they come and kept for ``log.txt``."""

    def __init__(self, say: Say) -> None:
        self.say, self.lines = say, []

    def __call__(self, line: str) -> None:
        self.lines.append(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}")
        self.say(line)

    def write(self, folder: Path) -> None:
        """Write the lines so far."""
        (folder / LOG).write_text("\n".join(self.lines) + "\n", encoding="utf-8")


@contextmanager
def staged(out: Path, *, overwrite: bool) -> Iterator[Path]:
    """A hidden folder whose content moves to ``out`` in the end, so that it never holds half a run.

    ``out`` is made when absent, and gone again when nothing came of it.

    Raises:
        BadInput: a file of that name appeared meanwhile, and may not be replaced.
        EnvironmentProblem: it cannot be written to.
    """
    try:
        with made_folder(out), _hidden(out) as stage:
            yield stage
            _move(stage, out, overwrite=overwrite)
    except OSError as error:
        raise EnvironmentProblem(f"results could not be written to {out}: {error}") from error


@contextmanager
def _hidden(out: Path) -> Iterator[Path]:
    stage = Path(tempfile.mkdtemp(prefix=".nwbsparse-", dir=out))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _move(stage: Path, out: Path, *, overwrite: bool) -> None:
    made = sorted(one for one in stage.rglob("*") if not one.is_dir())
    places = [out / one.relative_to(stage) for one in made]
    for place in places:
        if place.exists() and not overwrite:
            raise BadInput(f"{place} appeared meanwhile; use another --out")
    for one, place in zip(made, places, strict=True):
        place.parent.mkdir(parents=True, exist_ok=True)
        one.replace(place)


def write_outputs(
    results: Results,
    binned: xr.Dataset,
    flat: dict[str, Any],
    folder: Path,
    log: Log,
    *,
    source: Path,
    fields: NwbFields = NO_FIELDS,
    seeds: Seeds | None = None,
) -> str:
    """Write everything that a run leaves about one recording into a folder.

    ``fields``: what a person says about a recording that comes from no NWB file. Returns the name of
    the annotated NWB file.
    """
    nwb = derived_name(source, results.name)
    write(results, folder / nwb, fields=fields, say=log)
    log(f"wrote and verified {nwb}")
    report(results, binned, folder / REPORT)
    options = to_toml(
        results.coder.record.options, source=results.session.source.uri or source.name
    )
    (folder / OPTIONS).write_text(options, encoding="utf-8")
    (folder / NUMBERS).write_text(to_json(flat), encoding="utf-8")
    checkpoint.save(results.coder, folder)
    save_netcdf(results.latents, folder / "latents.nc")
    save_netcdf(results.attribution, folder / ATTRIBUTION)
    save_netcdf(results.metrics, folder / METRICS)
    keep_embedding(results.embedding, folder)
    if seeds is not None:
        save_netcdf(seeds.stability, folder / STABILITY)
    log.write(folder)
    return nwb


def source_name(source: Any) -> str:
    """A name for the results of this source: its file name, or what the recording calls itself."""
    if isinstance(source, Session):
        named = source.source.path
        return str(named) if named is not None else source.source.identifier or "recording"
    if isinstance(source, str | Path):
        return public_address(source) or str(source)  # no access keys in names and logs
    return "recording"


def check_out(out: Path, source: Any, config: Config, *, overwrite: bool) -> None:
    """Make sure that results can be written to a folder, before any work is done; nothing is made yet.

    Raises:
        BadInput: it is a file, or holds results already and ``overwrite`` was not asked.
        EnvironmentProblem: it cannot be written to.
    """
    out = out.expanduser()
    nwb = derived_name(Path(source_name(source)), config.name)
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; --out must be a folder")
    there = [name for name in (nwb, "metrics.json", "report.html") if (out / name).exists()]
    if there and not overwrite:
        raise BadInput(f"{out} already holds {', '.join(there)}; use --overwrite or another --out")
    check_writable(out)

"""The files of a run: written to a hidden folder, and moved to their places together."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.files.made_folder import check_writable, made_folder
from nwbsparse.models import checkpoint
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.nwb_fields import NwbFields
from nwbsparse.options.toml import to_toml
from nwbsparse.results.folder import NUMBERS, SESSIONS, keep_results
from nwbsparse.results.results import Results, derived_name, write
from nwbsparse.runs.asked import ALONE, Asked, source_name
from nwbsparse.session import Session
from nwbsparse.views.report.report import report

Notify = Callable[[str], None]
REPORT, OPTIONS, LOG = "report.html", "run.toml", "log.txt"


class Log:
    """Lines that are said as they come and kept for ``log.txt``."""

    def __init__(self, notify: Notify) -> None:
        self.notify, self.lines = notify, []

    def __call__(self, line: str) -> None:
        self.lines.append(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}")
        self.notify(line)

    def of(self, name: str) -> Log:
        """The log of one of several recordings: what was said about all before, and every line about it."""
        own = Log(lambda line: self(f"{name}: {line}"))
        own.lines = list(self.lines)
        return own

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
    results: Results, binned: xr.Dataset, folder: Path, log: Log, *, fields: NwbFields
) -> tuple[str, dict[str, Any]]:
    """Write everything that a run leaves about one recording into a folder.

    ``fields``: what a person says about a recording that comes from no NWB file. Returns the name of
    the annotated NWB file, and the numbers of ``metrics.json``.
    """
    folder.mkdir(exist_ok=True)
    nwb = derived_name(Path(source_name(results.session)), results.name)
    write(results, folder / nwb, fields=fields, notify=log)
    log(f"wrote and verified {nwb}")
    report(results, binned, folder / REPORT)
    options = options_said(results.coder, {ALONE: results.session})
    (folder / OPTIONS).write_text(options, encoding="utf-8")
    numbers = keep_results(results, binned, folder)
    checkpoint.save(results.coder, folder)
    log.write(folder)
    return nwb, numbers


def options_said(coder: SparseCoder, sessions: Mapping[str, Session]) -> str:
    """The text of ``run.toml``: every option, with every choice made, and of which recordings."""
    called = []
    for name, one in sessions.items():
        path = one.source.path
        own = path.name if path else name or Path(source_name(one)).name
        called.append(one.source.uri or own)
    return to_toml(coder.record.options, source=", ".join(called))


def check_out(out: Path, wanted: Asked, *, overwrite: bool) -> None:
    """Make sure that results can be written to a folder, before any work is done; nothing is made yet.

    Raises:
        BadInput: it is a file, or holds results already and ``overwrite`` was not asked.
        EnvironmentProblem: it cannot be written to.
    """
    there = [name for name in (checkpoint.TENSORS, SESSIONS) if (out / name).exists()]
    if wanted.several and there and not overwrite:
        raise BadInput(f"{out} already holds {', '.join(there)}; use --overwrite or another --out")
    for name, source in wanted.recordings.items():
        nwb = derived_name(Path(source_name(wanted.source_nwb or source)), wanted.config.name)
        _check_folder(out / name, nwb, overwrite=overwrite)


def _check_folder(out: Path, nwb: str, *, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; --out must be a folder")
    there = [name for name in (nwb, NUMBERS, REPORT) if (out / name).exists()]
    if there and not overwrite:
        raise BadInput(f"{out} already holds {', '.join(there)}; use --overwrite or another --out")
    check_writable(out)

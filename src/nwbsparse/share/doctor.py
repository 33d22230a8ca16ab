"""doctor(): what is wrong with a file, and what of it can be saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import h5py

from nwbsparse.errors import BadInput, EnvironmentProblem, NwbsparseError
from nwbsparse.io.check import Damaged, bombs_in, check_readable
from nwbsparse.io.pynwb_cache import broken_caches
from nwbsparse.io.stops import stops_are_heard
from nwbsparse.io.zarr.metadata import METADATA, NODE_3, array_of, arrays_in
from nwbsparse.share.isolated import isolated
from nwbsparse.share.survey import MAX_PARTS, Part, survey
from nwbsparse.share.truncated import opened_whole_or_not

WHOLE = "not damaged: "
"""How a line begins that says why a file is not read though it is whole."""
SECONDS = 60.0
"""How long datasets are read to see whether they can be."""


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a file, and what can still be read of it."""

    path: Path
    problems: tuple[str, ...]
    """What is wrong, in words; empty for a sound file."""
    parts: tuple[Part, ...]
    """Every dataset, readable or not, and links that lead nowhere."""
    unfinished: tuple[Path, ...]
    """Temporary files of ours beside it that a stopped writer left; the file never saw them."""
    caches: tuple[Path, ...]
    """Half-written caches of pynwb, with which ``import pynwb`` fails."""
    missing: tuple[Path, ...] = ()
    """Files that it links to and that are not there."""
    refused: tuple[str, ...] = ()
    """Which of the problems are no damage: it is too old, of a form that pynwb does not build, or
    reaches for other files."""

    @property
    def sound(self) -> bool:
        return not self.problems

    @property
    def whole(self) -> bool:
        """Whether nothing of this file itself is damaged: it may lack files that it links to."""
        damage = set(self.problems) - set(self.refused)
        return self.sound or not (damage or any(one.problem for one in self.parts))


@stops_are_heard()
def doctor(file: str | Path, *, seconds: float = SECONDS) -> Diagnosis:
    """Say what is wrong with a file that will not open, and list what can be read of it.

    Works on truncated, damaged and half-written files, HDF5 or Zarr, without pynwb. A file that
    lost its end is read as far as it goes. Data are read in blocks of a few megabytes; after
    ``seconds`` the rest is listed without having been read. Nothing is written.

    Raises:
        BadInput: there is no such file.
        EnvironmentProblem: this account may not read it, or another program writes to it.
    """
    path = Path(file).expanduser()
    problems: list[str] = []
    refused: list[str] = []
    parts: tuple[Part, ...] = ()
    try:
        check_readable(path)
        problems += bombs_in(path)
    except EnvironmentProblem:
        raise
    except BadInput as error:
        if not path.exists():
            raise
        is_damage = isinstance(error, Damaged) or not _is_whole_of_a_kind(path)
        said = str(error).partition("; `nwbsparse doctor")[0]
        problems.append(said)
        refused += [] if is_damage else [said]
    if path.is_dir():
        parts = tuple(_in_zarr(path))
    elif path.stat().st_size:
        parts, lost = _in_hdf5(path, seconds)
        problems += [lost] if lost and h5py.is_hdf5(path) else []
    bad = [part for part in parts if part.problem]
    if bad and not problems:
        problems.append(f"{len(bad)} of {len(parts)} parts cannot be read")
    if not problems:
        for said in isolated(of_results, path):
            problems.append(said.removeprefix(WHOLE))
            refused += [problems[-1]] if said.startswith(WHOLE) else []
    missing = tuple(sorted({_beside(path, one) for one in parts if one.elsewhere}))
    missing = tuple(one for one in missing if not one.is_file())
    return Diagnosis(
        path, tuple(problems), parts, _unfinished(path), broken_caches(), missing, tuple(refused)
    )


def _is_whole_of_a_kind(path: Path) -> bool:
    """Whether it is at least a file or store that its library opens."""
    return path.is_dir() or h5py.is_hdf5(path)


def _beside(path: Path, part: Part) -> Path:
    return path.resolve().parent / part.elsewhere


def _in_hdf5(path: Path, seconds: float) -> tuple[tuple[Part, ...], str]:
    try:
        with opened_whole_or_not(path) as (file, stream):
            return tuple(survey(file, stream, seconds=seconds)), ""
    except (OSError, RuntimeError, ValueError) as error:
        said = (str(error).splitlines() or [""])[0][:160]
        return (), f"nothing can be read of {path.name}: HDF5 finds no way in ({said})"


def of_results(path: Path) -> list[str]:
    """What is wrong with results in a file that can be opened; after ``WHOLE``, why it is not read."""
    from nwbsparse.annotated.read.opened import models_in, opened_file
    from nwbsparse.annotated.record import NewerFormat
    from nwbsparse.share.integrity import problems_of

    found = []
    try:
        with opened_file(path) as nwbfile:
            for name, model in models_in(nwbfile).items():
                with suppress(NewerFormat):  # no damage, and nothing else can be said
                    found += [f"the result '{name}': {problem}" for problem in problems_of(model)]
        return found
    except NwbsparseError as error:
        is_whole = isinstance(error, BadInput) and not isinstance(error, Damaged)
        return [f"{WHOLE if is_whole else ''}{error}"]


def _in_zarr(path: Path) -> Iterator[Part]:
    """Every array of a store, and whether all its chunks are there; chunks are not unpacked.

    Of format 3 that is asked of times only, by whoever checks whether the store can be read: zarr 3 does
    not write chunks of zeros.
    """
    for n, (place, content) in enumerate(arrays_in(path)):
        where = "/" + place.relative_to(path).as_posix()
        if n >= MAX_PARTS:
            yield Part(where, problem=f"more than {MAX_PARTS:,} arrays; the rest is not listed")
            return
        try:
            if isinstance(content, BadInput):
                raise content
            array = array_of(content)
        except (AttributeError, BadInput, KeyError, TypeError, ValueError) as error:
            yield Part(where, problem=f"its metadata are damaged ({error})")
            continue
        there = sum(one.is_file() and one.name not in METADATA for one in place.rglob("*"))
        lost = 0 if place.joinpath(NODE_3).is_file() else array.n_files - there
        problem = f"{lost:,} of its {array.n_files:,} chunks are missing" if lost > 0 else ""
        yield Part(where, array.shape, array.dtype, problem)


def _unfinished(path: Path) -> tuple[Path, ...]:
    folder = path.resolve().parent
    found = [*folder.glob(".nwbsparse-*"), *folder.glob(".*.partial")]
    return tuple(sorted(one for one in found if one.suffix != ".lock"))


def remove_caches(caches: tuple[Path, ...]) -> list[Path]:
    """Remove half-written caches of pynwb; it makes them anew. Returns those that are gone.

    Raises:
        EnvironmentProblem: one cannot be removed.
    """
    for cache in caches:
        try:
            cache.unlink(missing_ok=True)
        except OSError as error:
            raise EnvironmentProblem(f"{cache} cannot be removed: {error.strerror}") from None
    return list(caches)


__all__ = ["Damaged", "Diagnosis", "broken_caches", "doctor", "remove_caches"]

"""Several recordings read, binned and split alike, ready to be learned from together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse.binning.account import accounted_as
from nwbsparse.binning.grid import suggest_bin_width
from nwbsparse.binning.sessions.join import join_sessions
from nwbsparse.errors import BadInput, raise_together
from nwbsparse.io.read import read_as
from nwbsparse.models import checkpoint
from nwbsparse.options.config import Config
from nwbsparse.results.folder import SESSIONS
from nwbsparse.runs.outputs import Say, check_out, source_name
from nwbsparse.runs.prepare import bins_said, prepare
from nwbsparse.session import Session

Sources = Mapping[str, Any] | Iterable[Any]


@dataclass(frozen=True)
class Prepared:
    """Several recordings, ready to be learned from together."""

    config: Config
    """With the bin width of all."""
    sessions: dict[str, Session]
    binned: dict[str, xr.Dataset]
    joined: xr.Dataset


def named_sources(sources: Sources) -> dict[str, Any]:
    """{name: source}: sessions are called like their files, without the ending.

    Raises:
        BadInput: fewer than two, or names that are empty, alike, or not fit for a folder.
    """
    if isinstance(sources, Mapping):
        given = [(str(name), one) for name, one in sources.items()]
    else:
        given = [(_stem(one), one) for one in sources]
    if len(given) < 2:
        raise BadInput("a model of several sessions needs two or more; nwbsparse.run takes one")
    problems = [
        f"'{name}' cannot be the name of a session: it must be a plain name, without '/' and "
        "without a dot in front"
        for name, _ in given
        if not name or name.startswith(".") or {"/", "\\", "\0"} & set(name)
    ]
    seen: dict[str, str] = {}  # some disks do not tell upper from lower case
    for name, one in given:
        said = source_name(one)
        if name.casefold() in seen:
            problems.append(
                f"{seen[name.casefold()]} and {said} would both be the session '{name}'; rename one, "
                "or say in Python what they are called: run_sessions({name: source, …})"
            )
        seen[name.casefold()] = said
    raise_together(problems, heading="the sessions need names of their own")
    return dict(given)


def check_outs(out: Path, named: Mapping[str, Any], config: Config, *, overwrite: bool) -> None:
    """Make sure that results of all sessions can be written to a folder, before any work is done.

    Raises:
        BadInput: there are results already and ``overwrite`` was not asked, or a file is in the way.
        EnvironmentProblem: it cannot be written to.
    """
    out = out.expanduser()
    there = [name for name in (checkpoint.TENSORS, SESSIONS) if (out / name).exists()]
    if there and not overwrite:
        raise BadInput(f"{out} already holds {', '.join(there)}; use --overwrite or another --out")
    for name, source in named.items():
        check_out(out / name, source, config, overwrite=overwrite)


def prepare_sessions(
    named: Mapping[str, Any], config: Config, *, strict: bool = False, say: Say = lambda _: None
) -> Prepared:
    """Read, bin and split several recordings alike, and put them side by side.

    Raises:
        BadInput: one cannot be read or binned, or two are the same recording.
    """
    sessions: dict[str, Session] = {}
    for name, source in named.items():
        one = source if isinstance(source, Session) else read_as(source, config, strict=strict)
        what = one.traces.name if one.traces else f"{len(one.spike_times):,} spikes"
        say(f"{name}: read {one.n_units} units and {what} from {Path(source_name(source)).name}")
        sessions[name] = accounted_as(one, config)
    _check_different(sessions)
    if config.bin_width is None:
        widths = {n: suggest_bin_width(one, epochs=config.epochs)[0] for n, one in sessions.items()}
        widest = max(widths, key=lambda name: widths[name])
        config = config.replace(bin_width=widths[widest])
        say(
            f"bins of {widths[widest] * 1000:g} ms for all (chosen: what '{widest}' needs, the "
            "widest that any would get alone)"
        )
    binned = {name: prepare(one, config) for name, one in sessions.items()}
    for name, one in binned.items():
        say(f"{name}: {bins_said(one, config)}")
    return Prepared(config, sessions, binned, join_sessions(binned))


def _stem(source: Any) -> str:
    return Path(source_name(source)).stem or "session"


def _check_different(sessions: Mapping[str, Session]) -> None:
    seen: dict[str, str] = {}
    for name, one in sessions.items():
        sha256 = one.source.sha256
        if sha256 and sha256 in seen:
            raise BadInput(
                f"'{seen[sha256]}' and '{name}' are the same recording (sha256 {sha256[:16]}…); "
                "give each once"
            )
        seen[sha256] = name

"""The first half of a run: one to n recordings read, binned and split, and a model learned from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.quality.stability import fit_seeds
from nwbsparse.annotated.recording.stage import refuse_fields
from nwbsparse.binning.account import accounted_as
from nwbsparse.binning.observed import SPIKES_PER_BIN, suggest_bin_width
from nwbsparse.binning.sessions.join import join_sessions
from nwbsparse.errors import BadInput
from nwbsparse.io.behaviour.join import join_behaviour
from nwbsparse.io.read import read_as
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config
from nwbsparse.progress import Progress
from nwbsparse.results.of_sessions import with_sources
from nwbsparse.runs.asked import Asked, source_name
from nwbsparse.runs.lab_file import in_lab_file
from nwbsparse.runs.outputs import Notify
from nwbsparse.runs.prepare import embedded_together, pools_said, prepare
from nwbsparse.runs.said import embedding_made_said, joined_said
from nwbsparse.session import Session
from nwbsparse.training.fit import fit

OnRead = Callable[[Session], None]


@dataclass(frozen=True)
class Prepared:
    """One to n recordings, ready to be learned from."""

    config: Config
    """With the bin width of all, where there are several."""
    sessions: dict[str, Session]
    binned: dict[str, xr.Dataset]
    data: xr.Dataset
    """What is learned from: the bins of the one recording, or of all, side by side."""
    several: bool


@dataclass(frozen=True)
class Learned:
    """One to n recordings, and the model of them."""

    ready: Prepared
    coder: SparseCoder
    seeds: list[SparseCoder]
    """The coders of single seeds, where they were trained by themselves; the first is the model."""
    stability: xr.Dataset | None
    """How the latents come back, where there are several seeds."""


def learn_recordings(
    wanted: Asked,
    *,
    strict: bool,
    notify: Notify,
    progress: Progress,
    on_read: OnRead = lambda _: None,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Learned:
    """Learn one model of one to n recordings; that of several knows which they are.

    Raises:
        BadInput, EnvironmentProblem, TrainingDiverged: as :func:`nwbsparse.fit`, or a recording
            cannot be read or binned.
    """
    ready = prepare_recordings(wanted, strict=strict, notify=notify, on_read=on_read)
    data, config = ready.data, ready.config
    if config.seeds > 1:
        found = fit_seeds(data, config, progress=progress, checkpoint=checkpoint, resume=resume)
        coders, stability = found.coders, found.stability
    else:
        coder = fit(data, config, progress=progress, checkpoint=checkpoint, resume=resume)
        coders, stability = [coder], None
    if ready.several:
        coders = [with_sources(one, ready.sessions) for one in coders]
    return Learned(ready, coders[0], coders if len(coders) > 1 else [], stability)


def prepare_recordings(
    wanted: Asked,
    *,
    strict: bool = False,
    notify: Notify = lambda _: None,
    on_read: OnRead = lambda _: None,
) -> Prepared:
    """Read, bin and split one to n recordings alike, and put several side by side.

    Args:
        wanted: which recordings, and what is given beside them.
        strict: refuse what reading would otherwise repair and report.
        notify: called with a line of text at every step.
        on_read: called with each recording once it is read.

    Raises:
        BadInput: one cannot be read or binned, or two are the same recording.
    """
    config, sessions = wanted.config, dict[str, Session]()
    for name, source in wanted.recordings.items():
        said = _under(name, notify)
        session = accounted_as(_read(source, wanted, strict=strict), config)
        on_read(session)
        if (there := wanted.source_nwb) is not None:
            session, config = in_lab_file(session, there, config, strict=strict)
            of, source = Path(source_name(source)).name, there
            said(f"the units of {of} are in {Path(there).name}, with the same activity")
            session = accounted_as(session, config)
        refuse_fields(session, wanted.fields)
        sessions[name] = session
        what = session.traces.name if session.traces else f"{len(session.spike_times):,} spikes"
        said(f"read {session.n_units} units and {what} from {Path(source_name(source)).name}")
        if session.joined is not None:
            said(joined_said(session.joined))
    if wanted.several:
        config = alike(sessions, config, notify)
    if wanted.several and config.embed != "none":
        binned = embedded_together(sessions, config)
        if not config.embed_covariates:
            notify(
                f"{config.embed} is fitted once, on all: unit by unit they are taken for the same, since "
                "their ids are"
            )
    else:
        binned = {
            name: prepare(
                one,
                config,
                embedding=wanted.embedding,
                method=wanted.embedding_method,
                saw_behaviour=wanted.embedding_saw_behaviour,
            )
            for name, one in sessions.items()
        }
    for name, one in binned.items():
        under = _under(name, notify)
        under(_bins_said(one, sessions[name], config))
        if config.embed != "none":
            under(embedding_made_said(one))
    data = join_sessions(binned) if wanted.several else next(iter(binned.values()))
    return Prepared(config, sessions, binned, data, wanted.several)


def alike(sessions: Mapping[str, Session], config: Config, notify: Notify) -> Config:
    """The options for several recordings that are put side by side, one bin width for all.

    Raises:
        BadInput: two are the same recording, or their units are to be the same and they are of several
            subjects.
    """
    _check_different(sessions)
    if config.embed != "none" and not config.embed_covariates:
        _check_one_subject(sessions, config.embed)
    return _of_one_width(sessions, config, notify)


def _under(name: str, notify: Notify) -> Notify:
    """Lines about one of several recordings begin with its name."""
    return (lambda line: notify(f"{name}: {line}")) if name else notify


def _read(source: Any, wanted: Asked, *, strict: bool) -> Session:
    """One recording, with what is joined to it."""
    file, offset = wanted.behaviour, wanted.behaviour_offset
    if not isinstance(source, Session):
        return read_as(
            source, wanted.config, strict=strict, behaviour=file, behaviour_offset=offset
        )
    if file is None:
        return source
    return join_behaviour(source, file, offset=offset, strict=strict)


def _of_one_width(sessions: Mapping[str, Session], config: Config, notify: Notify) -> Config:
    """The options with one bin width for all, where none is given."""
    if config.bin_width is not None:
        return config
    widths = {n: suggest_bin_width(one, epochs=config.epochs)[0] for n, one in sessions.items()}
    widest = max(widths, key=lambda name: widths[name])
    notify(
        f"bins of {widths[widest] * 1000:g} ms for all (chosen: what '{widest}' needs, the "
        "widest that any would get alone)"
    )
    return config.replace(bin_width=widths[widest])


def _bins_said(binned: xr.Dataset, session: Session, config: Config) -> str:
    """How a recording was binned, in one line."""
    width = float(binned.attrs[names.BIN_WIDTH])
    why = "" if config.bin_width else f" (chosen: {_why(session, config)})"
    lost = "" if session.traces else f", {int(binned['dropped'].sum()):,} spikes outside them"
    pools = f", {said}" if (said := pools_said(binned, config)) else ""
    return (
        f"{binned.sizes[names.TIME]:,} bins of {width * 1000:g} ms{why} over the "
        f"{binned.attrs['extent_from']}{lost}{pools}"
    )


def _why(session: Session, config: Config) -> str:
    """Why bins are as wide as they are, where nobody said how wide."""
    if session.traces is not None:
        own = "its bins" if session.traces.bin_width else "its samples"
        return f"the step of {own}"
    _, spikes = suggest_bin_width(session, epochs=config.epochs)
    of = " of all units" if config.units or config.regions else ""
    if spikes < SPIKES_PER_BIN:
        return (
            f"the widest: {spikes:.2g} population spikes{of} per bin, {SPIKES_PER_BIN:g} are wanted"
        )
    return f"the smallest with {SPIKES_PER_BIN:g} population spikes{of} per bin"


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


def _check_one_subject(sessions: Mapping[str, Session], method: str) -> None:
    """Ids alone do not make units the same: those of two animals never are."""
    subjects = {
        name: str(one.subject.get("subject_id", "") or "") for name, one in sessions.items()
    }
    stated = {name: subject for name, subject in subjects.items() if subject}
    first = next(iter(stated), "")
    for name, subject in stated.items():
        if subject != stated[first]:
            raise BadInput(
                f"'{first}' is of {stated[first]}, '{name}' of {subject}: {method} puts several recordings "
                "into one space only where the units are the same, and units of two subjects are not. "
                "Use --embed cebra with behaviour that all have (--embed-covariates NAME)"
            )

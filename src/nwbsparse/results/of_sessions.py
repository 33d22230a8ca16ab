"""results_of_sessions(): what a coder of several sessions is and says in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.binning.sessions.join import dealt
from nwbsparse.embedding.attach import embedding_of
from nwbsparse.embedding.embedder import embedder_bytes
from nwbsparse.errors import BadInput, raise_together
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import SessionSource
from nwbsparse.models.session_part import coder_of_session
from nwbsparse.progress import Progress, silent
from nwbsparse.results.results import Results, environment
from nwbsparse.session import Session


def results_of_sessions(
    coder: SparseCoder,
    sessions: Mapping[str, Session],
    binned: Mapping[str, xr.Dataset],
    *,
    stability: xr.Dataset | None = None,
    progress: Progress = silent,
) -> dict[str, Results]:
    """The results of a coder of several sessions, session by session, ready to be written.

    Each session gets the coder's part for it (:func:`nwbsparse.coder_of_session`) and its own
    latents, metrics and attribution, on its own bins and in its own time. All bear the id of the
    whole coder (``coder.record.model_id``) and list all sessions. A latent has the same number in
    all of them; whether it means the same is for their attributions to show.

    Args:
        coder: what was learned from ``join_sessions(binned)``.
        sessions: {name: what was read}, all sessions of the coder.
        binned: {name: Binned dataset}: what was joined, under the same names.
        stability: what :func:`nwbsparse.stability` said about the coder, if there were seeds: it
            is about the dictionary of all sessions, and confirms latents in each.
        progress: called by long steps.

    Returns:
        {name: Results} in the coder's order. ``write``, ``report`` and the other verbs take them
        as they take any others.

    Raises:
        BadInput: names that are not the coder's sessions, a session whose units or bin width are
            not those that were joined, or a coder that was not learned from joined sessions.
    """
    whole = with_sources(coder, sessions)
    _check(whole, sessions, binned)
    return {
        name: _result_of_session(
            whole, name, sessions[name], binned[name], stability=stability, progress=progress
        )
        for name in whole.record.session_names
    }


def _result_of_session(
    coder: SparseCoder,
    name: str,
    session: Session,
    binned: xr.Dataset,
    *,
    stability: xr.Dataset | None = None,
    progress: Progress = silent,
) -> Results:
    """One of :func:`results_of_sessions`; ``coder`` knows its sources (:func:`with_sources`)."""
    own, binned = coder_of_session(coder, name), dealt(name, binned)
    latents = encode(own, binned)
    metrics = evaluate(own, binned, detail="all")
    known = None if stability is None else stability_in(own, stability)
    attribution = explain(own, binned, latents, stability=known, progress=progress)
    read = embedding_of(binned, own.config.reads)
    made_by = embedder_bytes(binned) if read is not None else None
    return Results(
        session, own, latents, metrics, attribution, environment(own), read, made_by,
        stability=known,
    )  # fmt: skip


def stability_in(own: SparseCoder, stability: xr.Dataset) -> xr.Dataset:
    """What seeds said about the latents of a whole coder, as said about its part for one session.

    Raises:
        BadInput: it was said about another coder.
    """
    if stability.attrs.get(names.CODER_ID) != own.record.model_id:
        raise BadInput(
            f"the stability is of the coder {stability.attrs.get(names.CODER_ID)}, not of "
            f"{own.record.model_id}: pass what stability([coder, …], joined) gave with this coder first"
        )
    return stability.assign_attrs({names.CODER_ID: own.id, "model_id": own.record.model_id})


def with_sources(coder: SparseCoder, sessions: Mapping[str, Session]) -> SparseCoder:
    """The same coder, its record saying which recordings its sessions are.

    Raises:
        BadInput: the names are not those of the coder's sessions.
    """
    known = () if coder.record.part_of_several else coder.record.session_names
    if not coder.record.of_units and not coder.record.part_of_several:
        known = known or tuple(
            sessions
        )  # dims are of no session: whose bins they were is told here
    problems = [
        f"there is no '{name}' among the coder's sessions" for name in sessions if name not in known
    ]
    problems += [f"the session '{name}' is missing" for name in known if name not in sessions]
    if not known:
        problems = ["it was not learned from joined sessions (nwbsparse.join_sessions)"]
    raise_together(problems, heading="the sessions are not those of the coder")
    made = SparseCoder(
        replace(coder.record, sessions=tuple(source_of(n, sessions[n]) for n in known))
    )
    made.load_state_dict(coder.state_dict())
    return made.eval()


def source_of(name: str, session: Session) -> SessionSource:
    """A session as a coder of several remembers it."""
    source = session.source
    return SessionSource(
        name=name,
        sha256=source.sha256,
        identifier=source.identifier,
        object_id=source.object_id,
        session_id=source.session_id,
        subject_id=str(session.subject.get("subject_id", "") or ""),
        uri=source.uri or (source.path.name if source.path else ""),
    )


def _check(
    coder: SparseCoder, sessions: Mapping[str, Session], binned: Mapping[str, xr.Dataset]
) -> None:
    problems = []
    for name in sessions:
        if name not in binned:
            problems.append(f"there are no bins of '{name}'")
            continue
        one = binned[name]
        if names.SESSION_TIME in one.coords:
            problems.append(
                f"the bins of '{name}' are joined; give what was joined, session by session"
            )
            continue
        width = float(one.attrs[names.BIN_WIDTH])
        if not np.isclose(width, coder.record.bin_width, rtol=1e-9, atol=0):
            problems.append(
                f"'{name}' has bins of {width:g} s, the coder was trained on {coder.record.bin_width:g} s"
            )
        try:
            coder_of_session(coder, name).record.reads(one)
        except BadInput as error:
            problems.append(f"'{name}': {error}")
    raise_together(problems, heading="these are not the sessions that were joined")

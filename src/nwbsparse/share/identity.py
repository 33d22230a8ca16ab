"""Which model a file holds: what two files must have in common to hold parts of the same one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nwbsparse.annotated.read.opened import models_in, opened_file
from nwbsparse.annotated.record import read_record
from nwbsparse.io.check import check_readable
from nwbsparse.io.stops import stops_are_heard


@dataclass(frozen=True)
class Identity:
    """One result in a file, and which model it is or is a part of."""

    name: str
    model_id: str
    """The same in the files of all sessions of one model; for a model of one recording its own id."""
    coder_id: str
    """Of the coder in this file: its weights for the units of this session."""
    session: str
    """Which of ``sessions`` this file holds; '' for a model of one recording."""
    sessions: tuple[str, ...]
    n_latents: int
    n_units: int
    created: str
    n_reconstructed: int = 0
    """Units that it reconstructs, where these are others than the ``n_units`` that it reads."""


@stops_are_heard()
def identities(file: str | Path) -> list[Identity]:
    """Which results a file holds and which models they are: equal model ids are the same model.

    Raises:
        BadInput: it is not an NWB file that can be read.
        IntegrityError: the record of a result is damaged.
    """
    path = Path(file).expanduser()
    check_readable(path)
    with opened_file(path) as nwbfile:
        return [identity(model) for model in models_in(nwbfile).values()]


def identity(model: Any) -> Identity:
    """Of one stored model.

    Raises:
        IntegrityError: its record cannot be read.
        NewerFormat: a later version of nwbsparse wrote it.
    """
    coder = read_record(model).coder
    others = getattr(model, "output_population", None)
    coder_id = str(coder.get("id", ""))
    return Identity(
        name=str(model.name),
        model_id=str(coder.get("model_id") or coder_id),
        coder_id=coder_id,
        session=str(coder.get("session", "")),
        sessions=tuple(str(one["name"]) for one in coder.get("sessions", ())),
        n_latents=int(model.num_latents),
        n_units=len(model.input_population),
        created=str(getattr(model, "created", "") or ""),
        n_reconstructed=0 if others is None else len(others),
    )


def identity_said(model: Any) -> str:
    """The model id, and of which session among which, in words."""
    one = identity(model)
    said = f"model id {one.model_id}"
    return f"{said}, session {one.session} of {', '.join(one.sessions)}" if one.session else said

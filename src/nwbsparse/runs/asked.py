"""What a run, a fit or a plan is asked for: recordings, options, and what is given beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nwbsparse import names
from nwbsparse.errors import BadInput, raise_together
from nwbsparse.io.stream import public_address
from nwbsparse.options.config import Config
from nwbsparse.options.nwb_fields import NwbFields
from nwbsparse.session import Session
from nwbsparse.share.subject import check_fields

Sources = str | Path | Mapping[str, Any] | Iterable[Any]
"""Several recordings; a path by itself is one, which is too few."""
Source = str | Path | Session
ManySources = list[str] | list[Path] | list[Session] | tuple[Source, ...] | Mapping[str, Source]
"""What is several recordings without being called so."""
ALONE = ""
"""The name of a recording of which a model is made by itself: what it leaves needs no folder of its own."""


class Several(dict[str, Any]):
    """{name: source} of recordings that one model is made of."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which recordings, with which options, and what is given beside them."""

    recordings: Mapping[str, Any]
    """{name: source}; one that stands alone is called ''."""
    config: Config
    embedding: Any = None
    embedding_method: str | None = None
    embedding_saw_behaviour: str | None = None
    behaviour: str | Path | None = None
    behaviour_offset: float = 0.0
    source_nwb: str | Path | None = None
    fields: NwbFields
    several: bool
    """Whether one model is made of more than one recording."""


def asked(
    source: Any,
    config: Config | None = None,
    *,
    fields: NwbFields | Mapping[str, str] | None = None,
    **beside: Any,
) -> Asked:
    """Tell one recording from several, and refuse what cannot be asked of them.

    Args:
        source: anything that :func:`nwbsparse.read` takes, or a Session; a list or tuple of files or
            Sessions, or {name: file or Session}, is several.
        config: options; with an embedding the coder reads it.
        fields: what only a person can say about a source that is no NWB file.
        beside: what else is given of one recording, as :class:`Asked` names it.

    Raises:
        BadInput: recordings that cannot be told apart by name, what is for one recording only given
            for several, or a field that has not the form that NWB takes.
    """
    config, fields = config or Config(), NwbFields.of(fields)
    if beside.get("embedding") is not None:
        if config.embed != "none" and beside.get("embedder") is None:
            raise BadInput(
                f"an embedding is given, and embed={config.embed} asks for one to be made; leave one out"
            )
        config = config.replace(reads=names.EMBEDDING)
    several = _is_several(source)
    recordings: Mapping[str, Any] = {ALONE: source}
    if several:
        _refuse_what_is_of_one(fields, **beside)
        recordings = source if isinstance(source, Several) else named_sources(source)
    else:
        check_fields(fields)
    return Asked(recordings=recordings, config=config, fields=fields, several=several, **beside)


def named_sources(sources: Sources) -> Several:
    """{name: source}: sessions are called like their files, without the ending.

    Raises:
        BadInput: fewer than two, or names that are empty, alike, or not fit for a folder.
    """
    if isinstance(sources, Mapping):
        given = [(str(name), one) for name, one in sources.items()]
    else:
        several = [sources] if isinstance(sources, str | Path) else sources
        given = [(Path(source_name(one)).stem or "session", one) for one in several]
    if len(given) < 2:
        raise BadInput(
            "a model of several sessions needs two or more; nwbsparse.run takes one by itself"
        )
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
    return Several(given)


def source_name(source: Any) -> str:
    """A name for the results of this source: its file name, or what the recording calls itself."""
    if isinstance(source, Session):
        named = source.source.path
        return str(named) if named is not None else source.source.identifier or "recording"
    if isinstance(source, str | Path):
        return public_address(source) or str(source)  # no access keys in names and logs
    return "recording"


def _is_several(source: Any) -> bool:
    """Only where nothing else can be meant: {unit: spike times} and lists of arrays are one."""
    if isinstance(source, Several):
        return True
    if not isinstance(source, Mapping | list | tuple) or not source:
        return False
    one_by_one = source.values() if isinstance(source, Mapping) else source
    return all(isinstance(one, Source) for one in one_by_one)


def _refuse_what_is_of_one(
    fields: NwbFields,
    *,
    embedding: Any = None,
    behaviour: Any = None,
    behaviour_offset: float = 0.0,
    source_nwb: Any = None,
    **_of_embedding: Any,
) -> None:
    of_one = {
        "--behaviour": behaviour,
        "--behaviour-offset": behaviour_offset or None,
        "--source": source_nwb,
        "a description": fields.given() or None,
    }
    if given := [flag for flag, value in of_one.items() if value is not None]:
        raise BadInput(f"{', '.join(given)} is for one recording; run them one by one")
    if embedding is not None:
        raise BadInput(
            "--embedding is for one recording; of several, --embed makes one embedding of all"
        )

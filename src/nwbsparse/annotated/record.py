"""The record of a stored model: everything about it that is no array, as JSON in its file.

It stands in two texts of the model: ``hyperparameters`` holds the options, ``environment`` the rest.
Nothing else parses or writes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nwbsparse.errors import BadInput, IntegrityError

FORMAT = 1
"""Version of the record that is written; files of before it was counted have 1 and do not say it."""
ENVIRONMENT, OPTIONS = "environment", "hyperparameters"
"""The texts of a model in which the record stands."""
MANIFEST = "manifest"


class NewerFormat(BadInput):
    """A result was written by a later version of nwbsparse than this one."""


@dataclass(frozen=True)
class Record:
    """What a stored model says about itself in words."""

    config: Mapping[str, Any]
    """The options of the run, every choice made, as they were stored."""
    coder: Mapping[str, Any] = field(default_factory=dict)
    """What the coder says of itself (units, history, software, sessions), without its options."""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """Name of a dataset → the words by which it is put together again."""
    run: Mapping[str, Any] = field(default_factory=dict)
    """Versions, device, threads, wall time, when."""
    beside: tuple[str, ...] = ()
    """Names of the tables and series that lie beside the model and belong to it."""
    target: Mapping[str, Any] | None = None
    """The series of the units that are reconstructed, where they stand in another table."""
    manifest: Mapping[str, Any] | None = None
    """The checksums of everything that was stored; None where there are none."""
    format: int = FORMAT
    """Version of the record."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What a later version said besides: kept when the file is amended."""

    @property
    def words(self) -> dict[str, Any]:
        """The coder's record with its options: what a coder is made from again."""
        return {**self.coder, "config": dict(self.config)}

    @property
    def own_session(self) -> str:
        """Of a model of several sessions: what it calls the one that is in this file; else ''."""
        return str(self.coder.get("session") or "")

    def attributes_of(self, part: str) -> Mapping[str, Any]:
        """The attributes of one of the datasets; none of one that is not there."""
        return self.parts.get(part, {}).get("attrs", {})

    def said(self) -> dict[str, Any]:
        """The record without options and checksums, as it stands in the file: what a checksum is of."""
        words: dict[str, Any] = {
            **self.more,
            "coder": dict(self.coder),
            "parts": dict(self.parts),
            "run": dict(self.run),
            "beside": list(self.beside),
        }
        if self.target is not None:
            words["target"] = dict(self.target)
        return words if self.format == 1 else words | {"format": self.format}

    def to_json(self) -> str:
        """The text of ``environment``."""
        sums = {} if self.manifest is None else {MANIFEST: self.manifest}
        return json.dumps({**self.said(), **sums}, sort_keys=True)

    def options_json(self) -> str:
        """The text of ``hyperparameters``."""
        return json.dumps(self.config, sort_keys=True)

    def with_manifest(self, manifest: Mapping[str, Any]) -> Record:
        """The record with the checksums of what was stored."""
        return replace(self, manifest=manifest)


def read_record(model: Any) -> Record:
    """The record of a model that was read from a file.

    Raises:
        IntegrityError: it is damaged.
        NewerFormat: a later version of nwbsparse wrote it.
    """
    texts = (getattr(model, key, None) for key in (ENVIRONMENT, OPTIONS))
    return record_from(*texts, name=str(model.name))


def record_from(environment: Any, options: Any, *, name: str) -> Record:
    """The record that stands in two texts; ``name`` is what messages call the result.

    Raises:
        IntegrityError: they cannot be read.
        NewerFormat: a later version of nwbsparse wrote them.
    """
    words, config = _table(environment, ENVIRONMENT, name), _table(options, OPTIONS, name)
    try:
        version = int(words.get("format", 1))
        if version > FORMAT:
            raise NewerFormat(
                f"the result '{name}' was written by a later nwbsparse (its record has format {version}, "
                f"this version reads up to {FORMAT}); install a newer nwbsparse"
            )
        target, manifest = words.get("target"), words.get(MANIFEST)
        return Record(
            config=config,
            coder=dict(words.get("coder", {})),
            parts={str(key): dict(said) for key, said in dict(words.get("parts", {})).items()},
            run=dict(words.get("run", {})),
            beside=tuple(map(str, words.get("beside", ()))),
            target=None if target is None else dict(target),
            manifest=None if manifest is None else dict(manifest),
            format=version,
            more={key: value for key, value in words.items() if key not in _known(version)},
        )
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, NewerFormat):
            raise
        raise _damaged(name, ENVIRONMENT, error) from error


def _known(version: int) -> set[str]:
    """The words that have a field; a first format that is stated is kept as it stands."""
    known = {"coder", "parts", "run", "beside", "target", MANIFEST}
    return known if version == 1 else known | {"format"}


def _table(text: Any, where: str, name: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (TypeError, ValueError, RecursionError) as error:
        raise _damaged(name, where, error) from error


def _damaged(name: str, where: str, error: Exception) -> IntegrityError:
    return IntegrityError(
        f"the result '{name}' is damaged: its record ({where}) cannot be read ({error!r})"
    )

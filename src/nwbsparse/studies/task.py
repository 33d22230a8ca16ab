"""One piece of long work, and what is read and written of it as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.schema import own_version


@dataclass(frozen=True)
class Task:
    """One piece of work, and everything that its result depends on."""

    kind: str
    """What is done, in a word."""
    about: Mapping[str, Any]
    """With what: anything that JSON holds. Recordings and tables as paths beside their digest."""
    needs: tuple[str, ...] = ()
    """Ids of the tasks whose results are read."""
    size: int = 1
    """How much work it is, beside others of its kind."""
    suffix: str = ".json"
    """Ending of its result file."""
    version: str = field(default_factory=own_version)
    """Of nwbsparse."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Where files lie that it reads: what moves is still the same."""

    @property
    def id(self) -> str:
        """A hash of what the result depends on."""
        return digest_of([self.kind, self.about, self.needs, self.version])[:20]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\.[a-z0-9]+", self.suffix):  # it becomes part of a path
            raise BadInput(f"'{self.suffix}' cannot be the ending of a file")

    def to_json(self) -> str:
        """As it is written into a ledger."""
        content = {
            "kind": self.kind, "about": self.about, "needs": list(self.needs), "size": self.size,
            "suffix": self.suffix, "version": self.version, "paths": self.paths,
        }  # fmt: skip
        return json.dumps(content, indent=1, sort_keys=True, default=plain) + "\n"


def digest_of(value: Any) -> str:
    """A hash of anything that JSON holds, the same on every machine."""
    said = json.dumps(value, sort_keys=True, separators=(",", ":"), default=plain)
    return text_digest(said)


def text_digest(text: str) -> str:
    """The SHA-256 of a text."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def plain(value: Any) -> Any:
    """What JSON has no form of, in one that it has."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} cannot be written as JSON")


def read_task(path: Path) -> Task:
    """What a file of a ledger says there is to do.

    Raises:
        BadInput: it says nothing of the kind.
    """
    found = json_in(path)
    try:
        said: dict[str, Any] = {} if found is None else found | {"needs": tuple(found["needs"])}
        return Task(**said)
    except (TypeError, KeyError):
        raise BadInput(f"{path} is missing or damaged: it should say what there is to do") from None


def json_in(path: Path) -> dict[str, Any] | None:
    """What a file holds; None where there is none, or it is no JSON."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentProblem(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None

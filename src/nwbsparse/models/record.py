"""What a coder carries besides its weights, so that it can be used again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.options.config import Config, from_dict
from nwbsparse.options.earlier import begun_as_meant
from nwbsparse.population import Population, as_read


@dataclass(frozen=True)
class SessionSource:
    """One of the recordings that a coder of several sessions was learned from."""

    name: str
    """What the session is called in the coder: what stands before '/' in the ids of its units."""
    sha256: str = ""
    """Of its file; '' for a session that was never one."""
    identifier: str = ""
    object_id: str = ""
    session_id: str = ""
    subject_id: str = ""
    uri: str = ""
    """The address it was read from, or the name of its file."""


@dataclass(frozen=True)
class CoderRecord:
    """A coder's options, its units and how it was trained."""

    config: Config
    """Fully resolved: nothing left to be chosen."""
    unit_ids: tuple[str, ...]
    """The units that are encoded, in order."""
    bin_width: float
    """s."""
    target_ids: tuple[str, ...] | None = None
    """The units that are reconstructed, when they are others than those encoded."""
    source_sha256: str = ""
    history: tuple[dict[str, Any], ...] = ()
    """One row per validation check of the training."""
    software: dict[str, str] = field(default_factory=dict)
    learned: dict[str, Any] = field(default_factory=dict)
    """How a coder that is a consensus came to be (``training/learn``): the options as they were
    asked, what was tried, which latents came back; empty for one that was trained in one go."""
    model_id: str = ""
    """Of a coder of one session: the id of the coder of several that it is a part of, the same in
    all their files; '' for any other coder."""
    session: str = ""
    """Of a coder of one session: which of ``sessions`` it is."""
    sessions: tuple[SessionSource, ...] = ()
    """All sessions of the coder of several, in its order; empty where they are not known."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The units that are reconstructed."""
        return self.unit_ids if self.target_ids is None else self.target_ids

    @property
    def apart(self) -> bool:
        """Whether other units are reconstructed than those that are read."""
        return self.target_ids is not None

    @property
    def of_units(self) -> bool:
        """Whether units are read; else an embedding of them."""
        return self.config.reads == names.COUNTS

    @property
    def part_of_several(self) -> bool:
        """Whether this is one session's part of a coder of several."""
        return bool(self.model_id)

    @property
    def of_several(self) -> bool:
        """Whether this is the whole coder of several recordings that are known."""
        return bool(self.sessions) and not self.part_of_several

    def reads(self, binned: Any) -> Population:
        """What the coder reads of a recording, in its order; the recording may hold other units too
        where these are reconstructed.

        Raises:
            BadInput: the units are others than the coder's, or in another order.
        """
        dim = names.INPUT_UNIT if self.apart else names.UNIT
        return self._population(binned, dim, written=False)

    def writes(self, binned: Any) -> Population:
        """What the coder reconstructs of a recording, in its order: what it reads, or other units.

        Raises:
            BadInput: the units are others than the coder's, or in another order.
        """
        return self._population(binned, names.UNIT, written=True)

    def _population(self, binned: Any, dim: str, *, written: bool) -> Population:
        data = as_read(binned, self.config.reads)
        ids = self.targets if written else self.unit_ids
        given = tuple(str(unit_id) for unit_id in data[names.UNIT_ID].values)
        if given != ids:
            data = data.isel({names.UNIT: self.columns(given)[written]})
        return Population(self.config.reads, dim if self.of_units else names.DIM, ids, data)

    @property
    def options(self) -> Config:
        """The options that make this coder again: of a consensus all that was chosen for it."""
        return self._learned("options")

    @property
    def asked(self) -> Config:
        """The options as they were asked, what was left open still open."""
        return self._learned("asked")

    def _learned(self, key: str) -> Config:
        if key not in self.learned:
            return self.config
        return from_dict(begun_as_meant(self.learned[key]))

    @property
    def scales_target(self) -> bool:
        """Whether what is reconstructed is scaled otherwise than what is read."""
        return self.apart or self.config.normalisation == "scaled"

    @property
    def unit_hash(self) -> str:
        """Changes when the units are others or in another order."""
        words = self.unit_ids if self.target_ids is None else [self.unit_ids, self.target_ids]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()

    @property
    def session_names(self) -> tuple[str, ...]:
        """The sessions of a coder of several, in its order; none for a coder of one recording.

        Where the record does not list them they are what stands before '/' in the ids of the units.
        """
        if self.sessions:
            return tuple(one.name for one in self.sessions)
        ids = (*self.unit_ids, *self.targets)
        if not all("/" in unit_id for unit_id in ids):
            return ()
        return tuple(dict.fromkeys(unit_id.partition("/")[0] for unit_id in ids))

    def check_units(self, unit_ids: Iterable[object]) -> None:
        """Refuse data whose units are others than those the coder was trained on, or reordered.

        Data for a coder that reconstructs other units than it encodes hold both populations, in
        any order.
        """
        given = tuple(str(unit_id) for unit_id in unit_ids)
        if not self.apart and given == self.unit_ids:
            return  # in order, whatever they are called
        ours = set(self.unit_ids) | set(self.targets)
        if self.apart and ours == set(given) and len(given) == len(ours):
            return
        if not self.of_units:
            raise BadInput(
                f"the coder was trained on an embedding of {len(ours)} dims, this one has "
                f"{len(given)}; give the recording an embedding from the same model"
            )
        if sorted(given) == sorted(self.unit_ids) and not self.apart:
            raise BadInput("the units are those of the coder but in another order; reorder them")
        raise BadInput(
            f"the coder was trained on {len(ours)} units, the data hold {len(given)}, of which "
            f"{len(ours.intersection(given))} are the same; bin the recording with the coder's units"
        )

    def columns(self, unit_ids: Iterable[object]) -> tuple[list[int], list[int]]:
        """Columns of the encoded and of the reconstructed units in data with these units.

        Raises:
            BadInput: the units are others than the coder's, or in another order.
        """
        given = [str(unit_id) for unit_id in unit_ids]
        self.check_units(given)
        if not self.apart:
            return [*range(len(given))], [*range(len(given))]
        at = {unit_id: column for column, unit_id in enumerate(given)}
        return [at[i] for i in self.unit_ids], [at[i] for i in self.targets]

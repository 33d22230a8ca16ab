"""What an option says of itself beside its default: bounds, and where it matters.

Whoever asks about options (what is legal, what a stack may differ in, what names a coder, which
flags are shown first) reads it here, so that a new option is one field and no list elsewhere.

Groups of options do without postponed annotations: the command line resolves the types of inherited
fields in another module than theirs.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_FACTS = "nwbsparse"


@dataclass(frozen=True)
class Facts:
    """What is known of one option."""

    above: int | float | None = None
    """The value must be larger than this."""
    least: int | float | None = None
    """The value must be this or more."""
    below: int | float | None = None
    """The value must be smaller than this."""
    per_model: bool = False
    """Models that are trained together as one stack may differ in it."""
    shapes_unless: Any = None
    """Of an option that shapes activations or reconstructions without showing in the weights: the
    value with which it does not. Any other value is part of a coder's id."""
    common: bool = False
    """Shown first by ``--help``."""
    many_trainings: bool = False
    """Says whether one model is made of several trainings."""

    def problem(self, name: str, value: int | float) -> str | None:
        """Why a value cannot be, in a sentence; None where it can."""
        wrong = (
            not math.isfinite(value)
            or (self.above is not None and value <= self.above)
            or (self.least is not None and value < self.least)
            or (self.below is not None and value >= self.below)
        )
        return f"{name} is {value}; it must {self._bounds()}" if wrong else None

    @property
    def bounded(self) -> bool:
        """Whether only some numbers are legal."""
        return (self.above, self.least, self.below) != (None, None, None)

    def _bounds(self) -> str:
        below = "2^63" if self.below == 2**63 else f"{self.below}"
        if self.above is not None and self.below is not None:
            return f"lie between {self.above} and {below}"
        if self.above is not None:
            return f"be > {self.above}"
        least = f"be {self.least} or more"
        return least if self.below is None else f"{least}, and below {below}"


def option(default: Any, **facts: Any) -> Any:
    """A field of a group of options with what is to be known of it (:class:`Facts`)."""
    return dataclasses.field(default=default, metadata={_FACTS: Facts(**facts)})


def facts_of(options: Any) -> Iterator[tuple[str, Facts]]:
    """Name and facts of every option of a class (or object) of options, in their order."""
    return iter(_facts(options if isinstance(options, type) else type(options)))


@functools.cache
def _facts(options: type) -> tuple[tuple[str, Facts], ...]:
    fields = dataclasses.fields(options)
    return tuple((field.name, field.metadata.get(_FACTS, Facts())) for field in fields)


def data_options(options: type) -> tuple[str, ...]:
    """The options that say how data are read, binned or made, in their order: another value, other data.

    They are those of the groups that say so (``makes_data = True`` in the class).
    """
    return tuple(
        field.name
        for field in dataclasses.fields(options)
        if vars(_owner(options, field.name)).get("makes_data")
    )


def group_of(options: type, name: str) -> str:
    """What the group that an option is defined in is called: the first word of its docstring."""
    return str(_owner(options, name).__doc__).partition(":")[0]


def _owner(options: type, name: str) -> type:
    return next(one for one in options.__mro__ if name in inspect.get_annotations(one))

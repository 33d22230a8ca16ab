"""Every option of a run in one flat table.

One spelling everywhere: what the Python API takes is what the command-line flags are, what the
TOML file holds and what is stored in the annotated NWB file. A field left at None is chosen
from the recording; what was chosen is printed and recorded.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from nwbsparse.errors import did_you_mean, raise_together
from nwbsparse.options.binning import BinOptions
from nwbsparse.options.coder import CoderOptions
from nwbsparse.options.explaining import ExplainOptions
from nwbsparse.options.facts import facts_of, option
from nwbsparse.options.legality import parse_levels, parse_weights, problems, targets_of
from nwbsparse.options.reading import ReadOptions
from nwbsparse.options.registered import brought, check_brought, known, words_of
from nwbsparse.options.training import TrainOptions


@dataclass(frozen=True, kw_only=True)
class Config(ExplainOptions, TrainOptions, CoderOptions, BinOptions, ReadOptions):
    """How a recording is read, binned, split, learned and explained: every group of options, flat."""

    name: str = option("latents", per_model=True, common=True)
    """Name of this result: part of the file name and the key inside the NWB file."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))
        object.__setattr__(self, "band", tuple(float(edge) for edge in self.band))
        raise_together(problems(self, _choices()), heading="the options cannot work")

    @property
    def level_sizes(self) -> list[tuple[int, int]]:
        """(number of latents, k) of each Matryoshka level, growing; one level when none was asked."""
        return parse_levels(self.levels) or [(self.n_latents or 0, self.k or 0)]

    @property
    def level_weights(self) -> list[float]:
        """λ of each Matryoshka level: the weight of its loss; 1 where none was given."""
        return parse_weights(self.levels) or [1.0]

    @property
    def scaling(self) -> tuple[str, str]:
        """The (normalisation, output) pair that goes with the loss."""
        return next(
            pair
            for pair in targets_of(self.loss)
            if self.normalisation in (None, pair[0])
            and self.output in (None, pair[1])
            # dims are signed and have no silence: nothing is gained by leaving them off centre
            and (pair[0] != "scaled" or self.normalisation or self._hides)
        )

    @property
    def _hides(self) -> bool:
        """Whether these are options of a coder that tells hidden units."""
        return self.reads == "counts" and (self.choose != "none" or bool(self.mask))

    def replace(self, **changes: Any) -> Config:
        """The same options with some changed; unknown names are refused."""
        check_names(changes, where="the change")
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON and TOML; fields left to be chosen are absent."""
        values = dataclasses.asdict(self)
        values |= {"levels": list(self.levels), "band": list(self.band)}
        return {key: value for key, value in values.items() if value is not None}


PER_MODEL = frozenset(name for name, facts in facts_of(Config) if facts.per_model)
"""Options in which models of one stack may differ."""


def shared_options(config: Config) -> dict[str, Any]:
    """The options that all models of a stack must have in common."""
    return {name: value for name, value in config.to_dict().items() if name not in PER_MODEL}


@cache
def _choices() -> dict[str, tuple[str, ...]]:
    """The words that each option of several words can take."""
    found = {}
    for name, hint in get_type_hints(Config).items():
        words = [word for one in (hint, *get_args(hint)) for word in get_args(one)]
        words = tuple(word for word in words if isinstance(word, str))
        if words:
            found[name] = words
    return found


def field_names() -> tuple[str, ...]:
    """The names of all options, in the order in which they are documented."""
    return tuple(field.name for field in dataclasses.fields(Config))


def check_names(values: dict[str, Any], *, where: str) -> None:
    """Refuse options that do not exist, with the nearest name that does."""
    known = field_names()
    raise_together(
        [f"unknown option '{key}'{did_you_mean(key, known)}" for key in values if key not in known],
        heading=where,
    )


def from_dict(values: dict[str, Any], *, where: str = "the options") -> Config:
    """Options from plain values; types are checked and unknown names refused together."""
    check_names(values, where=where)
    found, plain, choices = [], {}, _choices()
    for key, value in values.items():
        wanted = _PLAIN_TYPES[key]
        if isinstance(value, bool) or not isinstance(value, wanted):
            said = " or ".join(kind.__name__ for kind in wanted)
            found.append(f"{key} is {value!r}; it must be {said}")
        elif key in choices and not known(key, value, choices[key]):
            said = ", ".join(words_of(key, choices[key]))
            found.append(f"{key} is {value!r}; choose one of {said}")
        else:
            plain[key] = tuple(value) if list in wanted else wanted[0](value)
    raise_together(found, heading=where)
    return Config(**plain)


def software_of(config: Config) -> dict[str, str]:
    """The packages that options name something of, beside nwbsparse itself."""
    return brought(config, _choices())


def check_stored(values: dict[str, Any], software: dict[str, str]) -> None:
    """Refuse stored options that name what a package brought which is not installed here.

    Raises:
        BadInput: what is missing, and what to do.
    """
    check_brought(values, _choices(), software)


def _plain_types() -> dict[str, tuple[type, ...]]:
    """The types that stand for each option in TOML and JSON."""
    kinds: dict[str, tuple[type, ...]] = {}
    for name, hint in get_type_hints(Config).items():
        parts = {get_origin(part) or part for part in (hint, *get_args(hint))}
        if tuple in parts:
            kinds[name] = (list, tuple)
        elif float in parts:
            kinds[name] = (float, int)
        else:
            kinds[name] = (int,) if int in parts else (str,)
    return kinds


_PLAIN_TYPES = _plain_types()

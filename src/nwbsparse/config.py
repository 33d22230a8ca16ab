"""Every option of a run in one flat table.

One spelling everywhere: what the Python API takes is what the command-line flags are, what the
TOML file holds and what is stored in the annotated NWB file. A field left at None is chosen
from the recording; what was chosen is printed and recorded.
"""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import tomli_w

from nwbsparse.errors import BadInput, did_you_mean, raise_together

Loss = Literal["mse", "msle", "poisson"]
Normalisation = Literal["zscore", "none"]
Output = Literal["identity", "relu", "softplus"]
Device = Literal["auto", "cpu", "cuda", "mps"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "loss": get_args(Loss),
    "normalisation": get_args(Normalisation),
    "output": get_args(Output),
    "device": get_args(Device),
}

LEGAL_TARGETS: dict[str, tuple[tuple[str, str], ...]] = {
    "mse": (("zscore", "identity"), ("none", "identity"), ("none", "relu"), ("none", "softplus")),
    "msle": (("none", "relu"), ("none", "softplus")),
    "poisson": (("none", "softplus"),),
}
"""loss → the (normalisation, output) pairs under which it is defined; the first is the default.

MSLE takes a logarithm and Poisson a rate: neither exists for the negative targets that a z-score
makes, nor for the negative reconstructions of an identity output."""


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How a source is read, where it leaves something open."""

    series: str | None = None
    """Read this series instead of Units: ROI traces, "Activity_*" for one series per unit."""
    band: tuple[float, ...] = ()
    """Two frequencies (Hz): read the power of an electrical series between them."""
    rate: float | None = None
    """Sampling rate (Hz) of the series, where the file's is wrong."""
    sampling_frequency: float | None = None
    """Sampling rate (Hz) of a sorting or suite2p folder that does not state it."""
    time_scale: float | None = None
    """Seconds per unit of the stored spike times, such as 0.001 for milliseconds."""
    bin_width: float | None = None
    """Bin width (s). Absent: the smallest of 10-200 ms with 5 population spikes per bin."""

    def for_reading(self, accepted: Collection[str]) -> dict[str, Any]:
        """The options that were given, as :func:`nwbsparse.read` takes them.

        The bin width is passed on only where the reader asks for it (ready-made counts).
        """
        names = [field.name for field in dataclasses.fields(ReadOptions)]
        given = {name: getattr(self, name) for name in names}
        return {
            name: value
            for name, value in given.items()
            if value not in (None, ()) and (name != "bin_width" or name in accepted)
        }


@dataclass(frozen=True, kw_only=True)
class Config(ReadOptions):
    """How a recording is binned, split, learned and explained."""

    name: str = "latents"
    """Name of this result: part of the file name and the key inside the NWB file."""

    units: str | None = None
    """Which units to use: ids ("3,7,12") or a condition on columns ("quality == 'good'")."""
    regions: str | None = None
    """Use only units of these brain regions, separated by commas."""
    epochs: str | None = None
    """Use only the epochs of this name or tag; several separated by commas."""
    intervals: str | None = None
    """Use only times inside the rows of this interval table, such as "trials"."""
    where: str | None = None
    """Use only bins where this holds for the covariates, such as "speed > 3"."""

    test: float = 0.2
    """Share of the bins held out for testing."""
    validation: float = 0.1
    """Share of the bins held out to choose when training stops."""
    blocks: int = 10
    """How many test blocks are spread over the session; 1 is the plain chronological split."""
    gap: float = 1.0
    """Seconds removed between parts, so that no held-out bin touches a training bin."""

    n_latents: int | None = None
    """How many latents. Absent: four per unit that fires, a multiple of 32."""
    k: int | None = None
    """Mean number of latents active in a bin. Absent: the mean number of active units."""
    levels: tuple[str, ...] = ()
    """Matryoshka levels "n_latents:k", such as "16:1", "64:4". Empty: one level."""
    loss: Loss = "mse"
    """What the reconstruction minimises."""
    normalisation: Normalisation | None = None
    """How counts are scaled before they are learned. Absent: what the loss needs."""
    output: Output | None = None
    """Last step of the decoder. Absent: what the loss needs."""

    batch_size: int | None = None
    """Bins per update. Absent: 1,024, or an eighth of a short recording's training bins."""
    learning_rate: float = 5e-3
    """Peak step size: warmed up over 10 %, constant to 50 %, cosine to a hundredth."""
    max_epochs: int | None = None
    """Passes over the training bins. Absent: as many as give 3,000 updates."""
    patience: int = 5
    """Checks on the validation bins without improvement before training stops."""
    dead_window: int = 200
    """Updates without being selected after which a latent counts as dead and is revived."""
    k_aux: int | None = None
    """How many dead latents are revived at once. Absent: a tenth of the latents."""
    aux_weight: float = 1.0
    """Weight of the revival loss; 0 switches it off."""

    n_shifts: int = 1000
    """Draws of each null distribution."""
    alpha: float = 0.05
    """False-discovery rate at which an association is called found."""

    seed: int = 0
    """Seed of everything random."""
    device: Device = "auto"
    """Where the coder is trained."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))
        object.__setattr__(self, "band", tuple(float(edge) for edge in self.band))
        raise_together(self._problems(), heading="the options cannot work")

    def _problems(self) -> list[str]:
        found: list[str] = []
        for field in _POSITIVE:
            value = getattr(self, field)
            if value is not None and not (math.isfinite(value) and value > 0):
                found.append(f"{field} is {value}; it must be > 0")
        for field in ("gap", "aux_weight"):
            value = getattr(self, field)
            if not (math.isfinite(value) and value >= 0):
                found.append(f"{field} is {value}; it must be 0 or more")
        for field in ("test", "validation", "alpha"):
            value = getattr(self, field)
            if not 0 < value < 1:
                found.append(f"{field} is {value}; it must lie between 0 and 1")
        if self.test + self.validation >= 1:
            found.append(
                f"test + validation is {self.test + self.validation:g}; nothing is left to train on"
            )
        if self.band and (len(self.band) != 2 or not 0 < self.band[0] < self.band[1]):
            found.append(f"band is {self.band}; it must be two growing frequencies > 0 Hz")
        found += self._level_problems() + self._target_problems()
        for field, choices in _CHOICES.items():
            value = getattr(self, field)
            if value is not None and value not in choices:
                found.append(f"{field} is {value!r}; choose one of {', '.join(choices)}")
        if not self.name or any(not (c.isalnum() or c in "-_") for c in self.name):
            found.append(f"name is {self.name!r}; use letters, digits, '-' and '_'")
        if self.seed < 0:
            found.append(f"seed is {self.seed}; it must be 0 or more")
        return found

    def _level_problems(self) -> list[str]:
        found: list[str] = []
        try:
            levels = parse_levels(self.levels)
        except ValueError as error:
            return [str(error)]
        if levels:
            sizes = [size for size, _ in levels]
            if sizes != sorted(set(sizes)):
                found.append(f"levels {self.levels} must grow")
            for field, value in (("n_latents", levels[-1][0]), ("k", levels[-1][1])):
                given = getattr(self, field)
                if given is not None and given != value:
                    found.append(
                        f"{field} is {given} but the largest level says {value}; give one of them"
                    )
        pairs = levels or ([(self.n_latents, self.k)] if self.n_latents and self.k else [])
        for size, k in pairs:
            if k > size:
                found.append(
                    f"k is {k} but there are only {size} latents; k must not exceed n_latents"
                )
            if k <= 0:
                found.append(f"k is {k} in level {size}:{k}; it must be > 0")
        return found

    def _target_problems(self) -> list[str]:
        legal = LEGAL_TARGETS.get(self.loss, ())
        fits = [
            pair
            for pair in legal
            if self.normalisation in (None, pair[0]) and self.output in (None, pair[1])
        ]
        if fits or not legal:
            return []
        named = " or ".join(f"normalisation={n}, output={o}" for n, o in legal)
        return [
            f"loss={self.loss} is not defined with normalisation={self.normalisation or 'auto'}, "
            f"output={self.output or 'auto'}; legal with it: {named}"
        ]

    @property
    def target(self) -> tuple[str, str]:
        """The (normalisation, output) pair that goes with the loss."""
        return next(
            pair
            for pair in LEGAL_TARGETS[self.loss]
            if self.normalisation in (None, pair[0]) and self.output in (None, pair[1])
        )

    def replace(self, **changes: Any) -> Config:
        """The same options with some changed; unknown names are refused."""
        check_names(changes, where="the change")
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON and TOML; fields left to be chosen are absent."""
        values = dataclasses.asdict(self)
        values |= {"levels": list(self.levels), "band": list(self.band)}
        return {key: value for key, value in values.items() if value is not None}


_POSITIVE = (
    "rate", "sampling_frequency", "time_scale",
    "bin_width", "blocks", "n_latents", "k", "batch_size", "learning_rate", "max_epochs",
    "patience", "dead_window", "k_aux", "n_shifts",
)  # fmt: skip


_NUMBER = re.compile(r"[0-9]{1,9}")


def field_names() -> tuple[str, ...]:
    """The names of all options, in the order in which they are documented."""
    return tuple(field.name for field in dataclasses.fields(Config))


def parse_levels(levels: tuple[str, ...]) -> list[tuple[int, int]]:
    """['16:1', '64:4'] → [(16, 1), (64, 4)]: latents and k of each Matryoshka level."""
    parsed = []
    for level in levels:
        size, colon, k = str(level).partition(":")
        if not (colon and _NUMBER.fullmatch(size.strip()) and _NUMBER.fullmatch(k.strip())):
            raise ValueError(f'level {level!r} is not of the form "n_latents:k", such as "64:4"')
        parsed.append((int(size), int(k)))
    return parsed


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
    problems, plain = [], {}
    for key, value in values.items():
        wanted = _PLAIN_TYPES[key]
        if isinstance(value, bool) or not isinstance(value, wanted):
            said = " or ".join(kind.__name__ for kind in wanted)
            problems.append(f"{key} is {value!r}; it must be {said}")
        elif key in _CHOICES and value not in _CHOICES[key]:
            problems.append(f"{key} is {value!r}; choose one of {', '.join(_CHOICES[key])}")
        else:
            plain[key] = tuple(value) if list in wanted else wanted[0](value)
    raise_together(problems, heading=where)
    return Config(**plain)


def _plain_types() -> dict[str, tuple[type, ...]]:
    kinds: dict[str, tuple[type, ...]] = {}
    for field in dataclasses.fields(Config):
        text = str(field.type)
        if "tuple" in text:
            kinds[field.name] = (list, tuple)
        elif "float" in text:
            kinds[field.name] = (float, int)
        elif "int" in text:
            kinds[field.name] = (int,)
        else:
            kinds[field.name] = (str,)
    return kinds


_PLAIN_TYPES = _plain_types()


def read_toml(path: Path) -> dict[str, Any]:
    """The options written in a TOML file, as plain values, names checked."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(
            f"{path} does not exist; `nwbsparse config > {path.name}` writes one"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}") from None
    values.pop("source", None)
    check_names(values, where=str(path))
    return values


def to_toml(config: Config, *, source: str | None = None) -> str:
    """The options as TOML; ``source`` records which recording they were used on."""
    values: dict[str, Any] = {"source": source} if source else {}
    return tomli_w.dumps(values | config.to_dict())

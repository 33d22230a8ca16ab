"""Every option of a run in one flat table.

One spelling everywhere: what the Python API takes is what the command-line flags are, what the
TOML file holds and what is stored in the annotated NWB file. A field left at None is chosen
from the recording; what was chosen is printed and recorded.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from nwbsparse.errors import did_you_mean, raise_together
from nwbsparse.options.legality import LEGAL_TARGETS, parse_levels, parse_weights, problems
from nwbsparse.options.reading import ReadOptions
from nwbsparse.options.words import (
    Attention,
    Choose,
    Decoded,
    Decoder,
    Device,
    Duplicates,  # noqa: F401  the hints of inherited options are resolved in this module
    Encoder,
    Initialisation,
    LevelTerms,
    Loss,
    Nesting,
    Normalisation,
    Output,
    Penalty,
    PreBias,
    Precision,
    Reads,
    Revival,
    Rows,
    Schedule,
    Sign,
    SmoothingKernel,
    Sparsifier,
)


@dataclass(frozen=True, kw_only=True)
class Config(ReadOptions):
    """How a recording is binned, split, learned and explained."""

    name: str = "latents"
    """Name of this result: part of the file name and the key inside the NWB file."""

    units: str | None = None
    """Which units to use: ids ("3,7,12") or a condition on columns ("quality == 'good'")."""
    regions: str | None = None
    """Use only units of these brain regions, separated by commas."""
    pool: str | None = None
    """Sum units to pools by "electrode", a unit column ("region"), bins of one ("depth:100"), several."""
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

    reads: Reads = "counts"
    """What the coder reads and reconstructs: the units' counts, or an embedding of them."""
    target_units: str | None = None
    """Reconstruct these units from the others: ids ("3,7") or a condition on columns."""
    target_regions: str | None = None
    """Reconstruct the units of these regions from the others, separated by commas."""
    lag: int = 0
    """Reconstruct the bin this many bins later: a positive lag predicts."""

    smoothing: float | None = None
    """Standard deviation (s) of the Gaussian that what is read is smoothed with. Absent: as choose says."""
    smoothing_kernel: SmoothingKernel = "gaussian"
    """Whether smoothing looks both ways (gaussian) or only back, never at the future of a bin (causal)."""
    mask: float | None = None
    """Share of entries hidden while training, to be told from other units. Absent: as choose says."""
    groups: str = "found"
    """Units hidden together: those that share spikes (found), a unit column's, or none."""
    sign: Sign | None = None
    """Whether dictionary rows may go below 0. Absent: not where units are hidden and never below 0."""
    choose: Choose = "all"
    """What is chosen by how well hidden units (0.25 of entries) are told: all (smoothing, n_latents and
    k), the size, or none (nothing smoothed, nothing hidden)."""

    n_latents: int | None = None
    """How many latents. Absent: chosen; with choose=none four per unit that fires, eight per dim."""
    expansion: int | None = None
    """How many latents per encoded unit, in place of n_latents."""
    k: int | None = None
    """Mean number of latents active in a bin. Absent: chosen; with choose=none as units are active."""
    levels: tuple[str, ...] = ()
    """Matryoshka levels "n_latents:k:weight", such as "16:1", "64:4:0.5". Empty: one level."""
    nesting: Nesting = "independent"
    """Whether each level selects latents by itself or all share one selection (nested)."""
    level_terms: LevelTerms | None = None
    """How levels make one loss: their weighted sum, or its mean as once. Absent: the sum."""
    encoder: Encoder = "linear"
    """What sees the counts: one bin (linear), several at once (window), or attention over them."""
    window: int | None = None
    """Bins that the coder sees at once, the last being its own. Absent: 1, or 10 where needed."""
    attention: Attention = "latent"
    """Where the transformer attends: over the latents of each bin, or in a model space before."""
    d_model: int = 64
    """Width of the transformer's model space."""
    n_heads: int = 4
    """Attention heads of the transformer."""
    n_blocks: int = 2
    """Blocks of a transformer with attention in model space."""
    sparsifier: Sparsifier = "batch_topk"
    """What makes the latents sparse."""
    penalty: Penalty = "l1"
    """Penalty of the l1 sparsifier: the sum of activations, or one that saturates (Naik 2025)."""
    penalty_weight: float | None = None
    """Weight of the sparsity penalty (l1, jumprelu, gated). Absent: 0.1."""
    bandwidth: float | None = None
    """Scale of the exponential penalty (absent: 1e-3) or of JumpReLU's kernel (absent: 0.05)."""
    decoder: Decoder = "linear"
    """How latents make the population again: each bin by itself, or each latent with a time course."""
    decoded: Decoded | None = None
    """Which bins of a window are reconstructed. Absent: all, or the last of a convolution."""
    loss: Loss = "mse"
    """What the reconstruction minimises."""
    tau: float = 1.0
    """Factor on the predicted logarithm in the msle loss."""
    normalisation: Normalisation | None = None
    """How counts are scaled: read as z-scores, reconstructed in standard deviations (scaled); or
    z-scores throughout. Absent: what the loss needs."""
    output: Output | None = None
    """Last step of the decoder. Absent: what the loss needs."""
    rows: Rows = "unit"
    """Whether rows of the dictionary are kept at unit length."""
    pre_bias: PreBias = "mean"
    """Whether the mean of the training bins is taken off before encoding."""
    initialisation: Initialisation = "tied"
    """Whether the encoder starts as the transpose of the dictionary."""

    batch_size: int | None = None
    """Bins per update. Absent: 1,024, or an eighth of a short recording's training bins."""
    learning_rate: float = 5e-3
    """Peak step size."""
    schedule: Schedule = "trapezoid"
    """Step size over time: warm-up 10 %, constant to 50 %, cosine to a hundredth (trapezoid)."""
    weight_decay: float = 0.0
    """Decay of all weights toward zero per update."""
    clip: float = 1.0
    """Largest gradient norm per square root of the reconstructed values; 0 switches it off."""
    precision: Precision = "float32"
    """Arithmetic of the products; weights and thresholds stay in float32 under bfloat16."""
    max_epochs: int | None = None
    """Passes over the training bins. Absent: as many as give 3,000 updates."""
    patience: int = 5
    """Checks on the validation bins without improvement before training stops."""
    revival: Revival = "auxiliary"
    """How dead latents are revived: by what is left over, the paper's form, a new start, not."""
    dead_window: int = 200
    """Updates without being selected after which a latent counts as dead and is revived."""
    k_aux: int | None = None
    """How many dead latents are revived at once. Absent: a tenth of the latents."""
    aux_weight: float = 1.0
    """Weight of the revival loss."""

    n_shifts: int = 2000
    """Draws of each null distribution at most."""
    alpha: float = 0.05
    """False-discovery rate at which an association is called found."""

    seed: int = 0
    """Seed of the initial weights and of everything random after training."""
    seeds: int = 10
    """How many seeds are trained, counted up from seed; a consensus keeps what comes back in them."""
    replicates: int = 2
    """How many consensuses of seeds, each of other ones; 0: the first seed, compared with the others."""
    order_seed: int = 0
    """Seed of the order in which bins are visited; one order for all models trained together."""
    device: Device = "auto"
    """Where the coder is trained."""

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
            for pair in LEGAL_TARGETS[self.loss]
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
        elif key in choices and value not in choices[key]:
            found.append(f"{key} is {value!r}; choose one of {', '.join(choices[key])}")
        else:
            plain[key] = tuple(value) if list in wanted else wanted[0](value)
    raise_together(found, heading=where)
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

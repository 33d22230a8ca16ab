"""What is run for Naik 2025, and what of it differs from the paper."""

from __future__ import annotations

from dataclasses import dataclass, fields

from nwbsparse.errors import raise_together, unknown

DIMS, HIDDEN_UNITS, CEBRA_RATES = (8, 16, 32, 64), (32, 64), (1e-3, 5e-3)
"""The sweep behind Figure 1: 16 embeddings of an animal."""
CHOSEN_EXPANSION, CHOSEN_RATE = 8, 1e-3
"""The paper's choice for its Figures 4 to 6: TopK, eight latents per dim, this step size."""
KS = (8, 16, 32)
SMOOTH_BINS = 20
"""Bins that the smoothed counts are the mean of."""
TRAIN_SHARE = 0.8
GAP = 1.0
"""Seconds before the held-out bins that are not trained on: embeddings reach 4 bins ahead."""
KEPT = "models", "latents"
CONTINUOUS, DISCRETE = "continuous", "discrete"
CEBRA = {
    "model_architecture": "offset10-model", "time_offsets": 5, "temperature": 0.1,
    "temperature_mode": "constant", "distance": "cosine", "batch_size": 256,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Naik2025:
    """What can be asked of a reproduction of Naik 2025; the defaults are the paper."""

    dims: tuple[int, ...] = DIMS
    """Sizes of the embeddings."""
    seeds: int = 3
    """Seeds of the coders of Figures 4 to 6, and of their controls."""
    max_epochs: int = 50
    """Passes of the coders over the training bins."""
    iterations: int = 2000
    """Updates of CEBRA."""
    bin_width: float = 0.025
    """Width of a bin (s) of recordings, and of the rows of stored embeddings."""
    position: str | None = None
    """The covariate that is the place on the track. Absent: the recording's only position."""
    direction: str | None = None
    """The condition that is the direction of running. Absent: the one whose name ends so."""
    direction_as: str = CONTINUOUS
    """What CEBRA is told of the direction: a column of 0 and 1 for each (the paper's), or a condition
    that the moments of a pair share ("discrete")."""

    keep: tuple[str, ...] = ()
    """Of "models" and "latents": what is kept of every trained coder, in ``ledger/kept``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dims", tuple(self.dims))
        object.__setattr__(self, "keep", tuple(sorted({*self.keep})))
        problems = [
            f"{name} is {value}; it must be 1 or more"
            for name, value in (
                ("seeds", self.seeds), ("max_epochs", self.max_epochs), ("iterations", self.iterations)
            )
            if value < 1
        ]  # fmt: skip
        if not self.dims or min(self.dims) < 1 or len(set(self.dims)) < len(self.dims):
            problems.append(
                f"dims are {list(self.dims)}; they must be different sizes of 1 or more"
            )
        problems += [
            str(unknown(one, KEPT, what="thing to keep")) for one in self.keep if one not in KEPT
        ]
        if not self.bin_width > 0:
            problems.append(f"bin_width is {self.bin_width}; it must be above 0 s")
        if self.direction_as not in (CONTINUOUS, DISCRETE):
            known = (CONTINUOUS, DISCRETE)
            problems.append(str(unknown(self.direction_as, known, what="form of the direction")))
        raise_together(problems, heading="the paper cannot be run like that")

    def changed(self) -> list[str]:
        """What is not as in the paper: 'max_epochs 5 (the paper: 50)'."""
        own = ("dims", "max_epochs", "iterations", "bin_width", "direction_as")
        return [
            f"{one.name} {_said(getattr(self, one.name))} (the paper: {_said(one.default)})"
            for one in fields(self)
            if one.name in own and getattr(self, one.name) != one.default
        ]


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)

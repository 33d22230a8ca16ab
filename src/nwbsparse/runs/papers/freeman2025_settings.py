"""Freeman et al. (2025): what is run, and where that is not as it is by itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from nwbsparse.errors import BadInput
from nwbsparse.options.splice import SpliceOptions

SIMULATED_TARGETS = "orientation,temporal_frequency"
CLASS_LABEL = "genotype"


@dataclass(frozen=True, kw_only=True)
class Freeman2025:
    """What is run: simulated mice, several seeds, and recordings of one's own."""

    seeds: int = 5
    """Simulations, each with a network and a coder of its own."""
    targets: str = "direction,orientation"
    """Labels of one's own recordings."""
    bin_width: float = 0.25
    """Seconds."""
    simulated: dict[str, Any] = field(default_factory=dict)
    """Options of the simulation that are not as they are by themselves."""
    options: dict[str, Any] = field(default_factory=dict)
    """Options of the splice that are not as they are by themselves."""

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise BadInput(f"seeds is {self.seeds}; it must be at least 1")

    def of_simulation(self, seed: int) -> SpliceOptions:
        """The options of a simulated run."""
        given = {"bin_width": self.bin_width, "seed": seed} | self.options
        return SpliceOptions(targets=SIMULATED_TARGETS, class_label=CLASS_LABEL, **given)

    def of_recordings(self) -> SpliceOptions:
        """The options of one's own recordings."""
        return SpliceOptions(targets=self.targets, bin_width=self.bin_width, **self.options)

    def said(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

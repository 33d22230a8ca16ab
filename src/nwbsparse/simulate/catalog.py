"""The simulations by name, each with the options that it has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nwbsparse.errors import did_you_mean, raise_together, unknown
from nwbsparse.simulate.assemblies import simulate_assemblies
from nwbsparse.simulate.contents import Simulated
from nwbsparse.simulate.factors import simulate_factors
from nwbsparse.simulate.orientation import simulate_orientation
from nwbsparse.simulate.placecells import simulate_placecells
from nwbsparse.simulate.superposition import simulate_superposition


@dataclass(frozen=True)
class Simulation:
    """A recording with known truth that can be made."""

    name: str
    maker: Callable[..., Simulated | Sequence[Simulated]]

    @property
    def options(self) -> dict[str, Any]:
        """Each option with its default."""
        parameters = inspect.signature(self.maker).parameters.values()
        return {one.name: one.default for one in parameters}

    def make(self, options: Mapping[str, Any]) -> Simulated | Sequence[Simulated]:
        """Make the recording, or the sessions where it has several.

        Args:
            options: those that are not to be the default.

        Raises:
            BadInput: the simulation has no such option, or cannot be made with its value.
        """
        own = self.options
        raise_together(
            [
                f"it has no option {name}{did_you_mean(name, own)}; its options: {', '.join(own)}"
                for name in options
                if name not in own
            ],
            heading=f"'{self.name}' cannot be simulated so",
        )
        return self.maker(**options)


SIMULATIONS = {
    one.name: one
    for one in (
        Simulation("nldisco-placecells", simulate_placecells),
        Simulation("superposition", simulate_superposition),
        Simulation("assemblies", simulate_assemblies),
        Simulation("orientation", simulate_orientation),
        Simulation("factors", simulate_factors),
    )
}


def simulation(name: str) -> Simulation:
    """The simulation of a name.

    Raises:
        BadInput: there is none; the message says which there are.
    """
    if name not in SIMULATIONS:
        raise unknown(name, SIMULATIONS, what="simulation")
    return SIMULATIONS[name]

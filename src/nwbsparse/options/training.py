"""How a coder is trained, and what is chosen by trying."""

from dataclasses import dataclass

from nwbsparse.options.facts import option
from nwbsparse.options.words import (
    Choose,
    Device,
    Precision,
    Revival,
    Schedule,
)


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Training: what is chosen by trying, and how a coder learns."""

    choose: Choose = option("all", common=True, many_trainings=True)
    """What is chosen by how well hidden units (0.25 of entries) are told: all (smoothing, n_latents and
    k), the size, or none (nothing smoothed, nothing hidden)."""
    mask: float | None = option(None, least=0, below=1)
    """Share of entries hidden while training, to be told from other units. Absent: as choose says."""
    groups: str = "found"
    """Units hidden together: those that share spikes (found), a unit column's, or none."""
    batch_size: int | None = option(None, above=0)
    """Bins per update. Absent: 1,024, or an eighth of a short recording's training bins."""
    learning_rate: float = option(5e-3, above=0, per_model=True)
    """Peak step size."""
    schedule: Schedule = "trapezoid"
    """Step size over time: warm-up 10 %, constant to 50 %, cosine to a hundredth (trapezoid)."""
    weight_decay: float = option(0.0, least=0, per_model=True)
    """Decay of all weights toward zero per update."""
    clip: float = option(1.0, least=0, per_model=True)
    """Largest gradient norm per square root of the reconstructed values; 0 switches it off."""
    precision: Precision = "float32"
    """Arithmetic of the products; weights and thresholds stay in float32 under bfloat16."""
    max_epochs: int | None = option(None, above=0)
    """Passes over the training bins. Absent: as many as give 3,000 updates."""
    patience: int = option(5, above=0, per_model=True)
    """Checks on the validation bins without improvement before training stops."""
    revival: Revival = "auxiliary"
    """How dead latents are revived: by what is left over, the paper's form, a new start, not."""
    dead_window: int = option(200, above=0, per_model=True)
    """Updates without being selected after which a latent counts as dead and is revived."""
    k_aux: int | None = option(None, above=0)
    """How many dead latents are revived at once. Absent: a tenth of the latents."""
    aux_weight: float = option(1.0, least=0, per_model=True)
    """Weight of the revival loss."""
    seed: int = option(0, least=0, below=2**63, per_model=True)
    """Seed of the initial weights and of everything random after training."""
    seeds: int = option(10, above=0, per_model=True, common=True, many_trainings=True)
    """How many seeds are trained, counted up from seed; a consensus keeps what comes back in them."""
    replicates: int = option(2, least=0, many_trainings=True)
    """How many consensuses of seeds, each of other ones; 0: the first seed, compared with the others."""
    order_seed: int = option(0, least=0, below=2**63)
    """Seed of the order in which bins are visited; one order for all models trained together."""
    device: Device = option("auto", common=True)
    """Where the coder is trained."""

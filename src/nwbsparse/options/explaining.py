"""How surely latents must follow something for it to be said."""

from dataclasses import dataclass

from nwbsparse.options.facts import option


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """Explaining: how sure it must be that a latent follows something."""

    n_shifts: int = option(2000, above=0)
    """Draws of each null distribution at most."""
    alpha: float = option(0.05, above=0, below=1)
    """False-discovery rate at which an association is called found."""

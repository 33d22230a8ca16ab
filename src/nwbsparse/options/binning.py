"""Which units and times are used, and how bins are dealt to training, validation and test."""

from dataclasses import dataclass

from nwbsparse.options.facts import option


@dataclass(frozen=True, kw_only=True)
class BinOptions:
    """Bins: which units and times are used, and which bins are held out."""

    makes_data = True

    units: str | None = option(None, common=True)
    """Which units to use: ids ("3,7,12") or a condition on columns ("quality == 'good'")."""
    regions: str | None = option(None, common=True)
    """Use only units of these brain regions, separated by commas."""
    pool: str | None = None
    """Sum units to pools by "electrode", a unit column ("region"), bins of one ("depth:100"), several."""
    epochs: str | None = option(None, common=True)
    """Use only the epochs of this name or tag; several separated by commas."""
    intervals: str | None = None
    """Use only times inside the rows of this interval table, such as "trials"."""
    where: str | None = option(None, common=True)
    """Use only bins where this holds for the covariates, such as "speed > 3"."""
    test: float = option(0.2, above=0, below=1)
    """Share of the bins held out for testing."""
    validation: float = option(0.1, above=0, below=1)
    """Share of the bins held out to choose when training stops."""
    blocks: int = option(10, above=0)
    """How many test blocks are spread over the session; 1 is the plain chronological split."""
    gap: float = option(1.0, least=0)
    """Seconds removed between parts, so that no held-out bin touches a training bin."""

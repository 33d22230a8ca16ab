"""``nwbsparse demo``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, notifier


def demo(*, out: Path = Path("demo"), seed: int = 0, seeds: int = 0) -> None:
    """Run everything on simulations with known truth, and say what was recovered.

    Parameters
    ----------
    out
        Folder for the recordings and results.
    seed
        Seed of the training.
    seeds
        With a number: only the place cells, under seeds 0 to that number (slow).
    """
    from nwbsparse.cli.demonstrate import demonstrate, demonstrate_seeds

    console = new_console()
    out = out.expanduser()
    out.mkdir(parents=True, exist_ok=True)
    if seeds:
        demonstrate_seeds(console, out, seeds, notifier(console))
    else:
        demonstrate(console, out, seed, notifier(console))

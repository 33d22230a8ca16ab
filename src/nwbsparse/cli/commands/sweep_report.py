"""``nwbsparse sweep report``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, wrote


def report(folder: Path, /, *, rows: int = 20) -> None:
    """Say what came out of a sweep, which options would be taken and why, and draw it.

    What sparsity costs (R² against active latents per bin) and, where hidden units were told, what size
    gives: sweep.png in the folder.

    Parameters
    ----------
    folder
        The folder of the sweep, finished or not.
    rows
        Fits that are listed, the best first.
    """
    from nwbsparse.cli.sweeps import show_table
    from nwbsparse.studies.table import open_table
    from nwbsparse.views.sweep_file import draw_sweep

    console = new_console()
    table = open_table(folder)
    show_table(console, table, rows)
    wrote(console, folder, draw_sweep(table, folder / "sweep.png").name)

"""``nwbsparse doctor``."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.diagnosis import MOST, show_parts
from nwbsparse.errors import BadInput, IntegrityError


def doctor(file: Path, /, *, save: Path | None = None, seconds: float = 60.0) -> None:
    """Say what is wrong with a damaged file and what can be read of it. Exit 5 means damage.

    Parameters
    ----------
    file
        An NWB file, HDF5 or Zarr; truncated, half-written or otherwise broken.
    save
        A new folder for what can be read of the results: coders, tables (CSV), arrays (netCDF).
    seconds
        How long datasets are read to see whether they can be.
    """
    from nwbsparse.share.doctor import doctor as look
    from nwbsparse.share.doctor import remove_caches

    console = new_console()
    found = look(file, seconds=seconds)
    rescued = None
    if save is not None:  # before anything is printed: what is saved must not hang on a closed pipe
        from nwbsparse.share.rescue import rescue

        rescued = rescue(file, save)
    for problem in found.problems:
        console.print(Text.assemble(("wrong:", "red"), f" {problem}"), soft_wrap=True)
    show_parts(console, found.parts)
    for one in found.unfinished:
        notifier(console)(
            f"An unfinished temporary file {one.name} was found; {file.name} is unchanged by it. "
            "If no nwbsparse is running, remove it.",
        )
    for cache in remove_caches(found.caches):
        notifier(console)(f"removed {cache}: half-written, it stopped `import pynwb`")
    if rescued is not None:
        notifier(console)(f"saved {len(rescued.saved)} files of the results in {rescued.folder}")
        for lost in rescued.lost[:MOST]:
            console.print(Text.assemble(("lost:", "red"), f" {lost}"), soft_wrap=True)
    if found.missing and found.whole:
        away = ", ".join(one.name for one in found.missing)
        raise BadInput(f"{file} is whole, but {away}, which it links to, is not here")
    if found.refused and found.whole:
        raise BadInput(f"{file} is not damaged, but it cannot be used: {'; '.join(found.refused)}")
    if not found.sound:
        how = "" if save else f"; `nwbsparse doctor {file} --save DIR` copies what can be read"
        raise IntegrityError(f"{file} is damaged{how}")
    notifier(console)("nothing is wrong with it")

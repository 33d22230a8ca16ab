"""``nwbsparse inspect``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nwbsparse.cli.console import new_console
from nwbsparse.cli.options import Json, Reading
from nwbsparse.errors import BadInput
from nwbsparse.options.config import ReadOptions


def inspect(
    source: str,
    /,
    *more: str,
    options: Reading = ReadOptions(),  # noqa: B008
    behaviour: Path | None = None,
    behaviour_offset: float = 0.0,
    strict: bool = False,
    as_json: Json = False,
) -> None:
    """Show what a recording holds: what can be read, what was dropped and why, what is odd in it.

    Of several recordings one table: units, duration, behaviour, and whether each can be used or why
    not. One that cannot be read is a row with its reason. Exit 2 where none can be read.

    Parameters
    ----------
    source
        What is read: an NWB file (HDF5 or Zarr, a path or address), a Kilosort, Phy or suite2p
        folder, an .npz file. It is never written to.
    more
        Further recordings, of which each is read with the same options.
    behaviour
        A file whose signals, trials and events are joined to the units, as for ``run``.
    behaviour_offset
        Seconds to add to its times.
    strict
        Refuse what reading would otherwise repair and report.
    time_scale
        Seconds per unit of the stored spike times.
    as_json
        Print JSON instead of tables; of several recordings one object per line.
    """
    if more:
        if behaviour is not None:
            raise BadInput("--behaviour is joined to one recording: inspect them one by one")
        _look_over((source, *more), options, strict=strict, as_json=as_json)
        return
    from nwbsparse.analysis.data_check.check import check
    from nwbsparse.binning.account import accounted
    from nwbsparse.binning.describe import describe
    from nwbsparse.cli.findings import show_findings
    from nwbsparse.cli.show import show_recording
    from nwbsparse.io.read import read_as

    session = read_as(
        source, options, strict=strict, behaviour=behaviour, behaviour_offset=behaviour_offset
    )
    session = accounted(session, duplicates=options.duplicates)
    seen, found = describe(session), check(session, duplicates=options.duplicates)
    if as_json:
        seen["check"] = [finding.to_dict() for finding in found]
        sys.stdout.write(json.dumps(seen, indent=1) + "\n")
    else:
        console = new_console()
        show_recording(console, seen)
        show_findings(console, found)


def _look_over(
    sources: tuple[str, ...], options: ReadOptions, *, strict: bool, as_json: bool
) -> None:
    from nwbsparse.cli.many import show_recordings
    from nwbsparse.runs.look_over import look_over

    seen = []
    for one in look_over(sources, options, strict=strict):
        seen.append(one)
        if as_json:  # at once: many recordings take long
            sys.stdout.write(json.dumps(one) + "\n")
            sys.stdout.flush()
    if not as_json:
        show_recordings(new_console(), seen)
    if not any("n_units" in one for one in seen):
        raise BadInput(f"none of the {len(seen)} recordings can be read")

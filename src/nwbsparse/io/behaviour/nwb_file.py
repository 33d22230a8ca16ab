"""The behaviour of an NWB file that may hold no units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nwbsparse.io.behaviour.layout import Found
from nwbsparse.io.nwb.behaviour import read_behaviour
from nwbsparse.io.nwb.events import read_events
from nwbsparse.io.nwb.intervals import read_intervals
from nwbsparse.io.nwb.opening import opened
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.clock import Reach


def found_in_nwb(path: Path, account: Account, reach: Reach) -> tuple[Found, str]:
    """Every signal, event and table of intervals of a file, and its SHA-256.

    ``reach``: when the units were recorded, on the clock of the file.

    Raises:
        BadInput: it cannot be read as NWB.
    """
    with opened(path) as recording, recording.reading():
        nwbfile, builder_of = recording.nwbfile, recording.io.manager.get_builder

        def path_of(thing: Any) -> str:
            return builder_of(thing).path.removeprefix("root")

        places: dict[str, Any] = {"reach": reach, "path_of": path_of}
        events, used = read_events(nwbfile, account, **places, used=frozenset())
        series = read_behaviour(nwbfile, account, **places, used=used)
        intervals = read_intervals(nwbfile, account, **places, builder_of=builder_of)
        return Found(series, intervals, events), recording.digest

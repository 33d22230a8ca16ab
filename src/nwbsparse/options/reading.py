"""What a source leaves open about how it is read; part of the options of a run."""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from nwbsparse.options.facts import option
from nwbsparse.options.words import Duplicates

_OF_BINS = ("duplicates",)


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Reading: how a source is read, where it leaves something open, and the width of bins."""

    makes_data = True

    units_table: str | None = None
    """Which Units table is read, where a file has several: its path or its name."""
    series: str | None = option(None, common=True)
    """Read this series instead of Units: ROI traces, "Activity_*" for one series per unit."""
    band: tuple[float, ...] = ()
    """Two frequencies (Hz): read the power of an electrical series between them."""
    rate: float | None = option(None, above=0)
    """Sampling rate (Hz) of the series, where the file's is wrong."""
    sampling_frequency: float | None = option(None, above=0)
    """Sampling rate (Hz) of a sorting or suite2p folder that does not state it."""
    time_scale: float | None = option(None, above=0)
    """Seconds per unit of the stored spike times: 0.001 for milliseconds, 1: they are seconds."""
    bin_width: float | None = option(None, above=0, common=True)
    """Bin width (s). Absent: the smallest of 10-200 ms with 5 population spikes per bin."""
    duplicates: Duplicates = "keep"
    """Units that share spikes: kept as one group, made one unit (merge), or but the largest dropped."""

    def for_reading(self, accepted: Collection[str]) -> dict[str, Any]:
        """The options that were given, as :func:`nwbsparse.read` takes them.

        The bin width is passed on only where the reader asks for it (ready-made counts), and what is
        done when bins are made (``duplicates``) nowhere.
        """
        names = [
            field.name for field in dataclasses.fields(ReadOptions) if field.name not in _OF_BINS
        ]
        given = {name: getattr(self, name) for name in names}
        return {
            name: value
            for name, value in given.items()
            if value not in (None, ()) and (name != "bin_width" or name in accepted)
        }

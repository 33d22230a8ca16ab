"""From a recording to bins that are ready to be learned from, as the options say."""

from __future__ import annotations

import xarray as xr

from nwbsparse import names
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import bin_session
from nwbsparse.config import Config
from nwbsparse.defaults import shaped
from nwbsparse.session import Session


def prepare(session: Session, config: Config) -> xr.Dataset:
    """Bin a recording and deal the bins to training, validation and test.

    The gap between parts is at least what the coder sees at once: neither its window nor a lag
    may reach from one part into another.
    """
    binned = bin_session(
        session,
        config.bin_width,
        units=config.units,
        regions=config.regions,
        epochs=config.epochs,
        intervals=config.intervals,
        where=config.where,
    )
    reach = (shaped(config).window or 1) - 1 + abs(config.lag)
    return split(
        binned,
        test=config.test,
        validation=config.validation,
        blocks=config.blocks,
        gap=max(config.gap, reach * float(binned.attrs[names.BIN_WIDTH])),
    )

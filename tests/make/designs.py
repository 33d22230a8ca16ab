"""Designs and variables for tests of associations: no recording, no units, bins one after another."""

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.association.design import Design, drift_of_sessions
from nwbsparse.analysis.behaviour.coding import Coded


def make_design(
    n, step=0.1, *, seed=0, n_draws=200, trials=None, session=None, segment=None, rate=None
):
    """All of n bins; ``trials`` is the row of the table 'trials' in each."""
    times = np.arange(n) * step
    session = np.zeros(n, dtype=np.int64) if session is None else np.asarray(session)
    rate = np.zeros(n) if rate is None else rate
    return Design(
        bins=np.arange(n),
        times=times,
        segment=session if segment is None else np.asarray(segment),
        session=session,
        trials={} if trials is None else {"trials": np.asarray(trials)},
        basis=drift_of_sessions(times, rate, session),
        bin_width=step,
        n_draws=n_draws,
        seed=seed,
    )


def make_coded(codes, size=None, *, kind=names.CATEGORICAL, table=None, name="side", unit=""):
    """A variable of these codes; tuning bins are one wide, from 0."""
    codes = np.asarray(codes, np.int32)
    size = int(codes.max()) + 1 if size is None else size
    edges = () if kind == names.CATEGORICAL else (np.arange(size + 1.0),)
    labels = tuple(str(at) for at in range(size))
    return Coded(name, kind, codes, labels, edges, (size,), unit=unit, table=table)

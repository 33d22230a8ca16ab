"""The steps of a run, as few of each as there can be, for tests of what comes after them."""

from __future__ import annotations

from typing import Any

import nwbsparse as ns
from nwbsparse.options.config import Config, from_dict
from nwbsparse.options.presets import preset
from nwbsparse.runs.prepare import prepare
from nwbsparse.session import Session

FEW = {"n_latents": 6, "k": 2, "max_epochs": 1, "n_shifts": 20, "batch_size": 256}


def few(session: Session, **options: Any) -> Config:
    """Options of a run that takes a moment."""
    binned = session.traces is None or session.traces.bin_width is not None
    width = {"bin_width": 0.1} if binned else {}
    known = ("series", "sampling_frequency", "units", "regions")
    given = {key: value for key, value in options.items() if key in known}
    return from_dict(preset("plain") | FEW | width | given)


def learned(session: Session, **options: Any) -> ns.Results:
    """Results of a recording, from a coder that learned next to nothing."""
    config = few(session, **options)
    binned = prepare(session, config)
    coder = ns.fit(binned, config)
    latents = ns.encode(coder, binned)
    return ns.Results(
        session, coder, latents, ns.evaluate(coder, binned), ns.explain(coder, binned, latents)
    )

"""Untrained coders for a recording, their open options settled by it."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.automatic import resolve, shaped, updates_per_epoch
from nwbsparse.options.config import Config, software_of
from nwbsparse.population import as_read
from nwbsparse.schema import own_version
from nwbsparse.training.bins import Windows, check_counts, check_loss, windows_of
from nwbsparse.training.memory import check_fits
from nwbsparse.training.populations import ids_of_populations
from nwbsparse.training.start import Moments, moments_of, untrained


def new_coders(
    binned: Any, configs: Sequence[Config], target: Any = None, *, updates: int | None = None
) -> list[SparseCoder]:
    """Untrained coders, one per config, in their order.

    With ``updates`` they are to be trained for about so many, whatever ``max_epochs`` says.

    Raises:
        BadInput: the data cannot be learned from, or options do not fit them.
        EnvironmentProblem: one needs more memory than there is.
    """
    bin_width = float(binned.attrs[names.BIN_WIDTH])
    given = {config.reads: as_read(binned, config.reads) for config in configs}
    for one in given.values():
        check_counts(one, np.asarray(one[names.COUNTS].values))
    coders = []
    sizes: dict[Any, Windows] = {}
    moments: dict[Any, Moments] = {}
    for config in configs:
        config, binned = shaped(config), given[config.reads]
        counts = np.asarray(binned[names.COUNTS].values)
        check_loss(config, counts)
        inputs, targets = ids_of_populations(binned, config, target)
        record = CoderRecord(
            config=config,
            unit_ids=inputs,
            target_ids=targets,
            bin_width=bin_width,
            source_sha256=str(binned.attrs.get("source_sha256", "")),
            software={
                "nwbsparse": own_version(),
                "torch": torch.__version__,
                "python": platform.python_version(),
                **software_of(config),
            },
        )
        smoothing = (config.smoothing, config.smoothing_kernel)
        key = (config.reads, config.window, config.lag, config.decoded, smoothing)
        if key not in sizes:
            sizes[key] = windows_of(record, binned, target=target)
        if not len(sizes[key].train):
            raise BadInput(
                f"no training bin has a whole window of {config.window} bins and lag {config.lag} "
                "in its segment and part; use a smaller --window or --lag, or longer blocks"
            )
        settled = resolve(
            config,
            counts,
            n_train=len(sizes[key].train),
            bin_width=bin_width,
            n_units=len(inputs),
        )
        if updates is not None:
            per_epoch = updates_per_epoch(
                len(sizes[key].train), settled.batch_size or 1, settled.last_batch
            )
            settled = settled.replace(max_epochs=math.ceil(updates / per_epoch))
        record = replace(record, config=settled)
        with torch.device("meta"):  # its shape alone
            sketch = SparseCoder(record)
        check_fits(sketch, sizes[key], models=1)
        own = (config.reads, smoothing, settled.normalisation, inputs, targets)
        if own not in moments:
            moments[own] = moments_of(record, binned, target=target)
        coders.append(untrained(record, binned, target=target, moments=moments[own]))
    return coders

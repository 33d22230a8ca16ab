"""The default recipe: choose, train many seeds, keep what comes back, refit, and do it all again.

Every phase can be stopped and resumed; what a phase found is kept in the checkpoint's folder until
the whole is done.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config
from nwbsparse.options.legality import is_penalised
from nwbsparse.progress import Progress, silent
from nwbsparse.training.bins import windows_of
from nwbsparse.training.choose import Candidate, choose
from nwbsparse.training.consensus import Consensus, consensus, found_again
from nwbsparse.training.hidden_units import LEAST_TOLD
from nwbsparse.training.hiding import unit_groups
from nwbsparse.training.phases import Phases
from nwbsparse.training.prepare import new_coders
from nwbsparse.training.train import Callback, train

SEED_UPDATES, REFIT_UPDATES = 600, 1000
REFIT_RATE = 2e-3
MASK = 0.25
"""Share of hidden entries; .1 and .5 are a little worse."""
FEWEST_GROUPS = 8
"""Groups of units below which nothing can be hidden: who is left to tell it?"""


def is_consensus(config: Config) -> bool:
    """Whether these options ask for a consensus of seeds."""
    return config.replicates > 0 and config.seeds > 1


def learn(
    binned: Any,
    config: Config,
    *,
    target: Any = None,
    progress: Progress = silent,
    callbacks: Sequence[Callback] = (),
    checkpoint: Path | None = None,
    resume: bool = False,
) -> SparseCoder:
    """Learn what the units of a recording have in common (the default of :func:`nwbsparse.fit`).

    1. smoothing, number of latents and k are chosen where they are open (:mod:`.choose`);
    2. coders of ten seeds are trained, entries hidden (:mod:`.hiding`);
    3. rows that come back in 40 % of them are the consensus (:mod:`.consensus`);
    4. a coder of these rows is refitted;
    5. steps 2 to 4 again with other seeds and another order: which latents are found again.

    Without a consensus (one seed, or no replicates) one coder is trained with what was chosen.

    The record of the coder says all of it (``coder.record.learned``).
    """
    asked = config
    phases = Phases(checkpoint, binned, config, target=target, resume=resume)
    config, tried = choose_open(binned, config, target, progress, phases)
    learned = said_of_choice(asked, config, tried)
    if not is_consensus(config):
        coder = _trained(
            binned, new_coders(binned, [config], target)[0], target, progress, callbacks, phases
        )
        coder.record = replace(coder.record, learned=learned | {"method": "one coder"})
        phases.done()
        return coder
    made: list[tuple[SparseCoder, Consensus]] = []
    for replicate in range(config.replicates):
        own = config.replace(
            seed=config.seed + replicate * config.seeds, order_seed=config.order_seed + replicate
        )
        made.append(_one(binned, own, target, replicate, progress, callbacks, phases))
    coder, found = made[0]
    learned |= {"method": "consensus", "recurrence": found.recurrence.tolist()}
    if len(made) > 1 and nothing_told(tried):
        # what a few units do by themselves comes back from any start; it is no pattern of several
        learned["again"] = [0.0] * coder.n_latents
    elif len(made) > 1:
        windows = windows_of(coder.record, binned, target=target)
        again = [
            found_again(
                coder,
                other,
                windows,
                windows.validation if len(windows.validation) else windows.train,
            )
            for other, _ in made[1:]
        ]
        learned["again"] = np.mean(again, axis=0).tolist()
    coder.record = replace(coder.record, learned=learned)
    phases.done()
    return coder


def choose_open(
    binned: Any, config: Config, target: Any, progress: Progress, phases: Phases
) -> tuple[Config, list[Candidate]]:
    """The options with what is open settled, and what was tried for it."""
    config = settled_for(binned, config, target)
    if config.choose == "none":
        return config, []
    return choose(
        binned,
        config,
        target=target,
        progress=progress,
        known=[Candidate(**one) for one in phases.known("choose")],
        tried=lambda found: phases.keep("choose", [asdict(one) for one in found]),
    )


def nothing_told(tried: Sequence[Candidate]) -> bool:
    """Whether no choice that was tried tells anything of hidden units."""
    return bool(tried) and not any(one.score >= LEAST_TOLD for one in tried)


def said_of_choice(asked: Config, config: Config, tried: Sequence[Candidate]) -> dict[str, Any]:
    """What the record of a coder says of its options: as asked, as chosen, and what was tried."""
    return {
        "asked": asked.to_dict(),
        "options": config.to_dict(),
        "candidates": [asdict(one) for one in tried],
    }


def settled_for(binned: Any, config: Config, target: Any = None) -> Config:
    """The options as far as the kind of data says (recipe, "where it does not apply").

    Nothing is hidden of an embedding, nor where other units or another bin are reconstructed, nor
    of fewer than eight groups of units: those get one latent per unit.
    """
    other = bool(config.target_units or config.target_regions or config.lag or target is not None)
    if config.reads != names.COUNTS:
        return config.replace(mask=0.0, choose="none")
    if config.encoder != "linear" and config.smoothing is None:
        config = config.replace(smoothing=0.0)
    if config.mask is not None or config.choose == "none":
        if config.mask:
            _check_mask(binned, config, target)
        return config.replace(mask=config.mask or 0.0)
    if other:
        return config.replace(mask=0.0)
    if len(np.unique(unit_groups(config.groups, binned))) >= FEWEST_GROUPS:
        return config.replace(mask=MASK)
    few = {"mask": 0.0, "choose": "none"}
    if not config.levels and config.n_latents is None and config.expansion is None:
        k = config.k or 1
        few |= {"n_latents": max(binned.sizes[names.UNIT], k), "k": k}
    return config.replace(**few)


def _check_mask(binned: Any, config: Config, target: Any) -> None:
    """Refuse to hide what nothing is there to tell from, or what is not reconstructed.

    Raises:
        BadInput: it is so.
    """
    if target is not None:
        raise BadInput(
            f"mask is {config.mask}, and another recording is the target: what is reconstructed is "
            "not what is read, so nothing need be hidden; use mask=0"
        )
    if len(np.unique(unit_groups(config.groups, binned))) < 2:
        raise BadInput(
            f"mask is {config.mask}, but all units are one group: no other is left to tell it from; "
            "use mask=0, or groups=none"
        )


def _one(
    binned: Any,
    config: Config,
    target: Any,
    replicate: int,
    progress: Progress,
    callbacks: Sequence[Callback],
    phases: Phases,
) -> tuple[SparseCoder, Consensus]:
    """One consensus of as many seeds as the options say, and the coder refitted from it."""
    found = phases.consensus(replicate)
    if found is None:
        configs = [config.replace(seed=config.seed + at) for at in range(config.seeds)]
        coders = new_coders(binned, configs, target, updates=SEED_UPDATES)
        windows = windows_of(coders[0].record, binned, target=target)
        with phases.training(f"seeds-{replicate}") as saved:
            trained = train(coders, binned, target, progress, windows=windows, checks=1, **saved)
        sound = [one for one in trained if isinstance(one, SparseCoder)]
        if not sound:
            raise next(one for one in trained if not isinstance(one, SparseCoder))
        found = consensus(sound, windows)
        phases.keep_consensus(replicate, found)
    start = _from_rows(binned, config, target, found)
    coder = _trained(binned, start, target, progress, callbacks, phases, replicate)
    return coder, found


def _trained(
    binned: Any,
    start: SparseCoder,
    target: Any,
    progress: Progress,
    callbacks: Sequence[Callback],
    phases: Phases,
    replicate: int = 0,
) -> SparseCoder:
    """The coder that is given back, trained from its start."""
    with phases.training(f"refit-{replicate}") as saved:
        coder = train([start], binned, target, progress, callbacks, **saved)[0]
    if not isinstance(coder, SparseCoder):
        raise coder
    return coder


def _from_rows(binned: Any, config: Config, target: Any, found: Consensus) -> SparseCoder:
    """A coder that starts from the rows of a consensus, the encoder as their transpose."""
    n = len(found.rows)
    changes: dict[str, Any] = {"n_latents": n, "learning_rate": REFIT_RATE}
    if config.encoder == "transformer" and config.attention == "latent":
        changes["n_heads"] = math.gcd(n, config.n_heads)  # heads share the latents
    if config.levels:
        changes |= {"levels": _levels(config, found), "n_latents": None}
    elif config.k is not None or not is_penalised(config.sparsifier):
        changes["k"] = _active(config.k or _k_of_seeds(binned, config, target), n)
    updates = REFIT_UPDATES if config.max_epochs is None else None
    coder = new_coders(binned, [config.replace(**changes)], target, updates=updates)[0]
    with torch.no_grad():
        rows = torch.from_numpy(found.rows).to(coder.dictionary.dtype)
        coder.dictionary.copy_(rows)
        tied = coder.architecture.tied(rows)
        if tied is not None:
            coder.encoder_weight.copy_(tied)
    return coder


def _k_of_seeds(binned: Any, config: Config, target: Any) -> int:
    """How many latents are active in a bin of the seeds, where the options leave it to the data."""
    return new_coders(binned, [config], target)[0].record.config.k or 1


def _levels(config: Config, found: Consensus) -> tuple[str, ...]:
    """The levels of the refit: those of which rows came back, each with the rows before it."""
    more = np.bincount(found.level, minlength=len(config.levels))
    rows = zip(np.cumsum(more), more, config.level_sizes, config.levels, strict=True)
    kept = [(int(size), k, level) for size, own, (_, k), level in rows if own]
    active = [_active(k, size) for size, k, _ in kept]
    if config.nesting == "nested":  # which selects once for all
        active = [min(active)] * len(active)
    return tuple(
        ":".join([str(size), str(k), *level.split(":")[2:]])
        for (size, _, level), k in zip(kept, active, strict=True)
    )


def _active(k: int, n_latents: int) -> int:
    """K of the refit: not all latents of a small consensus at once."""
    return max(1, min(k, n_latents // 2))

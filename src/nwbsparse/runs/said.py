"""What a run says, line by line: what was joined, learned and chosen, and what came back."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.io.rules.account import listed
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.legality import is_penalised
from nwbsparse.session import Joined
from nwbsparse.training.consensus import SHARE
from nwbsparse.training.learn import FEWEST_GROUPS
from nwbsparse.views.words import several


def learned_said(
    coder: SparseCoder, stability: xr.Dataset | None, metrics: xr.Dataset | None = None
) -> list[str]:
    """What was learned and chosen, and how many of the latents came back from other seeds.

    Args:
        coder: what was learned.
        stability: of its latents, where there are several seeds.
        metrics: how good it is on held-out bins, where that is all there will be.
    """
    said = [*_learned(coder, metrics), _chosen(coder), _few(coder)]
    if stability is not None:
        said.append(
            _matched(stability) if "chance_match" in stability.attrs else again_said(stability)
        )
    return [line for line in said if line]


def embedding_made_said(binned: xr.Dataset) -> str:
    """What an embedding was made by, from what, and of which kind each covariate was taken."""
    made = binned[names.EMBEDDING]
    method, said = made.attrs[names.METHOD], json.loads(made.attrs[names.PARAMETERS])
    kinds = ", ".join(f"{name} ({kind})" for name, kind in said.get("kinds", {}).items())
    by = f", by {kinds}" if kinds else ", by time" if method == "cebra" else ""
    also = f", in one space with {n - 1} more" if (n := said.get(names.N_SESSIONS, 1)) > 1 else ""
    on = "all bins: none is held out" if said[names.FITTED_ON] != "train" else "training bins alone"
    return f"embedded in {several(binned.sizes[names.DIM], 'dim')} by {method}{by}{also}; learned on {on}"


def joined_said(joined: Joined) -> str:
    """What was joined from another file, in one line."""
    held = {
        "signals": joined.series, "intervals": joined.intervals, "events": joined.events,
    }  # fmt: skip
    parts = [f"{kind} {listed(names_of)}" for kind, names_of in held.items() if names_of]
    moved = f", moved by {joined.offset:g} s" if joined.offset else ""
    return f"joined {'; '.join(parts)} from {joined.name}{moved}"


def _learned(coder: SparseCoder, metrics: xr.Dataset | None) -> list[str]:
    last, n_sessions = coder.record.history[-1], len(coder.record.sessions)
    read = "units" if coder.record.of_units else "dims"
    of = f" of {coder.n_units} {read} in {n_sessions} sessions" if n_sessions else ""
    model = f"; model id {coder.id}" if n_sessions else ""
    if metrics is not None:
        return [
            f"fit {coder.n_latents} latents{of} in {last['update']:,} updates: held-out R² "
            f"{float(metrics['r2']):.3f}, L0 {float(metrics['l0'].mean()):.2f}, "
            f"{float(metrics['dead'].mean()):.0%} of latents never active there{model}"
        ]
    config = coder.config
    # what makes latents sparse is a penalty, or a number of them
    penalty = f"penalty {config.penalty_weight:g}" if is_penalised(config.sparsifier) else ""
    active = penalty or f"{config.k} active per bin"
    said = [
        f"fit {coder.n_latents} latents{of}, {active}: {last['update']} "
        f"updates, validation loss {last['validation_loss']:.4g}{model}"
    ]
    if coder.record.apart and not n_sessions:
        said.append(f"it reads {coder.n_units} units and reconstructs {coder.n_targets} others")
    return said


def _chosen(coder: SparseCoder) -> str:
    tried = coder.record.learned.get("candidates") or []
    best = next((one for one in tried if one["chosen"]), None)
    if best is None:
        return ""
    active = f"{best['k']} active per bin" if best["k"] else f"penalty {best['penalty_weight']:g}"
    return (
        f"chosen of {len(tried)}: smoothing {best['smoothing'] * 1000:g} ms, {best['n_latents']} "
        f"latents, {active}, R² of hidden units {best['score']:.3f} on validation bins"
    )


def _few(coder: SparseCoder) -> str:
    """Whether there were too few units to hide any."""
    learned = coder.record.learned
    given_up = learned and learned["asked"]["choose"] != learned["options"]["choose"]
    if not given_up or not coder.record.of_units:
        return ""
    return (
        f"fewer than {FEWEST_GROUPS} units or groups of units: none can be hidden from the others, "
        "and latents are units under other names"
    )


def _matched(stability: xr.Dataset) -> str:
    stable, chance = stability["stable"], stability.attrs["chance_match"]
    return (
        f"{int(stable.sum())} of {stable.size} latents come back in {stability.attrs['n_seeds']} "
        f"seeds (cosine above {chance:.2f}, which 99 % of untrained matches stay below)"
    )


def again_said(stability: xr.Dataset) -> str:
    """In how many of the seeds the latents of a consensus came back, and how many in the other one."""
    n_seeds, stable = int(stability.attrs["n_seeds"]), stability["stable"]
    least = int(np.ceil(SHARE * n_seeds - 1e-9))
    said = f"{several(stable.size, 'latent')} came back in {least} or more of {n_seeds} seeds"
    if "again" not in stability:
        return said
    if stable.size == 1:
        also = "also" if stable.all() else "but not"
        return f"{said}, {also} in a consensus of {n_seeds} others"
    return f"{said}; {int(stable.sum()) or 'none'} of them also in a consensus of {n_seeds} others"

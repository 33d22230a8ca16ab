"""What a coder at a site says in one session, as results that can be written beside the recording."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.network.site_dataset import site_dataset
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.annotated.elements.variables import HEAD_KIND
from nwbsparse.embedding.attach import embedding_of
from nwbsparse.progress import Progress, silent
from nwbsparse.results.results import Results, environment
from nwbsparse.runs.splice.measured import Measured
from nwbsparse.session import Session
from nwbsparse.splice.batches import SessionTrials

ETA2, ABLATION, STEERING = "site_eta2", "site_ablation", "site_steering"
RESAMPLE = "resample"
LATENTS = "latents"


def session_results(
    found: Measured,
    recording: Session,
    trials: xr.Dataset,
    tensors: SessionTrials,
    *,
    at: str,
    progress: Progress = silent,
) -> Results:
    """The results of a coder at a site for one of the sessions, on that session's clock.

    Activations are those of every bin of every trial. What latents follow is assessed in this session's
    test trials, as for any recording (:func:`nwbsparse.explain`). Beside it stands what was found in all
    sessions together: ``site_eta2(latent, head)`` with ``site_eta2_p``; ``site_ablation(latent, head)``,
    what each variable loses when the latents are removed that this one is among;
    ``site_steering(latent, head)``, the areas under the dose curves when they are set to another condition.

    Args:
        found: what was measured of decoder and coder.
        recording: the session.
        trials, tensors: its trials.
        at: name of the site.
        progress: called while latents are explained.
    """
    binned = site_dataset(found.model, [trials], [tensors], at=at)
    latents = encode(found.coder, binned)
    attribution = explain(found.coder, binned, latents, progress=progress)
    return Results(
        recording,
        found.coder,
        latents,
        evaluate(found.coder, binned, detail="all"),
        labelled(with_site(attribution, found), found),
        environment(found.coder),
        embedding=embedding_of(binned, names.EMBEDDING),
    )


def with_site(attribution: xr.Dataset, found: Measured) -> xr.Dataset:
    """An attribution with what was found of the site in all sessions."""
    heads = found.selectivity[names.HEAD].values
    two = (names.LATENT, names.HEAD)
    made = {
        ETA2: (two, found.selectivity["eta2"].values),
        f"{ETA2}_p": (two, found.selectivity["p"].values),
        ABLATION: (two, _of_members(found, _drops(found))),
        STEERING: (two, _of_members(found, _areas(found))),
    }
    attrs = dict(attribution.attrs)
    notes = [*json.loads(str(attrs.get(names.NOTES, "[]"))), _note(found)]
    kinds = [
        "categorical" if found.model.heads[str(one)].kind == names.CATEGORY else "continuous"
        for one in heads
    ]
    coords = {
        names.HEAD: heads.astype(object),
        HEAD_KIND: (names.HEAD, np.array(kinds, dtype=object)),
    }
    attrs[names.NOTES] = json.dumps(notes)
    return attribution.assign(made).assign_coords(coords).assign_attrs(attrs)


def labelled(attribution: xr.Dataset, found: Measured) -> xr.Dataset:
    """The attribution, latents without a label of this session labelled by all sessions together."""
    chosen = found.selectivity["selective_for"].values
    heads = found.selectivity[names.HEAD].values.tolist()
    labels = attribution["label"].values.astype(object).copy()
    for latent in np.flatnonzero(labels == ""):
        head = str(chosen[latent])
        if head:
            value = found.selectivity["preferred"].values[latent, heads.index(head)]
            eta2 = float(found.selectivity["eta2"].values[latent, heads.index(head)])
            # numbers and angles are in groups, which are called by their ends
            joined = " = " if found.model.heads[head].kind == names.CATEGORY else " "
            labels[latent] = f"{head}{joined}{value} (η² {eta2:.2f}, all sessions)"
    return attribution.assign(label=(names.LATENT, labels))


def _drops(found: Measured) -> np.ndarray:
    """(removed, head) what each variable loses."""
    drop = found.ablation["normalised_drop"].sel(
        {names.REPRESENTATION: LATENTS, names.ABLATION: RESAMPLE}
    )
    return drop.transpose(names.REMOVED, names.HEAD).values


def _areas(found: Measured) -> np.ndarray:
    """(steered, head) areas under the dose curves: of the steered variable on the diagonal."""
    of = found.steering.sel({names.REPRESENTATION: LATENTS})
    areas = of["off_target_area"].transpose(names.STEERED, names.HEAD).values.copy()
    np.fill_diagonal(areas, of["target_area"].values)
    return areas


def _of_members(found: Measured, of_sets: np.ndarray) -> np.ndarray:
    """(latent, head) values of the set that a latent is in; NaN for one that is in none."""
    member = found.ablation["latents_removed"].transpose(names.REMOVED, names.LATENT).values
    made = np.full((member.shape[1], of_sets.shape[1]), np.nan)
    for one, values in zip(member.astype(bool), of_sets, strict=True):
        made[one] = values
    return made


def _note(found: Measured) -> str:
    sessions = len(found.model.sessions)
    return (
        f"{ETA2}, {ABLATION} and {STEERING} were found in the test trials of {sessions} sessions together, "
        f"at the site {found.report.attrs['site']} of a decoder of {', '.join(found.model.heads)}"
    )

"""Curation: a person's names for latents, and which of them hold up, kept in the annotated file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.annotated.write.amend import amend
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput
from nwbsparse.schema import with_step

Verdict = Literal["accepted", "rejected", "open"]
VERDICTS: tuple[Verdict, ...] = ("accepted", "rejected", "open")
LONGEST = 200
"""Characters of a name."""


@renamed(say="notify")
def label(
    path: str | Path,
    latent: int,
    *,
    name: str | None = None,
    verdict: Verdict | str | None = None,
    result: str | None = None,
    backup: bool = False,
    notify: Callable[[str], None] = lambda _: None,
) -> xr.Dataset:
    """Name a latent, accept or reject it, and keep that in the annotated NWB file.

    The name stands in the ``label`` column of the latents table, where the words of a rule stood
    before; those stay in ``automatic_label``. The verdict stands in ``verdict``. The file is
    replaced by a complete and verified new one, never opened for writing; the recording that the
    results were made from is not touched.

    Args:
        path: an annotated NWB file (HDF5) that holds its recording.
        latent: its row in the latents table, from 0.
        name: what to call it; '' gives the rule's words back.
        verdict: 'accepted', 'rejected', or 'open' to take either back.
        result: which result, when the file holds several.
        backup: keep the file as it was as ``<path>.bak``.
        notify: called with a line of text when there is something to know.

    Returns:
        The attribution as it is now.

    Raises:
        BadInput: neither name nor verdict, no such latent, a name with line breaks or longer than
            200 characters, no results there, or a file that links to its recording.
        EnvironmentProblem: it cannot be written there, or another program holds it.
        IntegrityError: what was read is damaged, or what was written reads back otherwise.
    """
    _check(name, verdict)

    def change(attribution: xr.Dataset) -> xr.Dataset:
        return relabelled(attribution, latent, name=name, verdict=verdict)

    return amend(Path(path).expanduser(), change, result=result, backup=backup, notify=notify)


def relabelled(
    attribution: xr.Dataset, latent: int, *, name: str | None = None, verdict: str | None = None
) -> xr.Dataset:
    """The attribution with one latent named or judged, and the step in its history.

    Raises:
        BadInput: there is no such latent.
    """
    n_latents = attribution.sizes[names.LATENT]
    if not 0 <= latent < n_latents:
        raise BadInput(f"there is no latent {latent}; latents are numbered 0 to {n_latents - 1}")
    none = np.full(n_latents, "", dtype=object)
    texts = {
        key: attribution[key].values.astype(object) if key in attribution else none.copy()
        for key in ("label", "verdict")
    }
    automatic = attribution.get("automatic_label")
    kept = texts["label"].copy() if automatic is None else automatic.values.astype(object)
    if name is not None:
        texts["label"][latent] = name or kept[latent]
    if verdict is not None:
        texts["verdict"][latent] = "" if verdict == "open" else verdict
    made = attribution.assign(
        {key: (names.LATENT, values) for key, values in texts.items()}
        | {"automatic_label": (names.LATENT, kept)}
    )
    given = {"latent": latent, "name": name, "verdict": verdict}
    said = {key: value for key, value in given.items() if value is not None}
    return with_step(made, "label", said, since=attribution)


def carried_over(before: xr.Dataset, now: xr.Dataset) -> xr.Dataset:
    """A new attribution of the same coder, with what a person said about an earlier one."""
    if not {"label", "verdict", "automatic_label"} <= set(before.data_vars):
        return now
    none = np.full(now.sizes[names.LATENT], "", dtype=object)
    automatic = now["label"].values if "label" in now else none
    named = before["label"].values != before["automatic_label"].values
    return now.assign(
        label=(names.LATENT, np.where(named, before["label"].values, automatic).astype(object)),
        automatic_label=(names.LATENT, automatic),
        verdict=(names.LATENT, before["verdict"].values),
    )


def before_labels(attribution: xr.Dataset) -> tuple[xr.Dataset, int]:
    """The attribution as a run made it, and how many latents a person named or judged since."""
    said = {"label", "verdict", "automatic_label"}
    if not said <= set(attribution.data_vars):
        return attribution, 0
    label, verdict, automatic = (
        attribution[key].values.astype(str) for key in ("label", "verdict", "automatic_label")
    )
    made = attribution.drop_vars(said)
    if (automatic != "").any():  # else there were no words of a rule
        made = made.assign(label=(names.LATENT, automatic.astype(object)))
    return made, int(((label != automatic) | (verdict != "")).sum())


def _check(name: str | None, verdict: str | None) -> None:
    if name is None and verdict is None:
        raise BadInput("nothing to do: give a name, or accept or reject the latent")
    if verdict is not None and verdict not in VERDICTS:
        raise BadInput(f"verdict is {verdict!r}; choose one of {', '.join(VERDICTS)}")
    if name is not None and (len(name) > LONGEST or not name.isprintable()):
        raise BadInput(
            f"a name has at most {LONGEST} characters and no line breaks or control characters"
        )

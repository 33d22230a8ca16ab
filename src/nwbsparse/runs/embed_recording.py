"""Embeddings of one recording, or of several in one space, kept in a folder for runs to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.quality.embedding_controls import controls_of_sessions
from nwbsparse.analysis.quality.embedding_said import embedding_said
from nwbsparse.embedding.attach import EMBEDDING_FILE, embedding_of
from nwbsparse.embedding.embedder import embedder_bytes
from nwbsparse.errors import BadInput
from nwbsparse.io.read import read_as
from nwbsparse.options.config import Config
from nwbsparse.results.folder import keep_embedding, save_netcdf
from nwbsparse.runs.asked import asked, source_name
from nwbsparse.runs.first_half import alike
from nwbsparse.runs.outputs import Notify, staged
from nwbsparse.runs.prepare import embedded_together, prepare
from nwbsparse.runs.said import embedding_made_said
from nwbsparse.session import Session

CONTROLS = "controls.nc"


def embed_recording(
    source: Any,
    out: str | Path,
    config: Config,
    *,
    controls: bool = True,
    overwrite: bool = False,
    strict: bool = False,
    notify: Notify = lambda _: None,
) -> dict[str, xr.Dataset]:
    """Make the embedding of a recording, or one space for several, and keep it in a folder.

    Args:
        source: anything that :func:`nwbsparse.read` takes; several in a list, or {name: source}.
        out: folder for ``embedding.nc`` and, of a method that can embed other bins,
            ``embedder.safetensors``: what ``embedding=`` of :func:`nwbsparse.run` takes. Of several
            recordings a folder of each, called like it.
        config: how the recording is read, binned and dealt, and ``embed`` with the options beside it.
        controls: make it again from another seed and, of a supervised one, from shuffled data, and say
            what these tell (``controls.nc``); of one recording.
        overwrite: replace an embedding in the folder.
        strict: refuse what reading would otherwise repair and report.
        notify: called with a line of text at every step.

    Returns:
        {name: its bins with the embedding}; one that stands alone is called ''.

    Raises:
        BadInput, EnvironmentProblem: as :func:`nwbsparse.embed`; or the folder holds one already.
    """
    if config.embed == "none":
        raise BadInput("name the method: embed=cebra, pca, fa, ica, nmf, umap or tsne")
    out = Path(out).expanduser()
    wanted = asked(source, config.replace(embed="none", embed_dims=None, embed_covariates=None,
                                          embed_settings=None, reads="counts"))  # fmt: skip
    folders = {name: out / name for name in wanted.recordings}
    taken = [
        folder / EMBEDDING_FILE for folder in folders.values() if (folder / EMBEDDING_FILE).exists()
    ]
    if taken and not overwrite:
        raise BadInput(f"{taken[0]} exists; use --overwrite or another --out")
    sessions = {
        name: one if isinstance(one, Session) else read_as(one, config, strict=strict)
        for name, one in wanted.recordings.items()
    }
    for name, one in sessions.items():
        notify(f"read {one.n_units} units from {Path(source_name(wanted.recordings[name])).name}")
    made = _made(sessions, config, notify)
    for name, one in made.items():
        said = embedding_made_said(one)
        notify(f"{name}: {said}" if name else said)
    with staged(out, overwrite=overwrite) as stage:
        for name, one in made.items():
            keep_embedding(embedding_of(one, names.EMBEDDING), embedder_bytes(one), stage / name)
        for name, found in (controls_of_sessions(made) if controls else {}).items():
            save_netcdf(found, stage / name / CONTROLS)
            for line in embedding_said(found):
                notify(f"{name}: {line}" if name else line)
    return made


def _made(sessions: dict[str, Session], config: Config, notify: Notify) -> dict[str, xr.Dataset]:
    """Every recording's bins with its embedding; of several in one space."""
    if len(sessions) == 1:
        [(name, session)] = sessions.items()
        return {name: prepare(session, config)}
    return embedded_together(sessions, alike(sessions, config, notify))

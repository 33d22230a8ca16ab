"""``nwbsparse embed``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Embedding, EmbeddingOptions
from nwbsparse.options.config import Config
from nwbsparse.options.words import Embed


def embed(
    source: str,
    /,
    *more: str,
    out: Path,
    method: Embed,
    options: Embedding = EmbeddingOptions(),  # noqa: B008
    controls: Annotated[bool, Parameter(negative="--no-controls")] = True,
    overwrite: bool = False,
    strict: bool = False,
    quiet: bool = False,
) -> None:
    """Say where the population is in each bin with a few numbers (CEBRA, PCA, …), for ``run --embedding``.

    Several recordings come into one space: by CEBRA and the behaviour that all of them have, or by any
    method where their units are the same. It is learned on training bins alone; another seed and, where
    behaviour was seen, shuffled data stand beside it.

    Parameters
    ----------
    source
        What is read, as for ``run``.
    more
        More recordings, for one space together with the first.
    out
        Folder for the embedding: give it to ``run --embedding``.
    method
        What makes it.
    controls
        Make it again from another seed and from shuffled data, and say what these tell.
    overwrite
        Replace an embedding in the folder.
    strict
        Refuse what reading would otherwise repair and report.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.runs.embed_recording import embed_recording

    notify = (lambda _: None) if quiet else notifier(new_console())
    config = Config(**asdict(options), embed=method)
    made = embed_recording(
        [source, *more] if more else source, out, config,
        controls=controls, overwrite=overwrite, strict=strict, notify=notify,
    )  # fmt: skip
    places = ", ".join(str(out.expanduser() / name) for name in made)
    first = places.partition(",")[0]
    notify(f"the embedding is in {places}; next: nwbsparse run {source} --embedding {first}")

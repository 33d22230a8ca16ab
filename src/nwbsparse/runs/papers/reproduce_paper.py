"""reproduce_paper(): a published paper done again, by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nwbsparse.errors import BadInput, unknown
from nwbsparse.progress import Progress, silent
from nwbsparse.runs.papers.freeman2025 import Freeman, freeman2025
from nwbsparse.runs.papers.freeman2025_settings import Freeman2025
from nwbsparse.runs.papers.naik2025 import Reproduced, naik2025
from nwbsparse.runs.papers.naik2025_settings import Naik2025
from nwbsparse.studies.work import Executor

PAPERS = ("naik2025", "freeman2025")
"""Those that can be done again."""


def reproduce_paper(
    paper: str,
    sources: Sequence[str | Path],
    out: str | Path,
    asked: Naik2025 | Freeman2025 | None = None,
    *,
    executor: Executor | str | None = None,
    insecure: bool = False,
    progress: Progress = silent,
    notify: Callable[[str], None] = lambda _: None,
) -> Reproduced | Freeman:
    """Do a published paper again with one's own data, and answer its claims by the numbers.

    Args:
        paper: ``naik2025``: sparse autoencoders on CEBRA embeddings of rat hippocampus. ``freeman2025``: a
            sparse autoencoder inside a transformer that decodes visual stimuli.
        sources, out, progress, notify: see :func:`nwbsparse.runs.papers.naik2025.naik2025` and
            :func:`nwbsparse.runs.papers.freeman2025.freeman2025`.
        asked: what is not as it is by itself, of that paper.
        executor, insecure: of ``naik2025``.

    Raises:
        BadInput: there is no paper of that name, the options are of another one, or the sources cannot
            be used.
    """
    if paper not in PAPERS:
        raise unknown(paper, PAPERS, what="paper")
    if paper == "naik2025":
        own = Naik2025() if asked is None else asked
        if isinstance(own, Naik2025):
            return naik2025(
                sources, out, own, executor=executor, insecure=insecure, progress=progress,
                notify=notify,
            )  # fmt: skip
    elif executor is not None:
        raise BadInput("freeman2025 is done by this process; leave --cluster out")
    else:
        mine = Freeman2025() if asked is None else asked
        if isinstance(mine, Freeman2025):
            return freeman2025(sources, out, mine, progress=progress, notify=notify)
    raise BadInput(f"these are no options of {paper}: {type(asked).__name__}")

"""reproduce_paper(): a published paper done again, by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nwbsparse.errors import unknown
from nwbsparse.progress import Progress, silent
from nwbsparse.runs.papers.naik2025 import Reproduced, naik2025
from nwbsparse.runs.papers.naik2025_settings import Naik2025
from nwbsparse.studies.work import Executor

PAPERS = {"naik2025": naik2025}
"""name → what does it."""


def reproduce_paper(
    paper: str,
    sources: Sequence[str | Path],
    out: str | Path,
    asked: Naik2025 = Naik2025(),  # noqa: B008
    *,
    executor: Executor | str | None = None,
    insecure: bool = False,
    progress: Progress = silent,
    notify: Callable[[str], None] = lambda _: None,
) -> Reproduced:
    """Do a published paper again with one's own data, and answer its claims by the numbers.

    Args:
        paper: ``naik2025``: sparse autoencoders on CEBRA embeddings of rat hippocampus.
        sources, out, asked, executor, insecure, progress, notify: see
            :func:`nwbsparse.runs.papers.naik2025.naik2025`.

    Raises:
        BadInput: there is no paper of that name, or the sources cannot be used.
    """
    if paper not in PAPERS:
        raise unknown(paper, PAPERS, what="paper")
    return PAPERS[paper](
        sources, out, asked, executor=executor, insecure=insecure, progress=progress, notify=notify
    )

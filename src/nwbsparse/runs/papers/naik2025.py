"""Naik (2025), sparse autoencoders on CEBRA embeddings of rat hippocampus: done again and answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from nwbsparse.errors import BadInput
from nwbsparse.files.made_folder import check_writable
from nwbsparse.files.whole import whole_file, write_whole
from nwbsparse.progress import Progress, silent
from nwbsparse.results.folder import save_netcdf
from nwbsparse.runs.papers.naik2025_animals import Animal, animals_of
from nwbsparse.runs.papers.naik2025_claims import Answer, answers
from nwbsparse.runs.papers.naik2025_embeddings import check_available
from nwbsparse.runs.papers.naik2025_page import page_of
from nwbsparse.runs.papers.naik2025_settings import Naik2025
from nwbsparse.runs.papers.naik2025_table import tidy
from nwbsparse.runs.papers.naik2025_work import all_rows, chosen_embeddings, made_for
from nwbsparse.schema import own_version
from nwbsparse.studies.cluster import workers
from nwbsparse.studies.fits import as_frame
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.work import Executor
from nwbsparse.views.study.page import as_html, as_markdown, figure_files

TABLE, PAGE, TEXT, LEDGER = "naik2025.nc", "naik2025.html", "naik2025.md", "ledger"
EMBEDDINGS = "embeddings"
"""Those that coders were trained on: what ``nwbsparse run --embedding`` takes."""
Notify = Callable[[str], None]


@dataclass(frozen=True)
class Reproduced:
    """What a reproduction found, and where it was written."""

    fits: xr.Dataset
    """Every fit × metric."""
    answers: list[Answer]
    """The paper's claims, each with a verdict and the numbers."""
    table: Path
    page: Path
    text: Path


def naik2025(
    sources: Sequence[str | Path],
    out: str | Path,
    asked: Naik2025 = Naik2025(),  # noqa: B008
    *,
    executor: Executor | str | None = None,
    insecure: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
) -> Reproduced:
    """Run Naik 2025 on one's own data: embeddings, 135 coders per embedding, controls, and the claims.

    Args:
        sources: recordings, folders of stored embeddings (``NAME-DIMS-train.npy``, ``…-valid.npy``) or
            ``FOLDER/NAME``; several animals are pooled.
        out: folder for the table, the page and the ledger. What is in the ledger is not done again:
            an animal or a size can be added later.
        asked: where it differs from the paper.
        executor: who does the work: absent, this process; "local" or the address of a dask cluster
            (:func:`nwbsparse.studies.cluster.workers`), a ``distributed.Client``, or anything with
            ``submit(function, path)``. Results are the same to the last bit.
        insecure: allow a cluster on another machine without TLS: whoever reaches it can run anything.
        progress: called after every piece of work.
        notify: told what was read.

    Raises:
        BadInput: a source cannot be used, or the folder holds another ledger, or one that another process
            works on.
        EnvironmentProblem: the folder cannot be written, CEBRA is needed and not installed, or the
            workers are gone.
    """
    folder = Path(out).expanduser()
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; results go into a folder")
    check_writable(folder)
    animals = animals_of(sources, asked, notify)
    for animal in animals:
        notify(_read(animal, asked))
    if not all(one.stored for one in animals):
        check_available()
    ledger = Ledger(folder / LEDGER, made_for())
    with ExitStack() as held:
        if isinstance(executor, str) or hasattr(executor, "scheduler_info"):
            executor = held.enter_context(
                workers(executor, threads=1, insecure=insecure, notify=notify)
            )
            executor.check(ledger.folder)
        held.enter_context(ledger.share(0, 1))
        ledger.forget_failures()  # what failed for the machine's sake may do now
        rows = all_rows(animals, asked, ledger, executor, progress)
    attrs = {
        "paper": "Naik 2025", "version": own_version(), "asked": asdict(asked),
        "changed": asked.changed(), "animals": [one.name for one in animals],
    }  # fmt: skip
    fits = tidy(rows, attrs)
    found = answers(as_frame(fits))
    page = page_of(fits, animals, asked, found)
    folder.mkdir(parents=True, exist_ok=True)
    save_netcdf(fits, folder / TABLE)
    for name, table in chosen_embeddings(animals, asked, ledger).items():
        with whole_file(folder / EMBEDDINGS / f"{name}.npy") as fresh, fresh.open("wb") as file:
            np.save(file, table, allow_pickle=False)
    for name, content in figure_files(page).items():
        write_whole(folder / name, content)
    write_whole(folder / TEXT, as_markdown(page))
    write_whole(folder / PAGE, as_html(page))
    return Reproduced(fits, found, folder / TABLE, folder / PAGE, folder / TEXT)


def _read(animal: Animal, asked: Naik2025) -> str:
    n = f"{animal.binned.sizes['time']:,} bins"
    units = f" × {animal.binned.sizes['unit']} units" if animal.recorded else ""
    if animal.stored:
        sizes = ", ".join(map(str, sorted(animal.stored)))
        behaviour = "" if animal.recorded else "; no behaviour, so reconstruction only"
        return f"{animal.name}: {n}{units}, stored embeddings of {sizes} dims{behaviour}"
    return (
        f"{animal.name}: {n}{units}, {len(asked.dims) * 4} embeddings by CEBRA on "
        f"{' and '.join(animal.behaviours)}"
    )

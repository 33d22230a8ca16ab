"""sweep(): many models of one or several recordings, in a folder that can be gone on from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput
from nwbsparse.io.digest import digest_of
from nwbsparse.io.stream import is_address, public_address
from nwbsparse.options.config import Config, from_dict
from nwbsparse.progress import Progress, silent
from nwbsparse.runs.asked import asked, named_sources, source_name
from nwbsparse.studies.cluster import workers
from nwbsparse.studies.datasets import digest_of_dataset, save_dataset, save_whole
from nwbsparse.studies.grid import Grid, read_grid
from nwbsparse.studies.ledger import Ledger, Outcome, Status
from nwbsparse.studies.made_for import LEDGER
from nwbsparse.studies.perform import do_fits, perform
from nwbsparse.studies.plan import BINS, FITS, Source, Wanted, described, tasks_of
from nwbsparse.studies.room import needed_bytes
from nwbsparse.studies.table import write_table
from nwbsparse.studies.task import Task, text_digest
from nwbsparse.studies.work import Executor, work_through

Notify = Callable[[str], None]
Recordings = str | Path | xr.Dataset | Sequence[str | Path] | Mapping[str, Any]


def sweep(
    source: Recordings,
    grid: str | Path | Mapping[str, Any] | Sequence[Config],
    *,
    out: str | Path,
    executor: Executor | str | None = None,
    metrics: Sequence[str] = ("reconstruction",),
    keep: Sequence[str] = (),
    threads: int | None = None,
    skip_invalid: bool = False,
    retry: bool = False,
    insecure: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
) -> xr.Dataset:
    """Fit a model for every combination of options, and put what is known of all of them into one table.

    Any option can be varied, those of reading and binning too. Each fit is one training with one seed
    (``seed`` is an axis like others); where the grid names ``choose``, ``seeds`` or ``replicates``, each
    is made as :func:`nwbsparse.fit` makes it. Models that can be trained side by side are.

    What is done is kept in the folder ``out`` at once: the same call goes on where an earlier one was
    stopped, and gives the same table to the last bit, whoever does the work.

    Args:
        source: a recording (path or address), several (each is swept by itself), or bins that went through
            ``split`` (a Binned dataset); also ``{name: one of these}``.
        grid: a TOML file, a dict like it, or a list of Config (:func:`nwbsparse.studies.grid.read_grid`).
        out: the folder.
        executor: who does the work: absent, this process; "local" or the address of a dask cluster
            (:func:`nwbsparse.studies.cluster.workers`), a ``distributed.Client``, or anything with
            ``submit(function, path)``, such as a ProcessPoolExecutor.
        metrics: of "reconstruction", "hidden_units", "naik" and "decode".
        keep: of "models" and "latents": what is kept of each fit, in folders of ``out``.
        threads: that each task computes with (1), which its last bits depend on.
        skip_invalid: leave out combinations that cannot work, rather than refuse the grid.
        retry: try again what failed before.
        insecure: allow a cluster on another machine without TLS: whoever reaches it can run anything.
        progress: called when something is done, with how many fits are.
        notify: called with a line of text at every step.

    Returns:
        Dataset over ``fit``: every option that varies (and ``session``, of several recordings) as a
        coordinate; the numbers asked for, ``train_…`` on training bins, the rest held out;
        ``n_latents_used``, ``k_used``, ``model_id``, ``status`` ("ok", "diverged", "failed") with
        ``message``; ``seconds``. All but the seconds also in ``sweep.nc``.

    Raises:
        BadInput: options that do not exist or cannot work (all are listed), an empty grid, bins that were
            not split, the folder of another sweep, or one that another process works on.
        EnvironmentProblem: the folder cannot be written to, or the workers are gone.
    """
    with ExitStack() as held:
        if isinstance(executor, str) or hasattr(executor, "scheduler_info"):
            executor = held.enter_context(
                workers(executor, threads=threads, insecure=insecure, notify=notify)
            )
        ledger, tasks = open_sweep(
            source, grid, out=out, metrics=metrics, keep=keep, skip_invalid=skip_invalid,
            threads=threads or getattr(executor, "threads", None), notify=notify,
        )  # fmt: skip
        check: Any = getattr(executor, "check", None)
        if check is not None:
            check(ledger.folder)
        with ledger.share(0, 1):
            if retry:
                ledger.forget_failures()
            work_through(
                ledger,
                tasks,
                HOW,
                executor,
                needed=partial(needed_bytes, ledger),
                progress=progress,
            )
            table = write_table(ledger)
    notify(said_of(ledger.status(), table))
    return table


def open_sweep(
    source: Recordings,
    grid: str | Path | Mapping[str, Any] | Sequence[Config],
    *,
    out: str | Path,
    metrics: Sequence[str] = ("reconstruction",),
    keep: Sequence[str] = (),
    threads: int | None = None,
    skip_invalid: bool = False,
    notify: Notify = lambda _: None,
) -> tuple[Ledger, list[Task]]:
    """Write down what there is to do for a sweep, without doing it; the ledger, and its tasks.

    Raises:
        BadInput: as :func:`sweep`.
    """
    cells = read_grid(grid, skip_invalid=skip_invalid)
    for one in cells.left_out:
        notify(f"left out: {one}")
    folder = Path(out).expanduser().absolute()
    sources = _sources(source, cells, folder)
    wanted = Wanted(tuple(metrics), tuple(keep), threads or _threads_in(folder) or 1)
    ledger = Ledger(folder, described(sources, cells, wanted))
    for one, dataset in _datasets(source, sources):
        if not (path := Path(one.path)).exists():
            save_whole(dataset, path)
    tasks = ledger.add(tasks_of(sources, cells, wanted))
    n_fits, n_stacks = len(cells.cells) * len(sources), sum(one.kind == FITS for one in tasks)
    notify(f"{n_fits:,} fits in {n_stacks:,} stacks, in {ledger.folder}")
    return ledger, tasks


def work_on_share(
    folder: str | Path, index: int, of: int, *, retry: bool = False, progress: Progress = silent
) -> Ledger:
    """Do one of several shares of a sweep that was written down, as a job of an array does.

    Whoever does the last one writes the table.

    Raises:
        BadInput: no sweep, no such share, or one that another process works on.
    """
    ledger = Ledger(folder)
    with ledger.share(index, of):
        if retry and index == 0:
            ledger.forget_failures()
        stacks = sorted(
            (one for one in ledger.tasks() if one.kind == FITS), key=lambda one: (-one.size, one.id)
        )
        work_through(ledger, stacks[index::of], HOW, progress=progress)
        if ledger.status().settled:
            write_table(ledger)
    return ledger


def do_bins(path: str | Path) -> Outcome:
    """Read, bin and split a recording, and embed it where that was asked for."""
    return perform(path, _make_bins)


HOW = {BINS: do_bins, FITS: do_fits}
"""What does a task of each kind."""


def said_of(status: Status, table: xr.Dataset) -> str:
    """How it went, in a line."""
    found = [str(one) for one in table["status"].values]
    said = [f"{found.count('ok'):,} of {len(found):,} fits made"]
    said += [f"{n:,} {one}" for one in ("diverged", "failed") if (n := found.count(one))]
    return ", ".join(said) + ("" if status.settled else f"; {status.waiting:,} stacks to do")


def _make_bins(_ledger: Ledger, task: Task, path: Path) -> None:
    from nwbsparse.runs.first_half import prepare_recordings  # with it comes torch

    config = from_dict(dict(task.about["config"]))
    ready = prepare_recordings(asked(task.paths["source"], config))
    save_dataset(ready.data, path)


def _sources(data: Recordings, grid: Grid, folder: Path) -> list[Source]:
    """Where the data lie, and what tells them from others."""
    found = []
    for name, one in _named(data).items():
        if isinstance(one, xr.Dataset):
            part(one, "train")  # says so where it was not split
            if grid.varying_data:
                raise BadInput(
                    f"{', '.join(grid.varying_data)} would make other bins than those that were given; "
                    "give the recording (its path) to vary how it is binned"
                )
            digest = digest_of_dataset(one)
            found.append(
                Source(name, str(folder / "data" / f"{digest[:20]}.nc"), digest, ready=True)
            )
        else:
            found.append(Source(name, *_located(one)))
    return found


def _named(data: Recordings) -> dict[str, Any]:
    if isinstance(data, xr.Dataset):
        return {"recording": data}
    if isinstance(data, str | Path):
        return {Path(source_name(data)).stem or "recording": data}
    given = list(data.values()) if isinstance(data, Mapping) else list(data)
    if not given or any(not isinstance(one, str | Path | xr.Dataset) for one in given):
        raise BadInput(
            "a sweep is of recordings (paths or addresses) or of Binned datasets; of several as a list "
            "of paths or as {name: one}"
        )
    if len(given) == 1:
        return dict(data) if isinstance(data, Mapping) else _named(given[0])
    return dict(named_sources(data))


def _datasets(data: Recordings, sources: Sequence[Source]) -> list[tuple[Source, xr.Dataset]]:
    pairs = zip(sources, _named(data).values(), strict=True)
    return [(one, given) for one, given in pairs if isinstance(given, xr.Dataset)]


def _located(source: str | Path) -> tuple[str, str]:
    """Where a recording lies, and a digest of it; of one on a server that of its address."""
    if is_address(str(source)):
        return str(source), text_digest(public_address(source))
    path = Path(source).expanduser().absolute()
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    return str(path), digest_of(path)


def _threads_in(folder: Path) -> int | None:
    """The threads that a sweep was begun with: what goes on goes on alike."""
    if not (folder / LEDGER).is_file():
        return None
    found = Ledger(folder).made_for.get("threads")
    return found if isinstance(found, int) else None

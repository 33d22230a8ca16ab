"""fit_recording(): the first half of a run, from one to n recordings to a coder in a folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.deprecated import renamed
from nwbsparse.embedding.attach import embedding_of
from nwbsparse.embedding.embedder import embedder_bytes
from nwbsparse.errors import BadInput, EnvironmentProblem, NwbsparseError
from nwbsparse.files.made_folder import check_writable
from nwbsparse.files.whole import write_whole
from nwbsparse.models import checkpoint
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config
from nwbsparse.progress import Progress, silent
from nwbsparse.results.folder import (
    NUMBERS,
    STABILITY,
    finite,
    keep_embedding,
    save_netcdf,
    to_json,
)
from nwbsparse.runs.asked import asked
from nwbsparse.runs.first_half import Learned, learn_recordings
from nwbsparse.runs.outputs import OPTIONS, Notify, options_said
from nwbsparse.runs.said import learned_said
from nwbsparse.training.saved import FILE


@dataclass(frozen=True)
class Fitted:
    """What a fit made, and where it is."""

    coder: SparseCoder
    """Of all recordings, where there are several."""
    binned: dict[str, xr.Dataset]
    """{session: its bins}; one that stands alone is called ''."""
    metrics: dict[str, Any]
    """The content of ``metrics.json``."""
    stability: xr.Dataset | None
    """How the latents come back, where there are several seeds."""
    folder: Path


@renamed(say="notify")
def fit_recording(
    source: Any,
    out: str | Path,
    config: Config | None = None,
    *,
    embedding: Any = None,
    embedding_method: str | None = None,
    embedding_saw_behaviour: str | None = None,
    behaviour: str | Path | None = None,
    behaviour_offset: float = 0.0,
    resume: bool = False,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
) -> Fitted:
    """Read, bin, split and fit, and keep the coder in a folder, without explaining or annotating.

    :func:`nwbsparse.fit` learns from bins and writes nothing; this begins with the recording, saves
    the training as it goes, and leaves what ``nwbsparse fit`` leaves.

    Args:
        source: one recording or several, as :func:`nwbsparse.run` takes them; of several one model
            is learned, the whole of which is kept.
        out: folder for the coder (made when absent).
        config: options; what they leave open is chosen.
        embedding, embedding_method, embedding_saw_behaviour: of one recording, as for ``run``.
        behaviour, behaviour_offset: of one recording, as for ``run``: ``where`` and ``intervals``
            can use what is joined.
        resume: go on with a training in ``out`` that was stopped.
        overwrite: replace a coder or a stopped training in ``out``.
        strict: refuse what reading would otherwise repair and report.
        progress: called by long steps.
        notify: called with a line of text at every step.

    Returns:
        The coder in memory and where it is: ``model.safetensors``, ``model.json``, ``run.toml``,
        ``metrics.json``; of an embedding ``embedding.nc``, of several recordings in a folder of each;
        with several seeds ``stability.nc``, and without consensus a folder ``seed-N`` of each, of
        which the first is also the model.

    Raises:
        BadInput: the folder holds a model already, there is nothing to resume, or the source or
            options cannot be used.
        EnvironmentProblem: the folder cannot be written to.
    """
    out = Path(out).expanduser()
    wanted = asked(
        source, config, embedding=embedding, embedding_method=embedding_method,
        embedding_saw_behaviour=embedding_saw_behaviour, behaviour=behaviour,
        behaviour_offset=behaviour_offset,
    )  # fmt: skip
    _check_folder(out, resume=resume, overwrite=overwrite)
    learned = learn_recordings(
        wanted, strict=strict, notify=notify, progress=progress, checkpoint=out, resume=resume
    )
    metrics = evaluate(learned.coder, learned.ready.data)
    numbers = _numbers(learned, metrics)
    try:
        _keep(learned, numbers, out)
    except NwbsparseError:
        raise
    except OSError as error:
        raise EnvironmentProblem(f"{out} cannot be written to: {error.strerror}") from error
    for line in learned_said(learned.coder, learned.stability, metrics):
        notify(line)
    return Fitted(learned.coder, learned.ready.binned, numbers, learned.stability, out)


def _check_folder(out: Path, *, resume: bool, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; --out must be a folder")
    if (out / checkpoint.TENSORS).exists() and not overwrite:
        raise BadInput(f"{out} already holds a coder; use --overwrite or another --out")
    if (out / FILE).exists() and not (resume or overwrite):
        raise BadInput(
            f"{out} holds a training that was stopped; go on with --resume or begin anew with "
            "--overwrite"
        )
    if overwrite and not resume:
        (out / FILE).unlink(missing_ok=True)
    check_writable(out)


def _keep(learned: Learned, numbers: Mapping[str, Any], out: Path) -> None:
    """The coder comes last: a folder that holds one holds everything."""
    if learned.stability is not None:
        for coder in learned.seeds:
            folder = out / f"seed-{coder.config.seed}"
            shutil.rmtree(folder, ignore_errors=True)
            checkpoint.save(coder, folder)
        save_netcdf(learned.stability, out / STABILITY)
    write_whole(out / OPTIONS, options_said(learned.coder, learned.ready.sessions))
    write_whole(out / NUMBERS, to_json(dict(numbers)))
    for name, binned in learned.ready.binned.items():
        own = out / name if learned.ready.several else out
        read = embedding_of(binned, learned.coder.config.reads)
        if read is not None:
            own.mkdir(exist_ok=True)
        keep_embedding(read, embedder_bytes(binned), own)
    checkpoint.save(learned.coder, out)
    (out / FILE).unlink(missing_ok=True)


def _numbers(learned: Learned, metrics: xr.Dataset) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "test_r2": float(metrics["r2"]),
        "test_l0": float(metrics["l0"].mean()),
        "dead_fraction": float(metrics["dead"].mean()),
        "n_latents": learned.coder.n_latents,
        "coder_id": learned.coder.id,
    }
    if learned.stability is not None:
        numbers["n_stable_latents"] = int(learned.stability["stable"].sum())
    return finite(numbers)

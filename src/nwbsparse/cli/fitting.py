"""``nwbsparse fit`` and ``nwbsparse encode``: a coder in a folder, and what it says of a recording."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.analysis.quality.stability import Seeds, fit_seeds
from nwbsparse.cli.live import training_table
from nwbsparse.embedding.attach import embedding_of
from nwbsparse.errors import BadInput, EnvironmentProblem, NwbsparseError
from nwbsparse.files.made_folder import check_writable
from nwbsparse.files.whole import write_whole
from nwbsparse.io.read import read_again, read_as
from nwbsparse.models import checkpoint
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config
from nwbsparse.options.toml import to_toml
from nwbsparse.results.folder import (
    NUMBERS,
    STABILITY,
    check_one_session,
    embedding_in,
    keep_embedding,
    save_netcdf,
    to_json,
)
from nwbsparse.runs.prepare import bins_said, prepare, reading
from nwbsparse.runs.said import learned_said
from nwbsparse.training.fit import fit
from nwbsparse.training.saved import FILE

Say = Callable[[str], None]


def fit_into(
    source: str,
    out: Path,
    config: Config,
    console: Console,
    say: Say,
    *,
    embedding: Path | None,
    embedding_method: str | None,
    embedding_saw_behaviour: str | None,
    behaviour: Path | None = None,
    behaviour_offset: float = 0.0,
    resume: bool,
    overwrite: bool,
    strict: bool,
    quiet: bool,
) -> None:
    """Train on a recording and leave ``model.safetensors``, ``model.json`` and ``run.toml``.

    Several seeds stand in ``seed-N`` folders beside ``stability.nc``; the first is also the model.

    Raises:
        BadInput: the folder holds a model already, or there is nothing to resume.
        EnvironmentProblem: it cannot be written to.
    """
    out = out.expanduser()
    _check_folder(out, resume=resume, overwrite=overwrite)
    config = reading(config, embedding)
    session = read_as(
        source, config, strict=strict, behaviour=behaviour, behaviour_offset=behaviour_offset
    )
    binned = prepare(
        session,
        config,
        embedding=embedding,
        method=embedding_method,
        saw_behaviour=embedding_saw_behaviour,
    )
    say(bins_said(binned, config))
    with training_table(console, quiet=quiet) as progress:
        if config.seeds > 1:
            found = fit_seeds(binned, config, progress=progress, checkpoint=out, resume=resume)
            coder = found.coders[0]
        else:
            found = None
            coder = fit(binned, config, progress=progress, checkpoint=out, resume=resume)
    metrics = evaluate(coder, binned)
    try:
        if found is not None:
            _save_seeds(found, out)
        write_whole(out / "run.toml", to_toml(coder.record.options, source=Path(source).name))
        write_whole(out / NUMBERS, to_json(_numbers(coder, metrics, found)))
        keep_embedding(embedding_of(binned, config.reads), out)
        checkpoint.save(coder, out)
        (out / FILE).unlink(missing_ok=True)
    except NwbsparseError:
        raise
    except OSError as error:
        raise EnvironmentProblem(f"{out} cannot be written to: {error.strerror}") from error
    for line in _said(coder, metrics, found):
        say(line)
    say(f"the coder is in {out}; next: nwbsparse encode {out} {source} --out latents.nc")


def encode_into(
    model: Path,
    source: str,
    out: Path,
    say: Say,
    *,
    embedding: Path | None,
    overwrite: bool,
    strict: bool,
) -> None:
    """Bin a recording as a coder's training was, and write its latents as netCDF.

    Raises:
        BadInput: no coder in the folder, other units, or the file exists.
        EnvironmentProblem: it cannot be written.
    """
    model, out = model.expanduser(), out.expanduser()
    if out.exists() and not overwrite:
        raise BadInput(f"{out} exists; use --overwrite or another --out")
    check_one_session(model)
    coder = checkpoint.load(model)
    given = embedding_in(model) if embedding is None else embedding
    session = read_again(source, coder.config, strict=strict)
    binned = prepare(session, coder.config, embedding=given)
    latents = encode(coder, binned)
    save_netcdf(latents, out)
    say(
        f"wrote {coder.n_latents} latents of {latents.sizes['time']:,} bins to {out}; in Python: "
        f"xarray.open_dataset('{out}')"
    )


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


def _save_seeds(found: Seeds, out: Path) -> None:
    for coder in found.coders if len(found.coders) > 1 else ():
        folder = out / f"seed-{coder.config.seed}"
        shutil.rmtree(folder, ignore_errors=True)
        checkpoint.save(coder, folder)
    save_netcdf(found.stability, out / STABILITY)


def _numbers(coder: SparseCoder, metrics: Any, found: Seeds | None) -> dict[str, Any]:
    numbers = {
        "test_r2": float(metrics["r2"]),
        "test_l0": float(metrics["l0"].mean()),
        "dead_fraction": float(metrics["dead"].mean()),
        "n_latents": coder.n_latents,
        "coder_id": coder.id,
    }
    if found is not None:
        numbers["n_stable_latents"] = int(found.stability["stable"].sum())
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in numbers.items()
    }


def _said(coder: SparseCoder, metrics: Any, found: Seeds | None) -> list[str]:
    last = coder.record.history[-1]
    said = [
        f"fit {coder.n_latents} latents in {last['update']:,} updates: held-out R² "
        f"{float(metrics['r2']):.3f}, L0 {float(metrics['l0'].mean()):.2f}, "
        f"{float(metrics['dead'].mean()):.0%} of latents never active there"
    ]
    return said + learned_said(coder, None if found is None else found.stability)

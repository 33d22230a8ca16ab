"""The task of a sweep: a stack of coders fitted, and what is known of each."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse.analysis.apply.encode import encode
from nwbsparse.errors import BadInput
from nwbsparse.models.checkpoint import save
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config, from_dict
from nwbsparse.studies.datasets import load_dataset, save_whole
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.plan import name_of
from nwbsparse.studies.scores import scores_of
from nwbsparse.studies.task import Task
from nwbsparse.training.engine import TrainingDiverged
from nwbsparse.training.fit import fit, fit_many
from nwbsparse.training.learn import settled_for
from nwbsparse.training.prepare import new_coders

OK, DIVERGED, FAILED = "ok", "diverged", "failed"
"""What can become of a fit."""
Made = SparseCoder | TrainingDiverged | BadInput


def make_fits(ledger: Ledger, task: Task, path: Path) -> None:
    """Fit the coders of a task, and write a row about each; coders and latents where they are kept."""
    binned = load_dataset(_bins(ledger, task))
    about = task.about
    configs = [from_dict(one) for one in about["configs"]]
    made = [_alone(binned, configs[0])] if about["alone"] else _stack(binned, configs)
    rows = []
    for number, coder in zip(about["fits"], made, strict=True):
        rows.append({"fit": number} | _row(coder, binned, about["metrics"]))
        if isinstance(coder, SparseCoder):
            _keep(coder, binned, name_of(number), about["keep"], ledger.folder)
    path.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def _bins(ledger: Ledger, task: Task) -> Path:
    """Where the bins of a task lie: made by another task, or given."""
    if not task.needs:
        return Path(task.paths["bins"])
    return ledger.result(ledger.task(task.needs[0]))


def _alone(binned: xr.Dataset, config: Config) -> Made:
    """A coder as :func:`nwbsparse.fit` makes it, of several trainings."""
    try:
        return fit(binned, config)
    except (TrainingDiverged, BadInput) as error:
        return error


def _stack(binned: xr.Dataset, configs: list[Config]) -> list[Made]:
    """The coders of a stack; what cannot be is left out, and the others are trained."""
    made: list[Made | None] = [_cannot_be(binned, one) for one in configs]
    sound = [at for at, one in enumerate(made) if one is None]
    if sound:
        for at, coder in zip(sound, fit_many(binned, [configs[at] for at in sound]), strict=True):
            made[at] = coder
    return [one for one in made if one is not None]


def _cannot_be(binned: xr.Dataset, config: Config) -> BadInput | None:
    """Why there can be no coder of these options for these bins; None where there can."""
    try:
        new_coders(binned, [settled_for(binned, config)])
    except BadInput as error:
        return error
    return None


def _row(coder: Made, binned: xr.Dataset, metrics: list[str]) -> dict[str, Any]:
    if not isinstance(coder, SparseCoder):
        status = DIVERGED if isinstance(coder, TrainingDiverged) else FAILED
        return {"status": status, "message": str(coder)}
    return {
        "status": OK,
        "message": "",
        "model_id": coder.id,
        "n_latents": coder.n_latents,
        "k": coder.config.k,
        "numbers": _plain(scores_of(coder, binned, metrics)),
    }


def _plain(numbers: Any) -> Any:
    """Numbers as JSON has them: None in place of NaN."""
    if isinstance(numbers, dict):
        return {key: _plain(value) for key, value in numbers.items()}
    return float(numbers) if math.isfinite(numbers) else None


def _keep(coder: SparseCoder, binned: xr.Dataset, name: str, keep: list[str], folder: Path) -> None:
    if "models" in keep:
        save(coder, folder / "models" / name)
    if "latents" in keep:
        save_whole(encode(coder, binned), folder / "latents" / f"{name}.nc")

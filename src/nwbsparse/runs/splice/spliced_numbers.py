"""What was found of a coder inside a network, as flat numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.results.folder import finite

LATENTS, RAW_DIMS, INTACT, RESAMPLE = "latents", "raw dims", "intact", "resample"
RANDOM_LATENTS = "random latents"
CODERS = {"random": "random coder", "untrained": "untrained coder"}
"""What stands in the layer's place without having learned anything."""


def numbers_of(tables: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """The numbers that answer whether a coder stands in the layer's place, and what its latents are for.

    Args:
        tables: of :class:`nwbsparse.runs.splice.measured.Measured`.
    """
    report, selectivity = tables["splice_report"], tables["site_selectivity"]
    matrix, steered = tables["ablation_matrix"], tables["steering"]
    heads = [str(one) for one in report[names.HEAD].values]
    spliced = report.sel({names.REPRESENTATION: LATENTS})
    intact = report.sel({names.REPRESENTATION: INTACT})
    made: dict[str, Any] = {
        "loss_recovered": float(spliced["loss_recovered_mean"]),
        "r2": float(spliced["r2"]),
        "l0": float(spliced["l0"]),
        "alive": float(spliced["alive"]),
    }
    drops, random = _drops(matrix, LATENTS), _drops(matrix, RANDOM_LATENTS)
    bare = tables.get("untrained_selectivity")
    for number, head in enumerate(heads):
        at = {names.HEAD: head}
        made[f"score_{head}"] = float(intact["score"].sel(at))
        made[f"chance_{head}"] = float(report["chance"].sel(at))
        made[f"retained_{head}"] = float(spliced["retained"].sel(at))
        made[f"kl_{head}"] = float(spliced["kl"].sel(at))
        for key, called in CODERS.items():
            other = report.sel({names.REPRESENTATION: called})
            made[f"{key}_retained_{head}"] = float(other["retained"].sel(at))
        made[f"selective_{head}"] = int(selectivity["n_selective"].sel(at))
        made[f"selective_shuffled_{head}"] = float(selectivity["n_selective_shuffled"].sel(at))
        made[f"own_drop_{head}"] = float(drops[number, number])
        made[f"random_drop_{head}"] = float(random[number, number])
        made[f"tuned_{head}"] = _tuned(selectivity, head)
        if bare is not None:
            made[f"selective_untrained_{head}"] = int(bare["n_selective"].sel(at))
            made[f"tuned_untrained_{head}"] = _tuned(bare, head)
        made[f"other_drop_{head}"] = _most(np.delete(drops[number], number))
        one = steered.sel({names.REPRESENTATION: LATENTS, names.STEERED: head})
        made[f"steering_target_{head}"] = float(one["target_area"])
        made[f"steering_off_target_{head}"] = float(one["worst_off_target_area"])
        made[f"steering_{head}"] = str(one["outcome"].item())
    for name in (LATENTS, RAW_DIMS, "pca"):
        index = matrix["selectivity_index"].sel(
            {names.REPRESENTATION: name, names.ABLATION: RESAMPLE}
        )
        known = index.values[np.isfinite(index.values)]
        made[f"index_{name.replace(' ', '_')}"] = float(known.mean()) if len(known) else np.nan
    return finite(made)


def _tuned(selectivity: xr.Dataset, head: str) -> int:
    """Latents that differ with a variable, whatever else they differ with more.

    Where one variable says what another is (a direction its orientation), none can be selective for the
    other by differing with it most.
    """
    own = selectivity.sel({names.HEAD: head})
    least, alpha = selectivity.attrs["least_eta2"], selectivity.attrs["alpha"]
    return int(((own["eta2"] >= least) & (own["p"] < alpha)).sum())


def _drops(matrix: xr.Dataset, representation: str) -> np.ndarray:
    """(removed, head)."""
    own = matrix["normalised_drop"].sel(
        {names.REPRESENTATION: representation, names.ABLATION: RESAMPLE}
    )
    return own.transpose(names.REMOVED, names.HEAD).values


def _most(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else float("nan")
